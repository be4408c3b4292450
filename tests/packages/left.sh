#!/bin/bash
# SPDX-License-Identifier: MIT
# In the bare machine: lists its files, users and groups, less what installing anything changes, and the
# folders that servers make when they first run.
find / -xdev \( -path /root -o -path /tmp -o -path /packages -o -path /newer -o -path /old -o -path /var/log -o -path /var/cache \
    -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o \
    -type d \( -path '/var/lib/apache2/*' -o -path '/var/lib/nginx/*' -o -path '/var/lib/php/*' \) -o -print | sort
cut -d : -f 1 /etc/passwd /etc/group /etc/shadow | sort

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sandbox.sh TREE FOLDER COMMAND...: runs it in this folder of a copy of the tree, on a machine of its own: with other
# names in /dev/shm, other ports on loopback, and processes that end with it. SERVER_MODULES (of run.sh) has a folder for each
# server, which takes the place of the server's folder of modules.
set -euo pipefail
rights=()
[ "$(id -u)" -eq 0 ] || rights=(--map-root-user)

# shellcheck disable=SC2016
exec unshare "${rights[@]}" --mount --net --ipc --pid --fork --kill-child --mount-proc --propagation private bash -euc '
    tree=$1 folder=$2
    shift 2
    mount -t tmpfs -o mode=1777 none /dev/shm
    mount -t tmpfs -o mode=755 none /srv
    ip link set lo up
    for modules in apache2 nginx; do
        [ ! -d "$SERVER_MODULES/$modules" ] || mount --bind "$SERVER_MODULES/$modules" "/usr/lib/$modules/modules"
    done
    cp -r "$tree/." /srv
    printf "silent\nshow-error\n" >/srv/.curlrc
    cd "/srv/$folder"
    exec env HOME=/srv "$@"
' sandbox "$@"

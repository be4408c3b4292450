#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# enter.sh ROOT root|user|none COMMAND...: runs it in the machine below ROOT, which debootstrap has made, with
# mounts, processes and shared memory of its own. As root; as an ordinary user; or as a container's root without
# any privilege: no capability, none to be had, and without the system calls that releases/unprivileged.c refuses.
# /dev/shm is as small, and /sys as read-only, as in a container.
set -euo pipefail
root=$1 who=$2
shift 2
case $who in
root) become=() home=/root ;;
user) become=(setpriv --reuid 1000 --regid 1000 --clear-groups) home=/home/user ;;
none)
    become=(setpriv --inh-caps=-all --bounding-set=-all --no-new-privs /run/unprivileged)
    home=/home/none
    ;;
esac

# Not chroot: below that, nobody may make namespaces.
# shellcheck disable=SC2016
exec unshare --mount --pid --ipc --fork --kill-child --propagation private bash -euc '
    root=$1 home=$2
    shift 2
    mount --bind "$root" "$root"
    cd "$root"
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount --rbind /dev dev
    mount --make-rprivate dev
    mount -t tmpfs -o size=64m,mode=1777 tmpfs dev/shm
    mount -t tmpfs -o mode=755 tmpfs run
    mkdir -m 1777 run/lock
    [ ! -e unprivileged ] || cp unprivileged run
    mkdir -p old
    pivot_root . old
    cd "$home"
    umount -l /old
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" TERM=dumb LC_ALL=C.UTF-8 "$@"
' enter "$root" "$home" "${become[@]}" "$@" </dev/null

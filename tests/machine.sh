# SPDX-License-Identifier: MIT
# Sourced after checks.sh by the parts that work in bare machines. debootstrap makes these below $work, from this
# machine's own package sources; a suite is the name of a release.
# shellcheck shell=bash disable=SC2154
machines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

this_release() {
    sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

# Where this machine gets Debian from.
mirror() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
        sed -n "s/ $(this_release) main\$//p" | head -n 1
}

# Otherwise the part ends here, and says why.
need_machines() {
    mirror=$(mirror)
    if [ -z "$mirror" ]; then
        skip "bare machines" "needs a Debian with package sources"
        finish
    fi
    if ! unshare --mount --pid --ipc --fork setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
        skip "bare machines" "needs CAP_SYS_ADMIN: be root; docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        finish
    fi
}

in_machine() { # SUITE root|user|none COMMAND...
    "$machines/enter.sh" "$work/$1" "${@:2}"
}

make_bare_machine() { # SUITE
    local root=$work/$1
    rm -rf "$root"
    debootstrap --variant=minbase "$1" "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" && return 1; }
    # A mirror may be a snapshot; a machine behind a proxy says so to apt.
    {
        echo 'Acquire::Check-Valid-Until "false"; Acquire::Languages "none";'
        apt-config dump | grep -E '^Acquire::https?::' || true
    } >"$root/etc/apt/apt.conf.d/99machine"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/99machine" # it lives for minutes
}

remove_machine() { # SUITE
    rm -rf --one-file-system "${work:?}/$1"
}

# This tree as a clean clone has it, with what is new and not committed yet.
copy_sources() { # FOLDER
    local files=(.)
    cd "$SEQSHARE_SOURCE" || return
    if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
        mapfile -d '' files < <(git -c safe.directory='*' ls-files -z --cached --others --exclude-standard)
    fi
    tar -c --exclude=./build --ignore-failed-read "${files[@]}" 2>/dev/null | tar -x -C "$1" --no-same-owner
}

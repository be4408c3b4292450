# SPDX-License-Identifier: MIT
# Sourced by tests/run.sh, whose variables it uses: installs the Debian packages that a part needs.
# shellcheck shell=bash disable=SC2034,SC2154

lacking="" # why the last part cannot run
updated="" # the lists of packages are new
unable=""  # why nothing can be installed here

# The packages of every part, and those of PART's own list, less those that the quick programme leaves out.
packages_of() { # PART
    cat "$here/packages.common" "$here/$1/packages" 2>/dev/null | grep -v '^#' | sort -u |
        if [ "$programme" = quick ]; then grep -v ' full$'; else sed 's/ full$//'; fi
}

# A package of Debian, or a program of that name that came another way. One of several will do.
is_there() { # PACKAGE[|PACKAGE]
    case $1 in
    *"|"*)
        is_there "${1%%|*}" || is_there "${1#*|}"
        return
        ;;
    ninja-build) ! command -v ninja >/dev/null || return 0 ;;
    *) ! command -v "$1" >/dev/null || return 0 ;;
    esac
    command -v dpkg-query >/dev/null || return 0 # not Debian: the part will show what is missing
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed'
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Says why nothing can be installed, or nothing.
why_not() {
    if [ "$install" = no ]; then
        echo "--no-install was given"
    elif ! command -v apt-get >/dev/null; then
        echo "there is no apt-get here"
    elif [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "you are not root, and there is no sudo"
    elif [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
        echo "you are not root, and sudo cannot ask for a password"
    fi
}

# A long command of apt's, its output in a log; a line each 20 s says how far it is.
with_progress() { # TEXT COMMAND...
    local log=$logs/install.log text=$1 pid from=$SECONDS told=$SECONDS rc=0
    shift
    [ "$(id -u)" -eq 0 ] || sudo -v
    as_root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >"$log" 2>&1 &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        sleep 0.3
        [ $((SECONDS - told)) -ge 20 ] || continue
        told=$SECONDS
        printf '   [%s, %d s: %.80s]\n' "$text" $((SECONDS - from)) "$(grep . "$log" | tail -n 1)"
    done
    wait $pid || rc=$?
    [ $rc -eq 0 ] || sed -n 's/^[EW]: /   &/p' "$log" | tail -n 5
    return $rc
}

update_lists() {
    [ -z "$updated" ] || return 0
    updated=yes
    with_progress "reading the lists of packages" apt-get update -q || echo "   apt-get update failed; going on with the lists that are here"
}

# The first of several that this release has. (apt knows of names that others mention, and shows nothing then.)
available() { # PACKAGE[|PACKAGE]
    local name
    for name in ${1//|/ }; do
        [ -z "$(apt-cache show "$name" 2>/dev/null)" ] || { echo "$name" && return; }
    done
    return 1
}

# PACKAGE...: how much that is, and then do it.
install_packages() {
    local said
    said=$(apt-get install --no-install-recommends --assume-no "$@" 2>/dev/null |
        sed -nE 's/^.* ([0-9]+ newly installed).*/\1/p; s/^(Need to get [^/]*)(\/.*)? of archives\.$/\1/p;
            s/^After this operation, (.*B) of additional.*/\1 on the disk/p' | paste -sd ';' | sed 's/;/, /g; s/Need to get //; s/B, /B to fetch, /')
    echo "   Installing $* (${said:-apt does not say how much})"
    with_progress installing apt-get install -q -y --no-install-recommends "$@"
}

# Installs what PART lacks. If that cannot be, $lacking says what is missing, and how to get it.
packages_are_there() { # PART
    local name word index there missing=() optional=()
    lacking=""
    while read -r name word; do
        is_there "$name" && continue
        case $word in
        "") missing+=("$name") ;;
        optional) optional+=("$name") ;;
        *) die "what is '$word' behind $name in a packages file?" ;;
        esac
    done < <(packages_of "$1")
    [ $((${#missing[@]} + ${#optional[@]})) -gt 0 ] || return 0
    [ -n "$unable" ] || unable=$(why_not)
    if [ -z "$unable" ]; then
        update_lists
        for index in "${!missing[@]}"; do
            there=$(available "${missing[index]}") && missing[index]=$there
        done
        for name in "${optional[@]}"; do
            if there=$(available "$name"); then
                missing+=("$there")
            else
                echo "   This release has no package $name; going on without it."
            fi
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        install_packages "${missing[@]}" && return
        unable="apt-get could not install it"
        [ "$programme" = quick ] || die "could not install ${missing[*]}: see $logs/install.log (--no-install goes on without)"
    fi
    [ ${#missing[@]} -gt 0 ] || return 0
    lacking="needs ${missing[*]}: apt-get install them ($unable)"
    return 1
}

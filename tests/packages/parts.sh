# SPDX-License-Identifier: MIT
# The steps of the part; sourced by run.sh, which is the list of them. Packages are in $work/SUITE-packages.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${here:?is set by run.sh}" "${suite:?is set by run.sh}" "${machines:?is set by machine.sh}"

begin() { # NAME COMMAND...: it runs beside what follows
    rm -f "$work/$1.done"
    (
        set +e
        (
            set -e
            "${@:2}"
        ) >"$work/$1.log" 2>&1
        echo $? >"$work/$1.done"
    ) &
}

ended_well() { # NAME: waits for it
    until [ -e "$work/$1.done" ]; do sleep 0.5; done
    [ "$(cat "$work/$1.done")" = 0 ] || { tail -n 100 "$work/$1.log" && return 1; }
}

# ---- building ------------------------------------------------------------------------------

tarballs_are_equal() {
    rm -rf "$work"/{dist,again,tree}
    cmake -S "$SEQSHARE_SOURCE" -B "$work/dist" -D SEQSHARE_CLI=OFF -D SEQSHARE_JSON=OFF -D SEQSHARE_FEED=OFF
    cmake --build "$work/dist" --target dist
    mkdir "$work/tree"
    tar -x -f "$work"/dist/seqshare-*.tar.gz -C "$work/tree"
    (umask 077 && cd "$work"/tree/seqshare-* && TZ=Pacific/Kiritimati packaging/dist.sh "$work/again")
    cmp "$work"/{dist,again}/seqshare-*.tar.gz
}

# A symbol that is not in packaging/debian/*.symbols is an error here.
builds() {
    rm -rf "$work/$suite-packages"
    DPKG_GENSYMBOLS_CHECK_LEVEL=4 "$SEQSHARE_SOURCE/packaging/deb.sh" "$work/$suite-packages"
}

builds_the_same() {
    local file
    rm -rf "$work/again-packages"
    (umask 077 && cd "$work"/tree/seqshare-* &&
        TZ=Pacific/Kiritimati HOME=/nonexistent DEB_BUILD_OPTIONS=nocheck packaging/deb.sh "$work/again-packages")
    for file in "$work/$suite-packages"/*.{deb,dsc,tar.*}; do
        cmp "$file" "$work/again-packages/${file##*/}"
    done
}

# The first upload of a package closes a bug of Debian's; there is none for these.
lintian_is_content() { # FOLDER
    lintian --allow-root --fail-on error,warning,override --suppress-tags initial-upload-closes-no-bugs "$1"/*.changes
}

# All that they are built with is installed in a copy of the bare machine.
builds_in_a_machine() { # SUITE
    local home=$work/build-$1/root
    ended_well "$1-machine"
    cp -a "$work/$1" "$work/build-$1"
    in_machine "build-$1" root bash -euc 'export DEBIAN_FRONTEND=noninteractive
        cd seqshare
        apt-get install -q -y --no-install-recommends build-essential lintian
        apt-get build-dep -q -y --no-install-recommends ./packaging
        DPKG_GENSYMBOLS_CHECK_LEVEL=4 packaging/deb.sh ~/packages
        lintian --allow-root --fail-on error,warning,override --suppress-tags initial-upload-closes-no-bugs ~/packages/*.changes'
    rm -rf "$work/$1-packages"
    mv "$home/packages" "$work/$1-packages"
}

# ---- the bare machine ----------------------------------------------------------------------

# With the sources, for their examples, and what the examples need beside our packages. No server starts by itself.
make_machine() { # SUITE
    local root=$work/$1 home=$work/$1/root
    make_bare_machine "$1"
    mkdir "$home/seqshare"
    copy_sources "$home/seqshare"
    [ "$1" != "$(this_release)" ] || this_machines_sources >"$root/etc/apt/sources.list"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    in_machine "$1" root apt-get update -q
    satisfy "$1" "$(sed -n 's/^Depends: //p' "$home/seqshare/packaging/debian/tests/control")"
}

# Its security updates, too: packages that are built here may need them.
this_machines_sources() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CODENAME)' 'Origin: Debian' |
        awk -v release="$(this_release)" '$3 == "main" && $4 ~ "^" release {print "deb", $1, $2, $3}' | sort -u
}

# DEPENDENCIES, a list a line, less our own packages.
satisfy() { # SUITE DEPENDENCIES
    local wanted
    wanted=$(tr , '\n' <<<"$2" | sed 's/^ *//' | grep -vE 'seqshare|^$' | sort -u | paste -sd ,)
    in_machine "$1" root env DEBIAN_FRONTEND=noninteractive apt-get satisfy -q -y --no-install-recommends "$wanted"
}

# As in_machine, with a network of its own: loopback.
alone_in_machine() { # SUITE COMMAND...
    unshare --net bash -euc 'ip link set lo up && exec "$@"' alone "$machines/enter.sh" "$work/$1" root "${@:2}"
}

our_packages() { # SUITE: not those with debugging symbols
    find "$work/$1-packages" -name '*.deb' ! -name '*-dbgsym_*' | sort
}

# After all that they depend on, so that everything new is theirs.
installs() { # SUITE
    local deb
    for deb in $(our_packages "$1"); do
        dpkg-deb -f "$deb" Depends Pre-Depends | sed 's/^[A-Za-z-]*: //'
    done >"$work/$1-depends"
    satisfy "$1" "$(cat "$work/$1-depends")"
    mkdir -p "$work/$1/"{packages,newer}
    our_packages "$1" | xargs cp -t "$work/$1/packages"
    cp "$here"/{upgrade,purge,left}.sh "$here/reader.c" "$work/$1/"
    in_machine "$1" root /left.sh >"$work/$1-before"
    in_machine "$1" root bash -c 'dpkg --install /packages/*.deb'
}

example_works() { # SUITE NAME
    alone_in_machine "$1" bash -euc 'cd ~/seqshare && export AUTOPKGTEST_TMP=$(mktemp -d) && packaging/debian/tests/"$1"' example "$2"
}

# The same packages with the next number.
make_newer() { # SUITE
    local deb tree=$work/newer-tree version next
    for deb in "$work/$1"/packages/*.deb; do
        version=$(dpkg-deb -f "$deb" Version)
        next=${version%-*}-$((${version##*-} + 1))
        rm -rf "$tree"
        dpkg-deb -R "$deb" "$tree"
        sed -i "s/$version/$next/g" "$tree/DEBIAN/control"
        dpkg-deb --root-owner-group -Zgzip -z1 -b "$tree" "$work/$1/newer" >/dev/null
    done
}

upgrades() { # SUITE
    make_newer "$1"
    alone_in_machine "$1" /upgrade.sh
}

purges() { # SUITE
    alone_in_machine "$1" /purge.sh
    in_machine "$1" root /left.sh | diff "$work/$1-before" -
}

boot() { # SUITE COMMAND...: the machine, with that as its init
    timeout 600 systemd-nspawn --quiet --directory "$work/$1" --machine "packages-$$" --register=no --keep-unit --private-network \
        --console=pipe -- "${@:2}"
}

# Policy lets its packages start and stop units.
works_with_systemd() { # SUITE
    local root=$work/$1 rc=0
    cp "$here/unit.sh" "$root"
    cp "$here/unit.service" "$root/etc/systemd/system"
    rm "$root/usr/sbin/policy-rc.d"
    boot "$1" /lib/systemd/systemd --unit=unit.service || rc=$?
    cat "$root/unit.log"
    return $rc
}

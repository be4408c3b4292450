#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the tarball and the Debian packages: built twice, lintian; in a bare Debian installed, upgraded, purged
# tier: full
# budget: 240
# long budget: 1800
# The packages of this machine's release are built here, because a machine that has all that they are built with takes
# minutes to make. With SEQSHARE_LONG=1 also those of Debian 13, in a machine of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
# shellcheck source=tests/machine.sh
source ../machine.sh
here=$PWD

mkdir -p "$SEQSHARE_BUILD/packages"
work=$(cd "$SEQSHARE_BUILD/packages" && pwd -P)
suite=$(this_release)
source ./parts.sh

try_in_a_bare_machine() { # SUITE
    local example
    check "$1: a bare machine" ended_well "$1-machine"
    check "$1: installs" installs "$1"
    for example in "$SEQSHARE_SOURCE"/packaging/debian/tests/*; do
        [ ! -x "$example" ] || check "$1: an example on packages alone: ${example##*/}" example_works "$1" "${example##*/}"
    done
    check "$1: programs and an agent run on while packages are upgraded" upgrades "$1"
    check "$1: removed, and purged: nothing is left" purges "$1"
    if ! boot "$1" /bin/true 2>/dev/null; then
        skip "$1: units under systemd" "needs systemd-nspawn, and the right to run it"
    else
        check "$1: an agent of systemd's: upgraded, it restarts; removed and purged, it is gone" works_with_systemd "$1"
    fi
}

remove_machines() {
    remove_machine "$suite"
    remove_machine trixie
    remove_machine build-trixie
}

need_machines
trap remove_machines EXIT
begin "$suite-machine" make_machine "$suite"
check "a tarball: the same, bit for bit, from this tree and from itself" tarballs_are_equal
check "packages for this machine's $suite" builds
begin again builds_the_same
check "lintian has nothing to say" lintian_is_content "$work/$suite-packages"
try_in_a_bare_machine "$suite"
check "the same packages, bit for bit, from the tarball in another place" ended_well again
if [ -n "${SEQSHARE_LONG:-}" ] && [ "$suite" != trixie ]; then
    begin trixie-machine make_machine trixie
    check "trixie: packages, built in a machine of that release, and lintian" builds_in_a_machine trixie
    try_in_a_bare_machine trixie
fi
finish

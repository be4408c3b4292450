#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the Perl distribution, from its own archive, on the installed library; Starman, mod_perl
# tier: quick
# budget: 45
# quick budget: 20
# lane: waits
# quick leaves out: most of its tests; Starman, mod_perl, the benchmark
#
# SEQSHARE_PREDECESSOR_TEST=FILE runs that file as well: the test that IPC::Mmap::Share 0.03 was published
# with.
set -euo pipefail
# shellcheck source=tests/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"

work=$SEQSHARE_BUILD/perl
rm -rf "$work"
mkdir -p "$work"
# shellcheck source=bindings/perl/xt/dist.bash
source "$SEQSHARE_SOURCE/bindings/perl/xt/dist.bash"

# The smallest way through: two of its test files, on the library as the other parts have built it.
if is_quick; then
    if ! perl -MExtUtils::MakeMaker -MTest::More -e 1 2>/dev/null || ! command -v make >/dev/null ||
        ! gcc -fsyntax-only -include crypt.h -x c /dev/null 2>/dev/null; then
        skip "the Perl modules" "needs Perl, what extensions are built with: apt-get install perl make libcrypt-dev"
        finish
    fi
    check "the library builds and installs" install_release "$work/installed"
    check "it builds" build_in_copy
    check "values, names" prove_a_few
    finish
fi
check "the library builds and installs" install_release "$work/installed"
check "without the library, Makefile.PL says what is missing" says_what_is_missing
check "the archive is complete" pack
check "it builds without a warning" build
count_tests
check "it installs, and runs from there" installs
check "the benchmark runs" benchmark_runs
[ -z "${SEQSHARE_PREDECESSOR_TEST:-}" ] || check "the predecessor's published test passes" predecessors_test
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: mod_seqshare in a real Apache: prefork, worker, event; changed under load, children killed
# tier: quick
# budget: 240
# quick budget: 15
# quick leaves out: worker, event, restarts, load; sanitizers
# long budget: 1200
# lane: waits
set -euo pipefail
# shellcheck source=tests/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
# shellcheck source=tests/mutants/kit.sh
source "$SEQSHARE_SOURCE/tests/mutants/kit.sh"
cd "$SEQSHARE_SOURCE/bindings/httpd/t"

work=$SEQSHARE_BUILD/httpd
rm -rf "$work"
mkdir -p "$work"
# shellcheck source=bindings/httpd/t/server.bash
source ./server.bash
# shellcheck source=bindings/httpd/t/build.bash
source ./build.bash

if is_quick; then build_for_a_sample; else build_all; fi
[ $failed -eq 0 ] || finish

export PATH=$work/plain/bin:$PATH MODULE=$work/module-plain/mod_seqshare.so
MODULES=$(apxs -q LIBEXECDIR)
export MODULES
may_serve

build_mutant() {
    sources=$tree/bindings/httpd build_module plain CC=gcc CFLAGS="-O2 -g -w"
}

detect_mutant() { # TEST
    # shellcheck disable=SC2034
    passed=0 failed=0 skipped=0 places=() mpms=(prefork) sources=$tree/bindings/httpd
    trap tidy EXIT
    # shellcheck source=/dev/null
    source "./$1.bash"
    finish
}

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants httpd
    finish
fi
tests=(lines values hostile pages puts names agree cut restarts load example sanitized)
! is_quick || tests=(example)
[ -z "${SEQSHARE_LONG:-}" ] || tests+=(chaos)
for test in "${tests[@]}"; do
    mpms=(prefork event) # worker, the other one with threads: under load, and in the long programme
    [ "$test" != load ] && [ -z "${SEQSHARE_LONG:-}" ] || mpms+=(worker)
    # shellcheck source=/dev/null
    source "./$test.bash"
done
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the API by Criterion: gcc, clang, address and undefined behaviour sanitizers, valgrind
# tier: quick
# budget: 200
# quick budget: 50
# quick leaves out: what happens at every instruction (step); clang, sanitizers, valgrind
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh

if is_quick; then
    build_part release
    run_tests release "$(program release unit-tests)" --filter '!(step)/*'
    finish
fi
for preset in release release-clang asan ubsan-clang; do
    build_part $preset faulty
done
run_tests release "$(program release unit-tests)"
run_tests release-clang "$(program release-clang unit-tests)"
# Not instruction by instruction: a sanitizer makes too many of them.
run_tests asan "$(program asan unit-tests)" --filter '!(step)/*'
run_tests ubsan "$(program ubsan-clang unit-tests)" --filter '!(step)/*'
# Slow; and not for suites that mean to fault, map more than valgrind can, or run out of room or time.
run_tests valgrind under_valgrind "$work/valgrind" "$(program release unit-tests)" \
    --filter '@(fill|hostile|inspect|replace|typed|values)/*'

check "asan finds a planted fault" finds_fault "$work/planted-asan" "$SEQSHARE_BUILD/asan/tests/faulty" address
check "ubsan finds a planted fault" finds_fault "$work/planted-ubsan" \
    "$SEQSHARE_BUILD/ubsan-clang/tests/faulty" undefined
check "valgrind finds a planted fault" finds_fault "$work/planted-valgrind" \
    under_valgrind "$work/planted-valgrind" "$SEQSHARE_BUILD/release/tests/faulty" uninitialised
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the API by Criterion: gcc, clang, address and undefined behaviour sanitizers, valgrind
# budget: 300
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/unit
rm -rf "$work"
mkdir -p "$work"

source ../criterion.sh

unit_tests() { # PRESET
    echo "$SEQSHARE_BUILD/$1/tests/unit/unit-tests"
}

for preset in release release-clang asan ubsan-clang; do
    rm -f "$(unit_tests $preset)" # whose build fails must not run an older one
    check "$preset: builds" build_preset $preset tests/unit/all faulty
done
run_tests release "$(unit_tests release)"
run_tests release-clang "$(unit_tests release-clang)"
# Not instruction by instruction: a sanitizer makes too many of them.
run_tests asan "$(unit_tests asan)" --filter '!(step)/*'
run_tests ubsan "$(unit_tests ubsan-clang)" --filter '!(step)/*'
# Slow; and not for suites that mean to fault, map more than valgrind can, or run out of room or time.
run_tests valgrind under_valgrind "$work/valgrind" "$(unit_tests release)" \
    --filter '@(fill|hostile|inspect|replace|typed|values)/*'

check "asan finds a planted fault" finds_fault "$work/planted-asan" "$SEQSHARE_BUILD/asan/tests/faulty" address
check "ubsan finds a planted fault" finds_fault "$work/planted-ubsan" \
    "$SEQSHARE_BUILD/ubsan-clang/tests/faulty" undefined
check "valgrind finds a planted fault" finds_fault "$work/planted-valgrind" \
    under_valgrind "$work/planted-valgrind" "$SEQSHARE_BUILD/release/tests/faulty" uninitialised
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the API by Criterion; address and undefined behaviour sanitizers; valgrind
# tier: quick
# budget: 115
# long budget: 900
# quick budget: 50
# quick leaves out: what happens at every instruction; clang, sanitizers, valgrind
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh

if is_quick; then
    build_part release
    run_tests release "$(program release unit-tests)" --filter '!(step*)/*'
    finish
fi
if [ -n "${SEQSHARE_LONG:-}" ]; then
    presets=(release release-clang asan asan-clang ubsan ubsan-clang) valgrind='@(fill|hostile|inspect|replace|typed|values)/*'
else
    presets=(release sanitized-clang) valgrind='fill/*'
fi
for preset in "${presets[@]}"; do
    build_part "$preset" faulty
    case $preset in
    release*) run_tests "$preset" "$(program "$preset" unit-tests)" ;;
    # Not instruction by instruction: a sanitizer makes too many of them.
    *) run_tests "$preset" "$(program "$preset" unit-tests)" --filter '!(step*)/*' ;;
    esac
done
# Slow; and not for suites that mean to fault, map more than valgrind can, or run out of room or time.
run_tests valgrind under_valgrind "$work/valgrind" "$(program release unit-tests)" --filter "$valgrind"
finds_planted_faults "${presets[@]}"
check "valgrind finds a planted fault" finds_fault "$work/planted-valgrind" \
    under_valgrind "$work/planted-valgrind" "$SEQSHARE_BUILD/release/tests/faulty" uninitialised
finish

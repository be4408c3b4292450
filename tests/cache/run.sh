#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: values decoded once per version: by Criterion, and by many threads; with liburcu and without
# budget: 150
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/cache
rm -rf "$work"
mkdir -p "$work"

source ../criterion.sh

# Where the kernel randomises more address bits than the thread sanitizer knows, it needs this.
still=()
if setarch "$(uname -m)" -R true 2>/dev/null; then
    still=(setarch "$(uname -m)" -R)
fi
export TSAN_OPTIONS="halt_on_error=1:exitcode=66:second_deadlock_stack=1"

program() { # PRESET NAME
    echo "$SEQSHARE_BUILD/$1/tests/cache/$2"
}

for preset in release asan ubsan-clang tsan tsan-clang; do
    rm -f "$SEQSHARE_BUILD/$preset"/tests/cache/cache-* # whose build fails must not run an older one
    check "$preset: builds" build_preset $preset tests/cache/all
done

ways=(counted)
if pkg-config --exists liburcu-bp; then
    ways+=(urcu)
else
    skip "the cache with liburcu" "it is not here"
fi
for way in "${ways[@]}"; do
    run_tests "release-$way" "$(program release "cache-tests-$way")"
    run_tests "asan-$way" "$(program asan "cache-tests-$way")"
    run_tests "ubsan-$way" "$(program ubsan-clang "cache-tests-$way")"
    # Slow; moving means waiting, which is no slower there.
    run_tests "valgrind-$way" under_valgrind "$work/valgrind-$way" --leak-check=full --show-leak-kinds=definite \
        "$(program release "cache-tests-$way")" --filter '@(one|many)/*'
    for preset in release asan tsan tsan-clang; do
        check "$preset: threads, $way" "${still[@]}" "$(program $preset "cache-threads-$way")"
        check "$preset: threads and forks, $way" "${still[@]}" "$(program $preset "cache-threads-$way")" fork
    done
done
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: JSON documents in shares: what is taken, what is found; by Criterion, and by threads
# budget: 90
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/json
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
    echo "$SEQSHARE_BUILD/$1/tests/json/$2"
}

for preset in release asan ubsan-clang tsan-clang; do
    rm -f "$SEQSHARE_BUILD/$preset"/tests/json/json-* # whose build fails must not run an older one
    check "$preset: builds" build_preset $preset tests/json/all
done
run_tests release "$(program release json-tests)"
run_tests asan "$(program asan json-tests)"
run_tests ubsan "$(program ubsan-clang json-tests)"
run_tests valgrind under_valgrind "$work/valgrind" --leak-check=full --show-leak-kinds=definite \
    "$(program release json-tests)"
for preset in release asan tsan-clang; do
    check "$preset: threads" "${still[@]}" "$(program $preset json-threads)"
done
finish

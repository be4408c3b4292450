#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: lines and branches of the library that the tests run; each line that they do not is explained
# tier: full
# budget: 60
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

build=$SEQSHARE_BUILD/coverage
report=$build/report.json

# Threads count at once, so atomically. Counts of earlier runs are thrown away.
build_programs() {
    mkdir -p "$build"
    gcc -c -O1 -o "$build/dump.o" dump.c
    export CFLAGS="--coverage -fprofile-update=atomic" CXXFLAGS="--coverage -fprofile-update=atomic"
    (cd "$SEQSHARE_SOURCE" && cmake --preset debug -B "$build" -D SEQSHARE_BENCH=OFF -D SEQSHARE_CLI=OFF \
        -D CMAKE_EXE_LINKER_FLAGS="-Wl,--wrap=_exit $build/dump.o")
    cmake --build "$build" -j "$(nproc)" --target \
        tests/unit/all tests/threads/all torture tests/faults/all
    find "$build" -name '*.gcda' -delete
}

# A count taken while other threads go on may be off by a few, and look negative. Of branches src/ alone is shown: those of
# the inline functions count once more in each program that has them inlined.
measure() {
    cd "$SEQSHARE_SOURCE" # which filters are relative to
    gcovr --gcov-ignore-parse-errors --filter include/ --filter src/ --exclude src/cli/ \
        --json "$report" --txt "$build/lines.txt" "$build"
    gcovr --filter src/ --branches --exclude-unreachable-branches --txt "$build/branches.txt" --add-tracefile "$report"
}

explained() { # LIST
    python3 explained.py "$report" "$1"
}

check "builds" build_programs
# Without those that go instruction by instruction: they take long here, and run no other lines.
check "unit tests" "$build/tests/unit/unit-tests" --color=never --filter '!(step*)/*'
for program in "$build"/tests/threads/threads-*; do
    check "${program##*/}" "$program"
done
check "torture" "$build/tests/torture/torture" --seconds 5
check "faults" "$build/tests/faults/faults"
check "measured" measure
cat "$build/lines.txt" "$build/branches.txt"
explained explained.txt | grep -v '^not covered' || true # stale entries, and the number
if ! grep -qw avx /proc/cpuinfo || ! unshare --mount --pid --fork setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
    skip "every line that is not covered is explained" \
        "needs root with all capabilities, for the tests that only root can run, and x86-64 with AVX"
else
    check "every line that is not covered is explained" explained explained.txt
fi
check_fails "a list without explanations is not enough" explained /dev/null
finish

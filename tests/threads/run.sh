#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: programs with many threads under the thread sanitizer, clang's and gcc's; nothing is suppressed
# tier: full
# budget: 25
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../tsan.sh

finds_race() {
    unrandomised "$1" race 2>&1 | grep 'WARNING: ThreadSanitizer: data race'
}

for preset in tsan-clang tsan; do
    check "$preset: builds" build_preset $preset tests/threads/all faulty
    for program in "$SEQSHARE_BUILD/$preset"/tests/threads/*; do
        if [ -f "$program" ] && [ -x "$program" ]; then
            check "$preset: ${program##*/}" unrandomised "$program"
        fi
    done
    check "$preset finds a planted race" finds_race "$SEQSHARE_BUILD/$preset/tests/faulty"
done
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: programs with many threads under the thread sanitizer, clang's and gcc's; nothing is suppressed
# budget: 120
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

# Where the kernel randomises more address bits than the sanitizer knows, it needs this; not everybody may.
still=()
if setarch "$(uname -m)" -R true 2>/dev/null; then
    still=(setarch "$(uname -m)" -R)
fi
export TSAN_OPTIONS="halt_on_error=1:exitcode=66:second_deadlock_stack=1"

finds_race() {
    "${still[@]}" "$1" race 2>&1 | grep 'WARNING: ThreadSanitizer: data race'
}

for preset in tsan-clang tsan; do
    check "$preset: builds" build_preset $preset tests/threads/all faulty
    for program in "$SEQSHARE_BUILD/$preset"/tests/threads/*; do
        if [ -f "$program" ] && [ -x "$program" ]; then
            check "$preset: ${program##*/}" "${still[@]}" "$program"
        fi
    done
    check "$preset finds a planted race" finds_race "$SEQSHARE_BUILD/$preset/tests/faulty"
done
finish

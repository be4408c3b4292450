#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the feed: real agents on real sources, killed at each system call, and lied to
# tier: full
# budget: 240
# long budget: 900
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source engines.bash

# FILE...: these tests, as many at once as there are processors; a line for each, and the sums.
run_bats() {
    local tap=$SEQSHARE_BUILD/feed.tap rc=0 ok not_ok left_out
    now "$*"
    PATH="$SEQSHARE_BUILD/release/src/feed:$SEQSHARE_BUILD/release/src/cli:$SEQSHARE_BUILD/release/tests/feed:$PATH" \
        bats --formatter tap "$@" >"$tap" 2>&1 || rc=$?
    cat "$tap"
    left_out=$(grep -c '^ok .*# skip' "$tap" || true)
    ok=$(grep -c '^ok ' "$tap" || true)
    not_ok=$(grep -c '^not ok ' "$tap" || true)
    sed -n 's/^ok [0-9]* \(.*\) # skip */skipped: \1: /p' "$tap"
    passed=$((passed + ok - left_out)) skipped=$((skipped + left_out)) failed=$((failed + not_ok))
    if [ $rc -ne 0 ] && [ "$not_ok" -eq 0 ]; then
        echo "FAILED: bats ended with status $rc"
        failed=$((failed + 1))
    fi
}

check "builds the feed and what its tests need" build_preset release seqshare_feed seqshare_cli tests/feed/all
[ "$failed" -eq 0 ] || finish
run_bats ./*.bats
run_engines
finish

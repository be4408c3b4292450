#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: every command of the tool, from a shell, with real processes
# tier: quick
# budget: 90
# lane: waits
# quick budget: 35
# quick leaves out: around, check, edit, lock, look, terminal
# long budget: 600
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

# PRESET: the whole suite against this build of the tool.
run_suite() {
    local preset=$1 tap="$SEQSHARE_BUILD/$1-cli.tap" rc=0 ok not_ok left_out
    check "$preset: builds the tool" build_preset "$preset" seqshare_cli cli-program event-loop
    [ "$failed" -eq 0 ] || return 0
    PATH="$SEQSHARE_BUILD/$preset/src/cli:$SEQSHARE_BUILD/$preset/tests/cli:$SEQSHARE_BUILD/$preset/examples:$PATH" \
        bats --formatter tap "${suites[@]}" >"$tap" 2>&1 || rc=$?
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

suites=(./*.bats)
! is_quick || suites=(./usage.bats ./values.bats ./watch.bats)
run_suite release
if [ -n "${SEQSHARE_LONG:-}" ]; then
    run_suite asan
    run_suite ubsan-clang
fi
finish

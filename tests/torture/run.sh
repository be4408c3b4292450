#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: readers, writers and movers of the name killed and stopped at random: nothing torn, stuck or lost
# tier: quick
# budget: 45
# quick budget: 25
# quick leaves out: two thirds of the time
# long budget: 1900
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

if ! build_preset release torture chaos; then
    echo "0 passed, 1 failed"
    exit 1
fi
seconds=12
! is_quick || seconds=4
[ -z "${SEQSHARE_LONG:-}" ] || seconds=900
log=$SEQSHARE_BUILD/torture.log

# Each program's last line gives its numbers. A seed that failed is repeated with --seed, though not its timing.
run() { # PROGRAM
    local rc=0
    "$SEQSHARE_BUILD/release/tests/torture/$1" --seconds $seconds 2>&1 | tee "$log" || rc=$?
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    else
        echo "FAILED: $1 ended with status $rc"
        failed=$((failed + 1))
    fi
}

run torture
run chaos
finish

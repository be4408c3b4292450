#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: readers and writers killed and stopped at random under load: nothing torn, stuck or lost
# tier: quick
# budget: 40
# quick budget: 15
# quick leaves out: three quarters of the time
# long budget: 1900
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

if ! build_preset release tests/torture/all; then
    echo "0 passed, 1 failed"
    exit 1
fi
# Its last line gives the numbers. A seed that failed is repeated with --seed, though not its timing.
seconds=20
! is_quick || seconds=5
[ -z "${SEQSHARE_LONG:-}" ] || seconds=1800
exec "$SEQSHARE_BUILD/release/tests/torture/torture" --seconds "$seconds"

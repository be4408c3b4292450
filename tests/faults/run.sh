#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: every call to the system fails in turn: a clean error, nothing left behind, and the next try works
# tier: full
# budget: 30
# long budget: 900
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ptrace/part.sh"

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    catch_mutants faults
fi
build_and_run faults

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: at every instruction of a reader others write, of a writer others read and write
# tier: full
# budget: 80
# long budget: 1800
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ptrace/part.sh"

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    catch_mutants step
fi
build_and_run step

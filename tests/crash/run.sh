#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: a process is killed or stopped at every instruction of a call, and everybody else goes on
# tier: quick
# budget: 50
# quick budget: 20
# quick leaves out: most instructions: each 11th is a sample
# long budget: 1800
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ptrace/part.sh"

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    catch_mutants crash
fi
build_and_run crash

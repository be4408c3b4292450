#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: users, namespaces, limits, full file systems, old kernels, crowds; also with the sanitizers
# tier: full
# budget: 30
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh
source ../mutants/kit.sh

# A test that needs root, or a right that this system does not give, is skipped by name.

evidence='^\[FAIL\]'
build_mutant() {
    build_from_tree release world-tests
}

detect_mutant() { # TEST
    criterion_detects "$tree.release/tests/world/world-tests" --filter "$1"
}

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants world
    finish
fi
presets=(release-clang sanitized)
[ -z "${SEQSHARE_LONG:-}" ] || presets=(release release-clang asan asan-clang ubsan ubsan-clang)
for preset in "${presets[@]}"; do
    build_part "$preset"
    run_tests "$preset" "$(program "$preset" world-tests)"
done
finish

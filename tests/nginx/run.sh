#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: ngx_http_seqshare_module in a real nginx of 4 workers: changed under load, reloaded, upgraded, killed
# tier: quick
# budget: 120
# quick budget: 8
# quick leaves out: all but the example; Apache's answers; sanitizers
# long budget: 1200
# lane: waits
set -euo pipefail
# shellcheck source=tests/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
# shellcheck source=tests/mutants/kit.sh
source "$SEQSHARE_SOURCE/tests/mutants/kit.sh"
cd "$SEQSHARE_SOURCE/bindings/nginx/t"

work=$SEQSHARE_BUILD/nginx
rm -rf "$work"
mkdir -p "$work"
# shellcheck source=bindings/nginx/t/server.bash
source ./server.bash
# shellcheck source=bindings/nginx/t/build.bash
source ./build.bash

if is_quick; then build_for_a_sample; else build_all; fi
[ $failed -eq 0 ] || finish

export PATH=$work/plain/bin:$PATH MODULE=$work/nginx-plain/build/ngx_http_seqshare_module.so
may_serve

build_mutant() {
    sources=$tree/bindings/nginx build_module plain CC=gcc CFLAGS="-O2 -g -w"
}

detect_mutant() { # TEST
    # shellcheck disable=SC2034
    passed=0 failed=0 skipped=0 places=()
    trap tidy EXIT
    # shellcheck source=/dev/null
    source "./$1.bash"
    finish
}

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants nginx
    finish
fi
tests=(lines values same bodies agree names cut uses changes load example sanitized)
! is_quick || tests=(example)
[ -z "${SEQSHARE_LONG:-}" ] || tests+=(package benchmark)
for test in "${tests[@]}"; do
    # shellcheck source=/dev/null
    source "./$test.bash"
done
finish

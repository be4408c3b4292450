#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the extension for PHP, by phpize; php-fpm under nginx, killed and reloaded under load
# tier: quick
# budget: 120
# quick budget: 8
# quick leaves out: phpize, php-fpm, opcache, the benchmark
# long budget: 2400
# lane: waits
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/php
rm -rf "$work"
mkdir -p "$work"
extension=$SEQSHARE_SOURCE/bindings/php
source ./parts.sh

check "the library and the command are built" install_release "$work/installed"
use_installed
if is_quick; then
    check "the extension builds without phpize, and works" smoke
    finish
fi
check "phpize builds the extension, and nobody warns" build
[ $failed -eq 0 ] || finish
check "it compiles for a PHP with threads" compiles_for_threads
check "the tests of the extension" run_tests
check "the tests of the extension, with opcache and its JIT" run_tests "${WITH_JIT[@]}"
check "values and calls by chance" fuzz 5
check "the README's session, as it stands" readme_session
check "package.xml has every file, and composer.json is JSON" packaged
check "the benchmark runs" benchmark --quick
if command -v nginx >/dev/null && command -v wrk >/dev/null; then
    check "php-fpm under nginx" php_fpm
    check "the recipes of docs/php.md" recipes
    check "the example answers" example_answers
else
    skip "php-fpm under nginx" "nginx or wrk is not installed"
fi
if [ -n "${SEQSHARE_LONG:-}" ]; then
    source ./long.sh
fi
finish

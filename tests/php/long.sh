# SPDX-License-Identifier: MIT
# The long programme of the PHP part: valgrind, hours of php-fpm in minutes, and a PHP with threads from Debian's source
# package. Sourced by run.sh.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${extension:?is set by run.sh}" "${php:?is set by parts.sh}" "${built:?too}"

# Each process has a log, which stays empty. PHP's own memory management is off, so that valgrind sees each piece; and PCRE
# makes no machine code. Without run-tests.php, because valgrind finds faults where that loads all other extensions. And
# without tests that kill themselves: to valgrind, what they had is lost.
with_valgrind() {
    local logs=$work/valgrind name
    rm -rf "$logs"
    mkdir "$logs"
    cat >"$logs/php" <<PROGRAM
#!/bin/sh
export USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1
exec valgrind -q --log-file=$logs/%p.log --leak-check=full --show-leak-kinds=definite $php "\$@"
PROGRAM
    chmod +x "$logs/php"
    cp "$extension/tests/kit.inc" "$logs"
    export TEST_PHP_EXECUTABLE=$logs/php TEST_PHP_EXTRA_ARGS="-n -d pcre.jit=0 -d error_log=/dev/null -d extension=$built"
    for name in bad_input copies feed get settings values wait; do
        sed '1,/^--FILE--$/d; /^--EXPECT/,$d' "$extension/tests/$name.phpt" >"$logs/$name.php"
        now "$name, with valgrind"
        # shellcheck disable=SC2086
        "$logs/php" $TEST_PHP_EXTRA_ARGS "$logs/$name.php" >"$logs/said"
        if grep '^not so' "$logs/said"; then return 1; fi
    done
    "$logs/php" -n -d "extension=$built" fuzz.php 20
    cat "$logs"/*.log
    [ -z "$(cat "$logs"/*.log)" ]
}

# Debian has no PHP with threads. Its source package of this release, by package lists of our own.
fetch_php() {
    local apt=$work/apt codename source
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    source=php$("$php" -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
    mkdir -p "$apt/lists/partial" "$work/source"
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' | sort -u |
        sed -nE "s/.* $codename(-security)? main\$/deb-src &/p" >"$apt/sources.list"
    local options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt/lists"
        -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$work/source" && apt-get "${options[@]}" source --only-source "$source")
}

build_threads() {
    (cd "$work"/source/php*/ && ./configure --prefix="$work/zts" --disable-all --enable-zts --enable-debug --enable-pcntl \
        --enable-posix --enable-tokenizer && make -j "$(nproc)" && make install) >"$work/zts.log" 2>&1 ||
        { tail -n 30 "$work/zts.log" && return 1; }
    build_in "$work/build-zts" "$work/zts/bin/phpize" "$work/zts/bin/php-config" CFLAGS="-O1 -g -Wall -Wextra -Wno-unused-parameter"
}

tests_with_threads() {
    built=$work/build-zts/modules/seqshare.so tests_with "$work/zts/bin/php" "$work/tests"
}

check "valgrind finds nothing" with_valgrind
check "values and calls by chance, for two minutes" fuzz 120
check "php-fpm under nginx, with thousands of changes" php_fpm --long
if (fetch_php) >"$work/fetch.log" 2>&1; then
    check "PHP with threads builds, with its own checks, and the extension for it" build_threads
    check "PHP with threads: the tests of the extension" tests_with_threads
else
    skip "PHP with threads" "Debian's source package cannot be fetched here"
fi

# SPDX-License-Identifier: MIT
# The steps of the PHP part; sourced by run.sh, which is the list of them.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${extension:?is set by run.sh}"

export PATH=$PATH:/usr/sbin
php=$(command -v /usr/bin/php || command -v php) # Debian's
runner=$(php-config --prefix)/lib/php/$(php-config --phpapi)/build/run-tests.php
built=$work/build/modules/seqshare.so
# shellcheck disable=SC2034
WITH_JIT=(-d zend_extension=opcache -d opcache.enable_cli=1 -d opcache.jit_buffer_size=32M -d opcache.jit=tracing
    -d opcache.jit_hot_loop=2 -d opcache.jit_hot_func=2 -d opcache.jit_hot_return=2 -d opcache.jit_hot_side_exit=2)

use_installed() {
    export PKG_CONFIG_PATH=$work/installed/lib/pkgconfig LD_LIBRARY_PATH=$work/installed/lib PATH=$work/installed/bin:$PATH
    export SEQSHARE_PHP_SOURCE=$extension
}

smoke() {
    local flags name
    read -ra flags <<<"$(php-config --includes) $(pkg-config --cflags --libs seqshare-json)"
    gcc -std=gnu11 -O1 -Wall -Wextra -Werror -Wno-unused-parameter -fPIC -shared -D_GNU_SOURCE -DCOMPILE_DL_SEQSHARE \
        -o "$work/seqshare.so" "$extension"/*.c "${flags[@]}"
    mkdir -p "$work/some"
    for name in kit.inc get.phpt copies.phpt last_good.phpt; do
        cp "$extension/tests/$name" "$work/some"
    done
    built=$work/seqshare.so tests_with "$php" "$work/some"
}

# FOLDER PHPIZE PHP-CONFIG [CONFIGURE OPTION...]: a copy of the sources, built as a user would.
build_in() {
    mkdir -p "$1"
    cp -r "$extension"/{*.c,*.h,*.php,config.m4} "$1"
    (cd "$1" && "$2" && ./configure --with-php-config="$3" "${@:4}" && make -j "$(nproc)") >"$1.log" 2>&1 ||
        { tail -n 30 "$1.log" && return 1; }
}

build() {
    build_in "$work/build" phpize "$(command -v php-config)" CFLAGS="-O2 -g -Wall -Wextra -Werror -Wno-unused-parameter"
}

# Debian has no PHP with threads, but its headers say what such a one needs.
compiles_for_threads() {
    local flags
    read -ra flags <<<"$(php-config --includes) $(pkg-config --cflags seqshare-json)"
    gcc -fsyntax-only -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -D_GNU_SOURCE -DZTS=1 -DCOMPILE_DL_SEQSHARE \
        -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1 "$extension"/*.c "${flags[@]}"
}

# PHP FOLDER OPTION...: by PHP's own run-tests.php. A test that is skipped is none.
tests_with() {
    TEST_PHP_EXECUTABLE=$1 NO_INTERACTION=1 "$php" "$runner" -n -q -j2 --show-diff -d "extension=$built" "${@:3}" "$2" \
        >"$work/tests.log" 2>&1 || { cat "$work/tests.log" && return 1; }
    grep -E 'Tests passed *: *[1-9]' "$work/tests.log"
    ! grep -E 'Tests skipped *: *[1-9]' "$work/tests.log"
}

run_tests() { # OPTION...
    rm -rf "$work/tests"
    cp -r "$extension/tests" "$work/tests"
    tests_with "$php" "$work/tests" "$@"
}

fuzz() { # SECONDS
    "$php" -n -d "extension=$built" fuzz.php "$1"
}

php_fpm() { # OPTION...
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$extension/tests/fpm/fpm.py" "$built" "$@"
}

recipes() {
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$extension/tests/fpm/recipes.py" "$built" "$SEQSHARE_SOURCE/docs/php.md"
}

# The README's commands where the extension was built, with a share's name that nobody else has, and a free port.
readme_session() {
    local name=php-readme.$$ rc=0
    cd "$work/build" || return
    session "$extension/README.md" >"$work/session"
    grep -Fx 'phpize && ./configure && make' "$work/session"
    sed -i "s/^phpize .*/true/; s/^sudo make install/true/; s/\bshop\b/$name/g; s/:8000/:$(free_port)/
        s|^php -d extension=seqshare|$php -n -d extension=$built|; s|&\$|>server.log 2>\&1 \& echo \$! >server.pid|" "$work/session"
    bash -eu "$work/session" >"$work/said" || rc=$?
    kill "$(cat server.pid)"
    rm -f "/dev/shm/seqshare.$name"
    cat "$work/said" server.log
    [ $rc -eq 0 ] && [ "$(grep -xE 'dark|light' "$work/said" | xargs)" = "light dark" ]
}

# The commands of the first block: `$` begins one, and lines up to the END of a here-document follow.
session() { # FILE
    sed -n '/^```console$/,/^```$/p' "$1" | awk '
        /^\$ / { print substr($0, 3); inside = /<<.END/; next }
        inside { print; if ($0 == "END") inside = 0 }' |
        sed 's/^curl /curl -s --retry 60 --retry-delay 1 --retry-connrefused /'
}

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

example_answers() {
    local port example share rc=0
    port=$(free_port)
    "$extension/example/run.sh" "$built" "$port" >"$work/example.log" 2>&1 &
    example=$!
    example_changes || rc=$?
    kill "$example"
    wait "$example" || true
    [ $rc -eq 0 ] || cat "$work/example.log"
    return $rc
}

example_changes() {
    curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail "http://127.0.0.1:$port" | grep -x light
    share=$(sed -n 's/.* shows //p' "$work/example.log")
    seqshare set "$share" /flags/dark true --json
    curl -s "http://127.0.0.1:$port" | grep -x dark
}

packaged() {
    local files
    files=$(sed -n 's/.*<file name="\([^"]*\)".*/\1/p' "$extension/package.xml" | sort)
    diff <(cd "$SEQSHARE_SOURCE" && find bindings/php -type f ! -name .gitignore ! -name package.xml ! -path '*/__pycache__/*' \
        -printf '%P\n' | sort) <(echo "$files")
    grep -F "<release>$(sed -n 's/#define PHP_SEQSHARE_VERSION "\(.*\)"/\1/p' "$extension/php_seqshare.h")</release>" "$extension/package.xml"
    "$php" -r 'exit(json_decode(file_get_contents($argv[1]), flags: JSON_THROW_ON_ERROR)->type === "php-ext" ? 0 : 1);' "$extension/composer.json"
}

benchmark() { # OPTION...
    mkdir -p "$work/benchmark"
    "$php" -d "extension=$built" -d "seqshare.open=\"bench=$work/benchmark/share\"" -d error_log="$work/benchmark/log" \
        -d apc.enable_cli=1 -d opcache.enable_cli=1 "$extension/benchmark/compare.php" "$work/benchmark/share" "$@"
}

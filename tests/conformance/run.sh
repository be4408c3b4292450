#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: what each language publishes, every other reads; and what one refuses, all refuse
# tier: full
# budget: 90
#
# Shows: JSON-1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/conformance
rm -rf "$work"
mkdir -p "$work"
bindings=$SEQSHARE_SOURCE/bindings
export PKG_CONFIG_PATH=$work/installed/lib/pkgconfig LD_LIBRARY_PATH=$work/installed/lib
export SEQSHARE_COMMAND=$work/installed/bin/seqshare SEQSHARE_C_ADAPTER=$work/c SEQSHARE_PYTHON=/usr/bin/python3
export RUBYLIB=$work/gem:$bindings/ruby/lib
export PERL5LIB=$work/perl/blib/lib:$work/perl/blib/arch PYTHONPATH=$work/path PYTHONDONTWRITEBYTECODE=1
SEQSHARE_LUAJIT=$(command -v luajit || command -v luajit2 || true)
export SEQSHARE_LUAJIT LUA_PATH="$bindings/lua/lib/?.lua;;"
export SEQSHARE_PHP="/usr/bin/php -n -d extension=$work/php/modules/seqshare.so"
unset PERL_MM_OPT PERL_MB_OPT

install_library() {
    build_preset release all
    cmake --install "$SEQSHARE_BUILD/release" --prefix "$work/installed"
}

build_c() {
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs seqshare-json json-c)"
    gcc -O2 -Wall -Wextra -Werror -o "$work/c" "$bindings/conformance/adapters/c.c" "${flags[@]}"
}

build_perl() {
    mkdir "$work/perl"
    tar -C "$bindings/perl" --exclude-from="$bindings/perl/.gitignore" -c . | tar -C "$work/perl" -x
    (cd "$work/perl" && perl Makefile.PL && make)
}

build_python() {
    cmake -S "$bindings/python" -B "$work/python" -G Ninja -D Python_EXECUTABLE=/usr/bin/python3 -D CMAKE_BUILD_TYPE=Release
    cmake --build "$work/python"
    mkdir "$work/path"
    cp -r "$bindings/python/src/seqshare" "$work/path"
    cp "$work"/python/_seqshare*.so "$work/path/seqshare"
}

build_php() {
    mkdir "$work/php"
    cp "$bindings"/php/{*.c,*.h,config.m4} "$work/php"
    (cd "$work/php" && phpize && ./configure && make)
}

build_ruby() {
    mkdir -p "$work/ruby" "$work/gem/seqshare"
    (cd "$work/ruby" && ruby "$bindings/ruby/ext/seqshare/extconf.rb" && make)
    cp "$work/ruby/seqshare.so" "$work/gem/seqshare"
}

every_writer_with_every_reader() {
    /usr/bin/python3 "$bindings/conformance/run.py" >"$work/log" || { cat "$work/log" && return 1; }
    cat "$work/log"
    ! grep '^skipped' "$work/log"
}

check "the library is installed" install_library
check "the adapter for C" build_c
check "the adapter for Perl" build_perl
check "the adapter for Python" build_python
check "the adapter for PHP" build_php
check "the adapter for Ruby" build_ruby
check "every writer with every reader" every_writer_with_every_reader
finish

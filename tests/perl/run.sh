#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the Perl distribution, from its own archive, on the installed library; Starman, mod_perl
# tier: quick
# budget: 150
# quick budget: 20
# quick leaves out: most of its tests; Starman, mod_perl, the benchmark
#
# SEQSHARE_PREDECESSOR_TEST=FILE runs that file as well: the test that IPC::Mmap::Share 0.03 was published
# with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/perl
rm -rf "$work"
mkdir -p "$work"
export SEQSHARE_TEST_ALL=1 # a missing module is a failure here, nothing is skipped
export PERL_MM_USE_DEFAULT=1 PKG_CONFIG_PATH=$work/installed/lib/pkgconfig
unset PERL5LIB PERL5OPT PERL_MM_OPT PERL_MB_OPT

install_library() {
    cmake -S "$SEQSHARE_SOURCE" -B "$work/library" -G Ninja -D CMAKE_BUILD_TYPE=RelWithDebInfo \
        -D SEQSHARE_TESTS=OFF -D SEQSHARE_BENCH=OFF -D CMAKE_INSTALL_LIBDIR=lib \
        -D CMAKE_INSTALL_PREFIX="$work/installed"
    cmake --build "$work/library" -j "$(nproc)"
    cmake --install "$work/library"
}

# Somebody may have built in the tree: only its sources.
copy_sources() { # FOLDER
    mkdir "$1"
    tar -C "$SEQSHARE_SOURCE/bindings/perl" --exclude-from="$SEQSHARE_SOURCE/bindings/perl/.gitignore" -c . |
        tar -C "$1" -x
}

says_what_is_missing() {
    copy_sources "$work/without"
    cd "$work/without"
    PKG_CONFIG=false perl Makefile.PL >"$work/without.log" 2>&1
    grep 'seqshare >= .* is needed' "$work/without.log"
    [ ! -e Makefile ]
}

# From here on the archive's copy is used: what MANIFEST forgets is not there.
pack() {
    copy_sources "$work/tree"
    cd "$work/tree"
    perl -MExtUtils::Manifest=fullcheck -e 'my ($missing, $extra) = fullcheck; exit(@$missing + @$extra != 0)'
    perl Makefile.PL
    make dist
    mkdir "$work/dist"
    tar -xzf Seqshare-*.tar.gz -C "$work/dist" --strip-components=1
}

build() {
    cd "$work/dist"
    perl Makefile.PL
    make OPTIMIZE="-O2 -g -Wall -Wextra -Werror"
}

build_in_copy() {
    copy_sources "$work/dist"
    cd "$work/dist"
    perl Makefile.PL
    make
}

prove_a_few() {
    cd "$work/dist"
    LD_LIBRARY_PATH=$work/installed/lib SEQSHARE_TEST_ALL='' prove -b t/00-load.t t/20-values.t t/60-names.t
}

# Each assertion of the TAP is one of our counts.
run_tests() {
    local log=$work/tests.log rc=0 ok not_ok skips
    (cd "$work/dist" && make test TEST_VERBOSE=1) >"$log" 2>&1 || rc=$?
    ok=$(grep -cE '^ok [0-9]+' "$log" || true)
    not_ok=$(grep -cE '^not ok [0-9]+' "$log" || true)
    skips=$(grep -ciE '^(ok [0-9]+ # skip|1\.\.0 # skip)' "$log" || true)
    grep -iE '# skip' "$log" || true
    passed=$((passed + ok - skips)) failed=$((failed + not_ok)) skipped=$((skipped + skips))
    if [ $rc -ne 0 ] || [ "$ok" -lt 700 ]; then
        grep -A 12 '^not ok' "$log" || true
        tail -n 60 "$log"
    fi
    check "make test ends well" [ $rc -eq 0 ]
    check "the tests were run: $ok assertions" [ "$ok" -ge 700 ]
}

installs() {
    make -C "$work/dist" pure_install DESTDIR="$work/root"
    local lib arch
    lib=$(find "$work/root" -path '*/IPC/Mmap/Share.pm' | sed 's|/IPC/Mmap/Share.pm||')
    arch=$(find "$work/root" -path '*/auto/Seqshare/Seqshare.so' | sed 's|/auto/Seqshare/Seqshare.so||')
    cd /
    [ "$(PERL5LIB=$lib:$arch perl -MIPC::Mmap::Share \
        -e '$s = IPC::Mmap::Share->new(1000); $s->set({ x => "works" }); print $s->snapshot->{x}')" = works ]
}

benchmark_runs() {
    cd "$work/dist"
    perl -Mblib benchmark/compare.pl --quick >"$work/benchmark"
    local name
    for name in predecessor snapshot Cache::FastMmap IPC::ShareLite IPC::Shareable Sereal JSON CBOR; do
        grep -q "$name" "$work/benchmark"
    done
}

predecessors_test() {
    cd "$work/dist"
    prove -b "$SEQSHARE_PREDECESSOR_TEST"
}

# The smallest way through: two of its test files, on the library as the other parts have built it.
if is_quick; then
    if ! perl -MExtUtils::MakeMaker -MTest::More -e 1 2>/dev/null || ! command -v make >/dev/null ||
        ! gcc -fsyntax-only -include crypt.h -x c /dev/null 2>/dev/null; then
        skip "the Perl modules" "needs Perl, what extensions are built with: apt-get install perl make libcrypt-dev"
        finish
    fi
    check "the library builds and installs" install_release "$work/installed"
    check "it builds" build_in_copy
    check "values, names" prove_a_few
    finish
fi
check "the library builds and installs" install_library
check "without the library, Makefile.PL says what is missing" says_what_is_missing
check "the archive is complete" pack
check "it builds without a warning" build
run_tests
check "it installs, and runs from there" installs
check "the benchmark runs" benchmark_runs
[ -z "${SEQSHARE_PREDECESSOR_TEST:-}" ] || check "the predecessor's published test passes" predecessors_test
finish

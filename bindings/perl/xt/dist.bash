# SPDX-License-Identifier: MIT
# Sourced by tests/perl/run.sh: packs the distribution, builds it from its archive in $work, and runs its tests there.
# shellcheck shell=bash
export SEQSHARE_TEST_ALL=1 # a missing module is a failure here, nothing is skipped
export PERL_MM_USE_DEFAULT=1 PKG_CONFIG_PATH=$work/installed/lib/pkgconfig
unset PERL5LIB PERL5OPT PERL_MM_OPT PERL_MB_OPT

# Somebody may have built in the tree: only its sources, and not this folder.
copy_sources() { # FOLDER
    mkdir "$1"
    tar -C "$SEQSHARE_SOURCE/bindings/perl" --exclude=./xt --exclude-from="$SEQSHARE_SOURCE/bindings/perl/.gitignore" -c . |
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
count_tests() {
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

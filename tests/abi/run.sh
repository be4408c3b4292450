#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: a program built with this library runs with a newer one; a break of the ABI is noticed
# budget: 60
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/abi
rm -rf "$work"
mkdir -p "$work"

# A library from a changed copy of the sources, in $work/NAME/lib. The change is a function here.
variant() { # NAME CHANGE
    mkdir -p "$work/$1"
    (cd "$SEQSHARE_SOURCE" && cp -R CMakeLists.txt include src "$work/$1")
    (cd "$work/$1" && "$2")
    cmake -S "$work/$1" -B "$work/$1/build" -G Ninja -D CMAKE_BUILD_TYPE=RelWithDebInfo \
        -D SEQSHARE_CLI=OFF -D SEQSHARE_TESTS=OFF -D SEQSHARE_BENCH=OFF
    cmake --build "$work/$1/build" -j "$(nproc)" --target seqshare
    ln -s build/src "$work/$1/lib"
}

# Replace once, and fail where there is nothing to replace.
edit() { # FILE PATTERN REPLACEMENT (of sed -E)
    grep -qE "$2" "$1" || {
        echo "$1 has no '$2' any more: tests/abi/run.sh must follow"
        return 1
    }
    sed -i -E "0,/$2/s//$3/" "$1"
}

nothing() {
    :
}

newer() {
    local header=include/seqshare/seqshare.h
    edit $header '(SEQSHARE_VERSION_MINOR +)[0-9]+' '\199'
    edit $header '^(SEQSHARE_API const char \*seqshare_strerror.*)$' '\1\nSEQSHARE_API int seqshare_added(void);'
    printf 'int seqshare_added(void)\n{\n    return 1;\n}\n' >>src/exports.c
    printf 'SEQSHARE_0.99 {\nglobal:\n    seqshare_added;\n} SEQSHARE_0;\n' >>src/seqshare.map
    edit src/share.h '^(    (struct )?seqshare [a-z]+;.*)$' '\1\n    char grown[256];'
}

symbol_removed() {
    edit src/seqshare.map '^    seqshare_get;' ''
}

stat_changed() {
    edit include/seqshare/seqshare.h '^    uint64_t capacity;$' '    uint32_t capacity, surprise;'
}

prefix_changed() {
    edit include/seqshare/seqshare.h '^    size_t stride;$' '    size_t surprise, stride;'
}

build_program() {
    gcc -std=c11 -D_GNU_SOURCE -O2 -I"$SEQSHARE_SOURCE/include" ../package/outside/program.c \
        -L"$work/now/lib" -lseqshare -o "$work/program"
}

runs_with() { # NAME
    local out
    readelf -d "$work/program" | grep -q 'libseqshare.so.0'
    LD_LIBRARY_PATH=$work/$1/lib ldd "$work/program" | grep -F "$work/$1/lib/libseqshare.so.0"
    out=$(LD_LIBRARY_PATH=$work/$1/lib "$work/program")
    grep '^program of .*: 0 failures$' <<<"$out"
}

# What users can see is compared, as the headers say it; new names are no break.
compare() { # NAME: abidiff's status
    abidiff --no-added-syms --headers-dir1 "$SEQSHARE_SOURCE/include" --headers-dir2 "$work/$1/include" \
        "$work/now/lib/libseqshare.so.0" "$work/$1/lib/libseqshare.so.0" || return $?
}

compatible() {
    compare "$1"
}

# Bit 2 of the status: the ABI changed. Bits 0 and 1 would be trouble of abidiff's own.
incompatible() {
    local status=0
    compare "$1" || status=$?
    [ $((status & 7)) -eq 4 ]
}

check "this library" variant now nothing
check "a newer one: a version, a name and private members more" variant newer newer
check "the newer one is newer" grep -q seqshare_added "$work"/newer/lib/libseqshare.so.*.99.*
check "an outside program, built with this library" build_program
check "runs with this library" runs_with now
check "runs with the newer library" runs_with newer
check "abidiff: the newer library is compatible" compatible newer
for change in symbol_removed stat_changed prefix_changed; do
    check "a break: $change" variant $change $change
    check "abidiff notices: $change" incompatible $change
done
check_fails "the program does not run with: symbol_removed" runs_with symbol_removed
check_fails "the program does not run with: prefix_changed" runs_with prefix_changed
finish

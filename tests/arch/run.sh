#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: unit tests and torture for arm64, a sample for armhf, riscv64, s390x, i386 (qemu-user); arm64's barriers
# tier: full
# budget: 75
# long budget: 1500
# Shows: READ-1, READ-2, WRITE-1, WAIT-1 on other processors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../mutants/kit.sh

# The unit tests and the torture as they are, compiled by Debian's cross compilers, linked statically, with plain.c in
# the place of Criterion. skipped says which tests mean nothing under an emulator, skipped.PROCESSOR which not on that
# one, skipped.native which not without one, slow which are left to the long programme (SEQSHARE_LONG). That one runs
# all tests for each processor; the full programme runs all for arm64, and those of $sample for the others.
#
# An emulator on x86-64 has the memory order of x86-64. So what arm64 needs is looked up in its code: barriers.py.
# That check is shown, each time, to fail without each of the barriers.
processors=(arm64 armhf riscv64 s390x i386)
declare -A triplet=([arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf [riscv64]=riscv64-linux-gnu
    [s390x]=s390x-linux-gnu [i386]=i686-linux-gnu)
declare -A emulator=([arm64]=qemu-aarch64 [armhf]=qemu-arm [riscv64]=qemu-riscv64 [s390x]=qemu-s390x [i386]=qemu-i386)

sample="values typed lock takeover wait"

work=$SEQSHARE_BUILD/arch
mkdir -p "$work"
# Two at a time where there are two processors, and no more: they wait for each other's tests of time otherwise.
jobs=$(($(nproc) < 2 ? 1 : 2))

# ---- programs ----

# Most x86-64 kernels run programs for i386 themselves; then no emulator comes between.
is_native() { # PROCESSOR
    local said
    [ "$1" = i386 ] || return 1
    said=$("$work/i386/unit-tests.bin" no_such_suite 2>&1) || true
    [[ $said = "0 passed"* ]]
}

# A script in its place, so that a test can execute it like any program.
emulated() { # PROCESSOR PROGRAM: for PROGRAM.bin
    local by=${emulator[$1]}
    ! is_native "$1" || by=
    printf '#!/bin/sh\nexec %s "%s.bin" "$@"\n' "$by" "$2" >"$2"
    chmod +x "$2"
}

is_compiled() { # PROCESSOR NAME: of a file of the unit tests
    [ "$1" = arm64 ] || [ -n "${SEQSHARE_LONG:-}${SEQSHARE_MUTANTS:-}" ] || [[ " $sample support check pattern program plain " = *" $2 "* ]]
}

build() { # PROCESSOR TREE
    local folder=$work/$1 compiler=${triplet[$1]}-gcc file name objects=()
    local flags=(-std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Wall -Wextra -g -pthread -I. -I../support -I"$2/include" -I"$2/src")
    rm -rf "$folder"
    mkdir -p "$folder"
    for file in "$2"/src/*.c; do
        "$compiler" "${flags[@]}" -O2 -Werror -c "$file" -o "$folder/src-$(basename "$file" .c).o"
    done
    for file in ../unit/*.c ../support/{support,check,pattern}.c plain.c; do
        name=$(basename "$file" .c)
        is_compiled "$1" "$name" || continue
        [ "$name" = program ] || objects+=("$folder/unit-$name.o")
        "$compiler" "${flags[@]}" -O1 "-DUNIT_PROGRAM=\"$folder/unit-program\"" -c "$file" -o "$folder/unit-$name.o"
    done
    # What typed.c calls in C++ is not there: that test is skipped.
    "$compiler" -static -pthread "${objects[@]}" "$folder"/src-*.o -o "$folder/unit-tests.bin" \
        -Wl,--defsym=cxx_round_trip=0,--defsym=cxx_set=0,--defsym=cxx_get=0
    "$compiler" -static -pthread "$folder/unit-program.o" "$folder"/src-*.o -o "$folder/unit-program.bin"
    "$compiler" -static "${flags[@]}" -O2 ../torture/{main,value,worker,herd,kit}.c "$folder"/src-*.o -o "$folder/torture.bin"
    for name in unit-tests unit-program torture; do
        emulated "$1" "$folder/$name"
    done
}

run_unit() { # PROCESSOR
    local lists=(skipped)
    ! is_native "$1" || lists=(skipped.native)
    [ ! -f "skipped.$1" ] || lists+=("skipped.$1")
    [ -n "${SEQSHARE_LONG:-}" ] || lists+=(slow)
    cat "${lists[@]}" >"$work/$1/skip"
    "$work/$1/unit-tests" --skip "$work/$1/skip" >"$work/$1/unit.log" 2>&1
}

run_torture() { # PROCESSOR
    local seconds=3
    [ "$1" != arm64 ] || seconds=6
    [ -z "${SEQSHARE_LONG:-}" ] || seconds=60
    "$work/$1/torture" --seconds $seconds >"$work/$1/torture.log" 2>&1
}

# All of one processor, its results in a file: processors are done beside each other.
one_processor() { # PROCESSOR
    local rc=0
    (set -e && build "$1" "$SEQSHARE_SOURCE") >"$work/$1.build" 2>&1 || rc=$?
    echo "build $rc" >"$work/$1.result"
    [ $rc -eq 0 ] || return 0
    run_unit "$1" || rc=$?
    echo "unit $rc" >>"$work/$1.result"
    rc=0
    run_torture "$1" || rc=$?
    echo "torture $rc" >>"$work/$1.result"
}

# NAME LOG STATUS: add what the last line of a program's log says.
add_up() {
    local name=$1 log=$2 rc=$3 last
    last=$(tail -n 1 "$log")
    if [[ ! $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        echo "FAILED: $name: its last line gives no numbers (status $rc)"
        tail -n 20 "$log"
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    echo "$name: $last"
    grep -B 3 '^FAILED' "$log" || true
    if [ "$rc" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ]; then
        echo "FAILED: $name: status $rc"
        failed=$((failed + 1))
    fi
}

report() { # PROCESSOR
    local what rc
    while read -r what rc; do
        if [ "$what" = build ]; then
            check "$1: builds" built "$1" "$rc"
        else
            add_up "$1, $what" "$work/$1/$what.log" "$rc"
        fi
    done <"$work/$1.result"
}

built() { # PROCESSOR STATUS
    cat "$work/$1.build"
    return "$2"
}

# clang has doubts about 64-bit atomic accesses there; they must be instructions, and no calls.
clang_compiles_for_i386() {
    local file
    for file in "$SEQSHARE_SOURCE"/src/*.c typed.c; do
        clang --target=i686-linux-gnu -isystem /usr/i686-linux-gnu/include -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
            -O2 -I"$SEQSHARE_SOURCE/include" -I"$SEQSHARE_SOURCE/src" -c "$file" -o "$work/clang.o" || return 1
        if nm "$work/clang.o" | grep __atomic; then
            return 1
        fi
    done
}

# ---- barriers ----

compile_for_barriers() { # TREE FLAG...
    local tree=$1 file
    shift
    rm -rf "$work/barriers"
    mkdir -p "$work/barriers"
    for file in "$tree"/src/{read,write,lock,wake,exports}.c typed.c; do
        aarch64-linux-gnu-gcc -std=c11 -D_GNU_SOURCE "$@" -fPIC -I"$tree/include" -I"$tree/src" \
            -c "$file" -o "$work/barriers/$(basename "$file" .c).o"
    done
}

barriers_are_there() { # TREE FLAG...
    compile_for_barriers "$@"
    python3 barriers.py aarch64-linux-gnu-objdump "$work/barriers"
}

barriers() {
    check "arm64: barriers, -O2" barriers_are_there "$SEQSHARE_SOURCE" -O2
    check "arm64: barriers, -O3, armv8.3" barriers_are_there "$SEQSHARE_SOURCE" -O3 -march=armv8.3-a
}

# ---- planted faults: a barrier that is missing, or what the emulated tests must find ----

evidence='^(missing: |FAILED)'
build_mutant() { # "barriers", or PROCESSOR SUITE
    if [ "$1" = barriers ]; then
        compile_for_barriers "$tree" -O2
    else
        build "$1" "$tree"
    fi
}

detect_mutant() { # as above
    if [ "$1" = barriers ]; then
        python3 barriers.py aarch64-linux-gnu-objdump "$work/barriers"
    else
        cat skipped slow >"$work/$1/skip"
        limited 300 "$work/$1/unit-tests" --skip "$work/$1/skip" "$2"
    fi
}

for processor in "${processors[@]}"; do
    for tool in "${triplet[$processor]}-gcc" "${emulator[$processor]}"; do
        command -v "$tool" >/dev/null || { echo "FAILED: no $tool here" && failed=$((failed + 1)); }
    done
done
[ $failed -eq 0 ] || finish
if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants arch
    finish
fi
barriers
run_mutants arch barriers
check "i386: clang compiles it" clang_compiles_for_i386
running=0
for processor in "${processors[@]}"; do
    one_processor "$processor" &
    running=$((running + 1))
    [ $running -lt $jobs ] || { wait -n && running=$((running - 1)); }
done
wait
for processor in "${processors[@]}"; do
    report "$processor"
done
[ ! -f "$work/arm64/unit.log" ] || grep '^skipped' "$work/arm64/unit.log" | sed 's/^skipped/skipped under an emulator/' || true
finish

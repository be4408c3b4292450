#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: libFuzzer over the whole API on a region that an enemy writes, also meanwhile; ASan, UBSan, fences
# tier: full
# budget: 50
# long budget: 4000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../mutants/kit.sh

# Without SEQSHARE_LONG, twenty seconds of fuzzing from the seeds in corpus/; with it, an hour, in which what was found
# earlier (in the build folder) is the beginning.
#
# Two programs: "opaque" has the copy that ships, whose assembly the address sanitizer cannot see into, so that
# only the fence around the mapping tells; "portable" has the copy whose every load it sees.
work=$SEQSHARE_BUILD/fuzz
mkdir -p "$work"
place=$(mktemp -d /dev/shm/seqshare-fuzz.XXXXXX 2>/dev/null || mktemp -d)
trap 'rm -rf "$place"' EXIT
export SEQSHARE_FUZZ_PLACE=$place
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1

flags=(-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -O1 -g -fno-omit-frame-pointer
    '-fsanitize=fuzzer-no-link,address,undefined' -fno-sanitize-recover=undefined)

objects() { # TREE FOLDER FLAG...: compile TREE's library and the fuzzer into FOLDER
    local tree=$1 folder=$2 file
    shift 2
    rm -rf "$folder"
    mkdir -p "$folder"
    for file in "$tree"/src/*.c ./*.c; do
        echo "$file"
    done | xargs -P "$(nproc)" -I{} sh -c 'out=$1/$(basename "$2" .c).o && shift && in=$1 && shift &&
        exec clang "$@" -c "$in" -o "$out"' compile "$folder" {} "${flags[@]}" -I"$tree/include" -I"$tree/src" "$@"
}

link() { # FOLDER PROGRAM
    clang -fsanitize=fuzzer,address,undefined "$1"/*.o -Wl,--wrap=mmap,--wrap=munmap -o "$2"
}

build() { # NAME TREE FLAG...
    objects "$2" "$work/$1.objects" "${@:3}"
    link "$work/$1.objects" "$work/$1"
}

# A hang is what has not ended in two minutes; the longest that a call may take is a second.
fuzz() { # PROGRAM SECONDS ARGUMENT...
    mkdir -p "$work/found"
    "$1" -max_total_time="$2" -timeout=120 -max_len=400 -len_control=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$work/found/" "${@:3}"
}

figures() { # LOG
    grep -E '^(Done|stat::(number_of_executed_units|average_exec_per_sec|slowest_unit_time_sec))' "$1"
    sed -nE 's/^#([0-9]+).*(DONE|INITED|REDUCE|NEW) +(cov: [0-9]+ ft: [0-9]+).*/\3 (edges, features)/p' "$1" | tail -n 1
}

# Which functions of the library have been run, by the seeds and all that was found from them.
reached() { # PROGRAM CORPUS
    "$1" -runs=0 -print_coverage=1 corpus "$2" 2>&1 | grep 'COVERED_FUNC:.*/src/' >"$work/functions"
    [ "$(grep -c '^COVERED' "$work/functions")" -ge 80 ]
}

summary() {
    [ -s "$work/functions" ] || return 0
    echo "$(grep -c '^COVERED' "$work/functions") of $(wc -l <"$work/functions") functions of src/ are reached; not:" \
        "$(sed -nE 's/^UNCOVERED_FUNC:.* ([a-z_0-9]+) .*/\1/p' "$work/functions" | sort | tr '\n' ' ')"
}

run() { # VARIANT SECONDS
    local log=$work/$1.log rc=0
    mkdir -p "$work/corpus-$1"
    [ -n "${SEQSHARE_LONG:-}" ] || rm -rf "$work/corpus-$1"/*
    fuzz "$work/$1" "$2" "$work/corpus-$1" corpus >"$log" 2>&1 || rc=$?
    figures "$log"
    [ $rc -eq 0 ] || tail -n 60 "$log"
    return $rc
}

# ---- planted faults ----

# By a sanitizer, or by an answer that cannot be; not by taking too long, or too much memory.
evidence='^SUMMARY: (AddressSanitizer|UndefinedBehaviorSanitizer|libFuzzer: deadly signal)'
build_mutant() {
    flags+=(-Wno-error -w)
    build mutant "$tree" -DCOPY_PORTABLE
}

# The inputs in corpus/ show each fault, so that none is found by luck.
detect_mutant() {
    local rc=0
    limited 300 "$work/mutant" -timeout=60 -rss_limit_mb=4096 -artifact_prefix="$work/" corpus/* || rc=$?
    case $rc in
    0 | 124 | 137) return $rc ;;
    70) return 124 ;; # what libFuzzer says of one input that does not end
    *) return 1 ;;
    esac
}

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants fuzz
    finish
fi
check "portable: builds" build portable "$SEQSHARE_SOURCE" -DCOPY_PORTABLE
check "opaque: builds" build opaque "$SEQSHARE_SOURCE"
seconds=10
[ -z "${SEQSHARE_LONG:-}" ] || seconds=1800
for variant in opaque portable; do
    check "$variant: no crash, hang, or access outside of the region, in $seconds s" run $variant $seconds
    [ ! -f "$work/$variant.log" ] || figures "$work/$variant.log"
done
check "most of the library is reached" reached "$work/portable" "$work/corpus-portable"
summary
finish

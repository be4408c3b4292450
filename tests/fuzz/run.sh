#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: libFuzzer over the whole API on a region that an enemy writes, also meanwhile; ASan, UBSan, fences
# tier: full
# budget: 75
# long budget: 4000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

# Without SEQSHARE_LONG, half a minute of fuzzing from the seeds in corpus/; with it, an hour, in which what was found
# earlier (in the build folder) is the beginning. With SEQSHARE_MUTANTS, planted faults, each of which must be found.
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

# NAME FILE SED SOURCE...: the fault is planted in a copy of FILE; SOURCE are the files to compile anew.
mutant() {
    local name=$1 file=$2 script=$3 tree=$work/mutant source rc=0 log
    shift 3
    log=$work/mutant-${name// /-}.log
    rm -rf "$tree" "$work/mutant.objects"
    mkdir -p "$tree"
    cp -r "$SEQSHARE_SOURCE/include" "$SEQSHARE_SOURCE/src" "$tree"
    cp -r "$work/portable.objects" "$work/mutant.objects"
    sed -i -E "$script" "$tree/$file"
    if cmp -s "$tree/$file" "$SEQSHARE_SOURCE/$file"; then
        echo "the place for this fault is not there any more in $file"
        return 1
    fi
    for source in "$@"; do
        [ "$source" != fuzz.c ] || source=$PWD/fuzz.c
        (cd "$tree" && clang "${flags[@]}" -Wno-error -w -Iinclude -Isrc -DCOPY_PORTABLE -c "$source" \
            -o "$work/mutant.objects/$(basename "$source" .c).o")
    done
    link "$work/mutant.objects" "$work/mutant-fuzz"
    rm -rf "$work/mutant-corpus" && mkdir "$work/mutant-corpus"
    fuzz "$work/mutant-fuzz" 240 "$work/mutant-corpus" corpus >"$log" 2>&1 || rc=$?
    sed -nE 's/.*(SUMMARY: .*|runtime error: .*|ERROR: libFuzzer.*|^fuzz: .*)/  \1/p' "$log" | head -n 1
    # By a sanitizer, or by an answer that cannot be; not by taking too long, or too much memory.
    [ $rc -ne 0 ] && grep -qE '^SUMMARY: (AddressSanitizer|UndefinedBehaviorSanitizer|libFuzzer: deadly signal)' "$log"
}

mutants() {
    check "mutant: a value's length is not bounded by get" mutant "get unbounded" src/read.c \
        's/= likely\(length <= size\).*;/= true;/' src/read.c
    check "mutant: nor by peek" mutant "peek unbounded" include/seqshare/seqshare.h \
        's/if \(!seqshare_may_touch\(share, slot, length\)\)/if (false)/' src/share.c src/exports.c fuzz.c
    check "mutant: nor by length" mutant "length unbounded" src/read.c \
        's/if \(!seqshare_may_touch\(share, seqshare_slot_of\(v, share->mask\), length\)\)/if (false)/' src/read.c
    check "mutant: a length is bounded by the capacity alone" mutant "capacity alone" src/read.c \
        's/^    held = memory_held\(.*$/    held = share->capacity;/' src/read.c
    check "mutant: the stride is not checked against the file's size" mutant "file size" src/attach.c \
        's/ \|\| bytes > file_size\)/)/' src/attach.c
    check "mutant: nor against the capacity" mutant "stride" src/attach.c \
        's/header->stride < header->capacity/false/' src/attach.c
    check "mutant: the number of slots is not checked" mutant "slots" src/attach.c \
        's/if \(header->slots != 2 && header->slots != 4/if (false/' src/attach.c
    check "mutant: stride times slots may overflow" mutant "overflow" src/attach.c \
        's/__builtin_mul_overflow\(header->stride, header->slots, &bytes\)/(bytes = header->stride * header->slots, false)/' \
        src/attach.c
    check "mutant: any header is long enough" mutant "header size" src/attach.c \
        's/header->header_size < LAYOUT_HEADER_SIZE/false/' src/attach.c
    check "mutant: slots may start anywhere" mutant "alignment" src/attach.c \
        's/header->header_size % LAYOUT_LINE != 0/false/' src/attach.c
    check "mutant: a reader refuses the value that stands" mutant "refused" include/seqshare/protocol.h \
        's/ - 2 \* version <= 2 \* \(uint64_t\)mask;/ - 2 * version > 0;/' src/read.c src/stat.c src/exports.c fuzz.c
}

check "portable: builds" build portable "$SEQSHARE_SOURCE" -DCOPY_PORTABLE
if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    mutants
    finish
fi
check "opaque: builds" build opaque "$SEQSHARE_SOURCE"
seconds=15
[ -z "${SEQSHARE_LONG:-}" ] || seconds=1800
for variant in opaque portable; do
    check "$variant: no crash, hang, or access outside of the region, in $seconds s" run $variant $seconds
    [ ! -f "$work/$variant.log" ] || figures "$work/$variant.log"
done
check "most of the library is reached" reached "$work/portable" "$work/corpus-portable"
summary
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: programs built with these libraries run with newer ones; a break of the ABI is noticed
# tier: full
# budget: 40
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/abi
rm -rf "$work"
mkdir -p "$work"

# Each needs those before it, and has an outside program.
libraries=(seqshare seqshare-cache seqshare-json)
declare -A program=([seqshare]=program [seqshare-cache]=cached [seqshare-json]=document)
declare -A folder=([seqshare]=src [seqshare-cache]=src/cache [seqshare-json]=src/json)
declare -A header=([seqshare]=seqshare.h [seqshare-cache]=cache.h [seqshare-json]=json.h)

# The libraries from a changed copy of the sources, in $work/NAME/build, or one of them with those that it needs. The change is a function here. None knows where
# the others lie, so that they can be mixed.
variant() { # NAME CHANGE [LIBRARY]
    local targets=(seqshare seqshare_cache seqshare_json)
    [ $# -eq 2 ] || targets=("${3//-/_}")
    mkdir -p "$work/$1"
    (cd "$SEQSHARE_SOURCE" && cp -R CMakeLists.txt include src "$work/$1")
    (cd "$work/$1" && "$2")
    cmake -S "$work/$1" -B "$work/$1/build" -G Ninja -D CMAKE_BUILD_TYPE=Debug -D CMAKE_SKIP_RPATH=ON \
        -D SEQSHARE_CLI=OFF -D SEQSHARE_TESTS=OFF -D SEQSHARE_BENCH=OFF
    cmake --build "$work/$1/build" -j "$(nproc)" --target "${targets[@]}"
}

built() { # NAME LIBRARY
    echo "$work/$1/build/${folder[$2]}/lib$2.so.0"
}

# ---- changes ---------------------------------------------------------------------------------

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

add_function() { # LIBRARY SOURCE
    local name=${1//-/_}
    edit "include/seqshare/${header[$1]}" '^(SEQSHARE_API .*;)$' "\\1\nSEQSHARE_API int ${name}_added(void);"
    printf 'int %s_added(void)\n{\n    return 1;\n}\n' "$name" >>"${folder[$1]}/$2"
    printf '%s_0.99 {\nglobal:\n    %s_added;\n} %s_0;\n' "${name^^}" "$name" "${name^^}" >>"${folder[$1]}/$1.map"
}

# All that the headers leave room for: more names, members after the public ones, words that are reserved.
newer() {
    edit include/seqshare/seqshare.h '(SEQSHARE_VERSION_MINOR +)[0-9]+' '\199'
    add_function seqshare exports.c
    add_function seqshare-cache cache.c
    add_function seqshare-json value.c
    edit src/share.h '^(    (struct )?seqshare [a-z]+;.*)$' '\1\n    char grown[256];'
    edit src/cache/source.h '^(    seqshare_cache [a-z]+;.*)$' '\1\n    char grown[256];'
    edit include/seqshare/seqshare.h '^    uint8_t reserved\[58\];' '    uint8_t added;\n    uint8_t reserved[57];'
    edit include/seqshare/cache.h '^    uint64_t reserved\[4\];' '    uint64_t added;\n    uint64_t reserved[3];'
}

seqshare_without_get() {
    edit src/seqshare.map '^    seqshare_get;' ''
}

seqshare_with_another_prefix() {
    edit include/seqshare/seqshare.h '^    size_t stride;$' '    size_t surprise, stride;'
}

seqshare_with_another_stat() {
    edit include/seqshare/seqshare.h '^    uint64_t capacity;$' '    uint32_t capacity, surprise;'
}

cache_without_refresh() {
    edit src/cache/seqshare-cache.map '^    seqshare_cache_refresh;' ''
}

cache_with_another_prefix() {
    edit include/seqshare/cache.h '^    const seqshare \*share;$' '    const seqshare *surprise, *share;'
}

cache_with_another_stat() {
    edit include/seqshare/cache.h '^    int32_t failed_error;' '    int16_t failed_error, surprise;'
}

cache_with_a_longer_stat() {
    edit include/seqshare/cache.h '^    uint64_t reserved\[4\];' '    uint64_t added;\n    uint64_t reserved[4];'
}

json_without_find() {
    edit src/json/seqshare-json.map '^    seqshare_json_find;' ''
}

json_with_short_integers() {
    sed -i 's/int64_t otherwise/int32_t otherwise/' include/seqshare/json.h src/json/value.c
}

json_with_more_to_say() {
    edit include/seqshare/json.h 'SEQSHARE_JSON_WHY_SIZE = 160' 'SEQSHARE_JSON_WHY_SIZE = 200'
    edit src/json/grammar.h 'JSON_WHY_SIZE = 160' 'JSON_WHY_SIZE = 200'
}

# ---- programs --------------------------------------------------------------------------------

build_program() { # LIBRARY
    local library links=()
    for library in "${libraries[@]}"; do
        links=("$(built now "$library")" "${links[@]}")
        [ "$library" != "$1" ] || break
    done
    gcc -std=c11 -D_GNU_SOURCE -O2 -I"$SEQSHARE_SOURCE/include" "../package/outside/${program[$1]}.c" "${links[@]}" \
        -o "$work/${program[$1]}"
}

# A library's program, with those libraries of the variant that are named, and the others as they are.
runs_with() { # LIBRARY VARIANT NAMED...
    local library path=""
    for library in "${@:3}"; do
        path+=$(dirname "$(built "$2" "$library")"):
    done
    for library in "${libraries[@]}"; do
        path+=$(dirname "$(built now "$library")"):
    done
    for library in "${@:3}"; do
        LD_LIBRARY_PATH=$path ldd "$work/${program[$1]}" | grep -F "$(built "$2" "$library")"
    done
    LD_LIBRARY_PATH=$path "$work/${program[$1]}" || {
        echo "status $?"
        return 1
    }
}

# ---- comparison ------------------------------------------------------------------------------

# How much room programs have for what the libraries write.
room() { # VARIANT
    gcc -std=c11 -D_GNU_SOURCE -I"$work/$1/include" -c room.c -o "$work/$1/room.o" || return 1
    nm --print-size "$work/$1/room.o" | cut -d ' ' -f 2- >"$work/$1/room"
}

# abidiff compares everything that users can see, by the headers. New names are not a break, nor are members in reserved
# words. abidiff gets that as a rule; but then it does not mind a longer struct.
compare() { # LIBRARY VARIANT: abidiff's status
    abidiff --no-added-syms --suppressions reserved.abignore \
        --headers-dir1 "$work/now/include" --headers-dir2 "$work/$2/include" \
        "$(built now "$1")" "$(built "$2" "$1")" || return $?
    room now && room "$2" || return 1
    diff "$work/now/room" "$work/$2/room" || return 4
}

# Bit 2 of the status: the ABI changed. Bits 0 and 1 would be trouble of abidiff's own.
incompatible() { # LIBRARY VARIANT
    local status=0
    compare "$@" || status=$?
    [ $((status & 7)) -eq 4 ]
}

# Plant breaks, one by one.
breaks() { # LIBRARY CHANGE...
    local change
    for change in "${@:2}"; do
        check "a break: $change" variant "$change" "$change" "$1"
        check "noticed: $change" incompatible "$1" "$change"
    done
}

check "these libraries" variant now nothing
check "newer ones: a version, names, private members and taken words more" variant newer newer
check "the newer ones are newer" grep -q seqshare_json_added "$work"/newer/build/src/json/libseqshare-json.so.*.99.*
newer=()
for library in "${libraries[@]}"; do
    newer+=("$library")
    check "$library: an outside program, built with this one" build_program "$library"
    check "$library: it runs with these libraries" runs_with "$library" now "$library"
    for ((count = 1; count <= ${#newer[@]}; count++)); do
        check "$library: it runs with newer ${newer[*]:0:count}" runs_with "$library" newer "${newer[@]:0:count}"
    done
    check "$library: the newer one is compatible" compare "$library" newer
done

breaks seqshare seqshare_without_get seqshare_with_another_prefix seqshare_with_another_stat
breaks seqshare-cache cache_without_refresh cache_with_another_prefix cache_with_another_stat cache_with_a_longer_stat
breaks seqshare-json json_without_find json_with_short_integers json_with_more_to_say
for change in seqshare_without_get seqshare_with_another_prefix; do
    check_fails "the program does not run with it: $change" runs_with seqshare $change seqshare
done
for change in cache_without_refresh cache_with_another_prefix; do
    check_fails "the program does not run with it: $change" runs_with seqshare-cache $change seqshare-cache
done
check_fails "the program does not run with it: json_without_find" \
    runs_with seqshare-json json_without_find seqshare-json
finish

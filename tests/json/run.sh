#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: JSON documents in shares: what is taken, what is found; by Criterion, and by threads
# tier: full
# budget: 40
# long budget: 300
# Shows: JSON-1, JSON-2, JSON-4 (the guide at work, and every json-c).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh
source ../tsan.sh
source ../mutants/kit.sh

# The server of the guide, with its share in a folder of its own.
place=$(mktemp -d /dev/shm/seqshare.test-json.XXXXXX)
trap 'rm -rf "$place"' EXIT

guide_compiles() {
    local build=$SEQSHARE_BUILD/release/src libs=()
    read -ra libs <<<"$(pkg-config --libs json-c) $(pkg-config --libs liburcu-bp 2>/dev/null)"
    gcc -Wall -Wextra -Werror -I"$SEQSHARE_SOURCE/include" "$SEQSHARE_SOURCE/examples/flag/c/server.c" "$build/json/libseqshare-json.a" \
        "$build/cache/libseqshare-cache.a" "$build/libseqshare.a" "${libs[@]}" -pthread -o "$work/server"
}

workers_say() { # TEXT: all four, from now on
    local lines end=$((SECONDS + 60))
    lines=$(wc -l <"$work/said")
    while [ $SECONDS -lt $end ]; do
        sleep 0.1
        [ "$(tail -n "+$((lines + 1))" "$work/said" | grep -F "$1" | cut -d: -f1 | sort -u | wc -l)" -eq 4 ] && return
    done
    echo "not said by all in a minute: $1"
    return 1
}

publish() { # TEXT OPTION...
    echo "$1" | "$SEQSHARE_BUILD/release/src/cli/seqshare" set "$place/shop" "${@:2}" -
}

guide_works() {
    local seqshare=$SEQSHARE_BUILD/release/src/cli/seqshare
    "$seqshare" create "$place/shop" --size 1M
    publish '{"flags": {"dark": false}, "limits": {"rate": 100}}' --json
    : >"$work/said" # which is looked at before the server has begun
    "$work/server" "$place/shop" >"$work/said" 2>&1 &
    server=$!
    trap 'kill "$server"' EXIT # of this check; its workers end with it
    workers_say "light, 100 a second"
    publish '{"flags": {"dark": true}, "limits": {"rate": 50}}' --json
    workers_say "dark, 50 a second"
    fails publish '{"flags": {"dark": false}' --json
    publish '{"flags": {"dark": false}' --force
    workers_say "dark, 50 a second"
    publish '{"limits": {"rate": "50"}}' --json
    workers_say "light, 10 a second"
    "$seqshare" replace "$place/shop" --size 2M
    publish '{"flags": {"dark": true}, "limits": {"rate": 7}}' --json
    workers_say "dark, 7 a second"
    "$seqshare" rm "$place/shop"
    workers_say "cannot be followed: there is no share of that name"
}

# As in RHEL 8 and Ubuntu 20.04: what is there is not enough, and the rest is built as where there is none.
old_json_c_is_not_used() {
    local pc
    pc=$(pkg-config --variable=pcfiledir json-c)/json-c.pc
    mkdir "$work/old"
    sed 's/^Version:.*/Version: 0.13.1/' "$pc" >"$work/old/json-c.pc"
    PKG_CONFIG_PATH=$work/old cmake -S "$SEQSHARE_SOURCE" -B "$work/old/build" -G Ninja -D SEQSHARE_TESTS=ON \
        -D SEQSHARE_BENCH=ON >"$work/old/log"
    grep -F 'json-c 0.13.1 is too old, 0.14 is needed' "$work/old/log"
    cmake --build "$work/old/build" --target help >"$work/old/targets"
    grep seqshare_cache "$work/old/targets"
    ! grep -E 'seqshare_json|seqshare_cli' "$work/old/targets"
}

# json-c's parser differs from version to version, and 0.18 refuses what is not ASCII: it must not come in again.
needs_no_parser_of_json_c() {
    local file
    for file in json/libseqshare-json.so cli/seqshare; do
        nm -D --undefined-only "$SEQSHARE_BUILD/release/src/$file" >"$work/wanted"
        grep -q ' json_object_put' "$work/wanted"
        ! grep -E ' (json_tokener|json_pointer|json_object_from)' "$work/wanted" || return 1
    done
}

# ---- planted faults --------------------------------------------------------------------------

evidence=$program_evidence
build_mutant() { # PRESET PROGRAM
    build_from_tree "$1" "$2"
}

detect_mutant() { # PRESET PROGRAM
    program_detects json "$@"
}

# ----------------------------------------------------------------------------------------------

# A language with decimal commas; where there is none, its test is skipped.
if localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" >/dev/null 2>&1; then
    export LOCPATH=$work
fi
if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants json
    finish
fi
if [ -n "${SEQSHARE_LONG:-}" ]; then
    presets=(release asan asan-clang ubsan ubsan-clang) races=(tsan tsan-clang) valgrind='*'
else
    presets=(release sanitized) races=(tsan-clang) valgrind='values/*'
fi
for preset in "${presets[@]}" "${races[@]}"; do
    build_part "$preset"
done
for preset in "${presets[@]}"; do
    run_tests "$preset" "$(program "$preset" json-tests)"
done
run_tests valgrind under_valgrind "$work/valgrind" --leak-check=full --show-leak-kinds=definite \
    "$(program release json-tests)" --filter "$valgrind"
for preset in "${presets[@]}" "${races[@]}"; do
    check "$preset: threads" unrandomised "$(program "$preset" json-threads)"
done
check "release: without memory" "$(program release json-memory)"
check "release: builds the libraries and the tool" build_preset release src/all src/cli/all
check "a json-c that is too old is not used" old_json_c_is_not_used
check "json-c's own parser is not used" needs_no_parser_of_json_c
if [ -n "${SEQSHARE_LONG:-}" ]; then
    source versions.bash
fi
check "the server of the guide compiles" guide_compiles
check "the server of the guide does what it shows" guide_works
finish

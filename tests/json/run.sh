#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: JSON documents in shares: what is taken, what is found; by Criterion, and by threads
# tier: full
# budget: 60
# long budget: 300
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh
source ../tsan.sh

# The server of the guide, with its share in a folder of its own.
place=$(mktemp -d /dev/shm/seqshare.test-json.XXXXXX)
trap 'rm -rf "$place"' EXIT

guide_compiles() {
    local build=$SEQSHARE_BUILD/release/src libs=()
    read -ra libs <<<"$(pkg-config --libs json-c) $(pkg-config --libs liburcu-bp 2>/dev/null)"
    sed -n '/^```c$/,/^```$/p' "$SEQSHARE_SOURCE/docs/hot-configuration.md" |
        sed "/^\`\`\`/d; s|\"shop\"|\"$place/shop\"|" >"$work/server.c"
    grep -q "$place/shop" "$work/server.c"
    gcc -Wall -Wextra -Werror -I"$SEQSHARE_SOURCE/include" "$work/server.c" "$build/json/libseqshare-json.a" \
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
    "$work/server" >"$work/said" 2>&1 &
    server=$!
    trap 'kill "$server"' EXIT # of this check; its workers end with it
    workers_say "light, 100 a second"
    publish '{"flags": {"dark": true}, "limits": {"rate": 50}}' --json
    workers_say "dark, 50 a second"
    fails publish '{"flags": {"dark": false}' --json
    publish '{"flags": {"dark": false}' # forced in
    workers_say "dark, 50 a second"
    publish '{"limits": {"rate": "50"}}' --json
    workers_say "light, 10 a second"
    "$seqshare" replace "$place/shop" --size 2M
    publish '{"flags": {"dark": true}, "limits": {"rate": 7}}' --json
    workers_say "dark, 7 a second"
}

# json-c's parser differs from version to version, and 0.18 refuses what is not ASCII: it must not come in again.
needs_no_parser_of_json_c() {
    local file
    for file in json/libseqshare-json.so cli/seqshare; do
        nm -D --undefined-only "$SEQSHARE_BUILD/release/src/$file" >"$work/wanted"
        grep -q ' json_object_put' "$work/wanted"
        ! grep -E ' (json_tokener|json_pointer|json_object_from)' "$work/wanted"
    done
}

# A language with decimal commas; where there is none, its test is skipped.
if localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" >/dev/null 2>&1; then
    export LOCPATH=$work
fi
for preset in release asan ubsan-clang tsan-clang; do
    build_part $preset
done
run_tests release "$(program release json-tests)"
run_tests asan "$(program asan json-tests)"
run_tests ubsan "$(program ubsan-clang json-tests)"
run_tests valgrind under_valgrind "$work/valgrind" --leak-check=full --show-leak-kinds=definite \
    "$(program release json-tests)"
for preset in release asan tsan-clang; do
    check "$preset: threads" unrandomised "$(program $preset json-threads)"
done
check "release: without memory" "$(program release json-memory)"
check "release: builds the libraries and the tool" build_preset release src/all src/cli/all
check "json-c's own parser is not used" needs_no_parser_of_json_c
if [ -n "${SEQSHARE_LONG:-}" ]; then
    source versions.bash
fi
check "the server of the guide compiles" guide_compiles
check "the server of the guide does what it shows" guide_works
finish

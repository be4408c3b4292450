#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: values decoded once per version: by Criterion, and by many threads; with liburcu and without
# tier: full
# budget: 70
# long budget: 400
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh
source ../tsan.sh
source ../mutants/kit.sh

# ---- planted faults --------------------------------------------------------------------------

evidence=$program_evidence
build_mutant() { # PRESET PROGRAM
    build_from_tree "$1" "$2"
}

detect_mutant() { # PRESET PROGRAM
    local rc=0
    program_detects cache "$@" || rc=$?
    remove_names
    return $rc
}

# Of tests whose Criterion is no more; when it has to be ended itself, it leaves them.
remove_names() {
    local name process
    for name in /dev/shm/seqshare.test-[0-9]*-*; do
        process=${name#/dev/shm/seqshare.test-}
        [ -d "/proc/${process%%-*}" ] || rm -rf "$name"
    done
}

# ---- the guide's service ----------------------------------------------------------------------

# Its commands as they are, with places of our own.
service() { # DIRECTIVE
    sed -nE "s/^    $1=-?//p" "$SEQSHARE_SOURCE/docs/hot-configuration.md" |
        sed "s|/usr/local/bin/seqshare|seqshare|; s|/var/lib/shop|$place|; s|/etc/shop.json|$place/first.json|; s| shop | $place/shop |g; s| shop\$| $place/shop|"
}

service_starts() {
    local command watcher
    while read -r command; do
        $command || [ "$command" != "seqshare check $place/shop" ] || return 1
    done < <(service ExecStartPre)
    watcher=$(service ExecStart)
    $watcher &
    watch=$!
}

says() { # TEXT: the file, before long
    local end=$((SECONDS + 60))
    until [ "$(cat "$place/config.json" 2>/dev/null)" = "$1" ]; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

service_outlives_a_reboot() {
    watch=0
    PATH=$SEQSHARE_BUILD/release/src/cli:$PATH
    trap 'kill "$watch"; rm -rf "$place"' EXIT # of this check
    place=$(mktemp -d /dev/shm/seqshare.test-cache.XXXXXX)
    [ "$(service ExecStartPre | wc -l)" -eq 3 ]
    fails service_starts # there is nothing to make the share from
    echo '{"first": 1}' >"$place/first.json"
    service_starts
    says '{"first": 1}'
    seqshare set "$place/shop" '{"changed": 2}' --json
    says '{"changed": 2}'
    kill "$watch"
    wait "$watch" || true
    rm "$place/shop" # which is what a reboot does
    service_starts
    [ "$(seqshare get "$place/shop")" = '{"changed": 2}' ]
}

ways=(counted)
if pkg-config --exists liburcu-bp; then
    ways+=(urcu)
else
    skip "the cache with liburcu" "it is not here"
fi

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants cache
    finish
fi

# In the long programme each sanitizer of each compiler, and valgrind over all that it can take.
if [ -n "${SEQSHARE_LONG:-}" ]; then
    presets=(release asan asan-clang ubsan ubsan-clang) races=(tsan tsan-clang)
    valgrind='@(one/*|many/*|leaving/*_jumped)' valgrind_ways=("${ways[@]}")
else
    presets=(release sanitized) races=(tsan-clang)
    valgrind='one/*' valgrind_ways=("${ways[-1]}")
fi
for preset in "${presets[@]}" "${races[@]}"; do
    build_part "$preset"
done
check "release: builds the command" build_preset release seqshare_cli
check "the guide's service goes on after a reboot" service_outlives_a_reboot

for preset in "${presets[@]}"; do
    for plugin in alone shared static; do
        check "$preset: unloading, $plugin" "$(program "$preset" cache-unloading)" $plugin \
            "$(program "$preset" "libcache-plugin-$plugin.so")"
    done
done

for way in "${ways[@]}"; do
    for preset in "${presets[@]}"; do
        run_tests "$preset-$way" "$(program "$preset" "cache-tests-$way")"
    done
    for preset in "${presets[@]}" "${races[@]}"; do
        check "$preset: threads, $way" unrandomised "$(program "$preset" "cache-threads-$way")"
        check "$preset: threads and forks, $way" unrandomised "$(program "$preset" "cache-threads-$way")" fork
    done
done
# Slow; moving means waiting, which is not slower there.
for way in "${valgrind_ways[@]}"; do
    run_tests "valgrind-$way" under_valgrind "$work/valgrind-$way" --leak-check=full --show-leak-kinds=definite \
        "$(program release "cache-tests-$way")" --filter "$valgrind"
done
finish

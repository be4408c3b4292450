#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: values decoded once per version: by Criterion, and by many threads; with liburcu and without
# tier: full
# budget: 80
# long budget: 400
# With SEQSHARE_MUTANTS=1 faults are planted in the sources, one by one, and the tests must catch each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh
source ../tsan.sh

# ---- planted faults --------------------------------------------------------------------------

# From a changed copy of the sources: FILE below src/cache, what stands there, and what is put in its place.
plant() { # PRESET FILE PATTERN REPLACEMENT
    rm -rf "$work/mutant"
    mkdir -p "$work/mutant"
    (cd "$SEQSHARE_SOURCE" && cp -R CMakeLists.txt CMakePresets.json include src tests "$work/mutant")
    grep -qE "$3" "$work/mutant/src/cache/$2" || {
        echo "src/cache/$2 has no '$3' any more: tests/cache/run.sh must follow"
        return 1
    }
    sed -i -E "s/$3/$4/" "$work/mutant/src/cache/$2"
    (
        cd "$work/mutant"
        cmake --preset "$1" -B "$work/mutants-$1" -D SEQSHARE_BENCH=OFF -D SEQSHARE_WERROR=OFF -D SEQSHARE_CLI=OFF
    )
    cmake --build "$work/mutants-$1" -j "$(nproc)" --target tests/cache/all
}

mutant() { # NAME PRESET PROGRAM FILE PATTERN REPLACEMENT
    check "planted: $1" plant "$2" "${@:4}"
    check_fails "caught: $1" unrandomised timeout 60 "$work/mutants-$2/tests/cache/$3"
    remove_names
}

# Of tests whose Criterion is no more; when it has to be ended itself, it leaves them.
remove_names() {
    local name process
    for name in /dev/shm/seqshare.test-[0-9]*-*; do
        process=${name#/dev/shm/seqshare.test-}
        [ -d "/proc/${process%%-*}" ] || rm -rf "$name"
    done
}

mutants() {
    mutant "who leaves orders nothing" tsan-clang cache-threads-counted counted.c 'more, __ATOMIC_ACQ_REL' \
        'more, __ATOMIC_RELAXED'
    mutant "a node becomes current before it is complete" tsan-clang cache-threads-counted counted.c \
        '__ATOMIC_(ACQ_REL|RELEASE|ACQUIRE)\)' '__ATOMIC_RELAXED)'
    mutant "entries are not added up" asan cache-tests-counted counted.c 'entered & ENTRIES' '0 \& entered'
    if [ "${#ways[@]}" -gt 1 ]; then
        mutant "nobody waits until sections are counted" tsan-clang cache-threads-urcu urcu.c \
            'urcu_bp_synchronize_rcu\(\);' ';'
        mutant "who leaves stripes orders nothing" tsan-clang cache-threads-urcu urcu.c 'store_release\(counter' \
            'store_relaxed(counter'
        mutant "two threads have one stripe for their own" release cache-threads-urcu urcu.c 'all & \(all - 1\)' 'all'
        mutant "a replaced node is left in its stripes" release cache-tests-urcu urcu.c 'replaced, true' 'replaced, false'
        mutant "liburcu is not told of forks" release cache-tests-urcu urcu.c '^        urcu_bp_(before|after)_fork.*$' \
            '        ;'
    fi
    mutant "another region's version passes for known" release cache-tests-counted source.c \
        'view.seen = NOTHING_SEEN' 'view.seen += 0'
    mutant "a bad value is tried again and again" release cache-tests-counted source.c \
        '^    state->view.seen = value->version;' '    state->view.seen = object ? value->version : 0;'
    mutant "the name is looked at all the time" release cache-tests-counted source.c \
        'next_follow, source_time\(\) \+ SECOND' 'next_follow, 0'
    mutant "the name is not looked at without a mark" release cache-tests-counted source.c \
        'return time >= .*next_follow\);' 'return false;'
    mutant "a mark that is known is asked about at every call" release cache-tests-counted source.c \
        'marks & ~known' 'marks'
    mutant "the clock is asked once in 64 calls, however rare" release cache-tests-counted source.c \
        'while \(period > 1 &&' 'while (period > 64 \&\&'
    mutant "a version that failed holds the next one back" release cache-tests-counted source.c \
        'put_off != version && ' 'false \&\& '
    mutant "the old object stays" release cache-tests-counted cache.c '^        destroy_object\(cache, old\);' \
        '        (void)old;'
    mutant "a decoder that jumped is not noticed" release cache-tests-counted source.c 'source->decoding = value->version;' ''
    mutant "a right ends with no thread" release cache-tests-counted right.c '    remove_where\(is_held_by, thread\);' \
        '    (void)thread;'
    mutant "an exception keeps the right" release cache-tests-counted mt.c '    right_give\(\*right\);' '    (void)right;'
    mutant "a child has rights of threads that it has not" release cache-tests-counted right.c \
        '    remove_where\(is_held_by_others, &me\);' ''
    mutant "a child takes the parent's decoding for a failure" release cache-tests-counted source.c \
        ' \|\| source->decoder != getpid\(\)' ''
}

# ---- the guide's service ----------------------------------------------------------------------

# Its commands as they stand there, with places of our own.
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
    mutants
    finish
fi

for preset in release asan ubsan-clang tsan tsan-clang; do
    build_part $preset
done
check "release: builds the command" build_preset release seqshare_cli
check "the guide's service goes on after a reboot" service_outlives_a_reboot

for preset in release asan; do
    for plugin in alone shared static; do
        check "$preset: unloading, $plugin" "$(program $preset cache-unloading)" $plugin \
            "$(program $preset "libcache-plugin-$plugin.so")"
    done
done

for way in "${ways[@]}"; do
    run_tests "release-$way" "$(program release "cache-tests-$way")"
    run_tests "asan-$way" "$(program asan "cache-tests-$way")"
    run_tests "ubsan-$way" "$(program ubsan-clang "cache-tests-$way")"
    # Slow; moving means waiting, which is no slower there.
    run_tests "valgrind-$way" under_valgrind "$work/valgrind-$way" --leak-check=full --show-leak-kinds=definite \
        "$(program release "cache-tests-$way")" --filter '@(one/*|many/*|leaving/*_jumped)'
    for preset in release asan tsan tsan-clang; do
        check "$preset: threads, $way" unrandomised "$(program $preset "cache-threads-$way")"
        check "$preset: threads and forks, $way" unrandomised "$(program $preset "cache-threads-$way")" fork
    done
done
finish

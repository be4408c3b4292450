#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the feed: real agents on real sources, killed at each system call, and lied to
# tier: full
# budget: 240
# long budget: 1500
# lane: waits
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source engines.bash
source ../mutants/kit.sh

taps=$SEQSHARE_BUILD/feed-taps

# PRESET'S FOLDER COMMAND...: it finds the programs that were built there.
with_programs() {
    local build=$1
    shift
    PATH="$build/src/feed:$build/src/cli:$build/tests/feed:$PATH" "$@"
}

# FILE: all of its tests; what they say goes into NAME.tap. Never fails itself: the lines tell.
bats_file() {
    with_programs "$SEQSHARE_BUILD/release" bats --formatter tap "$1" >"$taps/${1##*/}.tap" 2>&1 || true
}

# FILE: a line for each of its tests, and the sums.
count_file() {
    local tap=$taps/${1##*/}.tap planned ok not_ok left_out
    cat "$tap"
    planned=$(sed -n 's/^1\.\.//p' "$tap")
    left_out=$(grep -c '^ok .*# skip' "$tap" || true)
    ok=$(grep -c '^ok ' "$tap" || true)
    not_ok=$(grep -c '^not ok ' "$tap" || true)
    sed -n 's/^ok [0-9]* \(.*\) # skip */skipped: \1: /p' "$tap"
    passed=$((passed + ok - left_out)) skipped=$((skipped + left_out)) failed=$((failed + not_ok))
    if [ "$((ok + not_ok))" -ne "${planned:--1}" ]; then
        echo "FAILED: of ${planned:-no} tests in $1, $((ok + not_ok)) ran"
        failed=$((failed + 1))
    fi
}

# All files at once: they wait more than they compute.
start_bats() {
    local file
    rm -rf "$taps"
    mkdir -p "$taps"
    for file in ./*.bats; do
        bats_file "$file" &
        bats_running[$file]=$!
    done
}

end_bats() {
    local file
    for file in ./*.bats; do
        now "$file"
        wait "${bats_running[$file]}"
        count_file "$file"
    done
}

fuzz_state() { # SECONDS
    local folder=$SEQSHARE_BUILD/feed-fuzz-state source=$SEQSHARE_SOURCE file objects=()
    rm -rf "$folder"
    mkdir -p "$folder/seeds"
    printf '\0seqshare-feed 1\nsource file:/a\nform json\nrevision 1\nterm 0\ntime 5\nlength 2\nsha256 %s\n\n{}' \
        "$(printf '{}' | sha256sum | cut -d ' ' -f 1)" >"$folder/seeds/sound"
    for file in state document keys words safe config config_url; do
        objects+=("$source/src/feed/$file.c")
    done
    # shellcheck disable=SC2046
    clang -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -I"$source/src/feed" -I"$source/include" fuzz_state.c "${objects[@]}" $(pkg-config --cflags --libs json-c libcrypto inih libcurl) \
        -o "$folder/fuzz"
    "$folder/fuzz" -max_total_time="$1" -timeout=60 -max_len=4000 -rss_limit_mb=1500 -artifact_prefix="$folder/" \
        "$folder/seeds"
}

# ---- planted faults --------------------------------------------------------------------------

targets=(seqshare_feed seqshare_cli feed-killed feed-parts feed-reader feed-source)
evidence='^not ok|^failed: '
build_mutant() {
    build_from_tree release "${targets[@]}"
}

detect_mutant() { # FILE PART OF A NAME, or SCENARIO
    local file=$1 rc=0
    shift
    if [[ $file = *.bats ]]; then
        SEQSHARE_KILL_STRIDE=3 with_programs "$tree.release" limited 600 bats --formatter tap --filter "$*" \
            "$tree/tests/feed/$file" || rc=$?
    else
        engines_environment "$tree.release" "$tree.work"
        limited 300 python3 "$engines/$file" "$1" || rc=$?
    fi
    return $rc
}

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    run_mutants feed
    finish
fi

# ---- all of it -------------------------------------------------------------------------------

check "builds the feed and what its tests need" build_preset release "${targets[@]}"
[ "$failed" -eq 0 ] || finish
[ -n "${SEQSHARE_LONG:-}" ] || export SEQSHARE_KILL_STRIDE=3

# All of it at once: each test has its own folder, ports, and names.
declare -A bats_running=()
start_bats
start_engines etcd.py web.py agent.py
if command -v clang >/dev/null; then
    check "fuzz: documents of the state folder" fuzz_state "$([ -n "${SEQSHARE_LONG:-}" ] && echo 300 || echo 5)"
    fuzz_engines
else
    skip "fuzz: state folder, gRPC's frames, etcd's answers" "there is no clang here"
fi
end_bats
end_engines
[ -z "${SEQSHARE_LONG:-}" ] || engines_newer
finish

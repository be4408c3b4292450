# SPDX-License-Identifier: MIT
# Sourced by tests/feed/run.sh: the sources etcd and HTTP with real servers, several scenarios at once, and the fuzzer
# over what comes from the network.
# Shows: FEED-1, FEED-2, FEED-3, FEED-4, FEED-5, FEED-6, FEED-7, FEED-10.
# shellcheck shell=bash

engines=$(dirname "${BASH_SOURCE[0]}")/engines
engines_work=$SEQSHARE_BUILD/feed-engines
engines_fuzzed=$SEQSHARE_BUILD/feed-fuzz
engines_newer=$SEQSHARE_BUILD/feed-etcd-3.6
engines_at_once=$((2 * $(nproc) + 4)) # they wait more than they compute

# May a test have a network, and mounts, of its own? "own", or why not.
engines_network() {
    if ! unshare -n -m true 2>/dev/null; then
        echo "no network of its own is allowed here"
    elif ! command -v ip >/dev/null; then
        echo "there is no ip(8) here"
    else
        echo own
    fi
}

# FILE SCENARIO: run it, its output and status into files.
engine_run() {
    local log=$engines_work/$2.log rc=0 from=$SECONDS apart=()
    case $2 in
    dropped | silent_names) [ "$FEED_NETWORK" != own ] || apart=(unshare -n -m --) ;;
    esac
    timeout 300 "${apart[@]}" python3 "$engines/$1" "$2" >"$log" 2>&1 || rc=$?
    echo $((SECONDS - from)) >"$engines_work/$2.seconds"
    echo $rc >"$engines_work/$2.rc"
}

engine_result() { # SCENARIO
    cat "$engines_work/$1.log"
    return "$(cat "$engines_work/$1.rc")"
}

# All scenarios of these files, a line each: FILE NAME, TAB, title. Those that wait longest come first.
engines_list() { # FILE...
    local file
    for file in "$@"; do
        python3 "$engines/$file" | sed "s/^/$file /"
    done | awk -v first="token_expired dropped silent_names stopped no_quorum proxy slow" '
        BEGIN { split(first, names, " "); for (i in names) place[names[i]] = i }
        { print ($2 in place ? place[$2] : 100) "\t" $0 }' | sort -s -n -k 1,1 | cut -f 2-
}

# PRESET'S FOLDER, FOLDER FOR THEIR WORK: each scenario learns where all is.
engines_environment() {
    export FEED_SOURCE=$1/tests/feed/engines/feed-source
    export FEED_AGENT=$1/src/feed/seqshare-feed
    export FEED_COMMAND=$1/src/cli/seqshare
    export FEED_WORK=$2
    FEED_NETWORK=$(engines_network)
    export FEED_NETWORK
}

# FILE...: their scenarios begin, as many at once as fit.
start_engines() {
    engines_environment "$SEQSHARE_BUILD/release" "$engines_work/work"
    export engines engines_work
    export -f engine_run
    rm -rf "$engines_work"
    mkdir -p "$engines_work"
    engines_list "$@" >"$engines_work/list"
    cut -f 1 "$engines_work/list" | xargs -P "$engines_at_once" -L 1 bash -c 'engine_run "$@"' engine_run &
    engines_running=$!
}

# A line for each scenario, behind $engines_label, as they end.
end_engines() {
    local name title
    while IFS=$'\t' read -r -u 7 name title; do
        name=${name#* }
        now "${engines_label:-}$title"
        until [ -s "$engines_work/$name.rc" ] || ! kill -0 "$engines_running" 2>/dev/null; do
            sleep 0.1
        done
        if [ "$(cat "$engines_work/$name.rc")" = 77 ]; then
            skip "${engines_label:-}$title" "$(sed -n 's/^skipped: //p' "$engines_work/$name.log")"
        else
            check "${engines_label:-}$title" engine_result "$name"
        fi
    done 7<"$engines_work/list"
    wait "$engines_running" || true
}

engines_fuzz() { # SECONDS
    local build=$SEQSHARE_BUILD/release source=$SEQSHARE_SOURCE file objects=()
    mkdir -p "$engines_fuzzed/corpus" "$engines_fuzzed/seeds"
    python3 "$engines/seeds.py" "$engines_fuzzed/seeds"
    for file in etcd_answers gather grpc_frames keys form document; do
        objects+=("$source/src/feed/$file.c")
    done
    # shellcheck disable=SC2046
    clang -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -I"$source/src/feed" -I"$source/include" -isystem "$build/src/feed" "$engines/fuzz.c" "${objects[@]}" \
        "$build/src/feed/etcd.pb-c.c" "$build"/src/json/CMakeFiles/seqshare_json_objects.dir/*.o \
        "$build/src/libseqshare.a" $(pkg-config --cflags --libs libprotobuf-c json-c libcrypto) -o "$engines_fuzzed/fuzz"
    "$engines_fuzzed/fuzz" -max_total_time="$1" -timeout=60 -max_len=4000 -rss_limit_mb=1500 -print_final_stats=1 \
        -artifact_prefix="$engines_fuzzed/" "$engines_fuzzed/corpus" "$engines_fuzzed/seeds" >"$engines_fuzzed/fuzz.log" 2>&1 ||
        { tail -n 40 "$engines_fuzzed/fuzz.log" && return 1; }
}

# A newer server than Debian's, out of Go's modules.
engines_build_newer() { # VERSION
    local folder=$engines_newer
    mkdir -p "$folder"
    cp "$engines/newer/main.go" "$folder"
    (
        cd "$folder" || exit
        go mod init feed-etcd
        GOFLAGS=-mod=mod go get "go.etcd.io/etcd/server/v3@v$1"
        GOFLAGS=-mod=mod go build -o etcd .
        ./etcd --version
    )
}

engines_newer() {
    local engines_label="3.6: "
    if ! command -v go >/dev/null; then
        skip "etcd 3.6" "there is no go here"
        return
    fi
    check "etcd 3.6 builds" engines_build_newer 3.6.16
    export FEED_ETCD=$engines_newer/etcd
    if [ -x "$FEED_ETCD" ]; then
        start_engines etcd.py agent.py
        end_engines
    fi
    unset FEED_ETCD
}

fuzz_engines() {
    local seconds=10
    [ -z "${SEQSHARE_LONG:-}" ] || seconds=600
    check "fuzz: gRPC's frames and etcd's answers, $seconds s" engines_fuzz "$seconds"
}

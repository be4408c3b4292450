# SPDX-License-Identifier: MIT
# Sourced by tests/feed/run.sh: the sources etcd and HTTP with real servers, several scenarios at once, and the fuzzer
# over what comes from the network.
# Shows: FEED-1, FEED-2, FEED-3, FEED-4, FEED-5, FEED-6, FEED-7, FEED-10.
# shellcheck shell=bash

engines=$(dirname "${BASH_SOURCE[0]}")/engines
engines_work=$SEQSHARE_BUILD/feed-engines
engines_at_once=$(($(nproc) + 3)) # they wait more than they compute

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
    local log=$engines_work/$2.log rc=0 apart=()
    case $2 in
    dropped | silent_names) [ "$FEED_NETWORK" != own ] || apart=(unshare -n -m --) ;;
    esac
    timeout 300 "${apart[@]}" python3 "$engines/$1" "$2" >"$log" 2>&1 || rc=$?
    echo $rc >"$engines_work/$2.rc"
}

engine_result() { # SCENARIO
    cat "$engines_work/$1.log"
    return "$(cat "$engines_work/$1.rc")"
}

# FILE...: all of their scenarios, as many at once as fit; then a line for each, behind $engines_label.
engines_of() {
    local file name title
    FEED_WORK=$engines_work/work${engines_label:+-${engines_label%: }}
    export FEED_WORK FEED_SOURCE FEED_AGENT FEED_COMMAND FEED_NETWORK engines engines_work
    export -f engine_run
    for file in "$@"; do
        python3 "$engines/$file" | sed "s/^/$file /"
    done >"$engines_work/list"
    cut -f 1 "$engines_work/list" | xargs -P "$engines_at_once" -L 1 bash -c 'engine_run "$@"' engine_run
    while IFS=$'\t' read -r name title; do
        name=${name#* }
        if [ "$(cat "$engines_work/$name.rc")" -eq 77 ]; then
            skip "${engines_label:-}$title" "$(sed -n 's/^skipped: //p' "$engines_work/$name.log")"
        else
            check "${engines_label:-}$title" engine_result "$name"
        fi
    done <"$engines_work/list"
}

engines_fuzz() { # SECONDS
    local build=$SEQSHARE_BUILD/release source=$SEQSHARE_SOURCE file objects=()
    mkdir -p "$engines_work/corpus" "$engines_work/seeds"
    python3 "$engines/seeds.py" "$engines_work/seeds"
    for file in etcd_answers gather grpc_frames keys form document; do
        objects+=("$source/src/feed/$file.c")
    done
    # shellcheck disable=SC2046
    clang -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -I"$source/src/feed" -I"$source/include" -isystem "$build/src/feed" "$engines/fuzz.c" "${objects[@]}" \
        "$build/src/feed/etcd.pb-c.c" "$build"/src/json/CMakeFiles/seqshare_json_objects.dir/*.o \
        "$build/src/libseqshare.a" $(pkg-config --cflags --libs libprotobuf-c json-c libcrypto) -o "$engines_work/fuzz"
    "$engines_work/fuzz" -max_total_time="$1" -timeout=60 -max_len=4000 -rss_limit_mb=1500 -print_final_stats=1 \
        -artifact_prefix="$engines_work/" "$engines_work/corpus" "$engines_work/seeds" >"$engines_work/fuzz.log" 2>&1 ||
        { tail -n 40 "$engines_work/fuzz.log" && return 1; }
}

# A newer server than Debian's, out of Go's modules.
engines_build_newer() { # VERSION
    local folder=$engines_work/newer
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
    export FEED_ETCD=$engines_work/newer/etcd
    [ ! -x "$FEED_ETCD" ] || engines_of etcd.py agent.py
    unset FEED_ETCD
}

run_engines() {
    local seconds=10
    rm -rf "$engines_work"
    mkdir -p "$engines_work"
    check "builds the program that has a source alone" build_preset release seqshare_feed seqshare_cli feed-source
    [ -z "${SEQSHARE_LONG:-}" ] || seconds=600
    FEED_SOURCE=$SEQSHARE_BUILD/release/tests/feed/engines/feed-source
    FEED_AGENT=$SEQSHARE_BUILD/release/src/feed/seqshare-feed
    FEED_COMMAND=$SEQSHARE_BUILD/release/src/cli/seqshare
    FEED_NETWORK=$(engines_network)
    engines_of etcd.py web.py agent.py
    [ -z "${SEQSHARE_LONG:-}" ] || engines_newer
    if command -v clang >/dev/null; then
        check "fuzz: gRPC's frames and etcd's answers, $seconds s" engines_fuzz "$seconds"
    else
        skip "fuzz: gRPC's frames and etcd's answers" "there is no clang here"
    fi
}

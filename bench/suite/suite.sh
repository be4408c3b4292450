# SPDX-License-Identifier: MIT
# Sourced by run.sh: builds the suite with every contender that can be had, and runs it.
# shellcheck shell=bash
: "${root:?is set by run.sh}" "${build:?is set by run.sh}"

has_package() {
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# Of Debian; a contender whose packages cannot be had is left out. (What needs cargo is built where cargo is
# there: Debian's is too old for it.)
contender_packages=(libck-dev liburcu-dev liblmdb-dev libboost-dev libmemcached-dev memcached libhiredis-dev
    redis-server)

install_contenders() {
    local package missing=()
    for package in "${contender_packages[@]}" libssl-dev; do # which pkg-config wants for libmemcached
        has_package "$package" || missing+=("$package")
    done
    for package in "${missing[@]}"; do
        if ! can_install || ! install "$package"; then
            echo "Without $package: it cannot be installed here" >&2
        fi
    done
    stop_services "${missing[@]}"
}

# stop_services PACKAGE...: Debian starts some of what it installs; the suite starts its own servers.
stop_services() {
    local package
    [ -d /run/systemd/system ] || return 0
    for package in "$@"; do
        case $package in
        memcached | redis-server) as_root systemctl disable --now --quiet "$package" || true ;;
        esac
    done
}

# What is compared with what, for the results: "libc6 2.36-9; libck-dev 0.7.1-10; mmap-sync 2.0.4"
versions() {
    {
        dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' libc6 "${contender_packages[@]}" \
            2>/dev/null | sed -n 's/^installed //p'
        ! command -v cargo >/dev/null ||
            sed -nE 's/^(iceoryx2|mmap-sync) = .*"=([0-9.]+)".*/\1 \2/p' "$root/bench/rust/Cargo.toml"
    } | paste -sd';' | sed 's/;/; /g'
}

# What --costs asks: seqshare and memcpy, and for scale one read and write of others.
costs_filter='^(read|write)/(seqshare|seqshare-typed|memcpy)/.*[0-9](/waiters:0)?$'
costs_filter+='|^(read|write)/(mutex|mutex-robust|rwlock|semaphore)/bytes:64(/waiters:0)?$'
costs_filter+='|^readers/(seqshare|memcpy)/.*readers:2$|^(calls|takeover|retries)/|^woken/seqshare/readers:1/'

# Where cargo has still to fetch and build, the suite is built without what it makes, for a first look.
build_suite() {
    need g++ g++
    has_package libbenchmark-dev || { can_install && install libbenchmark-dev; } ||
        [ -e /usr/include/benchmark/benchmark.h ] ||
        fail "needs google-benchmark: as root, apt-get install libbenchmark-dev"
    need pkg-config pkg-config
    [ "$1" != --costs ] || { make_program suite && return; }
    install_contenders
    if command -v cargo >/dev/null && [ ! -e "$build/bench/suite/rust/target/release/libneighbours.a" ]; then
        make_program suite -DSEQSHARE_BENCH_RUST=OFF
        first_look
        echo "With what cargo fetches and builds; the first time that takes some minutes." >&2
    fi
    make_program suite -DSEQSHARE_BENCH_RUST=ON
}

looked=
# Rounds of all contenders are mixed, so it is minutes until one of them has its last: some single rounds before.
first_look() {
    [ -z "$looked$listing" ] || return 0
    looked=yes
    echo "A first look, one round each, until the first of all results are there:" >&2
    "$build/bench/suite/suite" --benchmark_filter='^read/(seqshare|memcpy|mutex|rwlock)/bytes:64$' 2>/dev/null
}

# suite --suite|--quick|--costs [--out FILE] [--compare OLD] [google-benchmark's options]
suite() {
    local results=$build/results/suite.json options=() listing='' old='' filter=() mode=$1
    case $mode in
    --suite) options=(--benchmark_repetitions=3) ;;
    --quick) options=(--quick) ;;
    --costs)
        results=$build/results/costs.json
        options=(--benchmark_filter="$costs_filter" --benchmark_repetitions=5)
        ;;
    esac
    [ "$mode" = --quick ] ||
        options+=(--benchmark_enable_random_interleaving=true --benchmark_display_aggregates_only=true)
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --out | --compare)
            [ $# -gt 1 ] || { echo "bench/run.sh: $1 needs a file" >&2 && exit 2; }
            if [ "$1" = --out ]; then results=$2; else old=$2; fi
            shift 2
            continue
            ;;
        --help | --benchmark_list_tests*) listing=yes ;;
        --benchmark_filter=*) filter=("$1") ;;
        esac
        options+=("$1")
        shift
    done
    mkdir -p "$build/results" "$(dirname "$results")"
    if [ -n "$old" ]; then # it may be where the new results go
        cp "$old" "$build/results/before.json" || exit 2
    fi
    build_suite "$mode"
    measure
}

# What suite has parsed.
measure() {
    local program=$build/bench/suite/suite
    [ -z "$listing" ] || exec "$program" "${options[@]}"
    [ "$mode" != --suite ] || [ ${#filter[@]} -gt 0 ] || first_look
    "$program" "${options[@]}" --benchmark_out="$results" --benchmark_context="packages=$(versions)"
    if [ -n "$old" ]; then
        compare "$build/results/before.json" "$results" "${filter[@]}"
    elif [ "$mode" = --costs ]; then
        python costs "$results"
    else
        report "$results"
    fi
}

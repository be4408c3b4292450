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

# suite --suite|--quick [--out FILE] [google-benchmark's options]
suite() {
    local results=$build/results/suite.json options=() listing=
    if [ "$1" = --quick ]; then
        options=(--quick)
    else
        options=(--benchmark_repetitions=3 --benchmark_enable_random_interleaving=true
            --benchmark_display_aggregates_only=true)
    fi
    shift
    while [ $# -gt 0 ]; do
        if [ "$1" = --out ]; then
            [ $# -gt 1 ] || { echo "bench/run.sh: --out needs a file" >&2; exit 2; }
            results=$2
            shift
        else
            case $1 in --help | --benchmark_list_tests*) listing=yes ;; esac
            options+=("$1")
        fi
        shift
    done

    need g++ g++
    has_package libbenchmark-dev || { can_install && install libbenchmark-dev; } ||
        [ -e /usr/include/benchmark/benchmark.h ] ||
        fail "needs google-benchmark: as root, apt-get install libbenchmark-dev"
    need pkg-config pkg-config
    install_contenders
    if command -v cargo >/dev/null; then
        echo "With what cargo fetches and builds; the first time that takes a minute or two." >&2
    fi
    make_program suite -DSEQSHARE_BENCH_RUST=ON
    mkdir -p "$(dirname "$results")"
    [ -z "$listing" ] || exec "$build/bench/suite/suite" "${options[@]}"
    "$build/bench/suite/suite" "${options[@]}" --benchmark_out="$results" \
        --benchmark_context="packages=$(versions)"
    report "$results"
}

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the benchmark: installs what it needs, makes a release build, runs it.
#
#   bench/run.sh [options]   a prefork server's configuration, over seqshare and over what it would use
#                            instead; the options are the program's: --workers N, --seconds N, --file FILE,
#                            --rate N, --contender NAME (may be repeated), --help
#   bench/run.sh --costs     what each call costs, compared with memcpy of the same size
#
# Takes about a minute, and another to build the first time. Ends with 0, with 1 if anything was torn or stuck
# that must not be, with 2 for bad input.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/bench

fail() {
    echo "bench/run.sh: $*" >&2
    exit 1
}

# need COMMAND PACKAGE...: install the Debian packages unless the command is there.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    command -v apt-get >/dev/null || fail "needs $command, and there is no apt-get to install it with"
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "needs $command: as root, apt-get install $*"
        sudo=(sudo)
    fi
    echo "Installing $* ..."
    "${sudo[@]}" apt-get update -qq || echo "apt-get update failed; trying with the lists that are here" >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        >/dev/null || fail "could not install $*"
}

# quietly COMMAND...: its output only if it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "failed: $*"
    fi
    rm -f "$log"
}

program=prefork
if [ "${1:-}" = --costs ]; then
    [ $# -eq 1 ] || { echo "bench/run.sh: --costs takes no other option" >&2; exit 2; }
    program=costs
    shift
fi

need cc gcc libc6-dev
need cmake cmake
need ninja ninja-build
echo "Building ..." >&2
quietly cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DSEQSHARE_BENCH=ON -DSEQSHARE_TESTS=OFF -DSEQSHARE_CLI=OFF
quietly cmake --build "$build" --target "$program" --parallel "$(nproc)"
exec "$build/bench/$program" "$@"

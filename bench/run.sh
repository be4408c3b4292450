#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the benchmark: installs what it needs, makes a release build, runs it.
#
#   bench/run.sh [options]   a prefork server's configuration, over seqshare and over what it would use
#                            instead; the options are the program's: --workers N, --seconds N, --file FILE,
#                            --rate N, --contender NAME (may be repeated), --help
#   bench/run.sh --costs     what each call costs, compared with memcpy of the same size: some two minutes
#   bench/run.sh --instructions [--disassemble]
#                            how many instructions each read takes, or which ones the inline reads are
#   bench/run.sh --suite     every contender that can be had here, asked every question: some 20 minutes on
#                            two processors; results in build/benchmarks/results/suite.json, or --out FILE;
#                            further options are google-benchmark's: --benchmark_filter=REGEX,
#                            --benchmark_repetitions=N (3), --benchmark_list_tests, --help
#   bench/run.sh --suite --compare OLD
#                            the same, and what has changed since the results in OLD; with
#                            --benchmark_repetitions=9 and a filter it says whether that can be chance
#   bench/run.sh --quick     the same with fewer sizes and one round of each: up to 2 minutes
#   bench/run.sh --report FILE         what they measured, again: tables; pictures below build/benchmarks
#   bench/run.sh --docs FILE           the same, put into docs/benchmarks.md and docs/pictures
#   bench/run.sh --compare OLD NEW     two results, before and after a change, by google-benchmark's own tool
#                                      (and --benchmark_filter=REGEX: only what matches)
#
# Takes a minute and a half where nothing else is said, and another to build the first time. Ends with 0, with 2 for
# bad input, with 1 if something failed, as it has for the first if anything was torn or stuck that must not be.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/benchmarks # build/bench belongs to the folder bench of whoever builds in build/

fail() {
    echo "bench/run.sh: $*" >&2
    exit 1
}

# as_root COMMAND...
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# can_install: is there what install needs?
can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }
}

updated=
# install PACKAGE...: of Debian
install() {
    echo "Installing $*; apt says how much that is, and how far it has got." >&2
    if [ -z "$updated" ]; then
        as_root apt-get update -qq || echo "apt-get update failed; trying with the lists that are here" >&2
        updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

# need COMMAND PACKAGE...: install the Debian packages unless the command is there.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    can_install || fail "needs $command: as root, apt-get install $*"
    install "$@" || fail "could not install $*"
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

# make_program TARGET [OPTION-OF-CMAKE...]
make_program() {
    local program=$1
    shift
    need cc gcc libc6-dev
    need cmake cmake
    need ninja ninja-build
    echo "Building ..." >&2
    quietly cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DSEQSHARE_BENCH=ON -DSEQSHARE_TESTS=OFF -DSEQSHARE_CLI=OFF "$@"
    quietly cmake --build "$build" --target "$program" --parallel "$(nproc)"
}

instructions() {
    need valgrind valgrind
    need objdump binutils
    make_program instructions
    exec "$root/bench/instructions/show.sh" "$build/bench/instructions" "$@"
}

# shellcheck source=bench/suite/suite.sh
source "$root/bench/suite/suite.sh"
# shellcheck source=bench/suite/reports.sh
source "$root/bench/suite/reports.sh"

case ${1:-} in
--suite | --quick | --costs)
    suite "$@"
    ;;
--report | --docs | --compare)
    show "$@"
    ;;
--instructions) instructions "${@:2}" ;;
*)
    make_program prefork
    exec "$build/bench/prefork" "$@"
    ;;
esac

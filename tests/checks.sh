# SPDX-License-Identifier: MIT
# Sourced by the run.sh of a part: builds presets, counts checks, prints the closing line.
# shellcheck shell=bash
: "${SEQSHARE_SOURCE:?is set by tests/run.sh}" "${SEQSHARE_BUILD:?is set by tests/run.sh}"

passed=0 failed=0 skipped=0

is_quick() { # a sample is asked for
    [ -n "${SEQSHARE_QUICK:-}" ]
}

now() { # NAME: it begins; tests/run.sh shows that
    echo "now: $1"
}

# NAME COMMAND...: the command must succeed. Not in a condition: it would take `set -e` from the command.
check() {
    local name=$1 output rc
    shift
    now "$name"
    set +e
    output=$(
        set -e
        "$@" 2>&1
    )
    rc=$?
    set -e
    if [ $rc -eq 0 ]; then
        echo "ok: $name"
        passed=$((passed + 1))
    else
        echo "FAILED: $name (status $rc)"
        printf '%s\n' "$output"
        failed=$((failed + 1))
    fi
}

# NAME COMMAND...: the command must fail; shows that a check of its kind can.
check_fails() {
    local name=$1
    shift
    check "$name" fails "$@"
}

fails() {
    local rc=0
    ("$@") || rc=$?
    [ $rc -ne 0 ] && [ $rc -lt 126 ]
}

# NAME REASON
skip() {
    echo "skipped: $1: $2"
    skipped=$((skipped + 1))
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
    exit
}

# FOLDER [PRESET]: libraries and command of the release build, or of another, installed there.
install_release() {
    local part
    build_preset "${2:-release}" src/all src/cli/all
    for part in src src/cli; do
        cmake --install "$SEQSHARE_BUILD/${2:-release}/$part" --prefix "$1"
    done
}

# PRESET TARGET...: configure it without the benchmark, and build; the folder is $SEQSHARE_BUILD/PRESET. One part at a
# time: two may run beside each other.
build_preset() {
    mkdir -p "$SEQSHARE_BUILD"
    (flock 9 && build_alone "$@") 9>"$SEQSHARE_BUILD/$1.lock"
}

build_alone() { # PRESET TARGET...
    local preset=$1 log="$SEQSHARE_BUILD/$1.configure"
    shift
    (cd "$SEQSHARE_SOURCE" && cmake --preset "$preset" -B "$SEQSHARE_BUILD/$preset" -D SEQSHARE_BENCH=OFF) >"$log" 2>&1 ||
        { cat "$log" && return 1; }
    if grep -A 3 'not used by the project' "$log"; then
        echo "a misspelt option"
        return 1
    fi
    cmake --build "$SEQSHARE_BUILD/$preset" -j "$(nproc)" --target "$@"
}

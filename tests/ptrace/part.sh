# SPDX-License-Identifier: MIT
# Sourced by the run.sh of crash, step and faults, which are one program each: builds and runs it, or shows that
# it notices planted faults.
# shellcheck shell=bash
: "${SEQSHARE_SOURCE:?is set by tests/run.sh}" "${SEQSHARE_BUILD:?is set by tests/run.sh}"
source "$SEQSHARE_SOURCE/tests/checks.sh"
source "$SEQSHARE_SOURCE/tests/mutants/kit.sh"

# PROGRAM: its last line becomes the part's.
build_and_run() {
    mkdir -p "$SEQSHARE_BUILD"
    build_preset release "$1" >"$SEQSHARE_BUILD/$1.build" 2>&1 || { cat "$SEQSHARE_BUILD/$1.build" && exit 1; }
    exec "$SEQSHARE_BUILD/release/tests/$1/$1"
}

# PROGRAM: also the name of the detector.
catch_mutants() {
    program=$1
    run_mutants "$program"
    finish
}

build_mutant() {
    build_from_tree release "$program"
}

# OPERATION...: those alone that meet the fault.
detect_mutant() {
    local operations="$*"
    SEQSHARE_LONG="" limited 300 "$tree.release/tests/$program/$program" --first ${operations:+"$operations"}
}

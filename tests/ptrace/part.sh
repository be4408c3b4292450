# SPDX-License-Identifier: MIT
# Sourced by the run.sh of crash, step and faults, which are one program each: builds and runs it, or shows that
# it notices faults planted into a copy of the library.
# shellcheck shell=bash
: "${SEQSHARE_SOURCE:?is set by tests/run.sh}" "${SEQSHARE_BUILD:?is set by tests/run.sh}"
source "$SEQSHARE_SOURCE/tests/checks.sh"

# PROGRAM: its last line becomes the part's.
build_and_run() {
    mkdir -p "$SEQSHARE_BUILD"
    build_preset release "$1" >"$SEQSHARE_BUILD/$1.build" 2>&1 || { cat "$SEQSHARE_BUILD/$1.build" && exit 1; }
    exec "$SEQSHARE_BUILD/release/tests/$1/$1"
}

# PROGRAM: a copy of the project to plant faults into; a fault may make the compiler suspicious.
prepare_mutants() {
    program=$1 copy="$SEQSHARE_BUILD/mutants-$1" table=""
    built="$copy/build/release"
    rm -rf "$copy"
    mkdir -p "$copy/build"
    for name in CMakeLists.txt CMakePresets.json include src tests; do
        cp -r "$SEQSHARE_SOURCE/$name" "$copy/$name"
    done
    (SEQSHARE_SOURCE="$copy" SEQSHARE_BUILD="$copy/build" build_preset release "$program" &&
        cmake -D SEQSHARE_WERROR=OFF "$built") >"$copy/log" 2>&1 || { cat "$copy/log" && exit 1; }
}

# FILE SED-SCRIPT...: each script, an extended one, must change its file; then build.
plant() {
    while [ $# -gt 0 ]; do
        sed -E -i "$2" "$copy/$1" || return 1
        if cmp -s "$SEQSHARE_SOURCE/$1" "$copy/$1"; then
            echo "the fault matches nothing in $1 any more"
            return 1
        fi
        shift 2
    done
    if ! cmake --build "$built" -j "$(nproc)" --target "$program" >"$copy/log" 2>&1; then
        echo "it cannot be built: $(grep -m 1 'error' "$copy/log")"
        return 1
    fi
}

# The program built from the copy must fail: by a check, not by breaking down.
catches() {
    local rc=0
    SEQSHARE_LONG="" timeout --kill-after=10 300 "$built/tests/$program/$program" --first >"$copy/output" 2>&1 ||
        rc=$?
    [ "$rc" -eq 1 ] && grep -q '^FAILED' "$copy/output"
}

# NAME FILE SED-SCRIPT [FILE SED-SCRIPT]...
mutant() {
    local name=$1 verdict=missed why from=$SECONDS
    shift
    if ! why=$(plant "$@"); then
        verdict=broken
    elif catches; then
        verdict=caught
        why=$(grep -m 1 '^FAILED' "$copy/output")
        why=${why#FAILED: }
        why=${why%: stopping at the first failure}
    fi
    while [ $# -gt 0 ]; do
        cp "$SEQSHARE_SOURCE/$1" "$copy/$1" # (a new time stamp: it is compiled anew)
        shift 2
    done
    if [ $verdict = caught ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%s: %s (%s; %d s)\n' "$verdict" "$name" "$why" $((SECONDS - from))
    table+=$(printf '%-7s %s' "$verdict" "$name")$'\n'
}

finish_mutants() {
    printf '\n%s\n' "$table"
    finish
}

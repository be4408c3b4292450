# SPDX-License-Identifier: MIT
# Sourced after checks.sh by the run.sh of a part that catches planted faults (README.md): plants the faults of one
# detector, one after the other, and runs the detector. The part defines
#   build_mutant ARGUMENT...    builds what the detector runs, from the sources in $tree
#   detect_mutant ARGUMENT...   runs it. Its status: 0 nothing was found, 1 something was, 124 it did not end
#   evidence                    a pattern for the lines of its output that say what was found
# shellcheck shell=bash disable=SC2154,SC2034
planter=$SEQSHARE_SOURCE/tests/mutants/mutants.py
evidence='^FAILED'
tree="" # the sources that a fault is planted into

# ---- for the two functions of a part ---------------------------------------------------------

limited() { # SECONDS COMMAND...
    timeout --kill-after=10 "$@"
}

# PRESET TARGET...: from $tree, into $tree.PRESET. The compiler may suspect a fault, and that is not an error.
build_from_tree() {
    if [ ! -f "$tree.$1/build.ninja" ]; then
        (cd "$tree" && cmake --preset "$1" -B "$tree.$1" -D SEQSHARE_BENCH=OFF -D SEQSHARE_WERROR=OFF)
    fi
    cmake --build "$tree.$1" -j "$(nproc)" --target "${@:2}"
}

# COMMAND...: of Criterion's tests. Its status is 1 if some of them failed, and no number that means a result
# if none ran.
criterion_detects() {
    local rc=0 log=$tree.criterion
    limited 600 "$@" --color=never >"$log" 2>&1 || rc=$?
    cat "$log"
    grep -q 'Synthesis: Tested: [1-9]' "$log" || [ $rc -gt 1 ] || rc=2
    return $rc
}

# PART PRESET PROGRAM: of the tests of that part, by Criterion or by themselves; built by build_from_tree. For these,
# $evidence is $program_evidence.
program_evidence='^\[FAIL\]|: not so: | is -?[0-9]+, not |(WARNING|ERROR): [A-Za-z]+Sanitizer'
program_detects() {
    local program=$tree.$2/tests/$1/$3 rc=0 report
    rm -rf "$tree.reports"
    case $3 in
    *-tests*) with_reports "$tree.reports" criterion_detects "$program" || rc=$? ;;
    *) unrandomised timeout --kill-after=10 120 "$program" || rc=$? ;;
    esac
    while read -r report; do
        cat "$report"
        rc=1
    done < <(reports "$tree.reports" 2>/dev/null)
    return $rc
}

# ---- faults ----------------------------------------------------------------------------------

copy_of_project() { # FOLDER
    local entry
    mkdir -p "$1"
    for entry in "$SEQSHARE_SOURCE"/*; do
        [[ ${entry##*/} = build* ]] || cp -r "$entry" "$1"
    done
}

# LOG COMMAND...: sets $status to the command's. Not in a condition: that would take `set -e` from the command.
attempt() {
    local log=$1
    shift
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1
    status=$?
    set -e
}

# PLACE ARGUMENT...: builds and runs the detector on $tree; sets $verdict and $why.
judge() {
    local place=$1
    shift
    attempt "$place/build.log" build_mutant "$@"
    if [ $status -ne 0 ]; then
        verdict=broken why="it cannot be built: $(grep -m 1 -E 'error|Error' "$place/build.log" || tail -n 1 "$place/build.log")"
        return
    fi
    attempt "$place/detect.log" detect_mutant "$@"
    why=$(grep -m 1 -E "$evidence" "$place/detect.log" || true)
    case $status in
    0) verdict=missed why="nothing was found" ;;
    1) if [ -n "$why" ]; then verdict=caught; else verdict=broken why="status 1, and nothing says why"; fi ;;
    124 | 137) verdict=missed why="the detector did not end" ;;
    *) verdict=broken why="the detector broke down, status $status: $(tail -n 1 "$place/detect.log")" ;;
    esac
}

# It finds nothing where there is no fault. PLACE ARGUMENT...
is_sound() {
    judge "$@"
    [ "$verdict" = missed ] && [ $status -eq 0 ] && return
    echo "$verdict ($why)"
    cat "$1"/*.log
    return 1
}

# Like check, with the verdict and the seconds. NAME SOUND PLACE ARGUMENT...
plant_and_judge() {
    local name=$1 sound=$2 place=$3 from=$SECONDS file
    shift 2
    attempt "$place/patch" python3 "$planter" plant "$name" "$tree"
    if [ $status -ne 0 ]; then
        verdict=broken why="it does not apply: $(cat "$place/patch")"
    elif [ $sound = no ]; then
        verdict=broken why="its detector finds something without it as well"
    else
        judge "$@"
    fi
    if [ $verdict = caught ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '%s: %s%s (%s; %d s)\n' $verdict "$name" "${2:+ [${*:2}]}" "$why" $((SECONDS - from))
    sed -n 's/^+++ //p' "$place/patch" | while read -r file; do
        cp "$place/sound/$file" "$tree/$file" # with a new time: it is compiled again
    done
}

# DETECTOR [ARGUMENTS]: all of its runs, or those with these arguments; with SEQSHARE_FAULT, of faults whose names
# contain that.
run_mutants() {
    local detector=$1 only=${2-} place=$SEQSHARE_BUILD/mutants-$1 name arguments words before verdict why status
    local -A sound=()
    tree=$place/tree
    rm -rf "$place"
    copy_of_project "$place/sound"
    cp -r "$place/sound" "$tree"
    while IFS=$'\t' read -r -u 8 name arguments; do
        [[ $name = *"${SEQSHARE_FAULT:-}"* ]] && [ "$arguments" = "${only:-$arguments}" ] || continue
        read -ra words <<<"$arguments"
        now "$name"
        if [ -z "${sound["[$arguments]"]-}" ]; then
            before=$failed
            check "without a fault nothing is found${arguments:+ [$arguments]}" is_sound "$place" "${words[@]}"
            sound["[$arguments]"]=$([ "$failed" -eq "$before" ] && echo yes || echo no)
        fi
        plant_and_judge "$name" "${sound["[$arguments]"]}" "$place" "${words[@]}"
    done 8< <(python3 "$planter" list "$detector")
}

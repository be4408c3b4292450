#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: protocol, lock, wake word and names model-checked; every planted fault must be caught
# tier: quick
# budget: 140
# quick budget: 15
# quick leaves out: lock, wait, most planted faults; weak memory
# long budget: 3600
# With SEQSHARE_LONG=1 larger bounds; with SEQSHARE_MUTANTS=1 the planted faults alone. The weak memory model
# needs GenMC, which no Debian release has: $GENMC names it, or genmc is in PATH, or that part is skipped.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
source ../checks.sh

work=$SEQSHARE_BUILD/model
rm -rf "$work"
mkdir -p "$work"
genmc=${GENMC:-$(command -v genmc || true)}
long=${SEQSHARE_LONG:-}
limit=$([ -n "$long" ] && echo 1500 || echo 300) # seconds, for one run: a watchdog
jobs=$([ -n "$long" ] && echo 1 || nproc)        # the larger bounds take much memory
runs=0                                           # that have begun
: >"$work/verdicts"

# ---- the table -------------------------------------------------------------------------------

# RESULT(passed|failed) VERDICT NAME STATES SECONDS NOTE
row() {
    printf '%-7s %-8s %-62s %10s %6s  %s\n' "$1" "$2" "$3" "$4" "$5" "$6"
    echo "$1" >>"$work/verdicts"
}

# Once all runs are over: a run without a verdict has failed.
count_rows() {
    wait
    passed=$((passed + $(grep -c '^ok$' "$work/verdicts" || true)))
    failed=$((failed + runs - $(grep -c '^ok$' "$work/verdicts" || true)))
}

# EXPECTED(right|caught) ERRORS NAME STATES SECONDS NOTE
judge() {
    case $1/$2 in
    right/0) row ok right "${@:3}" ;;
    caught/[1-9]*) row ok caught "${@:3}" ;;
    right/*) row FAILED wrong "${@:3}" ;;
    *) row FAILED missed "${@:3}" ;;
    esac
}

# ---- spin ------------------------------------------------------------------------------------

# EXPECTED SEARCH(states|cycles) MODEL FLAG...: begins the run, when one of those before has left a processor free.
spin_run() {
    now "spin: ${*:3}"
    runs=$((runs + 1))
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n || true
    done
    spin_one "$@" &
}

spin_one() { # the same
    local expected=$1 search=$2 model=$3 from=$SECONDS dir log errors states note
    local pan=(-m1000000 -w24) compile=(-O1 -DSAFETY)
    shift 3
    [ "$expected" = right ] || compile=(-O0 -DSAFETY) # found soon: compiling is what takes long
    if [ "$search" = cycles ]; then
        compile=(-O1 -DNP)
        pan+=(-l)
    fi
    [ -z "$long" ] || pan+=(-w26)
    dir=$(mktemp -d "$work/$model.XXXXXX")
    log=$dir/log
    (
        cd "$dir"
        spin -a "$@" "$here/$model.pml" >spin.log 2>&1 || { cat spin.log && exit 1; }
        gcc -w "${compile[@]}" -DCOLLAPSE -DMEMLIM=8000 -o pan pan.c
        timeout "$limit" ./pan "${pan[@]}" >log 2>&1
    ) || true
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$log" 2>/dev/null || true)
    states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$log" 2>/dev/null || true)
    note=$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' "$log" 2>/dev/null || true)
    [ "$search" = states ] || set -- "(cycles)" "$@"
    if [ -z "$errors" ]; then
        row FAILED unknown "$model $*" "${states:--}" $((SECONDS - from)) "no end: $dir"
    elif grep -qE 'max search depth too small|out of memory|MEMLIM|invalid array index' "$log"; then
        row FAILED unknown "$model $*" "$states" $((SECONDS - from)) "not a verdict: $log"
    else
        judge "$expected" "$errors" "$model $*" "$states" $((SECONDS - from)) "$note"
        rm -f "$dir"/pan*
    fi
}

spin_right() {
    spin_run right states protocol
    spin_run right states protocol -DSLOTS=4 -DATTEMPTS=3 -DREADS=1 -DABANDONS=0
    spin_run right states lock
    spin_run right states lock -DROUNDS=1 -DSPURIOUS=1 -DGIVE_UPS=1
    spin_run right states lock -DDEATHS=1
    spin_run right states lock -DCONTENDERS=2 -DROUNDS=2 -DDEATHS=1 -DREBIRTHS=1
    spin_run right cycles lock -DCONTENDERS=2 -DDEATHS=2 -DREBIRTHS=1
    spin_run right states lock -DCONTENDERS=2 -DROUNDS=2 -DSPURIOUS=1 -DDEATHS=1 -DREBIRTHS=1
    spin_run right states lock -DSTART_0 -DDEATHS=1 -DCONTENDERS=2 -DROUNDS=2
    spin_run right states lock -DHANDLER -DHANDLERS=2 -DCONTENDERS=1
    spin_run right states lock -DHANDLER -DJUMPS -DCONTENDERS=1
    spin_run right states lock -DHANDLER -DEXECS=1 -DCONTENDERS=1
    spin_run right states lock -DEXECS=1 -DCONTENDERS=2
    spin_run right states wait -DPUBLISHERS=2
    spin_run right states wait -DPUBLISHERS=1 -DRETIRE -DDEATHS=1 -DSPURIOUS=1
    spin_run right states wait -DREADER -DSLEEPERS=1 -DPUBLISHERS=2 -DTICKS=1
    spin_run right states names -DWRITERS=2 -DLOCKERS=1 -DDEATHS=1
    spin_run right states names -DLOCKERS=2 -DDEATHS=1
    spin_run right states names -DSETS=2 -DOUTSIDERS=1 -DDEATHS=1
    spin_run right states names -DLOCKERS=1 -DOUTSIDERS=1 -DDEATHS=1
    spin_run right states names -DLOCKERS=1 -DUNLINKERS=1 -DDEATHS=1
    spin_run right states names -DLOCKERS=1 -DHANDS=1
    [ -n "$long" ] || return 0
    spin_run right states protocol -DREADERS=2 -DREADS=1
    spin_run right states protocol -DATTEMPTS=3 -DDEATHS=2
    spin_run right states protocol -DSLOTS=4 -DATTEMPTS=3 -DREADS=2
    spin_run right states lock -DROUNDS=2
    spin_run right states lock -DROUNDS=1 -DSPURIOUS=2 -DGIVE_UPS=2 -DDEATHS=1
    spin_run right states lock -DDEATHS=2
    spin_run right states lock -DDEATHS=2 -DREBIRTHS=1
    spin_run right cycles lock -DDEATHS=1
    spin_run right states lock -DHANDLER -DCONTENDERS=2 -DDEATHS=1
    spin_run right states lock -DHANDLER -DJUMPS -DCONTENDERS=2
    spin_run right states lock -DHANDLER -DEXECS=1 -DCONTENDERS=2
    spin_run right states lock -DEXECS=1 -DDEATHS=1 -DCONTENDERS=2
    spin_run right states lock -DEXECS=1 -DCONTENDERS=3
    spin_run right states wait -DPUBLISHERS=3
    spin_run right states wait -DPUBLICATIONS=2 -DDEATHS=1
    spin_run right states wait -DPUBLISHERS=2 -DSLEEPERS=1 -DRETIRE -DDEATHS=1
    spin_run right states wait -DREADER -DSLEEPERS=1 -DPUBLISHERS=2 -DTICKS=1 -DDEATHS=1
    spin_run right states wait -DREADER -DSLEEPERS=1 -DPUBLISHERS=3 -DTICKS=2
    spin_run right states names -DWRITERS=2 -DLOCKERS=2 -DDEATHS=2
    spin_run right states names -DLOCKERS=1 -DUNLINKERS=1 -DCREATORS=1 -DDEATHS=1
}

spin_mutants() {
    local arguments flags
    while IFS=$'\t' read -r -u 8 _ arguments; do
        read -ra flags <<<"$arguments"
        spin_run caught "${flags[@]}"
    done 8< <(mutants_of spin)
}

# The runs that must catch the planted faults (tests/mutants). DETECTOR
mutants_of() {
    python3 "$SEQSHARE_SOURCE/tests/mutants/mutants.py" list "$1"
}

# ---- GenMC: the shipping code ----------------------------------------------------------------

# The sources, in a folder of their own, with that fault planted. FOLDER [FAULT]
copy_of_source() {
    mkdir -p "$1"
    cp -r "$SEQSHARE_SOURCE/include" "$SEQSHARE_SOURCE/src" "$1"
    [ $# -lt 2 ] || python3 "$SEQSHARE_SOURCE/tests/mutants/mutants.py" plant "$2" "$1"
}

# For each fault: its name, the folder with its source, the program, and flags.
weak_mutants() {
    local name arguments number=0
    while IFS=$'\t' read -r -u 8 name arguments; do
        number=$((number + 1))
        [ -d "$work/weak.$number" ] || copy_of_source "$work/weak.$number" "$name" >"$work/weak.$number.patch" || return 1
        printf '%s\t%s\t%s\n' "$name" "$work/weak.$number" "$arguments"
    done 8< <(mutants_of genmc)
}

# MEMORY_MODEL DIR PROGRAM FLAG...: prints "ERRORS EXECUTIONS", or nothing.
genmc_run() {
    local model=$1 dir=$2 program=$3 log
    shift 3
    log=$dir/$program.$model.log
    timeout "$limit" "$genmc" "--$model" --disable-estimation -- -I"$dir/include" -I"$dir/src" "$@" "$here/$program.c" >"$log" 2>&1 || true
    if grep -q '^No errors were detected' "$log"; then
        echo 0 "$(sed -n 's/^Number of complete executions explored: //p' "$log")"
    elif grep -qE 'Safety violation|Assertion violation' "$log"; then
        echo 1 -
    fi
}

# EXPECTED MEMORY_MODEL NAME DIR PROGRAM FLAG...: with the writer dying after each step in turn.
genmc_rows() {
    local expected=$1 model=$2 name=$3 dir=$4 program=$5 from=$SECONDS step result sum=0 executions errors=0
    shift 5
    runs=$((runs + 1))
    for step in $([ "$program" = weak ] && seq 0 7 || echo 0); do
        result=$(genmc_run "$model" "$dir" "$program" -DDIE_AT="$step" "$@")
        if [ -z "$result" ]; then
            row FAILED unknown "$name" - $((SECONDS - from)) "no verdict: $dir"
            return
        fi
        read -r errors executions <<<"$result"
        [ "$errors" -eq 0 ] || break
        sum=$((sum + executions))
    done
    [ "$errors" -eq 0 ] && executions=$sum
    judge "$expected" "$errors" "$name" "$executions" $((SECONDS - from)) \
        "$([ "$errors" -eq 0 ] || echo "DIE_AT=$step")"
}

genmc_right() { # MEMORY_MODEL DIR
    genmc_rows right "$1" "$1 weak, 1 reader, 3 publications" "$2" weak -DREADERS=1 -DPUBLICATIONS=2
    genmc_rows right "$1" "$1 weak, 4 slots, 1 reader, 4 publications" "$2" weak \
        -DREADERS=1 -DPUBLICATIONS=3 -DSLOTS=4
    genmc_rows right "$1" "$1 weak_wait" "$2" weak_wait
    genmc_rows right "$1" "$1 weak_wait, one of them read-only, 1 publisher" "$2" weak_wait -DREAD_ONLY=1 -DPUBLISHERS=1
    genmc_rows right "$1" "$1 weak_wait, a read-only one alone" "$2" weak_wait -DREAD_ONLY=1 -DSLEEPERS=1
    genmc_rows right "$1" "$1 weak_wait, marked" "$2" weak_wait -DREAD_ONLY=1 -DRETIRE=1 -DPUBLISHERS=0
    genmc_rows right "$1" "$1 weak_wait, marked after a publication" "$2" weak_wait -DREAD_ONLY=1 -DRETIRE=1 -DPUBLISHERS=1
    [ -n "$long" ] || return 0
    genmc_rows right "$1" "$1 weak, 2 readers, 2 publications" "$2" weak -DREADERS=2 -DPUBLICATIONS=1
    genmc_rows right "$1" "$1 weak, 1 reader, 4 publications" "$2" weak -DREADERS=1 -DPUBLICATIONS=3
    genmc_rows right "$1" "$1 weak_wait, 3 publishers" "$2" weak_wait -DPUBLISHERS=3
    genmc_rows right "$1" "$1 weak_wait, one of them read-only" "$2" weak_wait -DREAD_ONLY=1
}

genmc_mutants() { # MEMORY_MODEL
    local name dir program
    while IFS=$'\t' read -r -u 9 name dir program; do
        read -ra program <<<"$program"
        genmc_rows caught "$1" "$1 ${program[0]}: $name" "$dir" "${program[0]}" -DREADERS=1 -DPUBLICATIONS=2 \
            "${program[@]:1}"
    done 9< <(weak_mutants)
}

# gcc for GenMC's compiler. DIR PROGRAM FLAG...
weak_compiles() {
    gcc -std=gnu11 -Wall -Wextra -Werror -Wno-misleading-indentation -I"$1/include" -I"$1/src" -I"$work/stub" "${@:3}" \
        -fsyntax-only "$here/$2.c"
}

weak_mutants_compile() {
    local name dir program
    mkdir -p "$work/stub"
    echo 'void __VERIFIER_assume(_Bool);' >"$work/stub/genmc.h"
    weak_mutants >"$work/weak"
    grep -q . "$work/weak"
    while IFS=$'\t' read -r name dir program; do
        read -ra program <<<"$program"
        weak_compiles "$dir" "${program[@]}" || { echo "$name: ${program[*]}" && return 1; }
    done <"$work/weak"
}

weak() {
    local model dir
    check "the programs for GenMC compile, with each fault" weak_mutants_compile
    if [ -z "$genmc" ]; then
        skip "weak memory" "needs GenMC, which no Debian release has (tests/model/README.md)"
        return
    fi
    dir=$work/weak.right
    copy_of_source "$dir"
    for model in rc11 imm; do
        [ -n "${SEQSHARE_MUTANTS:-}" ] || genmc_right "$model" "$dir"
        genmc_mutants "$model"
    done
}

if is_quick; then
    spin_run right states protocol
    spin_run caught states protocol -DM_NO_W2
    spin_run caught states protocol -DM_NO_R2
    count_rows
    finish
fi
printf '%-7s %-8s %-62s %10s %6s\n' "" verdict "model, flags" states seconds
[ -n "${SEQSHARE_MUTANTS:-}" ] || spin_right
spin_mutants
wait
weak
count_rows
finish

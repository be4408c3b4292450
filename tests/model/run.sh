#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: protocol, lock, wake word and names model-checked; every planted fault must be caught
# tier: quick
# budget: 120
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

# ---- the table -------------------------------------------------------------------------------

# RESULT(passed|failed) VERDICT NAME STATES SECONDS NOTE
row() {
    printf '%-7s %-8s %-62s %10s %6s  %s\n' "$1" "$2" "$3" "$4" "$5" "$6"
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
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

# EXPECTED SEARCH(states|cycles) MODEL FLAG...
spin_run() {
    now "spin: ${*:3}"
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
    spin_run right states names -DWRITERS=2 -DLOCKERS=2 -DDEATHS=2
    spin_run right states names -DLOCKERS=1 -DUNLINKERS=1 -DCREATORS=1 -DDEATHS=1
}

spin_mutants() {
    local mutant
    for mutant in NO_W2 W3_RELAXED R1_RELAXED NO_R2 FURTHER NEARER NO_ACCEPT BELIEVES_EARLY ANNOUNCE_AGAIN \
        BACK_TO_EVEN FILL_CURRENT SEQUENCE_BEFORE_LOCK; do
        spin_run caught states protocol "-DM_$mutant"
    done
    for mutant in W_PLAIN UNLOCK_PLAIN WAKE_FIRST WAIT_BLINDLY WINNER_FORGETS_W; do
        spin_run caught states lock "-DM_$mutant" -DROUNDS=2
    done
    spin_run caught states lock -DM_GIVE_UP_EARLY -DGIVE_UPS=1
    for mutant in PLAIN UNJUDGED DROPS_W FREES; do
        spin_run caught states lock "-DM_TAKE_OVER_$mutant" -DDEATHS=1
    done
    spin_run caught states lock -DM_TAKE_OVER_HALF -DDEATHS=2 -DREBIRTHS=1
    spin_run caught states lock -DM_NO_START -DCONTENDERS=2 -DDEATHS=1 -DREBIRTHS=1
    for mutant in ASK_ONCE BIT_FIRST; do
        spin_run caught cycles lock "-DM_$mutant" -DCONTENDERS=2 -DDEATHS=1
    done
    for mutant in STATE_STAYS STATE_AFTER_FREE STATE_WITHOUT_ID STATE_PLAIN NESTS_IN_BUSY NO_COUNT COUNT_LATE \
        UNLOCK_NOT_COUNTED ABANDON_FREES; do
        spin_run caught states lock "-DM_$mutant" -DHANDLER -DCONTENDERS=2
    done
    for mutant in NO_IMAGE TWO_LOOKS NOTE_AFTER_FREE; do
        spin_run caught states lock "-DM_$mutant" -DHANDLER -DCONTENDERS=1
    done
    for mutant in OWN_IS_BUSY HELD_IS_LEFT NESTED_IS_LEFT; do
        spin_run caught states lock "-DM_$mutant" -DEXECS=1 -DCONTENDERS=2
    done
    for mutant in NO_D1 NO_D2 REGISTER_LATE LOAD_BEFORE_PUBLISH NO_BUMP NO_COUNT WAKE_ONE WAKE_BEFORE_BUMP; do
        spin_run caught states wait "-DM_$mutant"
    done
    for mutant in WAKES_REGISTERED NO_BUMP; do
        spin_run caught states wait "-DM_RETIRE_$mutant" -DRETIRE -DSLEEPERS=1
    done
    for mutant in NO_LOOK WRITER_BLIND UNMARK_EARLY; do
        spin_run caught states names "-DM_$mutant" -DLOCKERS=1 -DDEATHS=1
    done
    for mutant in NO_LOOK_OUTSIDE CLEARS_OUTSIDE; do
        spin_run caught states names "-DM_$mutant" -DOUTSIDERS=1 -DDEATHS=1
    done
    for mutant in NO_CARRY CARRY_EARLY; do
        spin_run caught states names "-DM_$mutant" -DOUTSIDERS=1
    done
    for mutant in NO_WAIT NO_SECOND_LOOK; do
        spin_run caught states names "-DM_$mutant" -DLOCKERS=1 -DOUTSIDERS=1 -DDEATHS=1
    done
    for mutant in NO_LOOK_AT REMOVE_BLIND NEW_UNMARKED; do
        spin_run caught states names "-DM_$mutant" -DLOCKERS=1 -DHANDS=1
    done
    spin_run caught states names -DM_MISSING_IS_HERE -DLOCKERS=1 -DUNLINKERS=1 -DDEATHS=1
}

# ---- GenMC: the shipping code ----------------------------------------------------------------

# Everything that weak.c and weak_wait.c include, in a folder of its own, where a fault can be planted.
# NAME [FILE SED_EXPRESSION]: prints the folder. An expression that changes nothing is an error.
copy_of_source() {
    local dir=$work/weak.$1
    mkdir -p "$dir/seqshare"
    cp "$SEQSHARE_SOURCE/include/seqshare/protocol.h" "$dir/seqshare/"
    cp "$SEQSHARE_SOURCE"/src/{wait.c,wait.h,region.h,futex.h,layout.h} "$dir/"
    if [ $# -gt 1 ]; then
        sed -E -i.before "$3" "$dir/$2"
        if cmp -s "$dir/$2" "$dir/$2.before"; then
            echo "tests/model/run.sh: mutant $1 changes nothing: adapt its expression to $2" >&2
            return 1
        fi
    fi
    echo "$dir"
}

# Mutants of the shipping text: NAME PROGRAM[,-DFLAG]... FILE EXPRESSION; of the harness: NAME PROGRAM -DFLAG.
weak_mutants() {
    cat <<'TABLE'
w1_relaxed weak seqshare/protocol.h s/seqshare_store_release(\(&head->sequence, sequence \+ 1\))/seqshare_store_relaxed\1/
w2_dropped weak seqshare/protocol.h /seqshare_fence_release\(\);.*\[W2\]/d
w2_only_announcing weak seqshare/protocol.h s/^    if \(\(sequence & 1\) == 0\)$/    if (sequence \& 1) return seqshare_version_of(sequence) + 1; else/
w2_skipped_after_abandon weak,-DDIE_AT=7 seqshare/protocol.h s/^    if \(\(sequence & 1\) == 0\)$/    if (sequence \& 1) return seqshare_version_of(sequence) + 1; else/
w3_relaxed weak seqshare/protocol.h s/seqshare_store_release(\(&head->sequence, version << 1)/seqshare_store_relaxed\1/
r1_relaxed weak seqshare/protocol.h s/seqshare_load_acquire(\(&head->sequence)/seqshare_load_relaxed\1/
r2_dropped weak seqshare/protocol.h /^    seqshare_fence_acquire\(\);$/d
accepts_further weak seqshare/protocol.h s/<= 2 \* \(uint64_t\)mask/<= 2 * (uint64_t)mask + 1/
accepts_nearer weak seqshare/protocol.h s/<= 2 \* \(uint64_t\)mask/< 2 * (uint64_t)mask/
announces_again weak seqshare/protocol.h s/^    if \(\(sequence & 1\) == 0\)$/    if (true)/
fills_current weak seqshare/protocol.h s/seqshare_version_of\(sequence\) \+ 1/seqshare_version_of(sequence)/
handover_relaxed weak -DM_HANDOVER_RELAXED
no_recovery_fence weak -DM_NO_RECOVERY_FENCE
back_to_even weak -DM_BACK_TO_EVEN
d1_dropped weak_wait wait.c /__atomic_thread_fence.*\[D1\]/d
d1_weaker weak_wait wait.c s/__ATOMIC_SEQ_CST(.*\[D1\])/__ATOMIC_ACQ_REL\1/
d2_dropped weak_wait wait.c /__atomic_thread_fence.*\[D2\] pairs/d
d2_weaker weak_wait wait.c s/__ATOMIC_SEQ_CST(.*\[D2\] pairs)/__ATOMIC_ACQ_REL\1/
no_bump weak_wait wait.c s/\(word \| 1\) \+ 1/word/
no_count weak_wait wait.c s/\(word \| 1\) \+ 1/word \& ~1u/
mark_d1_dropped weak_wait,-DRETIRE=1,-DPUBLISHERS=0 wait.c /__atomic_thread_fence.*\[D1\]/d
mark_d2_dropped weak_wait,-DRETIRE=1,-DPUBLISHERS=0 wait.c /__atomic_thread_fence.*\[D2\] as above/d
mark_d2_weaker weak_wait,-DRETIRE=1,-DPUBLISHERS=0 wait.c s/__ATOMIC_SEQ_CST(.*\[D2\] as above)/__ATOMIC_ACQ_REL\1/
mark_no_bump weak_wait,-DRETIRE=1,-DPUBLISHERS=0 wait.c s/\(word \| 1\) \+ 1/word/
mark_relaxed weak_wait,-DRETIRE=1,-DPUBLISHERS=1 wait.c s/(&head->retired, __ATOMIC_)ACQUIRE/\1RELAXED/
TABLE
}

# MEMORY_MODEL DIR PROGRAM FLAG...: prints "ERRORS EXECUTIONS", or nothing.
genmc_run() {
    local model=$1 dir=$2 program=$3 log
    shift 3
    log=$dir/$program.$model.log
    timeout "$limit" "$genmc" "--$model" --disable-estimation -- -I"$dir" "$@" "$here/$program.c" >"$log" 2>&1 || true
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
    genmc_rows right "$1" "$1 weak_wait, marked" "$2" weak_wait -DRETIRE=1 -DPUBLISHERS=0
    genmc_rows right "$1" "$1 weak_wait, marked after a publication" "$2" weak_wait -DRETIRE=1 -DPUBLISHERS=1
    [ -n "$long" ] || return 0
    genmc_rows right "$1" "$1 weak, 2 readers, 2 publications" "$2" weak -DREADERS=2 -DPUBLICATIONS=1
    genmc_rows right "$1" "$1 weak, 1 reader, 4 publications" "$2" weak -DREADERS=1 -DPUBLICATIONS=3
    genmc_rows right "$1" "$1 weak_wait, 3 publishers" "$2" weak_wait -DPUBLISHERS=3
}

genmc_mutants() { # MEMORY_MODEL DIR
    local name program file expression dir flags
    while read -r name program file expression; do
        IFS=, read -ra flags <<<"$program"
        case $file in
        -D*) dir=$2 flags+=("$file") ;;
        *) dir=$(copy_of_source "$name" "$file" "$expression") ;;
        esac
        genmc_rows caught "$1" "$1 ${flags[0]} $name" "$dir" "${flags[0]}" -DREADERS=1 -DPUBLICATIONS=2 "${flags[@]:1}"
    done < <(weak_mutants)
}

weak_compiles() {
    local name program file expression dir
    mkdir -p "$work/stub"
    echo 'void __VERIFIER_assume(_Bool);' >"$work/stub/genmc.h"
    while read -r name program file expression; do
        case $file in
        -D*) dir=$(copy_of_source right) && set -- "$file" ;;
        *) dir=$(copy_of_source "$name" "$file" "$expression") && set -- ;;
        esac
        gcc -std=gnu11 -Wall -Wextra -Werror -Wno-misleading-indentation -I"$dir" -I"$work/stub" "$@" \
            -fsyntax-only "$here/${program%%,*}.c"
    done < <(weak_mutants)
}

weak() {
    local model dir
    check "the programs for GenMC compile, and every mutant changes what it should" weak_compiles
    if [ -z "$genmc" ]; then
        skip "weak memory" "needs GenMC, which no Debian release has (tests/model/README.md)"
        return
    fi
    dir=$(copy_of_source right)
    for model in rc11 imm; do
        [ -n "${SEQSHARE_MUTANTS:-}" ] || genmc_right "$model" "$dir"
        genmc_mutants "$model" "$dir"
    done
}

if is_quick; then
    spin_run right states protocol
    spin_run caught states protocol -DM_NO_W2
    spin_run caught states protocol -DM_NO_R2
    finish
fi
printf '%-7s %-8s %-62s %10s %6s\n' "" verdict "model, flags" states seconds
[ -n "${SEQSHARE_MUTANTS:-}" ] || spin_right
spin_mutants
weak
finish

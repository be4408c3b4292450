#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The one command that tests seqshare, on a fresh Debian: installs what is missing, builds, and runs the parts. A
# part is a folder tests/NAME with
#   run.sh     called with SEQSHARE_SOURCE (the repository), SEQSHARE_BUILD (where build folders go), and
#              SEQSHARE_QUICK, SEQSHARE_LONG or SEQSHARE_MUTANTS if that is what was asked for. Its last line is
#              "N passed, N failed" or "N passed, N failed, N skipped", its status 0 if none failed. Near its
#              top stand
#                # brief: one line
#                # tier: quick, or full: whether the quick programme has a sample of it
#                # budget: SECONDS on two quiet processors, installing aside
#                # quick budget: SECONDS
#                # quick leaves out: one line
#                # long budget: SECONDS, if it has a longer programme
#                # lane: waits, if it mostly waits, or alone, if it measures: see README.md
#   packages   the Debian packages it needs, one a line (A|B: the first that the release has), and behind the name
#                optional       not every release has it
#                full           the quick programme does without
set -euo pipefail
export LC_ALL=C

order="format unit torture crash cli model package perl python php ruby conformance lua httpd nginx threads step faults cache json abi world arch fuzz bench coverage releases packages"
declare -A limits=([quick]=240 [full]=2400) # seconds for all parts of a programme

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SEQSHARE_SOURCE=${here%/*}
export SEQSHARE_BUILD=${SEQSHARE_BUILD:-$SEQSHARE_SOURCE/build/tests}
logs=$SEQSHARE_BUILD/logs

usage() {
    cat <<'TEXT'
usage: tests/run.sh [--full | --long | --mutants] [--part NAME]... [--no-install | --install-only] [--list] [--help]
Builds below build/tests and runs the quick programme: in four minutes, a sample of everything that needs no
special tool. The last line is "N passed, N failed, N skipped"; the status is 0 if nothing failed. A test that
the machine does not allow is skipped, and named at the end.
First it installs the Debian packages that the parts lack (apt-get; with sudo, unless you are root).
A part that mostly waits runs beside one that computes.
  --full         all parts: at most 40 minutes, and the time to install
  --long         all parts, each in its longest form (hours on a small machine)
  --mutants      only the parts that plant faults: a test must catch each fault
  --part NAME    only this part, all of it; may be given several times
  --no-install   install nothing; skip the parts that lack a package, and name it
  --install-only install the packages of these parts, and run nothing
  --list         list the parts: budget, lane, and purpose
TEXT
}

die() {
    echo "tests/run.sh: $*" >&2
    exit 2
}

# shellcheck source=tests/packages.sh
source "$here/packages.sh"

# ---- parts -----------------------------------------------------------------------------------

# All parts: those of $order first, then all others with a run.sh, so that none is forgotten.
all_parts() {
    local part file
    for part in $order; do
        [ -f "$here/$part/run.sh" ] || die "part $part has no tests/$part/run.sh"
        echo "$part"
    done
    for file in "$here"/*/run.sh; do
        part=$(basename "$(dirname "$file")")
        case " $order " in *" $part "*) ;; *) echo "$part" ;; esac
    done
}

header() { # PART WORD: the text behind "# WORD:" in its run.sh
    sed -n "s/^# $2: *//p" "$here/$1/run.sh" | head -n 1
}

is_quick() { # PART
    local tier
    tier=$(header "$1" tier)
    case $tier in
    quick | full) [ "$tier" = quick ] ;;
    *) die "tests/$1/run.sh must say '# tier: quick' or '# tier: full'" ;;
    esac
}

budget() { # PART [PROGRAMME]: its seconds, in this programme or that
    local seconds=""
    case ${2:-$programme} in
    quick) seconds=$(header "$1" "quick budget") ;;
    long | mutants) seconds=$(header "$1" "long budget") ;;
    esac
    [ -n "$seconds" ] || seconds=$(header "$1" budget)
    [[ $seconds =~ ^[0-9]+$ ]] || die "tests/$1/run.sh does not say '# budget: SECONDS'"
    echo "$seconds"
}

list() {
    local part
    for part in $(all_parts); do
        printf '%-11s %4s s  %-8s  %s\n' "$part" "$(budget "$part" full)" "$(lane_of "$part")" "$(header "$part" brief)"
    done
}

# Those that are asked for, each once, or all of the programme.
choose_parts() {
    local part every sum
    if [ ${#parts[@]} -gt 0 ]; then
        mapfile -t parts < <(printf '%s\n' "${parts[@]}" | awk '!seen[$0]++')
        return
    fi
    mapfile -t every < <(all_parts)
    for part in "${every[@]}"; do
        case $programme in
        quick) is_quick "$part" || continue ;;
        mutants) grep -q SEQSHARE_MUTANTS "$here/$part/run.sh" || continue ;;
        esac
        parts+=("$part")
    done
    [ ${#parts[@]} -gt 0 ] || die "no part plants faults"
    sum=$(seconds_of_lanes "$programme" "${parts[@]}")
    [ "$sum" -le "${limits[$programme]:-$sum}" ] ||
        die "the budgets of the $programme programme's parts add up to $sum s; the limit is ${limits[$programme]} s"
}

# ---- lanes -----------------------------------------------------------------------------------

lane_of() { # PART
    local lane
    lane=$(header "$1" lane)
    case ${lane:=computes} in
    computes | waits | alone) echo "$lane" ;;
    *) die "tests/$1/run.sh must say '# lane: waits', '# lane: alone', or nothing of it" ;;
    esac
}

# How long these take: one lane computes, another mostly waits beside it, and then come those that run alone.
seconds_of_lanes() { # PROGRAMME PART...
    local part which=$1
    local -A sum=([computes]=0 [waits]=0 [alone]=0)
    shift
    for part in "$@"; do
        sum[$(lane_of "$part")]=$((sum[$(lane_of "$part")] + $(budget "$part" "$which")))
    done
    echo $(((sum[computes] > sum[waits] ? sum[computes] : sum[waits]) + sum[alone]))
}

# ---- progress --------------------------------------------------------------------------------

minutes() { # SECONDS
    if [ "$1" -lt 90 ]; then echo "$1 s"; else echo "$((($1 + 30) / 60)) min"; fi
}

# Seconds until the end, judged by how long the parts before took compared with their budgets.
remaining() {
    local lane part percent=100 left
    local -A sum=([computes]=0 [waits]=0 [alone]=0)
    [ "$spent_budget" -eq 0 ] || percent=$((100 * spent / spent_budget))
    for part in "${parts[@]}"; do
        [ -z "${rows[$part]:-}" ] || continue
        lane=${lanes[$part]} left=$((budgets[$part] * percent / 100))
        [ -z "${from[$part]:-}" ] || left=$((left - SECONDS + from[$part]))
        sum[$lane]=$((sum[$lane] + (left > 0 ? left : 0)))
    done
    echo $(((sum[computes] > sum[waits] ? sum[computes] : sum[waits]) + sum[alone]))
}

# Lines of a log that say what has passed, and what has not.
results() {
    grep -E '^(ok|not ok|FAILED|caught|missed|broken)\b|^[^:]+: [0-9]+ tests, [0-9]+ failed' | grep -v '# skip' || true
}

show_results() { # PART: those that are new
    local lines
    lines=$(wc -l <"$logs/$1.log")
    [ "$lines" -gt "${shown[$1]}" ] || return 0
    sed -n "$((shown[$1] + 1)),${lines}p" "$logs/$1.log" | results | cut -c 1-150 | sed "s/^/   $1: /"
    shown[$1]=$lines
}

heartbeat() {
    local part now text=""
    [ $((SECONDS - told)) -ge 20 ] || return 0
    told=$SECONDS
    for part in "${running[@]}"; do
        now=$(sed -n 's/^now: //p' "$logs/$part.log" | tail -n 1)
        text+="$part, $((SECONDS - from[$part])) s${now:+, now: $now}; "
        end_if_hung "$part"
    done
    printf '   [%s of %s parts done; %sabout %s left]\n' "${#rows[@]}" "${#parts[@]}" "$text" "$(minutes "$(remaining)")"
}

# A slow machine gets all the time it wants. A part that has written nothing, in no file, for ten minutes or its budget,
# hangs.
end_if_hung() { # PART
    local patience=600
    [ "${budgets[$1]}" -le $patience ] || patience=${budgets[$1]}
    [ $((SECONDS - from[$1])) -gt $patience ] || return 0
    [ -z "$(find "$SEQSHARE_BUILD" -type f -newermt "-$patience seconds" -print -quit)" ] || return 0
    kill -- "-${pid[$1]}" 2>/dev/null || true
    sleep 10
    kill -KILL -- "-${pid[$1]}" 2>/dev/null || true
    hung[$1]=yes
}

# ---- running ---------------------------------------------------------------------------------

# LANE: its next part, if there is one, in a session, and so in a process group, of its own.
start_next() {
    local part
    for part in "${parts[@]}"; do
        [ -z "${from[$part]:-}${rows[$part]:-}" ] && [ "${lanes[$part]}" = "$1" ] || continue
        echo "== $part: $(header "$part" brief) (about ${budgets[$part]} s; ${logs#"$SEQSHARE_SOURCE"/}/$part.log)"
        : >"$logs/$part.log"
        setsid bash "$here/$part/run.sh" </dev/null >"$logs/$part.log" 2>&1 &
        pid[$part]=$! from[$part]=$SECONDS shown[$part]=0 running[$1]=$part
        return
    done
}

start_parts() {
    local lane
    for lane in computes waits; do
        [ -n "${running[$lane]:-}" ] || [ -n "${running[alone]:-}" ] || start_next $lane
    done
    [ ${#running[@]} -gt 0 ] || start_next alone
}

run_parts() {
    local lane part
    while start_parts && [ ${#running[@]} -gt 0 ]; do
        sleep 0.3
        for lane in "${!running[@]}"; do
            part=${running[$lane]}
            if kill -0 "${pid[$part]}" 2>/dev/null; then
                show_results "$part"
            else
                unset "running[$lane]"
                end_part "$part"
            fi
        done
        heartbeat
    done
}

# Add what its last line says to the sums and to the table.
end_part() { # PART
    local rc=0 took=$((SECONDS - from[$1])) p=0 f=0 s=0 note="" log=$logs/$1.log
    wait "${pid[$1]}" 2>/dev/null || rc=$?
    show_results "$1"
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
        [ $((p + f + s)) -gt 0 ] || { note="it checked nothing" && f=1; }
    else
        note="its last line has no numbers"
        f=1
    fi
    if [ -n "${hung[$1]:-}" ]; then
        note="ended after $took s without progress"
    elif [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then
        note="exit status $rc"
    elif [ "$took" -gt "${budgets[$1]}" ]; then
        note="${note:+$note; }over its budget"
    fi
    [ "$rc" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    if [ "$f" -gt 0 ]; then
        echo "---- $1 failed${note:+ ($note)}; the end of its log:"
        sed '/^now: /d' "$log" | tail -n 300
        echo "----"
    fi
    spent=$((spent + took)) spent_budget=$((spent_budget + budgets[$1]))
    add_up "$1" "$p" "$f" "$s" "$took" "$note"
}

add_up() { # PART PASSED FAILED SKIPPED SECONDS NOTE
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    rows[$1]=$(printf '%-11s %6d %6d %7d %6d s of %4d s  %s' "$1" "$2" "$3" "$4" "$5" "${budgets[$1]}" "$6")
}

# ---- before ----------------------------------------------------------------------------------

# Installs what the parts need, before any runs: packages do not change under a part.
prepare() {
    local part
    for part in "${parts[@]}"; do
        budgets[$part]=$(budget "$part") lanes[$part]=$(lane_of "$part")
        packages_are_there "$part" && continue
        echo "skipped: $part: $lacking" | tee "$logs/$part.log"
        add_up "$part" 0 0 1 0 "$lacking"
    done
}

# ---- the end ---------------------------------------------------------------------------------

# Each reason once, with the names of what was skipped for it, each of them once.
tell_skipped() {
    local file
    for file in "${parts[@]/#/$logs/}"; do
        sed -nE 's/^skipped( \([^)]*\))?: //p' "$file.log" 2>/dev/null
    done | awk -F ': ' 'NF > 1 {
            reason = $0
            if (!sub(/^.*: needs /, "needs ", reason))
                sub(/^[^:]*(::[^:]*)?: /, "", reason)
            name = substr($0, 1, length($0) - length(reason) - 2)
            if (seen[name, reason]++)
                next
            if (!(reason in names))
                order[++count] = reason
            many[reason]++
            names[reason] = names[reason] (names[reason] ? ", " : "") name
        }
        END {
            for (i = 1; i <= count; i++)
                printf "  %s\n      %s\n", order[i], names[order[i]]
        }' >"$logs/skipped"
    [ -s "$logs/skipped" ] || return 0
    echo "Skipped tests, and what they need:"
    cut -c 1-400 "$logs/skipped"
    echo
}

tell_left_out() {
    local part left=() text
    [ "$programme" = quick ] || return 0
    echo "The quick programme leaves these out (tests/run.sh --part NAME runs one of them, --full all):"
    for part in $(all_parts); do
        if is_quick "$part"; then
            text=$(header "$part" "quick leaves out")
            [ -z "$text" ] || printf '  %-10s %s\n' "$part" "$text"
        else
            left+=("$part")
        fi
    done
    echo "  and the parts: ${left[*]}"
    echo
}

stop() {
    local part
    for part in "${running[@]}"; do
        kill -- "-${pid[$part]}" 2>/dev/null || true
    done
}

# ---- arguments -------------------------------------------------------------------------------

parts=() install=yes programme=quick
parse() { # ARGUMENT...
    while [ $# -gt 0 ]; do
        case $1 in
        --part)
            [ $# -ge 2 ] || die "--part needs a name"
            [ -f "$here/$2/run.sh" ] || die "there is no part '$2' (--list shows them)"
            parts+=("$2")
            shift
            ;;
        --full | --long | --mutants) programme=${1#--} ;;
        --no-install) install=no ;;
        --install-only) install=only ;;
        --list)
            list
            exit 0
            ;;
        --help)
            usage
            exit 0
            ;;
        *) usage >&2 && die "there is no option '$1'" ;;
        esac
        shift
    done
    [ ${#parts[@]} -eq 0 ] || [ "$programme" != quick ] || programme=full
    case $programme in
    quick) export SEQSHARE_QUICK=1 ;;
    long) export SEQSHARE_LONG=1 ;;
    mutants) export SEQSHARE_MUTANTS=1 ;;
    esac
}

# ---- all of it -------------------------------------------------------------------------------

passed=0 failed=0 skipped=0 spent=0 spent_budget=0 told=0
declare -A budgets=() lanes=() rows=()        # of each part; its row when it is over
declare -A from=() pid=() shown=() hung=()    # of each part that has begun
declare -A running=()                         # the part that runs in a lane
main() {
    parse "$@"
    choose_parts
    trap stop EXIT
    trap 'exit 130' INT TERM
    mkdir -p "$logs"
    echo "Testing seqshare on $(uname -srm), $(nproc) processors: the $programme programme, about" \
        "$(minutes "$(seconds_of_lanes "$programme" "${parts[@]}")") and the time to install"
    prepare
    [ "$install" != only ] || exit "$((skipped > 0))"
    run_parts
    printf '\n%-11s %6s %6s %7s\n' part passed failed skipped
    printf '%s\n' "${rows[@]}" | sort -s -k 1,1
    echo
    tell_skipped
    tell_left_out
    if [ ${#parts[@]} -gt 1 ] && [ $((passed + failed)) -eq 0 ]; then
        echo "Nothing was checked."
        failed=1
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

main "$@" # and nothing behind it: the shell has read all of this file, which may change meanwhile

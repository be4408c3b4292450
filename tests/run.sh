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
#   packages   the Debian packages it needs, one a line, and behind the name
#                optional       not every release has it
#                full           the quick programme does without
set -euo pipefail
export LC_ALL=C

order="format unit torture crash cli model package perl httpd threads step faults cache json abi world arch fuzz bench coverage"
full_budget=2400 # seconds for all parts together

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SEQSHARE_SOURCE=${here%/*}
export SEQSHARE_BUILD=${SEQSHARE_BUILD:-$SEQSHARE_SOURCE/build/tests}
logs=$SEQSHARE_BUILD/logs

usage() {
    cat <<'TEXT'
usage: tests/run.sh [--full | --long | --mutants] [--part NAME]... [--no-install | --install-only] [--list] [--help]
Builds below build/tests and runs the quick programme: in four minutes, a sample of everything that needs no
special tool. The last line is "N passed, N failed, N skipped"; the status is 0 if nothing failed. What the
machine does not allow is skipped, and named at the end.
Each part first installs the Debian packages that it lacks (apt-get; with sudo, unless you are root).
  --full         all parts: at most 40 minutes, and what they install
  --long         all parts, and those that can do more, do (hours on a small machine)
  --mutants      only the parts that know planted faults, and with these: each fault must be caught
  --part NAME    only this part, all of it; may be given several times
  --no-install   install nothing; parts that lack a package are skipped, and say which
  --install-only install the packages of all these parts, and run nothing
  --list         the parts, their budgets, and what they are for
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

sum_of_budgets() { # PROGRAMME PART...
    local part sum=0 which=$1
    shift
    for part in "$@"; do
        sum=$((sum + $(budget "$part" "$which")))
    done
    echo "$sum"
}

list() {
    local part
    for part in $(all_parts); do
        printf '%-10s %4s s  %s\n' "$part" "$(budget "$part" full)" "$(header "$part" brief)"
    done
}

# Those that are asked for, or all of the programme.
choose_parts() {
    local part every sum
    if [ ${#parts[@]} -gt 0 ]; then
        return
    fi
    mapfile -t every < <(all_parts)
    sum=$(sum_of_budgets full "${every[@]}")
    [ "$programme" != full ] || [ "$sum" -le $full_budget ] || die "the parts' budgets are $sum s together, and $full_budget s is the limit"
    for part in "${every[@]}"; do
        case $programme in
        quick) is_quick "$part" || continue ;;
        mutants) grep -q SEQSHARE_MUTANTS "$here/$part/run.sh" || continue ;;
        esac
        parts+=("$part")
    done
}

# ---- progress --------------------------------------------------------------------------------

minutes() { # SECONDS
    if [ "$1" -lt 90 ]; then echo "$1 s"; else echo "$((($1 + 30) / 60)) min"; fi
}

# Seconds until the end, judged by how long the parts before took compared with their budgets.
remaining() { # SECONDS OF THIS PART
    local percent=100 this
    if [ "$spent_budget" -gt 0 ]; then
        percent=$((100 * spent / spent_budget))
    fi
    this=$((budget_now * percent / 100 - $1))
    [ "$this" -gt 0 ] || this=0
    echo $((this + left_budget * percent / 100))
}

# Lines of a log that say what has passed, and what has not.
results() {
    grep -E '^(ok|not ok|FAILED|caught|missed|broken)\b|^[^:]+: [0-9]+ tests, [0-9]+ failed' | grep -v '# skip' || true
}

heartbeat() { # LOG SECONDS
    local now
    now=$(sed -n 's/^now: //p' "$1" | tail -n 1)
    printf '   [part %s, %s s%s; about %s left]\n' "$number of ${#parts[@]}, $part" "$2" "${now:+; now: $now}" \
        "$(minutes "$(remaining "$2")")"
}

# Shows what the process group PID writes into LOG, until it ends. Ends it if it makes no progress any more: it
# has written nothing, in no file, for ten minutes or its budget.
follow() { # PID LOG PATIENCE
    local from=$SECONDS shown=0 told=$SECONDS lines
    while true; do
        alive=$(kill -0 "$1" 2>/dev/null && echo yes || true)
        lines=$(wc -l <"$2")
        if [ "$lines" -gt "$shown" ]; then
            sed -n "$((shown + 1)),${lines}p" "$2" | results | cut -c 1-150 | sed 's/^/   /'
            shown=$lines
        fi
        [ -n "$alive" ] || return 0
        if [ $((SECONDS - told)) -ge 20 ]; then
            heartbeat "$2" $((SECONDS - from))
            told=$SECONDS
            if [ $((SECONDS - from)) -gt "$3" ] && ! progresses "$3"; then
                kill -- "-$1" 2>/dev/null || true
                sleep 10
                kill -KILL -- "-$1" 2>/dev/null || true
                hung=yes
                return 0
            fi
        fi
        sleep 0.3
    done
}

progresses() { # SECONDS: something below the build folder has been written in this time
    [ -n "$(find "$SEQSHARE_BUILD" -type f -newermt "-$1 seconds" -print -quit)" ]
}

# ---- running ---------------------------------------------------------------------------------

# Run $part, its output into a log; add to the sums and to the table.
run_part() {
    local from rc=0 took p=0 f=0 s=0 note="" hung="" log=$logs/$part.log alive patience=600
    : >"$log"
    [ "$budget_now" -le "$patience" ] || patience=$budget_now
    from=$SECONDS
    # In a session, and so in a process group, of its own.
    setsid bash "$here/$part/run.sh" </dev/null >"$log" 2>&1 &
    running=$!
    follow "$running" "$log" "$patience"
    wait "$running" 2>/dev/null || rc=$?
    running=""
    took=$((SECONDS - from))
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
        [ $((p + f + s)) -gt 0 ] || { note="it checked nothing" && f=1; }
    else
        note="its last line gives no numbers"
        f=1
    fi
    if [ -n "$hung" ]; then
        note="ended after $took s, for it made no progress"
    elif [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then
        note="exit status $rc"
    elif [ "$took" -gt "$budget_now" ]; then
        note="${note:+$note; }over its budget"
    fi
    [ "$rc" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    if [ "$f" -gt 0 ]; then
        echo "---- $part failed${note:+ ($note)}; the end of its log:"
        grep -v '^now: ' "$log" | tail -n 300
        echo "----"
    fi
    spent=$((spent + took)) spent_budget=$((spent_budget + budget_now))
    add_up "$p" "$f" "$s" "$took" "$note"
}

add_up() { # PASSED FAILED SKIPPED SECONDS NOTE
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    table+=$(printf '%-10s %6d %6d %7d %6d s of %4d s  %s' "$part" "$1" "$2" "$3" "$4" "$budget_now" "$5")$'\n'
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
    echo "Skipped, and what it needs:"
    cut -c 1-400 "$logs/skipped"
    echo
}

tell_left_out() {
    local part left=() text
    [ "$programme" = quick ] || return 0
    echo "The quick programme leaves out (tests/run.sh --part NAME runs one of these, --full all of them):"
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
    [ -z "$running" ] || kill -- "-$running" 2>/dev/null || true
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
        *) usage >&2 && die "what is '$1'?" ;;
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

passed=0 failed=0 skipped=0 table="" running="" number=0 spent=0 spent_budget=0
main() {
    local part budget_now left_budget
    parse "$@"
    choose_parts
    [ ${#parts[@]} -gt 0 ] || die "no part knows planted faults"
    left_budget=$(sum_of_budgets "$programme" "${parts[@]}")
    trap stop EXIT
    trap 'exit 130' INT TERM
    mkdir -p "$logs"
    echo "Testing seqshare on $(uname -srm), $(nproc) processors: the $programme programme, about" \
        "$(minutes "$left_budget") and what must be installed"
    for part in "${parts[@]}"; do
        number=$((number + 1)) budget_now=$(budget "$part")
        left_budget=$((left_budget - budget_now))
        echo "== part $number of ${#parts[@]}, $part: $(header "$part" brief) (about $budget_now s; ${logs#"$SEQSHARE_SOURCE"/}/$part.log)"
        if packages_are_there "$part"; then
            [ "$install" = only ] || run_part
        else
            echo "skipped: $part: $lacking" | tee "$logs/$part.log"
            add_up 0 0 1 0 "$lacking"
        fi
    done
    [ "$install" != only ] || exit "$((skipped > 0))"
    printf '\n%-10s %6s %6s %7s\n%s\n' part passed failed skipped "$table"
    tell_skipped
    tell_left_out
    if [ "$number" -gt 1 ] && [ $((passed + failed)) -eq 0 ]; then
        echo "Nothing was checked."
        failed=1
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

main "$@" # and nothing behind it: the shell has read all of this file, which may change meanwhile

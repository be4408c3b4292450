#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The one command that tests seqshare, on a fresh Debian or Ubuntu: installs what is missing, then runs the
# parts. A part is a folder tests/NAME with
#   run.sh     called with SEQSHARE_SOURCE (the repository) and SEQSHARE_BUILD (where build folders go); its
#              last line is "N passed, N failed" or "N passed, N failed, N skipped", its status 0 if none failed;
#              near its top stand "# brief: one line", "# budget: SECONDS" and, if it has a longer programme,
#              "# long budget: SECONDS"
#   packages   the Debian packages it needs, one a line; "NAME optional" where not every release has it
set -euo pipefail
export LC_ALL=C

order="format unit threads torture model crash step faults cli cache json package abi perl httpd world arch fuzz bench coverage"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SEQSHARE_SOURCE=${here%/*}
export SEQSHARE_BUILD=${SEQSHARE_BUILD:-$SEQSHARE_SOURCE/build/tests}

usage() {
    cat <<'TEXT'
usage: tests/run.sh [--part NAME]... [--long] [--mutants] [--no-install] [--list] [--help]
Installs the Debian packages that are missing (apt-get, with sudo unless root), builds below build/tests, and
runs all parts, or those that are named. The last line is "N passed, N failed, N skipped"; the status is 0 if
nothing failed.
  --part NAME    only this part; may be given several times
  --long         parts that can do more, do (hours on a small machine)
  --mutants      only the parts that know planted faults, and with these: each fault must be caught
  --no-install   install nothing, use what is there
  --list         the parts, their budgets, and what they are for
TEXT
}

die() {
    echo "tests/run.sh: $*" >&2
    exit 2
}

# All parts: those of $order first, then whatever else has a run.sh, so that none is forgotten.
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

header() { # PART WORD: what stands behind "# WORD:" in its run.sh
    sed -n "s/^# $2: *//p" "$here/$1/run.sh" | head -n 1
}

budget() { # PART: its seconds
    local seconds=""
    if [ -n "${SEQSHARE_LONG:-}${SEQSHARE_MUTANTS:-}" ]; then
        seconds=$(header "$1" "long budget")
    fi
    [ -n "$seconds" ] || seconds=$(header "$1" budget)
    [[ $seconds =~ ^[0-9]+$ ]] || die "tests/$1/run.sh does not say '# budget: SECONDS'"
    echo "$seconds"
}

list() {
    local part
    for part in $(all_parts); do
        printf '%-10s %4s s  %s\n' "$part" "$(budget "$part")" "$(header "$part" brief)"
    done
}

installed() {
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed'
}

# Install what the parts need and what is not there.
install_packages() { # PART...
    local part name word missing=() optional=() sudo=()
    command -v apt-get >/dev/null || die "no apt-get here: install the packages in tests/*/packages by hand, and use --no-install"
    while read -r name word; do
        installed "$name" && continue
        case $word in
        "") missing+=("$name") ;;
        optional) optional+=("$name") ;;
        *) die "what is '$word' behind $name in a packages file?" ;;
        esac
    done < <(for part in build "$@"; do
        [ "$part" = build ] && printf '%s\n' gcc g++ clang cmake ninja-build pkg-config libc6-dev
        [ ! -f "$here/$part/packages" ] || grep -v '^#' "$here/$part/packages"
    done | sort -u)
    if [ ${#missing[@]} -eq 0 ] && [ ${#optional[@]} -eq 0 ]; then
        echo "All packages are there."
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "neither root nor sudo: cannot install ${missing[*]}"
        sudo=(sudo)
    fi
    echo "Installing: ${missing[*]} ${optional[*]}"
    "${sudo[@]}" apt-get update -q >/dev/null
    for name in "${optional[@]}"; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            missing+=("$name")
        else
            echo "This release has no package $name; going on without it."
        fi
    done
    [ ${#missing[@]} -eq 0 ] && return
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
}

tell_progress() { # LOG: its last line, twice a minute
    local from=$SECONDS
    while sleep 30 >/dev/null 2>&1; do # it outlives its shell, and must not keep a pipe open
        printf '   %4d s: %.90s\n' $((SECONDS - from)) "$(tail -n 1 "$1")"
    done
}

# Run one part, its output into a log; add to the sums and to the table.
run_part() { # PART
    local part=$1 seconds from rc=0 took p=0 f=0 s=0 note="" log="$SEQSHARE_BUILD/logs/$1.log"
    seconds=$(budget "$part")
    echo "== $part: $(header "$part" brief) (about $seconds s; ${log#"$SEQSHARE_SOURCE"/})"
    from=$SECONDS
    tell_progress "$log" &
    progress=$!
    : >"$log"
    # A part that hangs is ended after four times its budget, with all that it started.
    timeout --kill-after=10 $((4 * seconds)) bash "$here/$part/run.sh" </dev/null >"$log" 2>&1 &
    running=$!
    wait "$running" || rc=$?
    running=""
    kill "$progress"
    wait "$progress" 2>/dev/null || true
    progress=""
    took=$((SECONDS - from))
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
        [ $((p + f + s)) -gt 0 ] || { note="it checked nothing" && f=1; }
    else
        note="its last line gives no numbers"
        f=1
    fi
    if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
        note="ended by the watchdog after $took s"
    elif [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then
        note="exit status $rc"
    elif [ "$took" -gt "$seconds" ]; then
        note="${note:+$note; }over its budget"
    fi
    [ "$rc" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    if [ "$f" -gt 0 ]; then
        echo "---- $part failed${note:+ ($note)}; the end of its log:"
        tail -n 300 "$log"
        echo "----"
    elif [ "$s" -gt 0 ]; then
        grep -i '^skip' "$log" || true
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    table+=$(printf '%-10s %6d %6d %7d %6d s of %4d s  %s' "$part" "$p" "$f" "$s" "$took" "$seconds" "$note")$'\n'
}

parts=() install=yes
while [ $# -gt 0 ]; do
    case $1 in
    --part)
        [ $# -ge 2 ] || die "--part needs a name"
        [ -f "$here/$2/run.sh" ] || die "there is no part '$2' (--list shows them)"
        parts+=("$2")
        shift
        ;;
    --long) export SEQSHARE_LONG=1 ;;
    --mutants) export SEQSHARE_MUTANTS=1 ;;
    --no-install) install=no ;;
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
if [ ${#parts[@]} -eq 0 ]; then
    mapfile -t parts < <(all_parts)
    if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
        mapfile -t parts < <(for part in "${parts[@]}"; do
            grep -q SEQSHARE_MUTANTS "$here/$part/run.sh" && echo "$part"
        done || true)
    fi
fi

[ ${#parts[@]} -gt 0 ] || die "no part knows planted faults"

passed=0 failed=0 skipped=0 table="" running="" progress=""
stop() {
    local pid
    for pid in $running $progress; do
        kill "$pid" 2>/dev/null || true
    done
}
trap stop EXIT
trap 'exit 130' INT TERM
mkdir -p "$SEQSHARE_BUILD/logs"
echo "Testing seqshare on $(uname -srm), $(nproc) processors, in ${#parts[@]} parts: ${parts[*]}"
[ "$install" = no ] || install_packages "${parts[@]}"
for part in "${parts[@]}"; do
    run_part "$part"
done
printf '\n%-10s %6s %6s %7s\n%s\n' part passed failed skipped "$table"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

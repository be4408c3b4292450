# SPDX-License-Identifier: MIT
# Sourced after checks.sh by the run.sh of a part whose tests are Criterion's: builds and runs them, and counts each.
# shellcheck shell=bash
part=$(basename "$PWD") # where its run.sh is
work=$SEQSHARE_BUILD/$part
rm -rf "$work"
mkdir -p "$work"

program() { # PRESET NAME
    echo "$SEQSHARE_BUILD/$1/tests/$part/$2"
}

# The part's programs. Whose build fails must not run older ones.
build_part() { # PRESET TARGET...: and these
    rm -f "$SEQSHARE_BUILD/$1/tests/$part/$part"-*
    check "$1: builds" build_preset "$1" "tests/$part/all" "${@:2}"
}

# Criterion sees the exit status of a test's own process, and nothing of what a sanitizer or valgrind says about
# its children: so these write reports, a file for each process, and every report is a failure.
# Some tests want to die of a signal, which is not a sanitizer's business.
# They are written where each user can: a test may have become another, who cannot reach a build below /root.
with_reports() { # FOLDER COMMAND...
    local place rc=0
    mkdir "$1"
    place=$(mktemp -d)
    chmod 1777 "$place"
    ASAN_OPTIONS="log_path=$place/asan:handle_segv=0:handle_sigbus=0:handle_abort=0" \
    UBSAN_OPTIONS="log_path=$place/ubsan:print_stacktrace=1:handle_segv=0:handle_sigbus=0" \
        "${@:2}" || rc=$?
    cp "$place"/* "$1" 2>/dev/null || true
    rm -rf "$place"
    return $rc
}

under_valgrind() { # FOLDER COMMAND...
    valgrind --quiet --vgdb=no --trace-children=yes --log-file="$1/valgrind.%p" "${@:2}"
}

run_tests() { # NAME COMMAND...
    local log=$work/$1.log rc=0 numbers report
    now "$1"
    with_reports "$work/$1" "${@:2}" --color=never --verbose >"$log" 2>&1 || rc=$?
    sed -n "/: Test is disabled$/d; s/^\[SKIP\]/skipped ($1):/p" "$log" >"$work/$1.skipped" # disabled: filtered out
    cat "$work/$1.skipped"
    skipped=$((skipped + $(wc -l <"$work/$1.skipped")))

    numbers=$(sed -nE 's/.*Synthesis: Tested: ([0-9]+) \| Passing: ([0-9]+) \| Failing: ([0-9]+) \|.*/\1 \2 \3/p' "$log")
    if [[ ! $numbers =~ ^([1-9][0-9]*)\ ([0-9]+)\ ([0-9]+)$ ]]; then
        echo "FAILED: $1: no tests were run (status $rc)"
        tail -n 50 "$log"
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + BASH_REMATCH[2]))
    failed=$((failed + BASH_REMATCH[3]))
    echo "$1: ${BASH_REMATCH[1]} tests, ${BASH_REMATCH[3]} failed"
    if [ "${BASH_REMATCH[3]}" -gt 0 ]; then
        grep -vE '^\[(RUN |PASS|SKIP)\]' "$log"
    elif [ $rc -ne 0 ]; then
        echo "FAILED: $1: status $rc"
        failed=$((failed + 1))
    fi
    while read -r report; do
        echo "FAILED: $1: a report in ${report##*/}"
        cat "$report"
        failed=$((failed + 1))
    done < <(reports "$work/$1")
}

# Some versions of valgrind note that they could not look into a file that the program has mapped and renamed. That
# is not a report.
reports() { # FOLDER
    local note='^==[0-9]+== +(warning: connection to image .* failed|cannot read program headers) *$'
    find "$1" -type f -size +0 | while read -r file; do
        ! grep -qvE "$note" "$file" || echo "$file"
    done
}

# A fault in a child, which nobody but a report tells of, must be found.
finds_fault() { # FOLDER COMMAND...
    with_reports "$@"
    [ -n "$(reports "$1")" ]
}

# Each of these presets, if it is a sanitizer's, finds the fault of its kind.
finds_planted_faults() { # PRESET...
    local preset kind
    for preset in "$@"; do
        for kind in address undefined; do
            case $preset/$kind in
            sanitized*/* | asan*/address | ubsan*/undefined) ;;
            *) continue ;;
            esac
            check "$preset finds a planted fault: $kind" finds_fault "$work/planted-$preset-$kind" \
                "$SEQSHARE_BUILD/$preset/tests/faulty" $kind
        done
    done
}

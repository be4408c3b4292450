#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the benchmarks measure what they say; their tables, pictures and comparisons say what was measured
# tier: full
# budget: 60
# lane: alone
#
# No speed is asserted: only that figures are there, and that they arrive unchanged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

suite=$SEQSHARE_SOURCE/bench/suite
sample=$PWD/sample.json
work=$SEQSHARE_BUILD/bench
rm -rf "$work"
mkdir -p "$work"

python() {
    /usr/bin/python3 -B "$@"
}

# ---- what shows results ----

pictures_are_complete() {
    python "$suite/plot.py" "$sample" --out "$work/pictures"
    python pictures.py "$sample" "$work/pictures"
}

same_figures_same_pictures() {
    TZ=Asia/Tokyo python "$suite/plot.py" "$sample" --out "$work/again" --svg
    local picture
    for picture in "$work"/pictures/*.svg; do
        cmp "$picture" "$work/again/${picture##*/}"
    done
}

# FILTER: the sample with what jq makes of its benchmarks
derived() {
    jq ".benchmarks |= $1" "$sample"
}

leaves_out_and_says_so() {
    derived 'map(select(.name | startswith("read/")))' >"$work/read.json"
    python "$suite/plot.py" "$work/read.json" --out "$work/only" >"$work/said"
    [ "$(ls "$work/only")" = $'read.png\nread.svg' ]
    grep -x 'no picture of killed: the file has no figures for it' "$work/said"
    [ "$(wc -l <"$work/said")" -eq 8 ]
}

# Figures may be 0, alone, or of contenders and sizes that nobody has thought of.
draws_odd_figures() {
    derived 'map(if .name | test("/mutex/") then . as $run | reduce ("p50", "p99", "p999", "retries")
        as $key ($run; if has($key) then .[$key] = 0 else . end) | .real_time = 0.2 else . end
        | .name |= sub("/rwlock"; "/newcomer") | .run_name |= sub("/rwlock"; "/newcomer"))' >"$work/odd.json"
    python "$suite/plot.py" "$work/odd.json" --out "$work/odd"
    python pictures.py "$work/odd.json" "$work/odd"
    python "$suite/tables.py" "$work/odd.json" | grep '^newcomer'
    cp "$SEQSHARE_SOURCE/docs/benchmarks.md" "$work/odd.md"
    python "$suite/tables.py" "$work/odd.json" --docs "$work/odd.md"
    grep '^| newcomer |' "$work/odd.md"
    derived 'map(select(.run_type == "aggregate"))' >"$work/medians.json"
    python "$suite/tables.py" "$work/medians.json" | grep '^mutex '
}

# PROGRAM SAYING FILE [OPTION...]: status 2, and one line that says it
refuses() {
    local rc=0
    python "$suite/$1.py" "${@:3}" >"$work/out" 2>"$work/err" || rc=$?
    cat "$work/out" "$work/err"
    [ $rc -eq 2 ]
    [ ! -s "$work/out" ]
    [ "$(wc -l <"$work/err")" -eq 1 ]
    grep -F "$1.py: " "$work/err" | grep -F "$2"
}

bad_input_is_answered() {
    echo '{"benchmarks": [' >"$work/cut.json"
    echo '[1]' >"$work/list.json"
    echo '{"benchmarks": [1, {}]}' >"$work/strange.json"
    derived 'map(.name |= "BM_" + . | .run_name |= "BM_" + .)' >"$work/other.json"
    derived 'map(.error_occurred = true)' >"$work/failed.json"
    derived 'map(select(.name | startswith("latency/")) | .samples = 0)' >"$work/idle.json"
    local program options
    for program in plot tables compare; do
        options=()
        [ $program != plot ] || options=(--out "$work/none")
        [ $program != compare ] || options=("$sample")
        refuses $program 'cannot read' "$work/missing.json" "${options[@]}"
        refuses $program 'cannot read' "$work" "${options[@]}"
        refuses $program 'is not JSON' "$work/cut.json" "${options[@]}"
        refuses $program 'has no list of benchmarks' "$work/list.json" "${options[@]}"
        refuses $program 'has no figures of the suite' "$work/strange.json" "${options[@]}"
        refuses $program 'has no figures of the suite' "$work/other.json" "${options[@]}"
        refuses $program 'has no figures of the suite' "$work/failed.json" "${options[@]}"
        refuses $program 'has no figures of the suite' "$work/idle.json" "${options[@]}"
    done
    [ ! -e "$work/none" ]
    derived 'map(del(.p999))' >"$work/short.json"
    refuses tables 'latency/seqshare has no counter p999' "$work/short.json"
    refuses plot 'cannot' "$sample" --out "$sample/folder"
}

# Medians of 20 and 30 ns make a ratio of 1.5, of 4 and 2 M reads a second 2; the means are others.
ratios_are_right() {
    local row='{run_type: "iteration", time_unit: "ns", iterations: 1}'
    jq -n "{context: {}, benchmarks: [
        ([10, 50, 20][] | $row + {run_name: \"read/seqshare/bytes:64\", real_time: .}),
        ([0.030, 0.300, 0.015][] | $row + {run_name: \"read/mutex/bytes:64\", real_time: .,
            time_unit: \"us\"}),
        ([4e6, 1e6, 4e6][] | $row + {run_name: \"readers/seqshare/bytes:64/readers:1\", real_time: 1,
            reads_per_second: ., per_reader: .}),
        ([2e6, 2e6, 8e6][] | $row + {run_name: \"readers/mutex/bytes:64/readers:1\", real_time: 1,
            reads_per_second: ., per_reader: .})]}" >"$work/ratio.json"
    python "$suite/tables.py" "$work/ratio.json" >"$work/ratio"
    grep -Ex 'seqshare +20.0 ns' "$work/ratio"
    grep -Ex 'mutex +1.50 x' "$work/ratio"
    grep -Ex 'seqshare +4.00 M' "$work/ratio"
    grep -Ex 'mutex +2.0 x' "$work/ratio"
    grep -F 'Medians of 3 rounds.' "$work/ratio"
    grep -F 'half of them up to 109 %, the widest 139 % (mutex, bytes 64).' "$work/ratio"
    python "$suite/tables.py" --markdown "$work/ratio.json" | grep -Fx '| mutex | 1.50 x |'
}

tables_of_all_questions() {
    python "$suite/tables.py" "$sample" >"$work/tables"
    [ "$(grep -c '^== ' "$work/tables")" -eq 9 ]
    [ "$(awk 'length > 160' "$work/tables" | wc -l)" -eq 0 ]
}

# Figures go between the markers, as often as one likes, and nothing else changes.
docs_are_refreshed() {
    cp "$SEQSHARE_SOURCE/docs/benchmarks.md" "$work/docs.md"
    python "$suite/tables.py" "$sample" --docs "$work/docs.md"
    cp "$work/docs.md" "$work/once.md"
    python "$suite/tables.py" "$sample" --docs "$work/docs.md"
    cmp "$work/docs.md" "$work/once.md"
    grep -F 'With: liblmdb-dev 0.9.24-1.' "$work/docs.md"
    local outside='/^<!-- begin/,/^<!-- end/d'
    diff <(sed "$outside" "$SEQSHARE_SOURCE/docs/benchmarks.md") <(sed "$outside" "$work/docs.md")
    local question
    for question in read readers latency write seen killed memory retries big; do
        sed -n "/^<!-- begin $question -->/,/^<!-- end $question -->/p" "$work/docs.md" >"$work/block"
        grep -E "^    bench/run.sh --suite --benchmark_filter='?\\^.*$question.*/" "$work/block"
        grep -F "(pictures/$question" "$work/block"
        grep -E '^\| (\*\*|[2-8] slots)' "$work/block" | head -n 1
    done
}

docs_stay_whole() {
    cp "$SEQSHARE_SOURCE/docs/benchmarks.md" "$work/kept.md"
    refuses tables 'no figures for' "$work/read.json" --docs "$work/kept.md"
    cmp "$SEQSHARE_SOURCE/docs/benchmarks.md" "$work/kept.md"
    refuses tables 'to put figures between' "$sample" --docs ../../README.md
    refuses tables 'cannot refresh' "$sample" --docs "$work/nowhere.md"
}

# What docs/benchmarks.md shows is there, with the same contenders as its tables.
docs_have_their_pictures() {
    cd "$SEQSHARE_SOURCE/docs"
    sed -nE 's/^!\[.*\]\((.*)\)$/\1/p' benchmarks.md | sort >"$work/shown"
    [ "$(wc -l <"$work/shown")" -ge 9 ]
    find pictures -type f | sort | diff "$work/shown" -
}

# Half as slow again is +0.5, and half the speed is twice the time.
changes_are_shown() {
    derived 'map(if .run_type == "iteration" then .real_time *= 1.5 else . end
        | if .per_reader then .per_reader /= 2 else . end)' >"$work/slower.json"
    python "$suite/compare.py" "$sample" "$work/slower.json" >"$work/change"
    grep -E '^read/seqshare/bytes:64/time_median +\+0\.5000' "$work/change"
    grep -E '^readers/seqshare/bytes:64/readers:1/time_per_read_median +\+1\.0000' "$work/change"
    grep -E '^latency/seqshare/bytes:64/writer:idle/p999_median +\+0\.0000' "$work/change"
    grep -E '^read/seqshare/bytes:64/time_pvalue .*U Test' "$work/change"
    python "$suite/compare.py" "$sample" "$work/slower.json" --benchmark_filter='^write/' >"$work/filtered"
    grep '^write/' "$work/filtered"
    [ "$(grep -c '^read' "$work/filtered")" -eq 0 ]
    refuses compare 'no figures in common' "$sample" "$work/slower.json" --benchmark_filter=nothing
    refuses compare 'unterminated' "$sample" "$work/slower.json" '--benchmark_filter=x['
}

run_sh_finds_them() {
    local run=$SEQSHARE_SOURCE/bench/run.sh rc=0
    "$run" --compare "$sample" "$sample" --benchmark_filter='^read/seqshare/' | grep '^read/seqshare/'
    "$run" --report 2>"$work/err" || rc=$?
    [ $rc -eq 2 ]
    grep 'takes one file' "$work/err"
    rc=0
    "$run" --docs "$work/missing.json" 2>"$work/err" || rc=$?
    [ $rc -eq 2 ]
    grep 'cannot read' "$work/err"
}

# ---- what measures ----

builds() {
    mkdir "$work/source"
    tar -C "$SEQSHARE_SOURCE" -c CMakeLists.txt include src bench | tar -C "$work/source" -x
    cmake -S "$work/source" -B "$work/build" -G Ninja -D CMAKE_BUILD_TYPE=Release -D SEQSHARE_WERROR=ON \
        -D SEQSHARE_TESTS=OFF -D SEQSHARE_CLI=OFF -D SEQSHARE_JSON=OFF -D SEQSHARE_BENCH=ON
    cmake --build "$work/build" -j "$(nproc)" --target prefork suite
}

main_job_runs() {
    "$work/build/bench/prefork" --seconds 1 --workers 2 --contender seqshare --contender unprotected \
        >"$work/prefork"
    grep '^seqshare ' "$work/prefork"
    grep '^unprotected ' "$work/prefork"
}

suite() {
    "$work/build/bench/suite/suite" "$@"
}

names_follow_the_grammar() {
    suite --benchmark_list_tests >"$work/names"
    suite --quick --benchmark_list_tests >"$work/quick"
    local who='[a-z][a-z0-9-]*' n='bytes:[0-9]+' question
    local grammar="(read|memory)/$who/$n|readers/$who/$n/readers:[0-9]+|write/$who/$n/waiters:[0-9]+"
    grammar+="|latency/$who/$n/writer:(idle|1k|100k|free)|killed/$who"
    grammar+="|seen/$who/readers:[0-9]+/how:(poll|wait|wait-readonly)"
    grammar+="|retries/seqshare/$n/slots:[248]/writer:(100k|free)|big/$who/$n/how:(copy|borrow)"
    [ "$(grep -Evxc "$grammar" "$work/names")" -eq 0 ]
    [ -z "$(sort "$work/names" | uniq -d)" ]
    [ -z "$(sort "$work/quick" | comm -13 <(sort "$work/names") -)" ]
    for question in read readers latency write seen killed memory retries big; do
        grep -q "^$question/seqshare" "$work/quick"
    done
}

# One of each question's, twice; and the reports take what comes out.
measures_each_question() {
    local names
    names=$(awk -F/ '!seen[$1]++' "$work/quick" | paste -sd'|')
    suite --quick --benchmark_filter="^($names)\$" --benchmark_repetitions=2 --benchmark_out="$work/few.json"
    check_counters readers reads_per_second per_reader slowest writes_per_second
    check_counters latency p50 p99 p999 p9999 max samples writes_per_second
    check_counters seen p50 p99 max samples
    check_counters killed next_write_p50 next_write_max longest_read torn hung kills
    check_counters memory shared private
    check_counters retries retries failed p50 p999
    check_counters read real_time
    check_counters write real_time
    check_counters big real_time
    jq -e '.context | .processor and .cores and .kernel and .compiler and .seqshare' "$work/few.json"
    jq -e '[.benchmarks[] | select(.error_occurred)] == []' "$work/few.json"
    jq -e '[.benchmarks[] | select(.name == "killed/seqshare") | .torn, .hung] == [0, 0, 0, 0]' \
        "$work/few.json"
    python "$suite/tables.py" "$work/few.json"
    python "$suite/plot.py" "$work/few.json" --out "$work/few" --svg
}

# QUESTION COUNTER...: both rounds have them, as numbers
check_counters() {
    local question=$1
    shift
    jq -e --arg question "$question/" '[.benchmarks[] | select(.run_type == "iteration")
        | select(.run_name | startswith($question)) | [.[$ARGS.positional[]]] | all(type == "number")]
        == [true, true]' \
        "$work/few.json" --args "$@" || { echo "$question lacks one of: $*" && return 1; }
}

# Whether a copy is torn in the few milliseconds of the proof is for the scheduler to say: another try, then.
proof_says() { # TEXT
    for _ in {1..10}; do
        suite --benchmark_filter='^read/memcpy/bytes:64$' --benchmark_out="$work/proof.json" \
            >"$work/proof" 2>&1
        grep "$1" "$work/proof" && return
    done
    cat "$work/proof"
    return 1
}

tearing_is_told() {
    proof_says '^can tear: memcpy: [1-9]'
}

# Who says that it does not tear, and does, fails, and nothing of it is timed.
tearing_is_caught() {
    sed -i 's/CONTENDER_CAN_TEAR | //' "$work/source/bench/contenders/memcpy.c"
    cmake --build "$work/build" -j "$(nproc)" --target suite
    proof_says '^failed: memcpy, at .* torn'
    jq -e '[.benchmarks[] | .error_occurred] == [true]' "$work/proof.json"
}

suite_refuses_bad_input() {
    local rc=0
    suite --benchmark_filter='^nothing/' 2>"$work/err" || rc=$?
    [ $rc -eq 2 ]
    grep 'leaves nothing' "$work/err"
    rc=0
    suite --benchmark_filter='[' 2>"$work/err" || rc=$?
    [ $rc -eq 2 ]
    grep 'no regular expression' "$work/err"
    local option
    for option in --nothing --benchmark_repetitions=many; do
        rc=0
        suite "$option" >"$work/out" 2>&1 || rc=$?
        [ $rc -eq 2 ]
    done
}

check "the benchmarks build without a warning" builds
check "the main job runs for a second and ends well" main_job_runs
check "the suite's names follow the grammar, and --quick has some of them" names_follow_the_grammar
check "the suite measures each question, with all its counters" measures_each_question
check "a contender that can tear is seen to" tearing_is_told
check "a contender that tears and does not say so is caught" tearing_is_caught
check "the suite refuses what it does not know" suite_refuses_bad_input
check "names at line ends never overlap" python labels.py
check "pictures of all questions, SVG and PNG, each with its contenders' names" pictures_are_complete
check "the same figures make the same SVG" same_figures_same_pictures
check "a question without figures is left out, and said" leaves_out_and_says_so
check "zeros, newcomers and bare medians are shown" draws_odd_figures
check "bad input: one line that says what is wrong, status 2" bad_input_is_answered
check "tables: medians and ratios are what the rounds say" ratios_are_right
check "tables of all questions" tables_of_all_questions
check "docs/benchmarks.md is refreshed between its markers" docs_are_refreshed
check "figures that are not complete leave the document alone" docs_stay_whole
check "docs/benchmarks.md has its pictures" docs_have_their_pictures
check "a comparison shows what has changed, and nothing else" changes_are_shown
check "bench/run.sh: --compare, --report, --docs" run_sh_finds_them
finish

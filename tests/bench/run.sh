#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the benchmarks measure what they say; their tables, pictures and comparisons say what was measured
# tier: full
# budget: 90
# lane: alone
#
# No speed is asserted: only that figures are there, and that they arrive unchanged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

suite=$SEQSHARE_SOURCE/bench/suite
work=$SEQSHARE_BUILD/bench
sample=$work/sample.json
rm -rf "$work"
mkdir -p "$work"

# What the suite once wrote, of some contenders: in sample.jsonl without what is the same in all rounds.
jq -s '{context: {processor: "AMD EPYC", cores: "2", kernel: "Linux 6.18.44", compiler: "gcc 12.2.0",
        seqshare: "0.1.0", packages: "liblmdb-dev 0.9.24-1"},
    benchmarks: [.[] | to_entries[] | .key as $name | .value[]
        | . + {name: $name, run_name: $name, run_type: "iteration", time_unit: "ns"}]}' sample.jsonl >"$sample"

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
    [ "$(wc -l <"$work/said")" -eq 9 ]
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
    derived 'map(. + {run_type: "aggregate", aggregate_name: "median"})' >"$work/medians.json"
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
    derived 'map(.error_occurred = true)' >"$work/failed.json"
    derived 'map(select(.name | startswith("latency/")) | .samples = 0)' >"$work/idle.json"
    derived 'map(del(.p999))' >"$work/short.json"
    refuses tables 'cannot read' "$work"
    refuses tables 'is not JSON' "$work/cut.json"
    refuses tables 'has no list of benchmarks' "$work/list.json"
    refuses costs 'has no figures of the suite' "$work/strange.json"
    refuses compare 'has no figures of the suite' "$sample" "$work/failed.json"
    refuses plot 'has no figures of the suite' "$work/idle.json" --out "$work/none"
    [ ! -e "$work/none" ]
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
    [ "$(grep -c '^== ' "$work/tables")" -eq 13 ]
    [ "$(awk 'length > 160' "$work/tables" | wc -l)" -eq 0 ]
}

# 3.85 ns beside 3.34: memcpy and half a nanosecond, which is what is wanted; 23.2 ns is more than the 17.
costs_are_compared_with_memcpy() {
    python "$suite/costs.py" "$sample" >"$work/costs"
    grep -E '^get +64 B +3\.8[0-9] ns +3\.34 ns +\+0\.5 ns +1\.15  memcpy \+ 1\.5 ns$' "$work/costs"
    grep -E '^set +64 B +23\.2 ns .* at most 17\.0 ns +over$' "$work/costs"
    grep -E '^mutex: write +64 B +20\.5 ns$' "$work/costs"
    grep -E '^seqshare, writable: woken .* at most 200 us$' "$work/costs"
    grep -E '^2 slots, writer free ' "$work/costs"
    [ "$(grep -c ' over$' "$work/costs")" -eq "$(sed -nE 's/^([0-9]+) rows? over .*/\1/p' "$work/costs")" ]
}

# Figures go between the markers, as often as one likes, and nothing else changes; each says on which processor.
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
    for question in $(sed -nE 's/^<!-- begin (.*) -->$/\1/p' "$SEQSHARE_SOURCE/docs/benchmarks.md" |
        grep -vx 'machine\|summary\|rust'); do
        sed -n "/^<!-- begin $question -->/,/^<!-- end $question -->/p" "$work/docs.md" >"$work/block"
        grep -E "^    bench/run.sh --suite --benchmark_filter='?\\^.*$question.*/" "$work/block"
        grep -F ' On: AMD EPYC, 2 cores, Linux 6.18.44, ' "$work/block"
        grep -E '^\| (\*\*|[2-8] slots|version|buried)' "$work/block" | head -n 1
    done
}

# What has no figures stays as it was; so does a table of all contenders, if the figures are of some.
docs_stay_whole() {
    cp "$SEQSHARE_SOURCE/docs/benchmarks.md" "$work/kept.md"
    derived 'map(select(.name | test("^(read|write)/seqshare/")))' >"$work/some.json"
    python "$suite/tables.py" "$work/some.json" --docs "$work/kept.md"
    cmp "$SEQSHARE_SOURCE/docs/benchmarks.md" "$work/kept.md"
    python "$suite/tables.py" "$work/read.json" --docs "$work/kept.md"
    local read='/^<!-- begin read -->/,/^<!-- end read -->/d'
    diff <(sed "$read" "$SEQSHARE_SOURCE/docs/benchmarks.md") <(sed "$read" "$work/kept.md")
    grep -F ' On: AMD EPYC, 2 cores, Linux 6.18.44, ' "$work/kept.md"
    refuses tables 'to put figures between' "$sample" --docs ../../README.md
    refuses tables 'cannot refresh' "$sample" --docs "$work/nowhere.md"
}

# docs/benchmarks.md shows three; each of its blocks says on which processor it was measured.
docs_have_their_pictures() {
    cd "$SEQSHARE_SOURCE/docs"
    sed -nE 's/^!\[.*\]\((.*)\)$/\1/p' benchmarks.md | sort >"$work/shown"
    [ "$(wc -l <"$work/shown")" -eq 3 ]
    find pictures -type f | sort | diff "$work/shown" -
    # The summary's stands before it.
    [ $(($(grep -c '^<!-- begin' benchmarks.md) - 1)) -eq "$(grep -cE '( On| of): .*, 2 cores, ' benchmarks.md)" ]
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
    local run=$SEQSHARE_SOURCE/bench/run.sh words
    "$run" --compare "$sample" "$sample" --benchmark_filter='^read/seqshare/' | grep '^read/seqshare/'
    while read -r said words; do
        local rc=0
        # shellcheck disable=SC2086 # words
        "$run" $words 2>"$work/err" || rc=$?
        [ $rc -eq 2 ]
        grep "${said//_/ }" "$work/err"
    done <<END
takes_one_file --report
cannot_read --docs $work/missing.json
No_such_file --suite --compare $work/missing.json
needs_a_file --suite --out
END
}

# ---- what measures ----

build=$work/source/build/benchmarks # where bench/run.sh has it

builds() {
    mkdir "$work/source"
    tar -C "$SEQSHARE_SOURCE" -c CMakeLists.txt include src bench | tar -C "$work/source" -x
    cmake -S "$work/source" -B "$build" -G Ninja -D CMAKE_BUILD_TYPE=Release -D SEQSHARE_WERROR=ON \
        -D SEQSHARE_TESTS=OFF -D SEQSHARE_CLI=OFF -D SEQSHARE_BENCH=ON
    cmake --build "$build" -j "$(nproc)" --target prefork suite
}

main_job_runs() {
    "$build/bench/prefork" --seconds 1 --workers 2 --contender seqshare --contender unprotected \
        >"$work/prefork"
    grep '^seqshare ' "$work/prefork"
    grep '^unprotected ' "$work/prefork"
}

suite() {
    "$build/bench/suite/suite" "$@"
}

names_follow_the_grammar() {
    suite --benchmark_list_tests >"$work/names"
    suite --quick --benchmark_list_tests >"$work/quick"
    local who='[a-z][a-z0-9-]*' n='bytes:[0-9]+' question
    local grammar="(read|memory|coherence)/$who/$n|readers/$who/$n/readers:[0-9]+|write/$who/$n/waiters:[0-9]+"
    grammar+="|latency/$who/$n/writer:(idle|1k|100k|free)|killed/$who|seen/$who/readers:[0-9]+"
    grammar+="|woken/$who/readers:[0-9]+/share:(read-only|writable)"
    grammar+="|retries/seqshare/$n/slots:[248]/writer:(100k|free)|big/$who/$n/how:(copy|borrow)"
    grammar+="|calls/seqshare/call:[a-z-]+|takeover/seqshare/from:[a-z-]+"
    [ "$(grep -Evxc "$grammar" "$work/names")" -eq 0 ]
    [ -z "$(sort "$work/names" | uniq -d)" ]
    [ -z "$(sort "$work/quick" | comm -13 <(sort "$work/names") -)" ]
    for question in read readers latency write seen woken killed memory retries big calls takeover; do
        grep -q "^$question/seqshare" "$work/quick"
    done
    ! is_x86_64 || grep -q ^coherence/seqshare "$work/quick"
}

is_x86_64() {
    [ "$(uname -m)" = x86_64 ]
}

# One of each question's, twice; and the reports take what comes out.
measures_each_question() {
    local names
    names=$(awk -F/ '!seen[$1]++' "$work/quick" | paste -sd'|')
    suite --quick --benchmark_filter="^($names)\$" --benchmark_repetitions=2 --benchmark_out="$work/few.json"
    check_counters readers reads_per_second per_reader slowest writes_per_second
    check_counters latency p50 p99 p999 p9999 max samples writes_per_second
    check_counters seen p50 p99 max samples
    check_counters woken p50 p99 max samples sleeps
    check_counters takeover p50 max
    check_counters calls real_time
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

# Readers of seqshare share two lines until the next publication, and those of a mutex pull its line to and fro. The
# figures are counted: they are the same wherever they are.
lines_travel_as_they_must() {
    suite --benchmark_filter='^coherence/(seqshare|memcpy|mutex)/' --benchmark_repetitions=3 \
        --benchmark_out="$work/coherence.json"
    jq -e '[.benchmarks[] | {(.name): [.read_2, .read_64, .publication_64]}] | add
        | .["coherence/seqshare/bytes:64"] == [0.02, 0.02, 2]
            and .["coherence/memcpy/bytes:64"] == [0.01, 0.01, 1]
            and .["coherence/mutex/bytes:64"][1] > 2' "$work/coherence.json"
    [ "$(jq '.benchmarks | length' "$work/coherence.json")" -eq 3 ]
}

# A user without rights runs run.sh in a copy of the source: before a change, and after it.
an_ordinary_user_compares() {
    local only='^(read|write)/(seqshare|memcpy)/bytes:64' before=$work/source/before.json
    [ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$work/source"
    as_nobody bench/run.sh --quick --benchmark_filter="$only" --out "$before" >"$work/user" 2>&1
    grep -E '^memcpy +[0-9.]+ x$' "$work/user"
    as_nobody bench/run.sh --suite --compare "$before" --benchmark_filter="$only" --out "$before" >"$work/user" 2>&1
    grep -E '^write/seqshare/bytes:64/waiters:0/time_median +[-+][0-9.]+' "$work/user"
}

# COMMAND...: in that copy, without rights, sudo and cargo
as_nobody() {
    local drop=() folder=$work/source/path command
    [ "$(id -u)" -ne 0 ] || drop=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    if [ ! -d "$folder" ]; then
        mkdir "$folder"
        for command in /usr/bin/*; do
            case ${command##*/} in
            sudo | cargo) ;;
            *) ln -s "$command" "$folder" ;;
            esac
        done
    fi
    (cd "$work/source" && "${drop[@]}" env PATH="$folder" HOME="$work/source" "$@" </dev/null)
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

# A contender that says that it does not tear, and does, fails, and is not timed.
tearing_is_caught() {
    sed -i 's/CONTENDER_CAN_TEAR | //' "$work/source/bench/contenders/memcpy.c"
    cmake --build "$build" -j "$(nproc)" --target suite
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
    grep 'not a regular expression' "$work/err"
    local option
    for option in --nothing --benchmark_repetitions=many; do
        rc=0
        suite "$option" >"$work/out" 2>&1 || rc=$?
        [ $rc -eq 2 ]
    done
}

rm -f "$SEQSHARE_BUILD/release/tests/bench/bench-batches"
check "release: builds" build_preset release bench-batches
check "a batch is long enough after a slow first call" "$SEQSHARE_BUILD/release/tests/bench/bench-batches"
check "the benchmarks build without a warning" builds
check "the main job runs for a second and ends well" main_job_runs
check "the suite's names follow the grammar, and --quick has some of them" names_follow_the_grammar
check "the suite measures each question, with all its counters" measures_each_question
if is_x86_64; then
    check "cache lines: counted, the same each time" lines_travel_as_they_must
else
    skip "cache lines: counted, the same each time" "only x86-64 lets a program step through its own instructions"
fi
if as_nobody true 2>/dev/null; then
    check "an ordinary user runs --quick, and --suite --compare" an_ordinary_user_compares
else
    skip "an ordinary user runs --quick, and --suite --compare" "this folder is closed to other users"
fi
check "a contender that can tear is seen to" tearing_is_told
check "a contender that tears and does not say so is caught" tearing_is_caught
check "the suite refuses what it does not know" suite_refuses_bad_input
check "pictures of all questions, SVG and PNG, each with its contenders' names" pictures_are_complete
check "the same figures make the same SVG" same_figures_same_pictures
check "a question without figures is left out, and said" leaves_out_and_says_so
check "zeros, newcomers and bare medians are shown" draws_odd_figures
check "bad input: one line that says what is wrong, status 2" bad_input_is_answered
check "tables: medians and ratios are what the rounds say" ratios_are_right
check "costs: beside memcpy, and what is wanted" costs_are_compared_with_memcpy
check "tables of all questions" tables_of_all_questions
check "docs/benchmarks.md is refreshed between its markers" docs_are_refreshed
check "questions without figures stay as they are in the document" docs_stay_whole
check "docs/benchmarks.md has its pictures, and names processors" docs_have_their_pictures
check "a comparison shows what has changed, and nothing else" changes_are_shown
check "bench/run.sh: --compare, --report, --docs" run_sh_finds_them
finish

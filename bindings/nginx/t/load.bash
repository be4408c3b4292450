# SPDX-License-Identifier: MIT
# Under load: documents are put, and published by another process, thousands of times. Each answer is of one version,
# nothing is wrong, and nothing leaks.
# Shows: READ-1, READ-2.
# shellcheck shell=bash

publications=2000
[ -z "${SEQSHARE_LONG:-}" ] || publications=20000

publish_many() { # FIRST COUNT [EVERY]
    python3 publish.py "$work/plain/lib/libseqshare.so" "$share" "$@"
}

every_line_of_the_log_is_right() {
    awk '$3 != 7 * $2 { print "wrong:", $0; wrong = 1 } END { exit wrong || NR < 1000 }' "$PLACE/numbers.log"
}

wrk_is_content() {
    cat "$PLACE/wrk"
    ! grep -qE 'Non-2xx|Socket errors' "$PLACE/wrk" || return 1
    [ "$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' "$PLACE/wrk")" -gt 0 ]
}

# Of all workers: private memory in kB, and descriptors.
memory() {
    local child
    for child in $(children); do sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$child/status"; done |
        awk '{ sum += $1 } END { print sum }'
}
descriptors_of_workers() {
    local child
    for child in $(children); do find "/proc/$child/fd" -type l; done | wc -l
}

# A leaked document would be 2 kB in each worker, a whole one 5 kB.
little_more() { # BEFORE AFTER
    echo "before: $1 kB, after: $2 kB"
    [ "$2" -lt $(($1 + 4 * 1000 * publications / 2000)) ]
}

nothing_leaks() {
    local fds before
    publish_many 10001 200 50
    curl -s "$url/index.html" >/dev/null
    before=$(memory) fds=$(descriptors_of_workers)
    wrk -t1 -c8 -d$((4 + publications / 400))s "$url/page.shtml" >"$PLACE/wrk" 2>&1 &
    check "$publications publications under load" publish_many 20001 "$publications" 50
    wait $!
    check "wrk has $(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' "$PLACE/wrk") pages, and none fails" wrk_is_content
    check "the workers take little more memory" little_more "$before" "$(memory)"
    check "and no descriptor" [ "$(descriptors_of_workers)" -le $((fds + 8)) ]
    check "one line told of the documents that were malformed" log_has 1 "is not used, the last good one stays"
}

# Workers look at most once in a millisecond, but the one that answers a PUT has the document in its next answer.
load() {
    local clients=() one
    new_place
    rm -f "$share"
    seqshare create "$share" --size 64K --mode 666 --from <(document 1)
    begin "a server starts"
    for one in 1 2; do
        python3 $client check "$PORT" 4 50 >"$PLACE/checked$one" 2>&1 &
        clients+=($!)
    done
    python3 $client put "$PORT" 1001 100 "$PLACE/enough" >"$PLACE/put" 2>&1 &
    one=$!
    check "another process publishes meanwhile" publish_many 5001 1000
    for client_pid in "${clients[@]}"; do wait "$client_pid" || true; done
    touch "$PLACE/enough"
    wait $one || true
    for one in 1 2; do
        check "no answer of $(jq .answers "$PLACE/checked$one") mixes versions, goes back, fails or is lost" holds \
            "$PLACE/checked$one" '.answers >= 100 and .pages >= 30 and .mixed == 0 and .older == 0 and .wrong == 0 and .lost == 0'
        check "they saw $(jq .versions "$PLACE/checked$one") versions" holds "$PLACE/checked$one" '.versions >= 50'
    done
    check "all documents were put, and each was in the next answer" holds "$PLACE/put" '.put >= 100 and .older == 0 and .lost == 0'
    check "so it is in the log of requests" every_line_of_the_log_is_right
    check "a request that takes long has one version" python3 $client slow "$PORT" 5000
    nobody_is_overwritten
    nothing_leaks
    publish 7
    check "the last one is used by all" all_say 7
    check "no worker died" log_has 0 "exited on signal"
    stop
}

nobody_is_overwritten() {
    local one counters=()
    document 0 | seqshare set "$share" --json -
    for one in 1 2 3; do
        python3 $client count "$PORT" 40 >"$PLACE/counted$one" 2>&1 &
        counters+=($!)
    done
    for one in "${counters[@]}"; do wait "$one" || true; done
    check "three who change what they got overwrite nobody" is "40 40 40 120" \
        "$(jq .done "$PLACE"/counted[123] | xargs) $(curl -s "$url/document" | jq .number)"
}

load

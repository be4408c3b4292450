# SPDX-License-Identifier: MIT
# Under load: documents are put, and published by another process, hundreds of times; children are killed. Each
# answer is of one version, and nothing is wrong.
# Shows: READ-1, READ-2.
# shellcheck shell=bash

publish_many() { # FIRST END: from another process, about a hundred a second, until END is there
    local share n
    share=$(created_share)
    for ((n = $1; ; n++)); do
        [ ! -e "$2" ] || break
        document "$n" | seqshare set "$share" --json -
        sleep 0.005
    done
}

kill_some() { # COUNT
    local one
    for _ in $(seq "$1"); do
        sleep 1
        one=$(children | sed -n 1p)
        kill -KILL "$one"
        wait_until none_is_left "$one"
    done
}

every_line_of_the_log_is_right() {
    awk '$3 != 7 * $2 { print "wrong:", $0; wrong = 1 } END { exit wrong || NR < 1000 }' "$PLACE/numbers.log"
}

load() { # MPM SECONDS
    local clients=() publishers=() one
    new_place "$1"
    begin "$1: a server starts"
    wrk -t1 -c3 -d"$2s" "$url/page.shtml" >"$PLACE/wrk" 2>&1 &
    clients+=($!)
    for one in 1 2; do
        python3 client.py check "$PORT" "$2" 50 >"$PLACE/checked$one" 2>&1 &
        clients+=($!)
    done
    python3 client.py put "$PORT" 1000 200 "$PLACE/enough" >"$PLACE/put" 2>&1 &
    publishers+=($!)
    publish_many 2000 "$PLACE/enough" >"$PLACE/published" 2>&1 &
    publishers+=($!)
    check "$1: children are killed" kill_some 3
    all_end "${clients[@]}"
    touch "$PLACE/enough"
    all_end "${publishers[@]}"
    for one in 1 2; do
        check "$1: no answer of $(jq .answers "$PLACE/checked$one") mixes versions" holds "$PLACE/checked$one" \
            '.answers >= 500 and .pages >= 300 and .mixed == 0'
        check "$1: of $(jq .versions "$PLACE/checked$one"), in their order" holds "$PLACE/checked$one" \
            '.versions >= 50 and .older == 0'
        check "$1: nor fails, but $(jq .lost "$PLACE/checked$one") with their child" holds "$PLACE/checked$one" \
            '.wrong == 0 and .lost <= 6'
    done
    check "$1: wrk has $(sed -n 's/ *\([0-9]* requests\) in.*/\1/p' "$PLACE/wrk"), and none fails" \
        wrk_is_content
    # Among threads, one parses the newest document, and others meanwhile have the one before.
    check "$1: all documents were put" holds "$PLACE/put" '.put >= 200'
    check "$1: another process published" test ! -s "$PLACE/published"
    [ "$1" != prefork ] ||
        check "$1: and each was in the next answer" holds "$PLACE/put" '.older == 0'
    check "$1: so it is in the log of requests" every_line_of_the_log_is_right
    check "$1: the last one stands, for all" python3 client.py all "$PORT" "$(curl -s "$url/document" | jq .number)" \
        "$server"
    check "$1: nothing was wrong" the_log_is_clean
    check "$1: and it was not restarted" log_has 1 "resuming normal operations"
    one_request_one_version "$1"
    nobody_is_overwritten "$1"
    stop
}

all_end() { # PID...: what they say is looked at then
    local pid
    for pid; do
        wait "$pid" || true
    done
}

wrk_is_content() {
    cat "$PLACE/wrk"
    ! grep -q Non-2xx "$PLACE/wrk" || return 1
    [ "$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' "$PLACE/wrk")" -gt 0 ]
}

# The newest document comes while the request still waits for its own body.
one_request_one_version() { # MPM
    check "$1: a request that takes long has one version" python3 client.py slow "$PORT" 5000
}

nobody_is_overwritten() { # MPM
    local one clients=()
    document 0 | status /document -T - >/dev/null
    for one in 1 2 3; do
        python3 client.py count "$PORT" 40 >"$PLACE/counted$one" 2>&1 &
        clients+=($!)
    done
    all_end "${clients[@]}"
    check "$1: three who change what they got overwrite nobody" is "40 40 40 120" \
        "$(jq .done "$PLACE"/counted[123] | xargs) $(curl -s "$url/document" | jq .number)"
}

for mpm in "${mpms[@]}"; do
    load "$mpm" 5
done

# SPDX-License-Identifier: MIT
# Everything at once, by turns: good and bad documents, files cut, removed, moved and made again, children killed,
# restarts. No answer mixes versions, nobody dies but who was killed, and at the end all say the last.
# Shows: JSON-2, READ-1.
# shellcheck shell=bash

one_step() { # NUMBER
    document "$1" >"$PLACE/next"
    case $((RANDOM % 11)) in
    0 | 1) seqshare set "$share" --from "$PLACE/next" ;;
    2) seqshare set "$share" --force '{"number": ' ;;
    3) seqshare replace "$share" --size $((64 + RANDOM % 64))K --mode 666 ;;
    4) seqshare rm "$share" ;;
    5) : >"$share" ;;
    6) curl -s -o /dev/null -T "$PLACE/next" "$url/document" ;;
    7) kill -KILL "$(children | shuf -n 1)" ;;
    8) kill -USR1 "$server" ;;
    9) make_again "" && echo '[' | seqshare set "$share" - ;;
    10) make_again --from "$PLACE/next" ;;
    esac
}

make_again() { # OPTIONS of create, or ""
    seqshare create "$share.new" --size 64K --mode 666 ${1:+"$@"}
    mv "$share.new" "$share"
}

lines_are_few() { # at most one a minute of each kind
    local line
    grep -F "requests keep what they had" "$PLACE/error.log" | sed 's/.*config: //' | sort -u |
        while read -r line; do
            at_most_one_a_minute "$line"
        done
}

chaos() { # MPM SECONDS
    local clients=() one n=2 end=$((SECONDS + $2))
    new_place "$1"
    share=$shared/config
    share_is "SeqshareOpen $share"
    make_again --from "$PLACE/shop.json"
    begin "$1: a server starts"
    for one in 1 2; do
        python3 client.py check "$PORT" "$2" 1 >"$PLACE/checked$one" &
        clients+=($!)
    done
    while [ $SECONDS -lt $end ]; do
        one_step $((n++)) >>"$PLACE/steps" 2>&1 || true
    done
    for one in "${clients[@]}"; do
        wait "$one" || true
    done
    for one in 1 2; do
        check "$1: after $n steps, no answer of $(jq .answers "$PLACE/checked$one") mixes versions" \
            holds "$PLACE/checked$one" '.answers >= 100 and .mixed == 0 and .wrong == 0'
    done
    document 999999 >"$PLACE/next"
    make_again --from "$PLACE/next"
    check "$1: all say the last" wait_until python3 client.py all "$PORT" 999999 "$server"
    check "$1: nobody has died but who was killed" no_crash
    check "$1: lines of the log are few" lines_are_few
    stop
}

no_crash() {
    grep "exit signal" "$PLACE/error.log" | grep -v "exit signal Killed" && return 1
    kill -0 "$server"
}

for mpm in "${mpms[@]}"; do
    chaos "$mpm" 60
done

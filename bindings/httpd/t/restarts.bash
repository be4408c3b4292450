# SPDX-License-Identifier: MIT
# The server reads its configuration again: shares and values stay.
# Shows: READ-6, and that shares and values outlive a restart.
# shellcheck shell=bash

put_number() { # NUMBER
    is 204 "$(document "$1" | status /document -T -)"
}

descriptors() {
    find "/proc/$server/fd" -type l 2>/dev/null | wc -l
}

has_shares() { # NUMBER: each with the last good document beside it
    is $((2 * $1)) "$(seqshare ls --pid "$server" --json | jq '[.[].capacity] | unique | length')"
}

# Clients ask while the server restarts: what is lost is a connection that ended, never an answer that is wrong.
answers_stay_right() {
    local client n
    python3 client.py check "$PORT" 4 1 >"$PLACE/checked" &
    client=$!
    for n in 1 2 3; do
        sleep 0.5
        document $((100 + n)) | seqshare set "$(created_share)" --json -
        restart USR1
    done
    wait "$client"
    cat "$PLACE/checked"
    jq -e '.mixed == 0 and .older == 0 and .wrong == 0 and .answers >= 10' "$PLACE/checked"
}

restarts() { # MPM
    local tag fds n
    new_place "$1"
    begin "$1: a server starts"
    check "$1: a document is put" put_number 2
    tag=$(header /document ETag)
    restart USR1
    check "$1: a graceful restart keeps share, value and version" is "$tag 2" \
        "$(header /document ETag) $(header /index.html X-Late)"
    restart HUP
    check "$1: and one that is not" is "$tag 2" "$(header /document ETag) $(header /index.html X-Late)"
    check "$1: writing goes on" put_number 3

    rm "$PLACE/shop.json"
    sed -i 's|/limit|/text|' "$PLACE/httpd.conf"
    restart USR1
    check "$1: the initial document is not needed then" is 3 "$(header /index.html X-Late)"
    check "$1: other changes are in force" is "Text 3" "$(header /index.html X-Limit)"
    cp httpd.conf "$PLACE"

    share_is "SeqshareCreate shop 1M"
    restart USR1
    check "$1: the capacity stays" is 65536 "$(curl -s "$url/status" | jq .capacity)"
    check "$1: which is said" log_has 1 "seqshare shop: the capacity stays 65536 bytes until you stop the server"
    check "$1: with the value" is 3 "$(header /index.html X-Late)"

    share_is "SeqshareCreate another 2M"
    restart USR1
    check "$1: another share is empty" is "" "$(header /index.html X-Late)"
    check "$1: and the only one" wait_until has_shares 1
    check "$1: it takes documents" is 201 "$(document 4 | status /document -T -)"

    share_is "SeqshareCreate shop 64K"
    restart USR1
    check "$1: a share that was gone begins again" is "" "$(header /index.html X-Version)"
    check "$1: it takes documents" is 201 "$(document 100 | status /document -T -)"
    check "$1: while it restarts under load, answers stay right" answers_stay_right

    fds=$(descriptors)
    for n in {1..4}; do
        restart USR1
    done
    check "$1: after $n restarts, the parent has as many descriptors as before" is "$fds" "$(descriptors)"
    check "$1: and the value" is 103 "$(header /index.html X-Late)"
    check "$1: nothing was wrong" the_log_is_clean
    stop

    document 1 >"$PLACE/shop.json"
    share_is "SeqshareCreate shop 64K shop.json"
    begin "$1: it is stopped and started"
    check "$1: and begins with the file" is "1 1" "$(header /index.html X-Late) $(header /index.html X-Version)"
    stop
}

for mpm in "${mpms[@]}"; do
    restarts $mpm
done

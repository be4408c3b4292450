# SPDX-License-Identifier: MIT
# While a document is there that cannot be used, all workers have the same one: the last good, also workers that start
# then, after a reload, and in a new binary.
# Shows: JSON-2.
# shellcheck shell=bash

same_versions() { # VERSION
    curl -s "$url/status" >"$PLACE/status"
    cat "$PLACE/status"
    jq -e --argjson version "$1" '(.processes | length) == 4 and all(.processes[]; .version == $version)' "$PLACE/status"
}

steadily_bad() {
    local n
    for n in {1..20}; do
        spoil
        status /index.html >/dev/null
    done
    all_say 6
}

at_most_one_a_minute() { # TEXT: of the log
    grep -F -- "$1" "$PLACE/error.log" | cut -c 1-19 | tr / - | while read -r when; do date -d "$when" +%s; done |
        awk 'NR > 1 && $1 - last < 59 { print "after", $1 - last; wrong = 1 } { last = $1 } END { exit wrong || NR == 0 }'
}

agree() {
    local n
    new_place
    make_share
    begin "a server starts"
    spoil
    kill_children
    check "spoilt at once: workers that start then have the last good document" all_say 1
    check "one line says so" wait_until log_has 1 "version 2 is not used, the last good one stays: not JSON: a value is missing"
    publish 3
    check "one worker is asked" is 3 "$(header /index.html X-Late)"
    spoil
    check "spoilt then: all have what that worker has seen" all_say 3
    check "the status shows that for each" same_versions 3
    check "and what is in the share" is "4 4" "$(curl -s "$url/status" | jq -r '"\(.version) \(.refused_version)"')"
    kill_children
    check "so have workers that start then" all_say 3
    reload
    check "also after a reload" all_say 3
    share_is "seqshare shop $share max=32m;"
    reload
    check "also if the reload makes more room, or less" all_say 3
    sed -i 's/seqshare shop/seqshare other/; s/$/ seqshare shop '"${share//\//\\/}"';/' "$PLACE/share.conf"
    reload
    check "or there is another share before it" all_say 3

    # The publisher begins again, with the same version number.
    rm "$share"
    make_share
    for n in 2 3 4; do spoil; done
    kill_children
    check "made again, and spoilt: all agree" all_say "$(header /index.html X-Late)"
    publish 5
    check "the next good one is used by all" all_say 5
    seqshare rm "$share"
    kill_children
    check "removed: workers that start then have it, too" all_say 5
    reload
    check "also after a reload without the share" all_say 5
    make_share 6
    check "made again, and good" wait_until all_say 6
    check "a publisher that fails steadily: the last good one stays" steadily_bad
    check "one line a minute at most" at_most_one_a_minute "seqshare shop: version"
    seqshare set "$share" --force --tag 0badcafe "$(document 7)"
    check "a document is good whatever its type says" all_say 7
    stop
}

# A document may be good, and too long for these workers.
too_long() {
    new_place
    share_is "seqshare shop $share max=1k;"
    make_share
    begin "a server starts that uses 1 kB at most"
    check "it has a short document" all_say 1
    document 2 | jq -c '.padding = "'"$(printf '%01000d' 0)"'"' | seqshare set "$share" --json -
    check "a longer one is not used" all_say 1
    check "which the log says, and what to write" wait_until log_has 1 'bytes, and max=1024 of "seqshare" allows less'
    share_is "seqshare shop $share max=2k;"
    reload
    check "more is allowed" all_say 2
    stop
}

# A worker that is stopped while it keeps a document for all. The memory is the master's, and has a name by its tool.
stopped() {
    local good owner
    new_place
    make_share
    begin "a server starts"
    check "a document is used" all_say 1
    good=$(seqshare ls --pid "$server" --json | jq -re '[.[] | select(.capacity == 67108896)][0].name')
    exec 7< <(exec seqshare lock "$good" -- sh -c 'echo $$; exec sleep 100')
    read -r -u 7 owner
    publish 2
    check "while it is stopped, requests are answered with the document before" is "1 200" \
        "$(header /index.html X-Late) $(status /index.html)"
    check "the log says so" wait_until log_has 1 "another worker is storing a document, and has not finished for a second"
    kill -KILL "$owner"
    exec 7<&-
    check "when it is killed, all have the newest" wait_until all_say 2
    stop
}

agree
too_long
stopped

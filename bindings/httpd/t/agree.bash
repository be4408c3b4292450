# SPDX-License-Identifier: MIT
# While a document stands that cannot be used, all children have the same one: the last good, from the start.
# Shows: JSON-2.
# shellcheck shell=bash

# A child that is not asked for long keeps what it has; so each is.
spoil() { # [NAME]: publish what cannot be used
    printf '{"number": ' | seqshare set "${1:-$share}" --force -
}

# In prefork the children are killed; others leave with their generation.
all_are_born_again() { # MPM
    if [ "$1" = prefork ]; then
        kill_children
    else
        restart USR1
    fi
}

same_versions() { # VERSION
    curl -s "$url/status" >"$PLACE/status"
    cat "$PLACE/status"
    jq -e --argjson version "$1" '(.processes | length) >= 1 and all(.processes[]; .version == $version)' \
        "$PLACE/status"
}

agree() { # MPM
    local n
    new_place "$1"
    share=$shared/config
    share_is "SeqshareOpen $share"
    # No child is born but where the test says so.
    [ "$1" != prefork ] || configuration_is <<<"MinSpareServers 1"
    seqshare create "$share" --size 64K --mode 644 --from "$PLACE/shop.json"
    begin "$1: a server starts"
    spoil
    all_are_born_again "$1"
    check "$1: spoilt at once: who is born then has the last good document" all_say 1
    check "$1: one line says so" wait_until log_has 1 "version 2 is not used"

    # One child has seen version 3, and none of the others.
    document 3 | seqshare set "$share" --json -
    check "$1: one child is asked" is 3 "$(header /index.html X-Late)"
    spoil
    check "$1: spoilt then: all have what that child has seen" all_say 3
    check "$1: it is the version before" is 3 "$(header /index.html X-Version)"
    check "$1: the status shows that for each" same_versions 3
    check "$1: and what stands" is "4 4" "$(curl -s "$url/status" | jq -r '"\(.version) \(.refused_version)"')"
    all_are_born_again "$1"
    check "$1: so have children that are born then" all_say 3
    restart USR1
    check "$1: also after a graceful restart" all_say 3
    restart HUP
    check "$1: or one that is not" all_say 3

    # The publisher begins again, with the same version number.
    seqshare rm "$share"
    seqshare create "$share" --size 64K --mode 644
    for n in 1 2 3; do spoil; done
    all_are_born_again "$1"
    check "$1: made again, and spoilt from its first version to the same number: the last good one stays" all_say 3
    document 5 | seqshare set "$share" --json -
    check "$1: the next good one is used by all" all_say 5
    check "$1: which has another number" is 4 "$(header /index.html X-Version)"

    seqshare rm "$share"
    all_are_born_again "$1"
    check "$1: removed: children that are born then have it, too" all_say 5
    seqshare create "$share" --size 64K --mode 644 --from <(document 6)
    check "$1: made again, and good" wait_until all_say 6

    # A publisher that fails steadily.
    for n in {1..20}; do
        spoil
        status /index.html >/dev/null
    done
    check "$1: a publisher that fails steadily: the last good one stays" all_say 6
    check "$1: one line a minute at most" at_most_one_a_minute "is not used"
    seqshare set "$share" --force --tag 0badcafe "$(document 7)"
    check "$1: a document is good whatever its type says" all_say 7
    stop
}

at_most_one_a_minute() { # TEXT: of the log. Its times are to the second.
    grep -F -- "$1" "$PLACE/error.log" | sed 's/^\[[A-Za-z]* \([^]]*\)\.[0-9]* \([0-9]*\)\].*/\1 \2/' |
        while read -r when; do date -d "$when" +%s; done |
        awk 'NR > 1 && $1 - last < 59 { print "after", $1 - last; wrong = 1 } { last = $1 } END { exit wrong || NR == 0 }'
}

# A share that the server has made.
agree_on_created() { # MPM
    new_place "$1"
    begin "$1: a server starts that makes the share"
    spoil "$(created_share)"
    all_are_born_again "$1"
    check "$1: spoilt at once: the document of the file stays" all_say 1
    document 3 | seqshare set "$(created_share)" --json -
    check "$1: one child is asked" is 3 "$(header /index.html X-Late)"
    spoil "$(created_share)"
    check "$1: spoilt then: all have what it has seen" all_say 3
    restart USR1
    check "$1: also those that are born later" all_say 3
    stop
}

for mpm in prefork event; do
    agree "$mpm"
done
agree_on_created prefork

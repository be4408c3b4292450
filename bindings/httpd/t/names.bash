# SPDX-License-Identifier: MIT
# A share with a name, which is another's: absent, made, replaced, removed, spoilt.
# Shows: JSON-2, NAME-8.
# shellcheck shell=bash

absent="there is no share of that name"

# A child that is not asked for long keeps what it has; so each is.
publish() { # NUMBER
    document "$1" | seqshare set "$name" --json -
}

# A child may have its document from another one that found the new name, and ask the name itself a second later.
# From here on the next request of each does so first.
all_may_ask() {
    sleep 1.1
}

names() { # MPM
    new_place "$1"
    name=$shared/config
    share_is "SeqshareOpen $name"
    # No child is born but where the test says so.
    [ "$1" != prefork ] || configuration_is <<<"MinSpareServers 1"
    begin "$1: a server starts without its share"
    check "$1: which is said once" log_has 1 "$absent"
    check "$1: values are missing" is "||||, it is missing" \
        "$(header /values X-Expressions), $(header /values X-Values | cut -d '|' -f 8)"
    check "$1: there is no document" is 404 "$(status /document)"
    check "$1: the status says so" grep -qF "$absent" <(curl -s "$url/status")

    seqshare create "$name" --size 64K --mode 644
    publish 1
    check "$1: a second later it is there" wait_until all_say 1
    all_may_ask
    publish 2
    check "$1: another document is in the next answer" all_say 2
    check "$1: children have it for reading only" is "r--s" \
        "$(for child in $(children); do sed -n "s|^[^ ]* \(....\) .*$name|\1|p" "/proc/$child/maps"; done | sort -u)"
    seqshare replace "$name" --size 1M --mode 644
    publish 3
    check "$1: it is replaced by one with another capacity" wait_until all_say 3
    all_may_ask
    check "$1: which the status shows" is 1048576 "$(curl -s "$url/status" | jq .capacity)"
    publish 4
    check "$1: another is in the next answer of each" all_say 4
    if [ "$1" = prefork ]; then
        kill_children
    fi

    seqshare rm "$name"
    sleep 1.1
    check "$1: it is removed: the last document stays" all_say 4
    check "$1: which is said once" wait_until log_has 2 "$absent"
    if [ "$1" = prefork ]; then
        kill_children
        check "$1: also in children that are born then" all_say 4
    fi
    check "$1: and not again" log_has 2 "$absent"

    restart USR1
    seqshare create "$name" --size 64K --mode 644
    publish 5
    check "$1: it is made again, with versions from 1" wait_until all_say 5
    check "$1: from 1" is 1 "$(header /index.html X-Version)"
    echo '[' | seqshare set "$name" --force -
    check "$1: what is malformed is not used" all_say 5
    check "$1: which is said once" log_has 1 "version 2 is not used"
    all_may_ask
    publish 6
    check "$1: but what comes after it" all_say 6

    restart USR1 # now all children have it
    seqshare rm "$name"
    echo "this is not a share" >"$name"
    sleep 1.1
    check "$1: something else has the name: the last document stays" all_say 6
    check "$1: which is said" wait_until log_has 1 "not a share, a damaged share"
    check "$1: and is the server's mistake" is 500 "$(status /document)"
    rm "$name"
    seqshare create "$name" --size 64K --mode 644 --from <(document 7)
    check "$1: it is a share again" wait_until all_say 7

    if [ "$(id -u)" -eq 0 ]; then
        restart USR1 # now all children have it
        seqshare replace "$name" --size 64K --mode 600
        publish 8
        sleep 1.1
        check "$1: a share that the server's user may not read: the last document stays" all_say 7
        check "$1: which is said" wait_until log_has 1 "the server's user may not read the share"
        restart USR1
        check "$1: who is born now has it from the parent, which is root, and so have all" all_say 8
        chmod 644 "$name"
        publish 7
        check "$1: now they may" wait_until all_say 7
        all_may_ask
        publish 8
        check "$1: it may not write" is 500 "$(document 9 | status /document -T -)"
        chmod 666 "$name"
    fi
    check "$1: it may write" is 204 "$(document 9 | status /document -T -)"
    check "$1: and has written" all_say 9

    rm "$name"
    seqshare create "$name" --size 64K --mode 644 --from <(document 10)
    check "$1: removed by hand and made again, without a mark: they look" wait_until all_say 10
    check "$1: no child died" log_has 0 "exit signal Seg"
    stop
}

for mpm in prefork event; do
    names $mpm
done

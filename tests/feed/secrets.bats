#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Values and secrets stay where they belong, and users apart. Shows: FEED-10, FEED-8.
load helpers

@test "FEED-10: no value in logs, status, metrics, command lines, environments" {
    printf '#!/bin/sh\ncat\nexit 1\n' >check
    chmod 755 check
    configure "metrics = $work/shop.prom"
    put secret '"marked-secret"'
    start_agent
    eventually status_is 0
    printf '"marked-secret' >source/secret
    eventually status_is 6
    stop_agent TERM
    configure "check = $work/check" "metrics = $work/shop.prom"
    put secret '"marked-secret, another"'
    start_agent
    says "the check ended with status 1"
    eventually test -s shop.prom
    run ! grep -F marked log shop.prom state/status
    seqshare-feed status ./shop.conf >text || true
    seqshare-feed status ./shop.conf --json >>text || true
    seqshare-feed status ./shop.conf --prometheus >>text || true
    seqshare-feed history ./shop.conf >>text
    run ! grep -F marked text
    run ! grep -aF marked "/proc/$last/cmdline"
    run ! grep -aF marked "/proc/$last/environ"
}

@test "FEED-10: the agent leaves no core, and its memory is its own" {
    start_agent
    eventually status_is 0
    [ "$(awk '/core file size/ {print $5, $6}' "/proc/$last/limits")" = "0 0" ]
    # not dumpable: its files in /proc belong to root, so that no other process of its user may look into it
    may_become_another
    stop_agent TERM
    mkdir run lib
    chown 65534:65534 run lib
    configure "share = $work/run/shop" "state = $work/lib/shop"
    share=$work/run/shop
    start setpriv --reuid 65534 --regid 65534 --clear-groups seqshare-feed run ./shop.conf
    eventually has '{"rate":100}'
    run ! as_user 65534 cat "/proc/$last/environ"
    run ! as_user 65534 cat "/proc/$last/maps"
}

@test "FEED-8: an agent and its readers are three users; commands of root become the agent" {
    may_become_another
    mkdir run lib
    chown 4001:4001 run lib
    configure "share = $work/run/shop" "state = $work/lib/shop"
    share=$work/run/shop
    start setpriv --reuid 4001 --regid 4001 --clear-groups seqshare-feed run ./shop.conf
    eventually status_is 0
    [ "$(as_user 4002 seqshare get "$share")" = '{"rate":100}' ]
    [ "$(as_user 4003 seqshare get "$share")" = '{"rate":100}' ]
    run -1 as_user 4002 seqshare set "$share" 1
    put rate 200
    eventually has '{"rate":200}'
    state=$work/lib/shop keeps '"rate":200'
    # a reader sees the state; what only the folder has, it does not
    run -0 as_user 4002 seqshare-feed status ./shop.conf
    [[ $output == *"live"* ]]
    run -1 as_user 4002 seqshare-feed pin ./shop.conf
    seqshare-feed pin ./shop.conf
    [ "$(stat -c %u lib/shop/pin)" = 4001 ]
    says "by an operator"
    seqshare-feed rollback ./shop.conf --to 1
    [ "$(seqshare get "$share")" = '{"rate":100}' ]
    [ "$(stat -c %u lib/shop/current)" = 4001 ]
    # somebody else's share, and state, are refused
    stop_agent TERM
    chmod 777 run lib
    run -2 timeout 20 setpriv --reuid 4002 --regid 4002 --clear-groups seqshare-feed run ./shop.conf
    [[ $output == *"belongs to another user"* ]]
    sed "s|^state = .*|state = $work/lib/other|" shop.conf >other.conf
    run -1 timeout 20 setpriv --reuid 4002 --regid 4002 --clear-groups seqshare-feed run ./other.conf
    [[ $output == *"belongs to another user"* ]]
}

@test "a squatted share of the state is refused, and said" {
    may_become_another
    chmod 1777 .
    as_user 4002 seqshare create "$share.feed" --size 64
    run -1 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"belongs to another user"* ]]
    [ ! -e shop ]
}

@test "a reader that locks the state keeps no agent out" {
    may_become_another
    start_agent
    eventually status_is 0
    stop_agent TERM
    start setpriv --reuid 4002 --regid 4002 --clear-groups flock "$share.feed" sleep 4711
    eventually bash -c "! flock --nonblock '$share.feed' true"
    start_agent
    put rate 200
    eventually has '{"rate":200}'
    eventually status_is 0
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What operators do: pin, unpin, rollback, history, status. Shows: FEED-9, FEED-1.
load helpers

# Three documents, 1 to 3, the last of which stands.
three() {
    local i
    put rate 1
    start_agent
    eventually status_is 0
    for i in 2 3; do
        put rate $i
        eventually has "{\"rate\":$i}"
        keeps "\"rate\":$i"
    done
    eventually status_is 0
}

# TEXT: the key has it still, and the agent has looked at it again.
looked_at() {
    local before
    before=$(seqshare-feed status ./shop.conf --json | jq .contact)
    put rate "$1"
    eventually json ".contact > $before"
}

@test "history: five, newest first, the current one marked" {
    three
    local i
    for i in 4 5 6 7; do
        put rate $i
        eventually has "{\"rate\":$i}"
        keeps "\"rate\":$i"
    done
    run -0 seqshare-feed history ./shop.conf
    [ "${#lines[@]}" -eq 5 ]
    [[ ${lines[0]} == "* "*" 7 "* ]]
    [[ ${lines[4]} == "  "*" 3 "* ]]
    [ "$(find state/history -type f | wc -l)" -eq 5 ]
}

@test "rollback: one back, pinned over what comes and over restarts; unpin goes on at once" {
    configure "splay = 1000h"
    put rate 1
    start_agent
    eventually status_is 0
    configure
    stop_agent TERM
    start_agent
    put rate 2
    eventually has '{"rate":2}'
    eventually status_is 0
    configure "splay = 1000h"
    stop_agent TERM
    start_agent
    eventually status_is 0
    seqshare-feed rollback ./shop.conf
    has '{"rate":1}'
    says "by an operator, to revision 1"
    looked_at 2 # once more
    json '.newest == 2'
    put rate 3
    eventually json '.newest == 3'
    has '{"rate":1}'
    stop_agent KILL
    start_agent
    eventually json '.newest > 2 and .contact > 0'
    says "pinned"
    has '{"rate":1}'
    seqshare-feed unpin ./shop.conf
    eventually has '{"rate":3}'
    eventually status_is 0
}

@test "rollback --to, and without an agent" {
    three
    run -1 seqshare-feed rollback ./shop.conf --to 9
    [[ $output == *"no such document"* ]]
    stop_agent TERM
    seqshare-feed rollback ./shop.conf --to 1
    has '{"rate":1}'
    status_is 4
    start_agent
    says "by an operator, to revision 1"
    eventually json '.contact > 0'
    has '{"rate":1}'
    [ "$(version_of "$share")" = 4 ]
}

@test "pin: what stands stays" {
    three
    seqshare-feed pin ./shop.conf
    eventually status_is 8
    put rate 4
    eventually json '.newest == 4'
    has '{"rate":3}'
    seqshare-feed unpin ./shop.conf
    eventually has '{"rate":4}'
    eventually status_is 0
}

@test "a pin that cannot be read is one, and so is a hold" {
    start_agent
    eventually status_is 0
    stop_agent TERM
    head -c 100 /dev/zero >state/pin
    start_agent
    eventually status_is 8
    looked_at 200
    has '{"rate":100}'
    seqshare-feed unpin ./shop.conf
    eventually has '{"rate":200}'
    stop_agent TERM
    : >state/held
    put rate 300
    start_agent
    eventually status_is 5
    has '{"rate":200}'
    seqshare-feed accept ./shop.conf
    eventually has '{"rate":300}'
    eventually status_is 0
}

@test "pin: what waits for its turn is not published" {
    configure "splay = 3s"
    start_agent
    eventually status_is 0
    put rate 1
    eventually json '.newest == 2'
    seqshare-feed pin ./shop.conf
    says "by an operator"
    has '{"rate":100}' || skip "needs a machine that is less busy: its turn came before the pin"
    put rate 2
    eventually json '.newest == 3'
    sleep 3 # its turn
    has '{"rate":100}'
    seqshare-feed unpin ./shop.conf
    eventually has '{"rate":2}'
}

@test "FEED-9: status as text, JSON and metrics, and its wait" {
    run -3 seqshare-feed status ./shop.conf
    run -3 seqshare-feed status ./shop.conf --wait 100ms
    start seqshare-feed status ./shop.conf --wait 1m
    local waiting=$last
    start_agent
    wait "$waiting" || [ $? -eq 7 ]
    eventually status_is 0
    eventually json '.document_bytes == 12 and .agent == true and .name == "shop" and .version == 1 and .publications == 1'
    run -0 seqshare-feed status ./shop.conf --prometheus
    [[ $output == *'seqshare_feed_state{share="'$share'",state="live"} 1'* ]]
    [[ $output == *'seqshare_feed_publications_total{share="'$share'"} 1'* ]]
    [[ $output == *'seqshare_feed_refusals_total{share="'$share'",reason="check"} 0'* ]]
}

@test "metrics = FILE is written, for others to read" {
    configure "metrics = $work/shop.prom"
    start_agent
    eventually grep -q 'state="live"} 1' shop.prom
    [ "$(stat -c %a shop.prom)" = 644 ]
}

@test "FEED-9: an application reads the state by seqshare/feed.h" {
    start_agent
    eventually status_is 0
    run -0 feed-reader "$share.feed"
    [[ $output == "state 0 age "* ]]
    stop_agent KILL
    run -0 feed-reader /dev/null
    [ "$output" = "no state" ]
}

@test "FEED-9: seqshare check says live, and stale with what to do when the agent is dead" {
    configure "stale = 1s"
    start_agent
    eventually status_is 0
    check_says() {
        seqshare check "$share" | grep -q "$1"
    }
    eventually check_says '^ok    feed           live'
    stop_agent KILL
    eventually check_says '^note  feed           stale'
    check_says 'is the agent running'
}

@test "FEED-9: seqshare stat shows state and age; seqshare feed executes the program beside it" {
    start_agent
    eventually status_is 0
    [ "$(seqshare stat "$share" | awk -F'\t' '$1 == "feed" {print $2}')" = live ]
    [[ $(seqshare stat "$share" | awk -F'\t' '$1 == "age" {print $2}') =~ ^[0-9]+\.[0-9]{3}$ ]]
    seqshare stat "$share" --json | jq -e '.feed == "live" and .age >= 0'
    run -0 seqshare feed status ./shop.conf
    [[ $output == *"live"* ]]
    run -2 seqshare feed nonsense
    [[ $output == *"there is no such command"* ]]
    seqshare create ./alone --from - <<<1
    seqshare stat ./alone >alone.stat
    run ! grep -q '^feed' alone.stat
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# FEED-1 to FEED-3, with files: what is published, and what is refused or held.
# Shows: FEED-1, FEED-2, FEED-3, FEED-5.
load helpers

@test "FEED-1: a change is published, once; the same bytes publish nothing" {
    start_agent
    eventually has '{"rate":100}'
    [ "$(version_of "$share")" = 1 ]
    put rate ' 200  '
    eventually has '{"rate":200}'
    put rate 200
    put other 1
    eventually has '{"other":1,"rate":200}'
    [ "$(version_of "$share")" = 3 ]
    eventually status_is 0
    eventually json '.publications == 3 and .revision == 3 and .newest == 3 and .state == []'
}

@test "FEED-2: a ConfigMap changes as a whole, and its links are followed" {
    rm -r source
    mkdir -p source/..one
    echo 1 >source/..one/a
    echo 1 >source/..one/b
    ln -s ..one source/..data
    ln -s ..data/a source/a
    ln -s ..data/b source/b
    start_agent
    eventually has '{"a":1,"b":1}'
    start sh -c 'while :; do seqshare get ./shop; echo; done >seen'
    local reader=$last i next
    for i in 2 3 4 5 6 7 8 9; do
        next=..v$i
        mkdir "source/$next"
        echo "$i" >"source/$next/a"
        echo "$i" >"source/$next/b"
        ln -s "$next" source/..data_tmp
        mv -T source/..data_tmp source/..data
        eventually has "{\"a\":$i,\"b\":$i}"
    done
    kill "$reader"
    run ! grep -vE '^\{"a":([0-9]),"b":\1\}$' seen
}

@test "FEED-3: what editors do is seen: renamed over, removed and back" {
    rm -r source
    mkdir source
    echo '{"v":1}' >source/file.json
    configure "source = file:$work/source/file.json" "form = json"
    start_agent
    eventually has '{"v":1}'
    # as vim: the old one is moved away, a new one written under the name
    mv source/file.json source/file.json~
    echo '{"v":2}' >source/file.json
    rm source/file.json~
    eventually has '{"v":2}'
    rm source/file.json
    eventually status_is 5
    says "the source is empty"
    has '{"v":2}'
    echo '{"v":3}' >source/file.json
    eventually has '{"v":3}'
    eventually status_is 0
    mv source away
    eventually logged "cannot be read"
    has '{"v":3}'
    mkdir source
    echo '{"v":4}' >source/file.json
    eventually has '{"v":4}'
}

@test "only regular files are keys: no folders, fifos, hidden files, backups" {
    mkdir source/folder
    mkfifo source/fifo
    echo 1 >source/.hidden
    echo 1 >source/backup~
    ln -s nowhere source/dangling
    start_agent
    eventually has '{"rate":100}'
}

# WORD: the newest document is refused, the reason has it, and 100 stands.
refused() {
    eventually status_is 6
    says "$1"
    has '{"rate":100}'
    rm -f source/bad*
    eventually status_is 0
}

@test "FEED-1: documents that do not pass are refused, the key is named, never its value" {
    start_agent
    eventually status_is 0
    put bad 'marked-secret'
    refused "key bad: not JSON"
    put bad '{"a":1,"a":2}'
    refused "key bad: a name stands twice"
    put bad '01'
    refused "key bad: not JSON"
    printf '"\xff"' | put_bytes bad
    refused "key bad: not JSON"
    put "$(printf 'bad\xff')" 1
    refused 'key bad\xff: its name is not UTF-8'
    printf '"%300000s"' '' | put_bytes bad
    refused "max-size is 262144"
    put bad '[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]'
    refused "max-depth is 16"
    [ "$(version_of "$share")" = 1 ]
    run ! grep -rF marked-secret log state
    eventually json '.refusals.json == 0 and .refusals.keys == 5 and .refusals.size == 1 and .refusals.depth == 1'
}

@test "over 4,096 keys are refused" {
    start_agent
    eventually status_is 0
    mkdir many
    (cd many && seq 4096 | xargs touch && for i in $(seq 4096); do echo 1 >"$i"; done)
    mv many/* source/
    eventually status_is 6
    says "more than 4096 keys"
    rm source/4096
    eventually status_is 0
}

@test "trees: text, and values as they are" {
    put big 12345678901234567890.50e+2
    put minus -0
    put text '  "a"  '
    start_agent
    eventually has '{"big":12345678901234567890.50e+2,"minus":-0,"rate":100,"text":"a"}'
    stop_agent TERM
    rm -r state shop shop.feed
    configure "form = text-tree"
    printf 'a"\\\n\001' >source/text
    start_agent
    eventually has '{"big":"12345678901234567890.50e+2\u000a","minus":"-0\u000a","rate":"100\u000a","text":"a\"\\\u000a\u0001"}'
    printf '\xff' >source/text
    eventually status_is 6
    says "not text in UTF-8"
}

# FILE: the share has its bytes.
same_bytes() {
    seqshare get "$share" | cmp - "$1"
}

@test "bytes are published as they are, json verbatim" {
    head -c 5000 /dev/urandom >source/blob
    configure "source = file:$work/source/blob" "form = bytes"
    start_agent
    eventually same_bytes source/blob
    stop_agent TERM
    rm -r state shop shop.feed
    printf ' {"a" : 1.0}\n' >source/blob
    configure "source = file:$work/source/blob" "form = json"
    start_agent
    eventually same_bytes source/blob
    [ "$(seqshare stat "$share" | awk '$1 == "tag" {print $2}')" = d86fc7a3 ]
}

@test "FEED-5: an empty source is held until an operator accepts it" {
    start_agent
    eventually status_is 0
    rm source/rate
    eventually status_is 5
    says "the source is empty"
    has '{"rate":100}'
    # also over a restart
    stop_agent KILL
    rm log # what it says counts from here on: the state of the one before says held, too
    start_agent
    eventually logged "the source is empty"
    eventually status_is 5
    has '{"rate":100}'
    run -1 seqshare-feed accept ./shop.conf 7
    [[ $output == *"is not the one that is held"* ]]
    has '{"rate":100}'
    seqshare-feed accept ./shop.conf
    eventually has '{}'
    eventually status_is 0
    run -1 seqshare-feed accept ./shop.conf
    [[ $output == *"nothing is held"* ]]
}

@test "FEED-5: a document that shrinks too much is held; the next one on its own" {
    local big
    printf -v big '"%2000s"' ''
    put big "$big"
    start_agent
    eventually status_is 0
    rm source/big
    eventually status_is 5
    says "would shrink from"
    [ "$(version_of "$share")" = 1 ]
    put big "${big/ /x}"
    eventually status_is 0
    [ "$(version_of "$share")" = 2 ]
    rm source/big
    eventually status_is 5
    seqshare-feed accept ./shop.conf
    eventually has '{"rate":100}'
}

@test "empty = allow, max-shrink = 100%" {
    configure "empty = allow" "max-shrink = 100%"
    start_agent
    eventually has '{"rate":100}'
    rm source/rate
    eventually has '{}'
    eventually status_is 0
}

@test "an accept without an agent is for the next one, and not for later" {
    start_agent
    eventually status_is 0
    stop_agent TERM
    rm source/rate
    seqshare-feed accept ./shop.conf
    start_agent
    eventually has '{}'
    stop_agent TERM
    put rate 1
    seqshare-feed accept ./shop.conf
    start_agent
    eventually has '{"rate":1}'
    eventually logged "nothing is held that could be accepted"
    rm source/rate
    eventually status_is 5
}

@test "splay: not for the first document, for later ones, and the same moment for a newer one" {
    configure "splay = 1000h"
    start_agent
    eventually has '{"rate":100}'
    put rate 200
    says "waits for its turn"
    put rate 300
    says "revision 3 waits"
    has '{"rate":100}'
    # the store's document is again what stands: nothing waits any more
    put rate 100
    eventually status_is 0
    eventually json '.waiting == null'
}

@test "splay: publishes at its moment" {
    configure "splay = 2s"
    start_agent
    eventually has '{"rate":100}'
    put rate 200
    eventually has '{"rate":200}'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A configuration with a fault: file, line, sentence, status 2, and nothing is started.
# Shows: no promise, but that nothing starts with a faulty one.
load helpers

# LINE TEXT: this line of the file is at fault, and the sentence has this text.
faulty() {
    run --separate-stderr -2 timeout 20 seqshare-feed run ./shop.conf
    [ -z "$output" ]
    # shellcheck disable=SC2154 # bats sets it
    echo "$stderr"
    [ "${#stderr_lines[@]}" -eq 1 ]
    if [ "$1" -gt 0 ]; then
        [[ $stderr == "./shop.conf:$1: "*"$2"* ]]
    else
        [[ $stderr == "./shop.conf: "*"$2"* ]]
    fi
    [ ! -e state ] && [ ! -e shop ]
}

@test "what must be given is missed by name" {
    local name
    for name in source share form state; do
        configure
        sed -i "/^$name /d" shop.conf
        faulty 0 "$name is missing"
    done
}

@test "an unknown setting, an empty one, one given twice, a section" {
    configure "frm = json"
    faulty 5 "there is no setting 'frm'"
    configure "splay ="
    faulty 5 "splay has no value"
    configure "splay = 1s"
    echo "splay = 2s" >>shop.conf
    faulty 6 "splay is given twice"
    configure "splay = 1s"
    echo "    2s" >>shop.conf
    faulty 6 "splay is given twice"
    configure
    echo "[feed]" >>shop.conf
    faulty 5 "no sections"
    configure
    echo "nonsense" >>shop.conf
    faulty 5 "NAME = VALUE"
}

@test "a line that libinih would take for two is refused" {
    local long
    printf -v long '%200s' ''
    configure "check = /bin/true ${long// /x}"
    faulty 5 "longer than"
    printf 'splay = 1s\0\n' >>shop.conf
    configure
    printf 'splay = 1s\0\n' >>shop.conf
    faulty 5 "zero byte"
}

@test "values that are none" {
    local line
    for line in "form = yaml" "mode = 888" "mode = 0044" "max-size = 12q" "max-size = 0" "max-size = -1" "max-depth = 0" \
        "max-depth = 513" "max-shrink = 101%" "max-shrink = 50" "check-within = 5" "empty = maybe" "back = no" \
        "splay = 1d" "drift = on" "state = relative" "check = true" "metrics = here"; do
        configure
        sed -i "/^${line%% *} /d" shop.conf
        echo "$line" >>shop.conf
        faulty "$(grep -c . shop.conf)" "${line%% *} "
    done
    configure "check-within = 0s"
    faulty 0 "check-within"
}

@test "sources that are none" {
    local source
    for source in "ftp://a/b" "etcd:/a" "etcd://" "etcd://a:b/c" "etcd://a,/c" "etcd://a:99999/c" "file:relative" "file://host/x" \
        "etcd://user:secret@a/c" "http://a,b/c" "etcd://a/%zz/"; do
        configure "source = $source"
        faulty 0 ""
        [[ $stderr != *secret* ]]
    done
}

@test "what does not go together" {
    configure "source = etcd://a/shop" "form = json-tree"
    faulty 0 "ends with /"
    configure "source = etcd://a/shop/" "form = json"
    faulty 0 "one key"
    configure "key = a"
    faulty 0 "etcd alone"
    configure "source = http://a/b"
    faulty 0 "cannot come over HTTP"
    configure "tls-ca = /a"
    faulty 0 "need etcds"
    configure "source = etcds://a/b/" "tls-cert = /a"
    faulty 0 "need each other"
    configure "source = etcd://a/b/" "user = u"
    faulty 0 "need each other"
    configure "source = etcd://a/b/" "user = u" "password-file = /p"
    faulty 0 "may cross the network only with"
    configure "source = etcd://a/b/" "token-file = /p"
    faulty 0 "token-file is for HTTP"
    configure "interval = 5s"
    faulty 0 "interval is for HTTP"
}

@test "comments, a continued source, and the example of the guide are taken" {
    cat >shop.conf <<CONF
# a comment
; another one
source = file:$work/source ; and this ends the value
share = $share
mode = 0640
form = json-tree
max-size = 256k
max-depth = 16
max-shrink = 50%
check-within = 5s
empty = hold
back = hold
splay = 60s
stale = 30s
drift = keep
state = $work/state
CONF
    start_agent
    eventually has '{"rate":100}'
    [ "$(stat -c %a shop)" = 640 ]
    [ "$(stat -c %a shop.feed)" = 640 ]
}

@test "what others may write is not obeyed: file, folder, check" {
    chmod 666 shop.conf
    run -2 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"can be written by everybody"* ]]
    mkdir open
    chmod 777 open
    cp shop.conf open/
    chmod 644 open/shop.conf
    run -2 timeout 20 seqshare-feed run open/shop.conf
    [[ $output == *"open: can be written by everybody"* ]]
    printf '#!/bin/sh\n' >check
    chmod 777 check
    configure "check = $work/check"
    chmod 644 shop.conf
    run -2 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"check: can be written by everybody"* ]]
    [ ! -e state ]
}

@test "a share that is not on a tmpfs is refused" {
    local disk=$BATS_TEST_TMPDIR
    [ "$(stat -f -c %T "$disk")" != tmpfs ] || skip "needs a folder for temporary files that is not on a tmpfs"
    configure "share = $disk/shop"
    run -2 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"must lie on a tmpfs"* ]]
    [ ! -e "$disk/shop" ]
}

@test "wrong usage: status 2" {
    local words
    for words in "" "nothing ./shop.conf" "run" "run ./shop.conf more" "status ./shop.conf --document x" "status ./shop.conf --wait x" \
        "status ./shop.conf --json --prometheus" "run ./none.conf" "rollback ./shop.conf --to x" "accept ./shop.conf 0"; do
        mkdir -p state && chmod 700 state
        # shellcheck disable=SC2086 # words
        run -2 timeout 20 seqshare-feed $words
    done
    run -0 seqshare-feed --help
    run -0 seqshare-feed --version
}

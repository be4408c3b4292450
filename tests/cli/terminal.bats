#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The output for people: colours and headings on a terminal only, and the live commands in a real one.
# Shows: READ-9.
load helpers

setup_file() {
    export TMUX_TMPDIR=$BATS_FILE_TMPDIR
}

# Of each test's own: a server whose last session has ended is about to end, and takes a new session with it.
in_server() { # COMMAND OF TMUX...
    tmux -L "$BATS_TEST_NUMBER" -f /dev/null "$@"
}

teardown_file() {
    local socket
    for socket in "$TMUX_TMPDIR"/tmux-*/*; do
        tmux -S "$socket" kill-server 2>/dev/null || true
    done
}

pane() {
    in_server capture-pane -p -t cli
}

shows() { # PATTERN: the pane has a line like it
    pane | grep -qE -- "$1"
}

in_tmux() { # COMMAND...
    in_server new-session -d -s cli -x 90 -y 12 "$(printf '%q ' env PATH="$PATH" "$@"); echo status \$?; cat" 3>&-
}

@test "on a terminal there are headings, sizes in words and colours" {
    seqshare create "$share" --size 64K --from - <<<value
    on_terminal seqshare ls .
    grep -q $'\033\\[1mNAME' screen
    grep -qE './config +1 +6 +64K +[0-9]+s +0640' screen
    on_terminal seqshare check "$share"
    grep -q $'\033\\[32mok' screen
}

@test "NO_COLOR and TERM=dumb are honoured" {
    seqshare create "$share" --from - <<<value
    on_terminal env NO_COLOR=1 seqshare check "$share"
    grep -q '^ok ' screen
    run ! grep -q $'\033' screen
    on_terminal env TERM=dumb seqshare ls .
    run ! grep -q $'\033' screen
}

@test "a binary value, or one with escape codes, is not spilled onto a terminal unasked" {
    seqshare create "$share"
    printf 'bin\033[31m\0ary' | seqshare set "$share"
    on_terminal seqshare get "$share" || true
    grep -q 'the value is binary' screen
    run ! grep -aq 'bin.*ary$' screen
    on_terminal seqshare get "$share" --output -
    grep -aq $'bin\033' screen
    seqshare set "$share" $'zo\xc3\xab\ttext'
    on_terminal seqshare get "$share"
    grep -q $'zo\xc3\xab\ttext' screen
}

@test "nor are control characters that JSON allows in a string" {
    seqshare create "$share" --from - <<<$'{"a": "x\x7f\xc2\x9b31mred zo\xc3\xab"}'
    on_terminal seqshare get "$share" --pretty
    grep -qF '"x\u007f\u009b31mred zoë"' screen
    on_terminal seqshare get "$share" /a || true
    grep -q 'the value is binary' screen
    run ! grep -qa $'\x7f\|\xc2\x9b' screen
}

@test "watch on a terminal tells version and time, and no binary" {
    seqshare create "$share" --from - <<<value
    in_tmux seqshare watch "$share"
    eventually shows '^version 1, .*, 6 bytes$'
    eventually shows '^value$'
    printf 'a\0b' | seqshare set "$share"
    eventually shows '^version 2, .*, 3 bytes, binary$'
    seqshare set "$share" next
    eventually shows '^next$'
}

@test "top is drawn again and again, fits the window, and q leaves" {
    local i
    for i in {10..30}; do
        seqshare create "./share-$i" --size 4096 --from - <<<"$i"
    done
    in_tmux seqshare top ./share-* --interval 0.2
    eventually shows '^seqshare top .* 21 shares  q: leave$'
    eventually shows '^NAME +SETS/S +VERSION +SIZE +AGE +LOCK'
    eventually shows '^./share-10 +0.0 +1 +3 +[0-9]+s +free'
    eventually shows '^\(and 14 more\)$'
    seqshare set ./share-10 changed
    eventually shows '^./share-10 +[0-9.]+ +2 +7 +[0-9]+s +free'
    start seqshare lock ./share-11 -- sleep 60
    eventually shows '^./share-11 .* [0-9]+ sleep'
    in_server resize-window -t cli -x 40 -y 30
    eventually shows '^./share-30 '
    [ "$(pane | wc -L)" -le 40 ]
    in_server send-keys -t cli q
    eventually shows '^status 0$'
    run ! shows 'NAME'
}

@test "top leaves the terminal as it was, also when it is killed" {
    seqshare create "$share"
    in_tmux sh -c 'echo $$ >number; exec seqshare top ./config'
    eventually shows '^./config '
    kill -TERM "$(cat number)"
    eventually shows '^status 0$'
    run ! shows './config'
    in_server send-keys -t cli 'echoed' Enter
    twice() { # by the terminal, and by cat
        [ "$(pane | grep -c '^echoed$')" -eq 2 ]
    }
    eventually twice
}

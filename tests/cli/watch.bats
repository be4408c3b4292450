#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# watch: every change that there is time for, and the last one always.
# Shows: READ-9, WAIT-1, WAIT-4.
load helpers

last_line_is() {
    [ "$(tail -n 1 output)" = "$1" ]
}

@test "watch prints the current value and each that follows" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share"
    eventually last_line_is one
    seqshare set "$share" two
    eventually last_line_is two
    seqshare set "$share" ''
    seqshare set "$share" three
    eventually last_line_is three
    [ "$(head -n 2 output)" = $'one\ntwo' ]
}

@test "watch begins with nothing where nothing has been published" {
    seqshare create "$share"
    start seqshare watch "$share"
    sleep 0.2
    [ ! -s output ]
    seqshare set "$share" first
    eventually last_line_is first
}

@test "--after and --count make a script wait for the next version" {
    seqshare create "$share" --from - <<<one
    start timeout 20 seqshare watch "$share" --after 1 --count 1
    sleep 0.2
    [ ! -s output ]
    seqshare set "$share" two
    wait "$last"
    [ "$(cat output)" = two ]
    [ "$(seqshare watch "$share" --count 1)" = two ]
}

@test "a watcher under a busy writer sees rising values, and the last one" {
    seqshare create "$share" --size 64
    start seqshare watch "$share"
    cli-program busy "$share" 300000
    eventually last_line_is 300000
    sort -n -u -c output
}

@test "three watchers with commands under a busy writer all end with the last value" {
    local i
    seqshare create "$share" --size 64
    for i in 1 2 3; do
        mkdir "$i"
        (cd "$i" && exec seqshare watch "$share" --exec sh -c 'cat >last') 3>&- &
        started+=($!)
    done
    cli-program busy "$share" 100000
    for i in 1 2 3; do
        eventually grep -qx 100000 "$i/last"
    done
}

@test "--exec gives the command the value, the name and the version, and all words behind it" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share" --exec sh -c 'echo "$SEQSHARE_NAME $SEQSHARE_VERSION $1 $(cat)"' -- --count
    eventually last_line_is "$share 1 --count one"
    seqshare set "$share" two
    eventually last_line_is "$share 2 --count two"
}

@test "a command that fails, or does not read its input, does not end the watch" {
    head -c 500000 /dev/zero | tr '\0' x >file
    seqshare create "$share" --from file
    start seqshare watch "$share" --exec sh -c 'echo ran; exit 3'
    eventually grep -qx "seqshare: sh: failed at version 1; watching on" errors
    seqshare set "$share" two
    eventually grep -qx "seqshare: sh: failed at version 2; watching on" errors
    [ "$(cat output)" = $'ran\nran' ]
    [ "$(wc -l <errors)" -eq 2 ]
}

@test "the command gets the value also where seqshare has no standard input" {
    seqshare create "$share" --from - <<<one
    [ "$(seqshare watch "$share" --count 1 --exec cat <&-)" = one ]
}

@test "a command's end is seen where the caller ignores the end of its children" {
    seqshare create "$share" --from - <<<one
    run -0 cli-program childless seqshare watch "$share" --count 1 --exec true
    [ -z "$output" ]
    run -7 cli-program childless seqshare lock "$share" -- sh -c 'exit 7'
}

@test "a command that cannot be run ends the watch" {
    seqshare create "$share" --from - <<<one
    says_no seqshare watch "$share" --exec ./nothing
    [[ $stderr == "seqshare: ./nothing: "* ]]
}

@test "a command's own exit status 127 does not end the watch" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share" --count 2 --exec sh -c 'echo seen; ./nothing'
    eventually grep -qx "seqshare: sh: failed at version 1; watching on" errors
    seqshare set "$share" two
    ends_with 0
    [ "$(cat output)" = $'seen\nseen' ]
}

@test "a signal that ends the watch ends its command first" {
    local signal
    seqshare create "$share" --from - <<<one
    for signal in TERM INT HUP; do
        rm -f number
        start cli-program interruptible seqshare watch "$share" --exec \
            sh -c 'echo $$ >new; mv new number; sleep 60; echo never'
        eventually test -s number
        kill -$signal "$last"
        ends_with $((128 + $(kill -l $signal)))
        run ! kill -0 "$(cat number)"
        [ ! -s output ]
    done
}

@test "what the command has started gets the signal too, and may end in its own way" {
    seqshare create "$share" --from - <<<one
    start cli-program interruptible seqshare watch "$share" --exec \
        sh -c 'trap "echo tidied; exit 0" TERM; sleep 60 & echo $! >new; mv new number; wait'
    eventually test -s number
    kill -TERM "$last"
    ends_with 143
    [ "$(cat output)" = tidied ]
    gone() {
        ! kill -0 "$(cat number)"
    }
    eventually gone
}

@test "a watch that is killed takes its command with it" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share" --exec sh -c 'echo $$ >new; mv new number; exec sleep 60'
    eventually test -s number
    kill -KILL "$last"
    gone() {
        ! kill -0 "$(cat number)"
    }
    eventually gone
}

@test "process 1 of a container ends by the signals that tell it to stop" {
    local signal command
    allowed unshare --pid --fork --mount-proc true
    export share
    ready() {
        child=$(cat "/proc/$last/task/$last/children") && [ -n "$child" ] &&
            [[ $(tr '\0' ' ' </proc/${child% }/cmdline) == seqshare\ $1* ]] &&
            grep -q "^SigCgt:.*[4-7c-f]...$" "/proc/${child% }/status"
    }
    export EDITOR='sleep 60;'
    seqshare create "$share" --from - <<<one
    for command in "watch $share" "watch $share --exec sleep 60" "top --interval 100" "lock $share -- sleep 60" \
        "edit $share"; do
        for signal in TERM INT; do
            [ "$signal $command" != "INT edit $share" ] || continue # that is the editor's to decide
            # shellcheck disable=SC2086
            start cli-program interruptible unshare --pid --fork --mount-proc \
                sh -c 'seqshare replace "$share"; exec seqshare "$@"' sh $command
            eventually ready "${command%% *}"
            kill -$signal "${child% }"
            wait "$last" || true # a hang here is the fault
        done
    done
}

@test "a name that is replaced is followed, and an unchanged value is not told twice" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share"
    eventually last_line_is one
    seqshare replace "$share" --size 2M
    seqshare replace "$share" --size 3M
    seqshare set "$share" two
    eventually last_line_is two
    [ "$(cat output)" = $'one\ntwo' ]
}

sleeps() { # PID
    [[ $(sed 's/.*) //' "/proc/$1/stat") == S* ]]
}

@test "a watcher that cannot follow sleeps, and does not ask without end" {
    local holder
    seqshare create "$share" --from - <<<one
    sleep 60 3<"$share" &
    holder=$!
    started+=($holder)
    start seqshare watch "/proc/$holder/fd/3"
    eventually last_line_is one
    seqshare replace "$share"
    eventually sleeps "$last"
    eventually sleeps "$last"
    kill -0 "$last"
}

@test "a watcher that may not read the new region says so" {
    may_become_another
    seqshare create "$unique" --mode 644 --from - <<<one
    start setpriv --reuid 65534 --clear-groups "$(command -v seqshare)" watch "$unique"
    eventually last_line_is one
    seqshare replace "$unique" --mode 600
    eventually grep -q "permissions .*; watching on, for a new one too" errors
    seqshare replace "$unique" --mode 644
    seqshare set "$unique" two
    eventually last_line_is two
    [ "$(wc -l <errors)" -eq 1 ]
}

@test "a name that is removed and made again is followed, whatever its versions" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share"
    eventually last_line_is one
    seqshare rm "$share"
    eventually grep -q 'the name was removed' errors
    seqshare create "$share" --from - <<<again
    eventually last_line_is again
    seqshare set "$share" more
    eventually last_line_is more
}

@test "a watcher whose reader has gone ends" {
    seqshare create "$share" --from - <<<one
    seqshare watch "$share" 3>&- > >(head -n 1 >output) &
    last=$!
    started+=("$last")
    eventually last_line_is one
    gone() {
        seqshare set "$share" again
        ! kill -0 "$last"
    }
    eventually gone
}

@test "a watcher works with a share that it may only read" {
    be_nobody
    seqshare create "$unique" --mode 644 --from - <<<one
    start "${nobody[@]}" watch "$unique"
    eventually last_line_is one
    seqshare set "$unique" two
    eventually last_line_is two
}

@test "the example of an event loop sees each change, also of a share that takes the name" {
    mkfifo input
    seqshare create "$share" --from - < <(printf one)
    start sh -c 'exec event-loop "$1" <>input' - "$share"
    eventually last_line_is one
    seqshare set "$share" two
    eventually last_line_is two
    seqshare replace "$share" --size 1M
    seqshare set "$share" three
    eventually last_line_is three
    seqshare rm "$share"
    seqshare create "$share" --from - < <(printf four)
    eventually last_line_is four
    timeout 20 event-loop "$share" </dev/null # ends with its input
    run -1 event-loop "$share.none"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lock: the command is the owner, and the lock is gone when it is.
# Shows: WRITE-4, WRITE-5.
load helpers

is_free() {
    stat_is lock -
}

is_owned() { # by the command: a process that has just got the lock has yet to become it
    stat_is lock '* sleep'
}

@test "lock runs the command as the owner, readers go on, and the lock is free afterwards" {
    seqshare create "$share" --from - <<<value
    run -0 seqshare lock "$share" -- sh -c 'seqshare stat "$1" | grep "^lock"; seqshare get "$1"' sh "$share"
    [[ ${lines[0]} =~ ^lock.[0-9]+\ sh$ ]]
    [ "${lines[1]}" = value ]
    is_free
}

@test "the command's exit status is ours" {
    seqshare create "$share"
    run -0 seqshare lock "$share" -- true
    run -7 seqshare lock "$share" -- sh -c 'exit 7'
    run -137 seqshare lock "$share" -- sh -c 'kill -KILL $$'
    run -127 seqshare lock "$share" -- ./nothing
    [[ $output == "seqshare: ./nothing: No such file or directory" ]]
    touch file
    run -126 seqshare lock "$share" -- ./file
    is_free
}

@test "options behind the command's name are the command's" {
    seqshare create "$share"
    run -0 seqshare lock "$share" --timeout 5 -- echo --timeout -x
    [ "$output" = "--timeout -x" ]
    is_misuse seqshare lock "$share"
    is_misuse seqshare lock "$share" --timeout soon -- true
}

@test "while a command has the lock, others learn which process has it, or wait" {
    seqshare create "$share" --from - <<<old
    start seqshare lock "$share" -- sleep 60
    eventually is_owned
    says_no seqshare set "$share" new --timeout 0
    [[ $stderr =~ "the lock is owned by thread "[0-9]+" (sleep), which is alive" ]]
    says_no seqshare lock "$share" --timeout 0.2 -- touch ran
    [ ! -e ran ]
    [ "$(seqshare get "$share")" = old ]
    seqshare set "$share" new 2>waiting &
    eventually grep -q "waiting for the lock" waiting
    kill -TERM "$last"
    wait $!
    [ "$(seqshare get "$share")" = new ]
}

@test "who gives up beside a busy writer hears of no thread 0" {
    local i
    seqshare create "$share"
    start cli-program busy "$share" 2000000000
    eventually seqshare watch "$share" --count 1
    for ((i = 0; i < 300; i++)); do
        seqshare set "$share" x --timeout 0 || true
    done 2>refusals
    run -1 grep "thread 0" refusals
}

@test "commands under the lock exclude each other" {
    local i pids=()
    seqshare create "$share"
    echo 0 >counter
    for i in {1..20}; do
        seqshare lock "$share" -- sh -c 'n=$(cat counter); sleep 0.01; echo $((n + 1)) >counter' &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
    done
    [ "$(cat counter)" -eq 20 ]
    is_free
}

@test "a script publishes under its lock with its last step" {
    seqshare create "$share" --from - <<<1
    seqshare lock "$share" -- sh -c 'n=$(seqshare get "$1"); exec seqshare set "$1" $((n + 1))' sh "$share"
    [ "$(seqshare get "$share")" = 2 ]
    is_free
}

@test "a set that would wait for its own parent says so" {
    seqshare create "$share"
    run -1 timeout 20 seqshare lock "$share" -- sh -c 'seqshare set "$1" x; exit $?' sh "$share"
    [[ $output == *"would wait for the other for ever"* ]]
    run -1 timeout 20 seqshare lock "$share" -- sh -c 'seqshare lock "$1" -- true; exit $?' sh "$share"
    [[ $output == *"would wait for the other for ever"* ]]
}

@test "a killed command leaves no lock" {
    local owner
    seqshare create "$share" --from - <<<old
    start seqshare lock "$share" -- sleep 60
    eventually is_owned
    owner=$(stat_of "$share" lock)
    kill -KILL "${owner% *}"
    ends_with 137
    is_free
}

@test "when seqshare itself is killed the lock is the command's, and goes with it" {
    local owner
    seqshare create "$share" --from - <<<old
    start seqshare lock "$share" -- sleep 60
    eventually is_owned
    owner=$(stat_of "$share" lock)
    kill -KILL "$last"
    says_no seqshare set "$share" new --timeout 0.1
    stat_is lock "$owner"
    kill -KILL "${owner% *}"
    eventually stat_is lock "${owner% *} dead"
    run seqshare check "$share"
    [[ $output == *"has died: the next writer takes it over"* ]]
    run -0 seqshare set "$share" new
    [[ $output == *"owner had died: this command has taken the lock over"* ]]
    [ "$(seqshare get "$share")" = new ]
    is_free
}

@test "signals that tell seqshare to stop reach the command" {
    local signal
    seqshare create "$share"
    for signal in TERM HUP INT QUIT; do
        start cli-program interruptible seqshare lock "$share" -- \
            sh -c "trap 'echo got; exit 5' $signal; echo ready; while :; do sleep 0.05; done"
        eventually grep -q ready output
        kill -$signal "$last"
        ends_with 5
        grep -q got output
    done
}

@test "a command that has no handler is killed by the signal that seqshare gets" {
    seqshare create "$share"
    start cli-program interruptible seqshare lock "$share" -- sleep 60
    eventually is_owned
    kill -INT "$last"
    ends_with 130
    is_free
}

@test "the terminal's keys reach the command once" {
    seqshare create "$share"
    cat >count <<'EOF'
n=0
trap 'n=$((n + 1)); echo "interrupted $n"' INT
echo ready
while [ ! -e enough ]; do sleep 0.05; done
echo "in all $n"
EOF
    mkfifo keys
    cli-program interruptible script -qefc "seqshare lock $share -- sh count" screen <keys >/dev/null 3>&- &
    started+=($!)
    exec 8>keys
    eventually grep -q ready screen
    printf '\003' >&8
    eventually grep -q 'interrupted 1' screen
    touch enough
    eventually grep -q 'in all 1' screen
    exec 8>&-
}

@test "a terminal that hangs up ends the command" {
    seqshare create "$share"
    start script -qefc "exec seqshare lock $share -- sh -c 'echo \$\$ >new; mv new number; exec sleep 60'" screen
    eventually test -s number
    kill -KILL "$last"
    gone() {
        ! kill -0 "$(cat number)"
    }
    eventually gone
    eventually is_free
}

@test "a replaced name is followed when the lock is taken" {
    local i
    seqshare create "$share" --from - <<<old
    start seqshare lock "$share" -- sleep 60
    eventually is_owned
    seqshare replace "$share" --size 2M 3>&- &
    started+=($!)
    sleep 0.2 # it waits; and those who come after it will find the name moved
    for i in 1 2 3; do
        seqshare lock "$share" -- touch "ran.$i" 2>"waiting.$i" 3>&- &
        started+=($!)
    done
    for i in 1 2 3; do
        eventually grep -q "waiting for the lock" "waiting.$i"
    done
    kill -TERM "$last"
    ends_with 143
    wait "${started[@]:1}"
    stat_is capacity 2097152
    [ "$(echo ran.*)" = "ran.1 ran.2 ran.3" ]
    is_free
}

@test "a writer killed in the middle leaves the value, and the next one carries on" {
    seqshare create "$share" --from - <<<old
    start cli-program fill "$share"
    eventually grep -q ready output
    [ "$(seqshare get "$share")" = old ]
    run -0 seqshare check "$share"
    [[ $output == *"a write has begun"* ]]
    [[ $output == *"in a set or fill"* ]]
    kill -KILL "$last"
    wait "$last" || true
    [ "$(seqshare get "$share")" = old ]
    seqshare set "$share" new 2>errors
    [ "$(seqshare get "$share")" = new ]
    stat_is version 2
}

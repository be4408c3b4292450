#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A publisher and an application in containers of their own, on one folder: docs/containers.md does what it says.
# Shows: NAME-2, NAME-8, WRITE-8.
load helpers

# COMMAND...: in a PID namespace of its own, as in a container; it ends with its caller.
container() {
    unshare --pid --fork --mount-proc --kill-child "$@"
}

can_contain() {
    allowed unshare --pid --fork --mount-proc true
    mkdir shop
    share=$PWD/shop/config
}

# TEXT: the application has shown it.
shown() {
    grep -qxF "$1" output
}

@test "a publisher that is made again learns why, and what to do; the application follows" {
    can_contain
    container seqshare create "$share" --mode 644 --from - <<<'{"rate": 1}'
    start unshare --pid --fork --mount-proc --kill-child seqshare watch "$share" --count 3
    eventually shown '{"rate": 1}'
    # From the namespace of this test, which is older: its number is another for certain.
    says_no seqshare set "$share" '{"rate": 2}'
    [[ $stderr == *"another PID namespace"*"seqshare replace $share"* ]]
    container sh -c 'seqshare replace "$1" && seqshare set "$1" "{\"rate\": 2}" --json' sh "$share"
    eventually shown '{"rate": 2}'
    container sh -c 'seqshare replace "$1" && seqshare set "$1" "{\"rate\": 3}" --json' sh "$share"
    eventually shown '{"rate": 3}'
    wait "$last"
}

@test "an application with the folder mounted read-only reads and follows" {
    can_contain
    seqshare create "$share" --mode 644 --from - <<<one
    start unshare --mount --pid --fork --mount-proc --kill-child sh -c '
        mount --bind shop shop && mount -o remount,ro,bind shop && cd shop && exec seqshare watch ./config --count 2'
    eventually shown one
    seqshare replace "$share" --size 2M
    seqshare set "$share" two
    eventually shown two
    wait "$last"
}

@test "containers with one PID namespace may all write, and go on after one is made again" {
    local first
    can_contain
    start unshare --pid --fork --mount-proc --kill-child sleep 300
    eventually pgrep -P "$last" sleep
    first=$(pgrep -P "$last")
    nsenter --target "$first" --pid --mount seqshare create "$share" --from - <<<one
    nsenter --target "$first" --pid --mount unshare --mount seqshare set "$share" two
    nsenter --target "$first" --pid --mount unshare --mount seqshare set "$share" three
    [ "$(seqshare get "$share")" = three ]
}

@test "capacity costs nothing in a small /dev/shm; a value without room leaves the old one" {
    can_mount
    run -0 with_shm 2M sh -c '
        echo small | seqshare create config --size 1G --from -
        head -c 4M /dev/zero | seqshare set config 2>errors && exit 1
        grep -q "no memory, disk space or inode" errors && seqshare get config'
    [ "$output" = small ]
}

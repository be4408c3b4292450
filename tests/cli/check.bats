#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# check: every field of a region, in whatever state it is, and what to do about it.
# Shows: READ-9, NAME-4.
load helpers

@test "check: nothing wrong with a sound share, which has exit status 0" {
    on_tmpfs
    seqshare create "$share" --from - <<<value
    run -0 seqshare check "$share"
    notes_are 0
    [[ $output != *WRONG* ]]
    [[ $output == *"the version is 1"* ]]
    [[ $output == *"the value: 6 bytes, untyped, published by process "* ]]
}

@test "check names each field that is wrong, with exit status 1, and nobody crashes" {
    local fault offset bytes word
    for fault in '0:X:magic' '8:\0\0\0\0:layout' '8:\7\0\0\0\7\0\0\0:layout' '16:\1\2\3\4:byte order' \
        '20:\0\1\0\0:header size' '20:\0\0\0\1:header size' '24:\0\0\0\0\0\0\0\0:capacity' '24:\377\377\377\377\377:stride' \
        '32:\1:stride' '32:\0\0\0\0\0\0\0\100:size' '40:\3:slots' '40:\10:size' '80:\0\0\0\0\0\0:boot' \
        '128:\377\377\377\377\377\377\377\377:sequence' '136:\377:retired' '144:\377\377\377\377\377\377\377:slot 0' \
        '160:\377\377\377\377\377\377\377:slot 1'; do
        IFS=: read -r offset bytes word <<<"$fault"
        seqshare create "$share" --from - <<<value
        overwrite "$offset" "$bytes"
        run -1 timeout 20 seqshare check "$share"
        grep -q "^WRONG $word " <<<"$output"
        [[ ${lines[-1]} =~ ^[0-9]+" thing" ]]
        for command in get stat; do
            run timeout 20 seqshare "$command" "$share"
            [ "$status" -le 1 ]
        done
        seqshare rm --force "$share"
    done
}

@test "check of all lengths of a truncated file" {
    local length
    for length in 0 1 7 8 100 111 112 500 4095 4096 1052672; do
        seqshare create "$share" --from - <<<value
        truncate -s "$length" "$share"
        run -1 timeout 20 seqshare check "$share"
        [[ $output == *WRONG* ]]
        says_no seqshare get "$share"
        [[ $stderr == *"not a share, or a damaged share (seqshare check explains it)" ]]
        seqshare rm --force "$share"
    done
}

@test "check of random garbage never crashes" {
    local i offset command
    for i in {1..25}; do
        seqshare create "$share" --size 4096 --from - <<<value
        head -c $((RANDOM % 40 + 1)) /dev/urandom >garbage
        offset=$((RANDOM % 700))
        echo "at $offset:" && od -An -v -tx1 garbage
        dd if=garbage of="$share" bs=1 seek="$offset" conv=notrunc status=none
        for command in check stat get "set --timeout 0 --any-owner"; do
            # shellcheck disable=SC2086
            run timeout 20 seqshare $command "$share" </dev/null
            [ "$status" -le 1 ]
        done
        seqshare rm --force "$share"
    done
}

@test "a length that names memory which is not there is an error, and check says so" {
    seqshare create "$share" --from - <<<value
    overwrite 160 '\0\0\010\0\0\0\0\0' # slot 1: half a MiB
    says_no seqshare get "$share"
    [[ $stderr == *"seqshare check explains it"* ]]
    run -1 seqshare check "$share"
    [[ $output == *"slot 1"*"524288 bytes, but the file holds only 4096 of them"* ]]
    seqshare set "$share" again
    [ "$(seqshare get "$share")" = again ]
}

@test "check of something that is not a file" {
    mkfifo pipe
    ln -s "$share" link
    seqshare create "$share"
    says_no timeout 20 seqshare check ./pipe
    says_no seqshare check .
    says_no seqshare check ./link
    says_no seqshare check ./nothing
    [[ $stderr == "seqshare: ./nothing: there is no share of that name"* ]]
}

@test "a share of another PID namespace is read, not written, and check says how to get in" {
    local target
    on_tmpfs
    allowed unshare --pid --fork --mount-proc true
    start unshare --pid --fork --mount-proc --kill-child sh -c '
        seqshare create "$1" --from - <<EOF
inside
EOF
        exec sleep 60' sh "$share"
    eventually stat_is version 1
    [ "$(seqshare get "$share")" = inside ]
    stat_is foreign yes
    for command in "set $share outside" "lock $share -- true" "set $share outside --if-version 1"; do
        # shellcheck disable=SC2086
        says_no seqshare $command
        [[ $stderr == *"another PID namespace"*"seqshare replace $share" ]]
        [[ $stderr != *boot* && $stderr != *"time namespace"* ]]
    done
    run -0 seqshare check "$share"
    [[ $output == *"another PID namespace"*"seqshare replace $share"* ]]
    [[ $output == *"this user may open it for writing, but cannot publish from here"* ]]
    [[ $output != *"Nothing is wrong"* ]]
    target=$(sed -n 's/.*nsenter --target \([0-9]*\) --pid --time seqshare set .*/\1/p' <<<"$output")
    nsenter --target "$target" --pid --time seqshare set "$share" outside
    [ "$(seqshare get "$share")" = outside ]
    seqshare replace "$share"
    seqshare set "$share" "from here"
    [ "$(seqshare get "$share")" = "from here" ]
    run -0 seqshare check "$share"
    notes_are 0
}

@test "check where /proc does not tell of the boot says so, and speaks of no reboot" {
    allowed unshare --mount true
    local hidden='mount -t proc -o subset=pid proc /proc && exec "$@"'
    unshare --mount sh -c "$hidden" sh test ! -e /proc/sys || skip "needs a kernel that can show a part of /proc (5.8)"
    seqshare create "$share"
    says_no unshare --mount sh -c "$hidden" sh seqshare set "$share" x
    [[ $stderr == *"/proc does not tell in which namespaces"*"seqshare replace $share" ]]
    run -0 unshare --mount sh -c "$hidden" sh seqshare check "$share"
    [[ $output == *"note  boot           not known"* && $output != *"started last"* ]]
}

@test "a share of another time namespace is read, and replaced" {
    allowed unshare --time --fork true
    unshare --time --fork seqshare create "$share" --from - <<<value
    says_no seqshare set "$share" new
    [[ $stderr == *"another time namespace"*"seqshare replace $share" ]]
    [[ $stderr != *PID* && $stderr != *boot* ]]
    seqshare replace "$share"
    seqshare set "$share" new
}

@test "check does not say that nothing is wrong after a note" {
    on_tmpfs
    seqshare create "$share" --mode 666
    run -0 seqshare check "$share"
    notes_are 1
}

@test "a share from before a reboot is read, and replace makes it writable" {
    seqshare create "$share" --from - <<<value
    overwrite 80 '\0\0\0\0\0\0\0\0'
    says_no seqshare set "$share" new
    [[ $stderr == *"before this machine last started"*"seqshare replace $share" ]]
    [[ $stderr != *namespace* ]]
    run -1 seqshare check "$share"
    [[ $output == *"seqshare replace $share"* ]]
    [ "$(seqshare get "$share")" = value ]
    seqshare replace "$share"
    [ "$(seqshare get "$share")" = value ]
    seqshare set "$share" new
}

@test "check and stat tell of a replaced and an unlinked region" {
    seqshare create "$share" --from - <<<value
    exec 9<"$share"
    seqshare replace "$share"
    [ "$(stat_of /dev/fd/9 retired)" = replaced ]
    seqshare check /dev/fd/9 | grep -q '^note *retired *replaced'
    exec 9<"$share"
    seqshare rm "$share"
    [ "$(stat_of /dev/fd/9 retired)" = unlinked ]
    seqshare set /dev/fd/9 x 9<>/dev/fd/9
    [ "$(seqshare get /dev/fd/9)" = x ]
}


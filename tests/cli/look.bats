#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ls, stat, check, top where the output is for scripts: what is seen from outside, in whatever state it is.
# Shows: READ-9, NAME-4.
load helpers

# Bytes at an offset of the share's file; BYTES as printf takes them.
overwrite() { # OFFSET BYTES
    # shellcheck disable=SC2059
    printf "$2" | dd of="$share" bs=1 seek="$1" conv=notrunc status=none
}

@test "ls shows name, version, size, capacity, age, mode, owner and note, separated by tabs" {
    can_mount
    run -0 with_shm 8M sh -c 'seqshare create beta --size 64K --mode 600; seqshare create alpha --from - <<EOF
hello
EOF
        seqshare ls'
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[0]} == $'alpha\t1\t6\t1048576\t'+([0-9])$'\t0640\troot\t' ]]
    [[ ${lines[1]} == $'beta\t0\t0\t65536\t-\t0600\troot\t' ]]
}

@test "ls of nothing prints nothing; of no directory, it says no" {
    can_mount
    run -0 with_shm 1M seqshare ls
    [ -z "$output" ]
    mkdir empty
    run -0 seqshare ls empty
    [ -z "$output" ]
    says_no seqshare ls nowhere
}

@test "ls DIRECTORY lists the shares among its files, and touches nothing else" {
    mkdir folder
    seqshare create folder/one
    seqshare create folder/two
    seqshare create folder/damaged
    truncate -s 100 folder/damaged
    echo text >folder/text
    mkfifo folder/pipe
    ln -s one folder/link
    run -0 timeout 20 seqshare ls folder
    [ "$(cut -f 1 <<<"$output")" = $'folder/damaged\nfolder/one\nfolder/two' ]
}

@test "ls shows damaged shares, and says so" {
    seqshare create "$unique"
    truncate -s 100 "/dev/shm/seqshare.$unique"
    run -0 seqshare ls
    grep -P "^$unique\t-\t-\t-\t-\t0640\t[^\t]+\tdamaged, or not a share$" <<<"$output"
    says_no seqshare stat "$unique"
}

@test "names that are not UTF-8, or harm a terminal, are escaped so that printf %b undoes it" {
    local name=$'caf\xc3\xa9 \xff\t\n\\ \e[31mred' shown
    mkdir folder
    seqshare create "folder/$name" --from - <<<value
    shown=$(seqshare ls folder | cut -f 1)
    [ "$shown" = 'folder/caf'$'\xc3\xa9'' \xff\t\n\\ \x1b[31mred' ]
    [ "$(seqshare get "$(printf %b "$shown")")" = value ]
    seqshare stat "folder/$name" | grep -qF 'caf'
    seqshare ls folder --json | seqshare set "folder/$name" --json
    says_no seqshare get $'folder/\xff\e[0m'
    [[ $stderr == 'seqshare: folder/\xff\x1b[0m: '* ]]
}

@test "so are the names of programs that own a lock" {
    local program=./$'\e[31mred'
    cp "$(command -v sleep)" "$program"
    seqshare create "$share"
    start seqshare lock "$share" -- "$program" 60
    eventually stat_is lock '*31mred'
    seqshare check "$share" | grep -F '(\x1b[31mred)'
    says_no seqshare set "$share" x --timeout 0
    [[ $stderr == *'(\x1b[31mred)'* ]]
}

# COMMAND...: whatever it prints, no control character is in it but tabs and line ends.
is_harmless() {
    run bash -c 'timeout 20 "$@" || true' bash "$@"
    [ -n "$output" ]
    run ! grep -qaP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' <<<"$output"
}

@test "no command gives a terminal what an enemy put into a name" {
    local evil=$'\e]0;owned\a\e[2Jx\xc2\x9b31m\xe2\x80\xae;touch pwned #\nok    fake line' command
    seqshare create "./$evil" --from - <<<value
    is_harmless seqshare check "./$evil"
    is_harmless seqshare stat "./$evil"
    is_harmless seqshare stat "./$evil" --json
    is_harmless seqshare ls .
    is_harmless seqshare ls . --json
    is_harmless seqshare top "./$evil" --count 1
    for command in create get watch check stat rm edit replace "lock -- true" set; do
        # shellcheck disable=SC2086
        is_harmless seqshare $command "./nowhere/$evil" </dev/null
    done
    is_harmless seqshare "$evil"
    is_harmless seqshare get "--$evil"
    is_harmless seqshare get "-$evil"
    is_harmless seqshare ls "--json=$evil"
    is_harmless seqshare create ./new --size "$evil"
    is_harmless seqshare create ./new --mode "$evil"
    is_harmless seqshare create ./new --from "nowhere/$evil"
    is_harmless seqshare top --interval "$evil"
    is_harmless seqshare set "./$evil" x --tag "$evil"
    is_harmless seqshare get "./$evil" --output "./nowhere/$evil"
    is_harmless seqshare watch "./$evil" --exec "$evil"
    is_harmless seqshare lock "./$evil" -- "$evil"
    [ ! -e pwned ]
}

@test "a command that is proposed for copying does what it says, whatever the name is" {
    local name proposed
    for name in plain "two words" "it's" $'\e]0;owned\a;touch pwned #\nline 2\xff' '$(touch pwned)' '-dash' '*'; do
        mkdir -p folder
        seqshare create "./folder/$name" --from - <<<value
        share=./folder/$name overwrite 80 '\0\0\0\0\0\0\0\0'
        cd folder
        run -1 seqshare check "./$name"
        proposed=$(sed -n 's/.*\(seqshare replace .*\)/\1/p' <<<"$output")
        [ "$(wc -l <<<"$proposed")" -eq 1 ]
        run ! grep -qP '[\x01-\x1f\x7f]' <<<"$proposed"
        bash -c "$proposed"
        [ ! -e pwned ]
        seqshare set "./$name" new
        cd ..
    done
}

@test "stat --json and ls --json are JSON" {
    seqshare create "$share" --from - <<<value
    seqshare create ./other
    seqshare stat "$share" --json | seqshare set ./other --json
    run -0 seqshare get ./other
    [[ $output == *'"version": 1,'* ]]
    [[ $output == *'"owner": 0,'* ]]
    seqshare ls . --json | seqshare set ./other --json
    [ "$(seqshare get ./other | grep -c '"name"')" -eq 2 ]
}

@test "the anonymous share of a running program is found and read through /proc" {
    local found
    start cli-program anonymous 'seen from outside'
    eventually grep -q ready output
    run -0 seqshare ls --pid "$last"
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *$'\t/memfd:seqshare (deleted)' ]]
    found=$(cut -f 1 <<<"$output")
    [ "$(seqshare get "$found")" = 'seen from outside' ]
    [ "$(stat_of "$found" capacity)" = 1000 ]
    seqshare check "$found"
    seqshare set "$found" changed
    [ "$(seqshare get "$found")" = changed ]
    seqshare lock "$found" -- true
    [ "$(seqshare watch "$found" --count 1)" = changed ]
    [ "$(seqshare top --pid "$last" --count 1 | cut -f 1,3 | head -n 1)" = "$found"$'\t2' ]
    kill -KILL "$last"
    wait "$last" || true
    says_no seqshare get "$found"
    says_no seqshare ls --pid "$last"
}

@test "a descriptor that seqshare inherits is a NAME" {
    seqshare create "$share" --from - <<<value
    [ "$(seqshare get /dev/fd/9 9<"$share")" = value ]
    [ "$(seqshare get /proc/self/fd/9 9<"$share")" = value ]
    says_no seqshare get /dev/fd/0 </dev/null
    says_no seqshare get /dev/fd/99
}

@test "to look changes nothing, also where it may only be read" {
    local before
    seqshare create "$share" --from - <<<value
    chmod 444 "$share"
    before=$(md5sum "$share")
    seqshare get "$share"
    seqshare stat "$share"
    seqshare ls .
    seqshare check "$share"
    seqshare watch "$share" --count 1
    seqshare top ./config --count 1
    [ "$before" = "$(md5sum "$share")" ]
}

@test "a share of another user in a place open to all is shown, and used when told to" {
    be_nobody
    local name=/dev/shm/seqshare.$unique
    seqshare create "$unique" --mode 666 --from - <<<value
    chown 12345 "$name"
    run -0 seqshare ls
    grep -P "^$unique\t1\t6\t1048576\t[0-9]+\t0666\t12345\t$" <<<"$output"
    [ "$(stat_of "$unique" owner)" = 12345 ]
    run -0 seqshare check "$unique"
    [[ $output == *"in a folder that everybody may write to"* ]]
    says_no seqshare get "$unique"
    [[ $stderr == *"--any-owner"* ]]
    [ "$(seqshare get "$unique" --any-owner)" = value ]
    says_no seqshare set "$unique" x
    seqshare set "$unique" x --any-owner
    seqshare lock "$unique" --any-owner -- true
    says_no seqshare watch "$unique" --count 1
    [ "$(seqshare watch "$unique" --any-owner --count 1)" = x ]
    says_no seqshare replace "$unique"
    [[ $stderr == *"another user owns it"* && $stderr != *"--any-owner"* ]]
    says_no "${nobody[@]}" rm "$unique"
    [[ $stderr == *"only that user or root"* ]]
    seqshare rm "$unique"
}

@test "a user who may not read learns it" {
    be_nobody
    seqshare create "$unique" --mode 600
    run -1 "${nobody[@]}" get "$unique"
    [[ $output == "seqshare: $unique: the permissions"* ]]
    run -0 "${nobody[@]}" ls
    [[ $output == *"$unique"$'\t-\t-\t-\t-\t0600\troot\tnot readable'* ]]
}

@test "a file cut short under its reader ends it with a sentence, not a crash" {
    { head -c 999999 /dev/zero | tr '\0' x && echo; } >file
    seqshare create "$share" --size 1M --from file
    start seqshare watch "$share"
    eventually cmp file output
    truncate -s 4096 "$share"
    overwrite 128 '\6' # the version after the next, in slot 1, where the long value was
    eventually grep -qx "seqshare: the share's file was truncated while it was being read" errors
}

@test "a damaged value ends no watch, which shows the next good one" {
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share"
    eventually grep -qx one output
    overwrite 144 '\0\0\010\0\0\0\0\0' # slot 0: half a MiB
    overwrite 128 '\4'                     # version 2, in slot 0
    eventually grep -q "damaged share; watching on" errors
    overwrite 128 '\10' # version 4, there too
    seqshare set "$share" five
    eventually grep -qx five output
    [ "$(wc -l <errors)" -eq 1 ]
    says_no seqshare watch ./none
}

@test "a stranger's file that is cut at any moment ends none of the commands that look" {
    seqshare create "$share" --size 64K --from - <<<value
    seqshare create ./other --from - <<<value
    cp "$share" whole
    start sh -c 'while :; do truncate -s 100 config; cat whole >config; truncate -s 0 config; cat whole >config; done'
    cat >look <<'EOF'
set -e
for i in {1..25}; do
    [[ $(seqshare ls . 2>&1) == *"./other"$'\t'* ]]
    [[ $(seqshare top ./config ./other --count 2 --interval 0.001 2>&1) == *"./other"$'\t'* ]]
    for command in stat check get; do
        status=0
        said=$(seqshare $command ./config 2>&1) || status=$?
        [ "$status" -le 1 ]
        [[ $said != *"was truncated while it was being read"* ]]
    done
done
EOF
    run -0 bash look
}

@test "a full disk: the old value stays, old files too" {
    can_mount
    run -0 with_shm 200k sh -c '
        head -c 50000 /dev/zero | tr "\0" o >'"$PWD"'/old
        head -c 150000 /dev/zero >'"$PWD"'/long
        seqshare create full --size 1M --from '"$PWD"'/old || exit 90
        seqshare check full | grep -q "^note *room" || exit 91
        seqshare set full --from '"$PWD"'/long && exit 92
        seqshare get full | cmp - '"$PWD"'/old || exit 93
        cp '"$PWD"'/old /dev/shm/copy; head -c 90000 /dev/zero >/dev/shm/rest
        seqshare create more --from '"$PWD"'/long && exit 94
        [ ! -e /dev/shm/seqshare.more ] || exit 95
        seqshare get full --output /dev/shm/copy && exit 96
        cmp /dev/shm/copy '"$PWD"'/old || exit 97
        [ "$(ls /dev/shm | wc -l)" -eq 3 ] || exit 98'
    [[ $output == *"seqshare: full: no memory, disk space or inode is left; nothing was changed"* ]]
    [[ $output == *"seqshare: /dev/shm/copy: No space left on device"* ]]
}

@test "output that cannot be written is a failure" {
    local command
    seqshare create "$share" --from - <<<value
    for command in "get $share" "ls ." "stat $share" "check $share" "--help" "get --help" "watch $share --count 1" \
        "top ./config --count 1"; do
        # shellcheck disable=SC2086
        run -1 sh -c 'exec seqshare "$@" >/dev/full' sh $command
        [[ $output == *"standard output: No space left on device"* ]]
    done
}

@test "pipes closed early harm nobody" {
    head -c 1000000 /dev/urandom >file
    seqshare create "$share" --from file
    run -0 sh -c 'timeout 20 seqshare get "$1" | head -c 1 | wc -c' sh "$share"
    [ "$output" -eq 1 ]
    run -0 bash -c 'trap "" PIPE; { timeout 20 seqshare get "$1"; echo "status $?" >&2; } | true' sh "$share"
    [[ $output == *"seqshare: standard output: Broken pipe"* ]]
    [[ $output == *"status 1"* ]]
}

@test "check: nothing wrong with a sound share, which has exit status 0" {
    seqshare create "$share" --from - <<<value
    run -0 seqshare check "$share"
    [[ ${lines[-1]} == "Nothing is wrong." ]]
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
    [[ $output != *"Nothing is wrong"* ]]
    target=$(sed -n 's/.*nsenter --target \([0-9]*\) --pid --time seqshare set .*/\1/p' <<<"$output")
    nsenter --target "$target" --pid --time seqshare set "$share" outside
    [ "$(seqshare get "$share")" = outside ]
    seqshare replace "$share"
    seqshare set "$share" "from here"
    [ "$(seqshare get "$share")" = "from here" ]
    run -0 seqshare check "$share"
    [[ ${lines[-1]} == "Nothing is wrong." ]]
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
    seqshare create "$share" --mode 666
    run -0 seqshare check "$share"
    [[ ${lines[-1]} == "Nothing is damaged; 1 note above." ]]
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

@test "top for scripts: a table per frame, rates from the second on" {
    seqshare create "$share" --from - <<<0
    seqshare top ./config --interval 0.01 --count 3 >frames
    [ "$(grep -c '^$' frames)" -eq 3 ]
    [ "$(wc -l <frames)" -eq 6 ]
    start seqshare top ./config --interval 0.5
    eventually grep -qP '^./config\t-\t1\t2\t[0-9]+s\tfree\t$' output
    cli-program busy "$share" 1000
    eventually grep -qP '^./config\t[0-9.]+\t1001\t4\t[0-9]+s\tfree\t$' output
    grep -qP '^./config\t[0-9.]*[1-9][0-9.]*\t' output
}

@test "top shows the lock's owner, and that it is dead" {
    local owner
    seqshare create "$share"
    start seqshare lock "$share" -- sleep 60
    owns() {
        seqshare top ./config --count 1 | cut -f 6 | grep -qE '^[0-9]+ sleep$'
    }
    eventually owns
    owner=$(seqshare top ./config --count 1 | cut -f 6 | head -n 1)
    kill -KILL "$last"
    kill -KILL "${owner% *}"
    dead() {
        seqshare top ./config --count 1 | cut -f 6 | grep -qx "${owner% *} dead"
    }
    eventually dead
}

@test "an interval beyond 24 days is slept, and not spun" {
    seqshare create "$share"
    start seqshare top ./config --interval 3000000
    eventually grep -q . output
    sleeps() {
        [[ $(sed 's/.*) //' "/proc/$last/stat") == S* ]]
    }
    eventually sleeps
    grep -c . output
    [ "$(grep -c '^$' output)" -eq 1 ]
}

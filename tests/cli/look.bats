#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ls, stat, top where the output is for scripts, and what all commands that look have in common.
# Shows: READ-9, NAME-4.
load helpers

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

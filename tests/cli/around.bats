#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# check: what is around a share: its mount and room, the users, the feed, the processes that have it.
# Shows: READ-9, NAME-4.
load helpers

# PATTERN: a line of what check says, as grep -E takes it.
finds() {
    grep -qE -- "$1" <<<"$output" || { echo "not found: $1" && return 1; }
}

# SHELL COMMANDS: in a mount namespace of their own.
elsewhere() {
    allowed unshare --mount true
    run unshare --mount sh -euc "$1" sh "${@:2}"
    echo "$output"
    [ "$status" -eq 0 ]
}

# ---- mount and room --------------------------------------------------------------------------------------

@test "a share on a disk is a note, and one on a tmpfs is not" {
    [ "$(stat -f -c %T .)" != tmpfs ] || skip "needs a TMPDIR that is not on a tmpfs"
    seqshare create "$share"
    run -0 seqshare check "$share"
    finds '^note  mount .*which is not in memory'
    notes_are 1
    on_tmpfs
    seqshare create "$share"
    run -0 seqshare check "$share"
    finds '^ok    mount          tmpfs at /dev/shm$'
    notes_are 0
}

@test "a share that is larger than its /dev/shm is a note, and the command that it proposes mends it" {
    elsewhere 'mount -t tmpfs -o size=1M none /dev/shm; seqshare create big --size 4M; seqshare check big >said; cat said
        eval "$(sed -n "s/.*more room: \(.*\)size=SIZE \([^ ]*\) .*/\1size=16M \2/p" said)"; seqshare check big'
    finds '^note  room           1M in all, less than the 8.0M that the region can grow to$'
    finds '^ok    room           16M free; the region can grow by 8M$'
    [[ ${lines[-1]} == "Nothing is wrong." ]]
}

@test "a /dev/shm that others have filled is a note" {
    can_mount
    run -0 with_shm 8M sh -c 'set -e
        seqshare create config
        head -c 7M /dev/zero >/dev/shm/rest
        seqshare check config'
    finds '^note  room .* free, less than the 2M by which the region can grow$'
    finds 'du -ax /dev/shm '
}

@test "no free inode is a note" {
    elsewhere 'mount -t tmpfs -o nr_inodes=2 none /dev/shm; seqshare create config; seqshare check config'
    finds '^note  inodes '
}

@test "a file that is mounted alone is a note, as replace leaves it behind" {
    on_tmpfs
    elsewhere 'seqshare create "$1"; touch alone; mount --bind "$1" alone; seqshare check ./alone' "$share"
    finds '^note  mount .*mounted alone, at .*/alone'
}

@test "a read-only mount is enough for readers: check says who cannot write, and nothing is wrong" {
    on_tmpfs
    elsewhere 'seqshare create "$2"; mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; seqshare check "$2"' \
        "$folder" "$share"
    finds '^ok    mount .*read-only here$'
    finds '^ok    reading '
    finds '^note  writing .*mounted read-only$'
}

@test "huge pages are a note" {
    allowed unshare --mount mount -t tmpfs -o huge=always none /dev/shm
    elsewhere 'mount -t tmpfs -o huge=always none /dev/shm; seqshare create config; seqshare check config'
    finds '^note  mount          huge=always'
}

@test "a person's share in /dev/shm goes when that person logs out, if there is a logind; a service's stays" {
    allowed unshare --mount mount -t tmpfs none /run
    seqshare create "$unique" --mode 644
    elsewhere 'mount -t tmpfs none /run; mkdir -p /run/systemd/users; chown 1234 "/dev/shm/seqshare.$1"
        seqshare check "$1"; chown 123 "/dev/shm/seqshare.$1"; echo then; seqshare check "$1"' "$unique"
    grep -q '^note  logout         when user 1234 logs out' <<<"${output%%then*}"
    [[ ${output##*then} != *logout* ]]
}

# ---- users -----------------------------------------------------------------------------------------------

# COMMAND...: with users and groups of the test's own: alice and bob, who is in the group shop.
with_users() {
    {
        cat /etc/passwd
        echo 'alice:x:4001:4001::/:/bin/sh'
        echo 'bob:x:4002:4002::/:/bin/sh'
    } >passwd
    {
        cat /etc/group
        printf '%s\n' 'alice:x:4001:' 'bob:x:4002:' 'shop:x:4003:bob'
    } >group
    elsewhere 'mount --bind passwd /etc/passwd; mount --bind group /etc/group; "$@"' "$@"
}

@test "--user: what check says of a user is what that user meets" {
    may_become_another
    on_tmpfs
    cat >try <<'EOF'
set -eu
share=$1 folder=$2
verdict() { # RIGHT USER
    seqshare check "$share" --user "$2" >said || true
    if grep -q "^ok    $1 " said; then echo yes; else echo no; fi
}
truth() { # RIGHT USER
    local way='<'
    [ "$1" = reading ] || way='<>'
    setpriv --reuid "$2" --regid "$2" --init-groups bash -c "exec 2>/dev/null; : $way\"\$1\"" bash "$share" && echo yes || echo no
}
differ=0
for mode in 600 640 644 660; do
    for group in root shop; do
        for way in 755 750 711; do
            rm -f "$share"
            seqshare create "$share" --mode "$mode"
            chgrp "$group" "$share" "$folder"
            chmod "$way" "$folder"
            for user in alice bob; do
                for right in reading writing; do
                    [ "$(verdict "$right" "$user")" = "$(truth "$right" "$user")" ] || {
                        echo "differs: $mode $group $way $user $right"
                        differ=1
                    }
                done
            done
        done
    done
done
exit "$differ"
EOF
    with_users bash try "$share" "$folder"
}

@test "--user: check says which part of the way keeps the user out, and what would let it in" {
    may_become_another
    on_tmpfs
    mkdir -m 750 "$folder/inner"
    seqshare create "$folder/inner/config" --mode 644
    with_users sh -c 'chgrp shop "$1/inner"; seqshare check "$1/inner/config" --user alice || [ $? -eq 1 ]' sh "$folder"
    finds "^WRONG reading        alice may not search the folder $folder/inner \(0750, root:shop\)$"
    finds 'usermod -aG shop alice'
    [[ ${lines[-1]} == "1 thing is wrong." ]]
    with_users sh -c 'seqshare check "$1/inner/config" --user bob' sh "$folder"
    finds '^ok    user           bob \(4002, groups bob, shop\), by the user database$'
    finds '^ok    reading        bob may open it for reading$'
    finds "^note  writing        bob may not write $folder/inner/config \(0644, root:root\)$"
}

@test "--user: a number will do, with the right exit status; a share that any owner may have made is a note" {
    may_become_another
    on_tmpfs
    seqshare create "$share" --mode 600
    run -1 seqshare check "$share" --user 12345
    finds "^WRONG reading        12345 may not read $share \(0600, root:root\)$"
    finds "let all read: seqshare replace --mode 644 $share"
    seqshare replace --mode 644 "$share"
    run -0 seqshare check "$share" --user 12345
    chown 23456 "$share"
    chmod 1777 "$folder"
    run -0 seqshare check "$share" --user 12345
    finds '^note  reading        12345 may open it for reading, but only a program that trusts any owner does$'
    run -0 seqshare check "$share" --user 23456
    finds '^ok    writing        23456 may open it for writing$'
}

@test "--user: an access control list counts" {
    may_become_another
    command -v setfacl >/dev/null || skip "needs setfacl: apt-get install acl"
    on_tmpfs
    seqshare create "$share" --mode 600
    setfacl -m u:12345:r "$share" 2>/dev/null || skip "needs a tmpfs with access control lists"
    run -0 seqshare check "$share" --user 12345
    finds '^ok    reading '
    run -1 seqshare check "$share" --user 12346
    finds "with an access control list\)$"
}

@test "--user: only root may ask of others; there is no such user; a descriptor has no users" {
    be_nobody
    on_tmpfs
    seqshare create "$share" --mode 644
    says_no "${nobody[@]}" check "$share" --user root
    [[ $stderr == *"only root can look as another user"* ]]
    run -0 "${nobody[@]}" check "$share" --user 65534
    finds '^ok    reading '
    says_no seqshare check "$share" --user $'no\e[31mbody'
    [[ $stderr == 'seqshare: no\x1b[31mbody: there is no such user' ]]
    says_no seqshare check "$share" --user -1
    says_no seqshare check "$share" --user 4294967295
    says_no seqshare check /dev/fd/9 --user root 9<"$share"
    is_misuse seqshare check "$share" --user
}

@test "while check looks as another user, that user can neither stop nor trace it" {
    may_become_another
    command -v strace >/dev/null || skip "needs strace: apt-get install strace"
    on_tmpfs
    seqshare create "$share" --mode 644
    strace -qq -o calls seqshare check "$share" --user 12345 >said || skip "strace may not trace here"
    # The real and the saved user stay root's: -1 leaves them.
    grep -q 'setresuid(-1, 12345, -1)' calls
    run ! grep -E 'set(re|res)?uid\(' <(grep -vE 'setresuid\(-1, (12345|0), -1\)' calls)
    [ "$(grep -c 'setresuid(-1, 0, -1)' calls)" -eq "$(grep -c 'setresuid(-1, 12345, -1)' calls)" ]
}

# ---- the feed --------------------------------------------------------------------------------------------

@test "the state of the feed: live, or a note with what to do about each word of it" {
    on_tmpfs
    seqshare create "$share" --from - <<<value
    cli-program feed "$share.feed" 0
    run -0 seqshare check "$share"
    finds '^ok    feed           live; the source had this value [0-9]+ s ago$'
    notes_are 0
    rm "$share.feed"
    cli-program feed "$share.feed" 12 # refused and held
    run -0 seqshare check "$share"
    finds '^note  feed           refused held; '
    finds 'correct it at the source'
    finds 'seqshare feed accept CONF'
    notes_are 1
    truncate -s 4000 "$share.feed"
    run -0 seqshare check "$share"
    finds '^note  feed           its state cannot be read'
}

@test "a stranger's word on a feed counts for nothing, unless the share is the stranger's too" {
    may_become_another
    on_tmpfs
    chmod 1777 "$folder"
    seqshare create "$share" --mode 644 --from - <<<value
    cli-program feed "$share.feed" 0
    chown 12345 "$share.feed"
    run -0 seqshare check "$share"
    finds '^note  feed .*not believed$'
    [ -z "$(stat_of "$share" feed)" ]
    chown 12345 "$share"
    run -0 seqshare check "$share"
    finds '^ok    feed           live'
    [ "$(stat_of "$share" feed)" = live ]
}

# ---- processes -------------------------------------------------------------------------------------------

# PROCESS: it stands still.
halt() {
    kill -STOP "$1"
    eventually grep -q '^State:.*T (stopped)' "/proc/$1/status"
}

# PATTERN: check of the share says so.
check_finds() {
    run seqshare check "$share"
    finds "$1"
}

check_lacks() {
    run seqshare check "$share"
    [[ $output == *"the region mapped"* && $output != *"$1"* ]]
}

@test "check counts the processes that have the region mapped, and those that may write it" {
    on_tmpfs
    seqshare create "$share" --from - <<<one
    check_finds '^ok    processes      0 have the region mapped, 0 of them for writing'
    start seqshare watch "$share"
    eventually grep -qx one output
    check_finds '^ok    processes      1 has the region mapped, 0 of them for writing'
    start seqshare lock "$share" -- sleep 60
    eventually stat_is lock '* sleep'
    check_finds '^ok    processes      2 have the region mapped, 1 of them for writing'
    notes_are 0
}

@test "a reader that stopped before the name moved is a note, until it moves on" {
    local reader
    on_tmpfs
    seqshare create "$share" --from - <<<one
    start seqshare watch "$share"
    reader=$last
    eventually grep -qx one output
    halt "$reader"
    seqshare replace "$share" --size 2M
    check_finds "^note  old region     process $reader \(seqshare\) has a region mapped that was replaced"
    finds 'moves on when it next asks its name'
    notes_are 1
    kill -CONT "$reader"
    eventually check_lacks "old region"
    halt "$reader"
    seqshare create "$folder/new" --from - <<<two
    mv "$folder/new" "$share"
    check_finds "^note  old region     process $reader \(seqshare\) has a file mapped that had this name before"
    kill -CONT "$reader"
    eventually check_lacks "old region"
    eventually grep -qx two output
}

@test "check takes the anonymous share of another program for no earlier region" {
    local first
    start cli-program anonymous one
    eventually grep -q ready output
    first=$last
    start cli-program anonymous two
    eventually grep -q ready output
    share=$(seqshare ls --pid "$first" | cut -f 1)
    check_finds '^ok    mount          none: in memory$'
    finds '^ok    processes      1 has the region mapped, 1 of them for writing'
    [[ $output != *"old region"* ]]
}

@test "without root, check says how many processes it could not look at" {
    be_nobody
    on_tmpfs
    seqshare create "$share" --mode 644 --from - <<<one
    start seqshare watch "$share"
    eventually grep -qx one output
    run -0 "${nobody[@]}" check "$share"
    finds '^ok    processes      0 have .*; [0-9]+ could not be looked at: only root can look at those of other users$'
}

@test "a library that was replaced under a running program is a note" {
    local library
    on_tmpfs
    library=$(ldd "$(command -v seqshare)" | sed -n 's/.*libjson-c[^ ]* => \([^ ]*\) .*/\1/p')
    [ -e "$library" ] || skip "needs a dynamically linked tool"
    [[ $(ldd "$(command -v seqshare)") != *libasan* ]] || skip "needs a tool without a sanitizer that must come first"
    cp "$library" libseqshare.so.0.0.9 # any library: its name counts
    seqshare create "$share" --from - <<<one
    LD_PRELOAD=$PWD/libseqshare.so.0.0.9 start seqshare watch "$share"
    eventually grep -qx one output
    eventually check_lacks "old library"
    rm libseqshare.so.0.0.9
    check_finds "^note  old library    process $last \(seqshare\) runs libseqshare.so.0.0.9, which has been replaced"
    finds 'start these programs again'
}

@test "names of programs, folders and mounts give a terminal nothing" {
    local evil=$'\e]0;owned\a\e[2Jx\xc2\x9b31m' program
    on_tmpfs
    mkdir "$folder/$evil"
    share=$folder/$evil/config
    program=$folder/$evil/watcher$'\e[5m'
    cp "$(command -v seqshare)" "$program"
    seqshare create "$share" --mode 600 --from - <<<one
    start "$program" watch "$share"
    eventually grep -qx one output
    halt "$last"
    seqshare replace "$share"
    run seqshare check "$share"
    finds 'old region'
    run ! grep -qaP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$output"
    may_become_another
    run -1 seqshare check "$share" --user 12345
    finds 'may not read'
    run ! grep -qaP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$output"
}

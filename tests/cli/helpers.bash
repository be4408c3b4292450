# SPDX-License-Identifier: MIT
# The common parts of the tests. Shares are in the test's own folder, except where /dev/shm is the point.
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../support/bats.bash"

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return
    started=()
    unset NO_COLOR SEQSHARE_NAME VISUAL EDITOR TMPDIR
    share=$PWD/config
    unique=cli-test-$$-$BATS_TEST_NUMBER
}

teardown() {
    end_started
    rm -rf "/dev/shm/seqshare.$unique"*
}

# COMMAND...: in the background, its output in the file `output`, ended with the test, and with it all that it
# started: it leads a group of its own. Its number is in $last.
start() {
    rm -f output errors
    setsid "$@" >output 2>errors 3>&- &
    last=$!
    started+=("$last")
}

# COMMAND...: must answer no: status 1, nothing on standard output, one line "seqshare: ..." as an error.
says_no() {
    run --separate-stderr -1 timeout 20 "$@"
    [ -z "$output" ]
    # shellcheck disable=SC2154 # bats sets it
    [[ $stderr == "seqshare: "* ]]
    [ "${#stderr_lines[@]}" -eq 1 ]
}

# COMMAND...: is wrong usage: status 2, nothing on standard output.
is_misuse() {
    run --separate-stderr -2 timeout 20 "$@"
    [ -z "$output" ]
    [[ $stderr == *"usage: seqshare"* ]]
}

# NAME KEY: what stat says.
stat_of() {
    seqshare stat "$1" | awk -F'\t' -v key="$2" '$1 == key {print $2}'
}

# KEY PATTERN: stat of the share says so.
stat_is() {
    [[ $(stat_of "$share" "$1") == $2 ]]
}

# COMMAND...: on a terminal of its own, 80 columns wide; what it prints is in the file `screen`.
on_terminal() {
    local line
    printf -v line '%q ' "$@"
    TERM=xterm script -qec "stty cols 80 rows 24; $line" screen >/dev/null </dev/null
}

may_become_another() {
    setpriv --reuid 65534 --clear-groups true 2>/dev/null ||
        skip "needs root who may become another user: CAP_SETUID and the like, which docker run gives"
}

# Sets `nobody`: the tool as a user who owns nothing.
be_nobody() {
    may_become_another
    nobody=(setpriv --reuid 65534 --clear-groups "$(command -v seqshare)")
    "${nobody[@]}" --version >/dev/null 2>&1 || skip "another user cannot get at the tool where it is"
}

# STATUS: what was started last ends with it. (`run wait` would be asked in a subshell, which has no such child.)
ends_with() {
    local rc=0
    wait "$last" || rc=$?
    [ "$rc" -eq "$1" ]
}

# SIZE COMMAND...: with an empty /dev/shm of its own, so big.
with_shm() {
    local size=$1
    shift
    unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=$1 none /dev/shm && shift && "$@"' sh "$size" "$@"
}

can_mount() {
    allowed with_shm 1M true
}

# Bytes at an offset of the share's file; BYTES as printf takes them.
overwrite() { # OFFSET BYTES
    # shellcheck disable=SC2059
    printf "$2" | dd of="$share" bs=1 seek="$1" conv=notrunc status=none
}

# The share is in a folder of the test's own on a tmpfs.
on_tmpfs() {
    folder=/dev/shm/seqshare.$unique.d
    mkdir "$folder"
    share=$folder/config
}

# COUNT: what check printed has so many notes, and its last line agrees. (In /dev/shm a person's share has one more.)
notes_are() {
    local all
    all=$(grep -c '^note ' <<<"$output" || true)
    [ "$(grep '^note ' <<<"$output" | grep -vc '^note  logout')" -eq "$1" ]
    case $all in
    0) [[ ${lines[-1]} == "Nothing is wrong." ]] ;;
    1) [[ ${lines[-1]} == "Nothing is damaged; 1 note above." ]] ;;
    *) [[ ${lines[-1]} == "Nothing is damaged; $all notes above." ]] ;;
    esac
}

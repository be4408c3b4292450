# SPDX-License-Identifier: MIT
# What the tests of the feed have in common. Each works in a folder of its own on a tmpfs, where its share lies.
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../support/bats.bash"

setup() {
    work=$(mktemp -d /dev/shm/seqshare-feed-test.XXXXXX)
    chmod 755 "$work"
    cd "$work" || return
    started=() last=
    unset NOTIFY_SOCKET WATCHDOG_USEC SEQSHARE_NAME
    share=$work/shop
    mkdir source
    echo 100 >source/rate
    configure
}

teardown() {
    if [ -n "${BATS_ERROR_STATUS:-}" ]; then
        seqshare-feed status ./shop.conf || true
        sed 's/^/log: /' "$work/log" || true
    fi
    end_started
    umount "$work"/mounted* 2>/dev/null || true
    rm -rf "$work"
}

# LINE...: the configuration shop.conf, of a plain directory; each line goes instead of the one of its name.
configure() {
    local line
    cat >shop.conf <<CONF
source = file:$work/source
share = $share
form = json-tree
state = $work/state
CONF
    for line in "$@"; do
        sed -i "/^${line%%[ =]*} *=/d" shop.conf
        echo "$line" >>shop.conf
    done
}

# COMMAND...: in the background, in a group of its own, its errors in the file `log`. Its number is in $last.
start() {
    setsid "$@" 2>>log 3>&- &
    last=$!
    started+=("$last")
}

start_agent() {
    start seqshare-feed run ./shop.conf
}

# SIGNAL: the agent gets it, and ends.
stop_agent() {
    kill "-$1" "$last"
    wait "$last" 2>/dev/null || true
}

# TEXT: the share has it.
has() {
    [ "$(seqshare get "$share")" = "$1" ]
}

# STATUS: `status` ends with it. It says live when readers have the value: the state folder has it a moment later.
status_is() {
    local rc=0
    seqshare-feed status ./shop.conf >status.text || rc=$?
    [ "$rc" -eq "$1" ]
}

# TEXT: the state folder has it as the last good value, and the history too. Before that, no kill, pin or damage.
keeps() {
    eventually kept "$1"
}

kept() {
    grep -qF -- "$1" "${state:-state}/current" && [ ! -e "${state:-state}/next" ]
}

# TEXT: what `status` says has it, soon.
says() {
    eventually said "$1"
}

said() {
    seqshare-feed status ./shop.conf | grep -qF -- "$1"
}

# PROCESS: it runs, and has not only been left by its parent.
lives() {
    grep -q '^State:.*[RSDT] (' "/proc/$1/status" 2>/dev/null
}

gone() {
    ! lives "$1"
}

# FILTER: jq says true of what `status --json` prints.
json() {
    seqshare-feed status ./shop.conf --json | jq -e "$1" >/dev/null
}

# NAME: the file of the source, replaced in one step by the bytes of standard input.
put_bytes() {
    cat >"source/.$1.new"
    mv "source/.$1.new" "source/$1"
}

logged() { # TEXT
    grep -qF -- "$1" log
}

version_of() { # SHARE
    seqshare stat "$1" | awk -F'\t' '$1 == "version" {print $2}'
}

# NAME TEXT: the file of the source, replaced in one step.
put() {
    printf '%s\n' "$2" >"source/.$1.new"
    mv "source/.$1.new" "source/$1"
}

may_become_another() {
    setpriv --reuid 65534 --regid 65534 --clear-groups seqshare-feed --version >/dev/null 2>&1 ||
        skip "needs root who may become another user, and programs that this one can get at"
}

as_user() { # NUMBER COMMAND...
    local user=$1
    shift
    setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

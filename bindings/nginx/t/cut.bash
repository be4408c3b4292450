# SPDX-License-Identifier: MIT
# A share that is another user's file, which that user cuts, overwrites or fills with lies: neither the master nor a
# worker dies of it, and the last good document stays.
# Shows: READ-10, JSON-2.
# shellcheck shell=bash

# As the user whose file it is, if we can be: COMMAND...
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid nobody --regid nogroup --clear-groups -- "$@"
    else
        "$@"
    fi
}

# NUMBER: what all say, before and after a reload; the same four workers, and then four others that live.
nobody_dies() {
    all_say "$1"
    reload
    all_say "$1"
    log_has 0 "exited on signal"
}

fresh_share() { # NUMBER: in one step
    rm -f "$share.new"
    seqshare create "$share.new" --size 64K --mode 644 --from <(document "$1")
    [ "$(id -u)" -ne 0 ] || chown nobody:nogroup "$share.new"
    mv "$share.new" "$share"
}

write_at() { # OFFSET PYTHON: bytes that are written into the file
    python3 -c "import sys; sys.stdout.buffer.write($2)" |
        as_owner dd of="$share" bs=1 seek="$1" conv=notrunc status=none
}

in_all_ways() {
    as_owner sh -c ': >"$1"' sh "$share"
    check "cut to nothing" nobody_dies 1
    check "the log says so" wait_until log_has 1 "a value of another type; requests keep the last good document"
    check "and the status" grep -qF "not a share" <(curl -s "$url/status")
    fresh_share 2
    check "a good one again" wait_until all_say 2
    as_owner truncate -s 4096 "$share"
    check "cut after its header" nobody_dies 2
    fresh_share 3
    check "a good one again" wait_until all_say 3
    as_owner truncate -s 100 "$share"
    check "cut within its header" nobody_dies 3
    fresh_share 4
    check "a good one again" wait_until all_say 4
    as_owner sh -c 'head -c 300000 /dev/urandom >"$1"' sh "$share"
    check "overwritten with anything" nobody_dies 4
    fresh_share 5
    check "a good one again" wait_until all_say 5
    write_at 144 "b'\xff' * 7 + b'\x7f' + b'\0' * 8 + b'\xff' * 7 + b'\x7f'"
    write_at 128 "(2 * 77).to_bytes(8, sys.byteorder)"
    check "the length of a value is a lie" nobody_dies 5
    fresh_share 6
    check "a good one again" wait_until all_say 6
    as_owner rm "$share"
    as_owner mkfifo "$share"
    check "a pipe" nobody_dies 6
    as_owner rm "$share"
    as_owner ln -s /etc/passwd "$share"
    check "a link" nobody_dies 6
    check "which is not the page" is 500 "$(status /document)"
    as_owner rm "$share"
}

# Cut and made again, many times, under requests.
cut_while_used() {
    local asking n
    python3 $client check "$PORT" 3 1 >"$PLACE/checked" &
    asking=$!
    while kill -0 "$asking" 2>/dev/null; do
        for n in 10 11 12; do
            fresh_share $n
            status /index.html >/dev/null
            as_owner sh -c ': >"$1"' sh "$share"
            status /index.html >/dev/null
        done
    done
    wait "$asking" || true
    cat "$PLACE/checked"
    jq -e '.lost == 0 and .wrong == 0 and .mixed == 0 and .answers >= 10' "$PLACE/checked"
    kill -0 "$server"
}

new_place
share=$PLACE/app/config
share_is "seqshare shop $share;"
mkdir "$PLACE/app"
[ "$(id -u)" -ne 0 ] || chown nobody:nogroup "$PLACE/app"
fresh_share 1
begin "a server starts with a share of another user"
check "it has its document" all_say 1
in_all_ways
stop
as_owner sh -c ': >"$1"' sh "$share"
begin "a server starts with a file that is empty"
check "values are missing" is "" "$(header /index.html X-Version)"
fresh_share 8
check "until it is a share" wait_until all_say 8
check "cut while it is used" cut_while_used
check "no process has died" log_has 0 "exited on signal"
stop

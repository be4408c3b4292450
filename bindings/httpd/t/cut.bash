# SPDX-License-Identifier: MIT
# A share that is another user's file, which that user cuts, overwrites or fills with lies: neither the parent nor a
# child dies of it, and the last good document stays.
# Shows: READ-10, JSON-2.
# shellcheck shell=bash

# As the user whose file it is, if we can be: COMMAND...
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid www-data --regid www-data --clear-groups -- "$@"
    else
        "$@"
    fi
}

# A process that dies of it has died by now: the parent by reading it again, a child by a request.
nobody_dies() { # NUMBER: what all say
    all_say "$1"
    kill -0 "$server"
    restart "${2:-USR1}"
    all_say "$1"
    log_has 0 "exit signal"
}

fresh_share() { # NUMBER: in one step
    rm -f "$share.new"
    seqshare create "$share.new" --size 64K --mode 644 --from <(document "$1")
    [ "$(id -u)" -ne 0 ] || chown www-data:www-data "$share.new"
    mv "$share.new" "$share"
}

# OFFSET PYTHON: bytes that are written into the file
write_at() {
    python3 -c "import sys; sys.stdout.buffer.write($2)" |
        as_owner dd of="$share" bs=1 seek="$1" conv=notrunc status=none
}

punch() {
    as_owner fallocate --punch-hole --offset 0 --length 4096 "$share"
}

in_all_ways() { # MPM
    fresh_share 2
    check "$1: a good one again" wait_until all_say 2
    as_owner truncate -s 4096 "$share"
    check "$1: cut after its header" nobody_dies 2
    fresh_share 3
    check "$1: a good one again" wait_until all_say 3
    as_owner truncate -s 100 "$share"
    check "$1: cut within its header" nobody_dies 3
    fresh_share 4
    check "$1: a good one again" wait_until all_say 4
    as_owner sh -c 'head -c 300000 /dev/urandom >"$1"' sh "$share"
    check "$1: overwritten with anything" nobody_dies 4
    fresh_share 5
    check "$1: a good one again" wait_until all_say 5
    write_at 144 "b'\xff' * 7 + b'\x7f' + b'\0' * 8 + b'\xff' * 7 + b'\x7f'"
    write_at 128 "(2 * 77).to_bytes(8, sys.byteorder)"
    check "$1: the length of a value is a lie" nobody_dies 5
    fresh_share 6
    check "$1: a good one again" wait_until all_say 6
    if punch 2>/dev/null; then
        check "$1: a hole where the header was" nobody_dies 6
    else
        skip "$1: a hole where the header was" "no holes in this file system"
    fi
    fresh_share 7
    check "$1: a good one again" wait_until all_say 7
    as_owner rm "$share"
    as_owner mkfifo "$share"
    check "$1: a pipe" nobody_dies 7
    as_owner rm "$share"
    as_owner ln -s /etc/passwd "$share"
    check "$1: a link" nobody_dies 7
    check "$1: which is not the page" is 500 "$(status /document)"
    as_owner rm "$share"
}

cut() { # MPM
    new_place "$1"
    share=$PLACE/app/config
    mkdir "$PLACE/app"
    [ "$(id -u)" -ne 0 ] || chown www-data:www-data "$PLACE/app"
    share_is "SeqshareOpen app/config"
    [ "$1" != prefork ] || configuration_is <<<"MinSpareServers 1"
    fresh_share 1
    begin "$1: a server starts with a share of another user"
    check "$1: it has its document" all_say 1

    as_owner sh -c ': >"$1"' sh "$share"
    check "$1: cut to nothing: nobody dies, and the last good document stays" nobody_dies 1
    check "$1: also in a restart that is not graceful" nobody_dies 1 HUP
    check "$1: the log says so" wait_until logs_trouble
    check "$1: and the status" grep -qF "not a share" <(curl -s "$url/status")
    [ "$1" != prefork ] || in_all_ways "$1"
    stop

    as_owner sh -c ': >"$1"' sh "$share"
    begin "$1: a server starts with a file that is empty"
    check "$1: values are missing" is "" "$(header /index.html X-Version)"
    fresh_share 8
    check "$1: until it is a share" wait_until all_say 8
    check "$1: cut while it is used" cut_while_used
    check "$1: no process has died" log_has 0 "exit signal"
    stop
}

# Cut and made again, many times, under requests.
cut_while_used() {
    local client n
    python3 client.py check "$PORT" 3 1 >"$PLACE/checked" &
    client=$!
    while kill -0 "$client" 2>/dev/null; do
        for n in 10 11 12; do
            fresh_share $n
            status /index.html >/dev/null
            as_owner sh -c ': >"$1"' sh "$share"
            status /index.html >/dev/null
        done
    done
    wait "$client" || true
    cat "$PLACE/checked"
    jq -e '.lost == 0 and .wrong == 0 and .mixed == 0 and .answers >= 10' "$PLACE/checked"
    kill -0 "$server"
}

logs_trouble() {
    [ "$(logged "not a share")" -ge 1 ]
}

for mpm in prefork event; do
    cut "$mpm"
done

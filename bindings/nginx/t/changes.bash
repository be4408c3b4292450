# SPDX-License-Identifier: MIT
# Under load: the configuration is read again, the binary is exchanged, workers are killed. No answer is wrong, and none
# is lost that nginx alone would not lose.
# Shows: READ-6, JSON-2, and that values outlive reloads and upgrades.
# shellcheck shell=bash

# Clients that ask while COMMAND runs: they see so many VERSIONS at least, and LOST answers at most; see $PLACE/checked.
answers_stay_right() { # VERSIONS LOST COMMAND...
    local asking wrk
    python3 $client check "$PORT" 3 "$1" >"$PLACE/checked" &
    asking=$!
    wrk -t1 -c8 -d4s "$url/page.shtml" >"$PLACE/wrk" 2>&1 &
    wrk=$!
    "${@:3}"
    wait "$asking"
    wait "$wrk"
    cat "$PLACE/checked" "$PLACE/wrk"
    jq -e --argjson lost "$2" '.mixed == 0 and .wrong == 0 and .lost <= $lost and .answers >= 10' "$PLACE/checked"
    ! grep -q 'Non-2xx' "$PLACE/wrk"
}

publish_and() { # COMMAND...: four times each
    local n
    for n in 1 2 3 4; do
        sleep 0.3
        publish $((100 + n))
        "$@"
    done
}

kill_a_worker() {
    local one
    one=$(children | sed -n 1p)
    kill -KILL "$one"
    wait_until none_is_left "$one"
    wait_until answers
}

# Connections that are open stay with their worker, which goes when they are idle: keepalive clients ask again.
reloads() {
    new_place
    make_share
    begin "a server starts"
    check "it is reloaded under load: nothing is wrong" answers_stay_right 3 8 publish_and reload
    check "new workers have the newest document at once" all_say 104
    check "workers are killed under load: only their connections end" answers_stay_right 3 8 publish_and kill_a_worker
    check "others have the newest document" all_say 104
    keeps_descriptors
    stop
}

descriptors() {
    find "/proc/$server/fd" -type l 2>/dev/null | wc -l
}

keeps_descriptors() {
    local fds n
    fds=$(descriptors)
    for n in 1 2 3; do reload; done
    check "after $n more reloads, the master has as many descriptors as before" is "$fds" "$(descriptors)"
    echo "seqshare_set \$x nowhere /x;" >"$PLACE/http.conf"
    kill -HUP "$server"
    check "a reload that fails" wait_until log_has 1 'there is no share "nowhere" yet'
    : >"$PLACE/http.conf"
    check "leaves all as it was" all_say 104
    check "and no descriptor" is "$fds" "$(descriptors)"
    share_is ""
    echo "events {}" >"$PLACE/empty.conf"
    share_is "seqshare shop $share;"
    reload
    check "it goes on" all_say 104
}

# ---- a new binary ----

# As a daemon: a server whose parent stays the same ignores USR2.
start_daemon() {
    "$(command -v nginx)" -p "$PLACE" -c "$PLACE/nginx.conf" -e "$PLACE/error.log" >"$PLACE/output" 2>&1 # which it executes again
    wait_until test -s "$PLACE/nginx.pid"
    server=$(cat "$PLACE/nginx.pid")
    daemons+=("$PLACE")
    wait_until answers
}

tidy_rest() {
    local place pid
    for place in "${daemons[@]}"; do
        for pid in "$place"/nginx.pid*; do
            [ ! -s "$pid" ] || kill -TERM "$(cat "$pid")" 2>/dev/null || true
        done
    done
}

# The old master ends when its workers have.
upgrade() {
    local old=$server
    kill -USR2 "$old"
    wait_until new_binary_answers "$old"
    server=$(cat "$PLACE/nginx.pid")
    kill -WINCH "$old"
    kill -QUIT "$old"
    wait_until has_ended "$old"
}

new_binary_answers() { # OLD
    [ -s "$PLACE/nginx.pid.oldbin" ] && [ -s "$PLACE/nginx.pid" ] && [ "$(cat "$PLACE/nginx.pid")" != "$1" ] &&
        [ "$(pgrep -c -P "$(cat "$PLACE/nginx.pid")")" -eq 4 ]
}

has_ended() { # PID
    ! kill -0 "$1" 2>/dev/null
}

stop_daemon() {
    kill -QUIT "$server"
    wait_until has_ended "$server"
}

upgrades() {
    new_place
    make_share
    check "a daemon starts" start_daemon
    server=$(cat "$PLACE/nginx.pid") daemons+=("$PLACE")
    publish 3
    check "it has a document" all_say 3
    spoil
    check "which is spoilt, and all agree" all_say 3
    check "the binary is exchanged under load: nothing is lost" answers_stay_right 1 8 upgrade
    server=$(cat "$PLACE/nginx.pid")
    check "the new one has the last good document of the old one" all_say 3
    reload
    check "and after a reload" all_say 3
    seqshare rm "$share"
    check "again, without the share" upgrade
    server=$(cat "$PLACE/nginx.pid")
    check "it has it still" all_say 3
    make_share 5
    check "and goes on with the next" wait_until all_say 5
    check "no process died" log_has 0 "exited on signal"
    stop_daemon
}

daemons=()
reloads
upgrades

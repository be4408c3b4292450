# SPDX-License-Identifier: MIT
# Sourced: an nginx with the module in a folder of its own, on a free port of 127.0.0.1. What the tests of mod_seqshare
# have for any server, they have for this one too.
# shellcheck shell=bash

# shellcheck source=bindings/httpd/t/server.bash
source ../../httpd/t/server.bash
workers=4
client=../../httpd/t/client.py
curl() { # that cannot hang
    command curl --max-time $PATIENCE "$@"
}
tidy_rest() { :; } # what a test adds to tidying up

# A folder and the configuration's files; the share is there, and has document 1. Nothing is started.
new_place() {
    PLACE=$(mktemp -d /tmp/seqshare.test-nginx.XXXXXX)
    places+=("$PLACE")
    export PLACE
    PORT=$(free_port)
    export PORT
    url=http://127.0.0.1:$PORT
    chmod 755 "$PLACE"
    mkdir "$PLACE/htdocs"
    shared=$(mktemp -d /dev/shm/seqshare.test-nginx.XXXXXX)
    places+=("$shared")
    chmod 755 "$shared"
    share=$shared/config
    : >"$PLACE/error.log"
    : >"$PLACE/http.conf"
    : >"$PLACE/server.conf"
    : >"$PLACE/main.conf"
    [ "$(id -u)" -ne 0 ] || echo "user www-data;" >"$PLACE/main.conf"
    share_is "seqshare shop $share;"
    write_configuration
    document 1 >"$PLACE/shop.json"
    echo page >"$PLACE/htdocs/index.html"
    cat >"$PLACE/htdocs/page.shtml" <<'PAGE'
<!--# echo var="number" --> <!--# include virtual="/part.shtml" -->
PAGE
    cat >"$PLACE/htdocs/part.shtml" <<'PAGE'
<!--# echo var="limit" --> <!--# echo var="text" -->
PAGE
}

write_configuration() { # [FILE]
    sed "s|@PLACE@|$PLACE|g; s|@PORT@|$PORT|g; s|@MODULE@|$MODULE|g" "${1:-nginx.conf}" >"$PLACE/nginx.conf"
}

# On standard input: more directives, in the http block and in the server.
http_has() {
    cat >>"$PLACE/http.conf"
}
server_has() {
    cat >>"$PLACE/server.conf"
}

# [NUMBER] [OPTION...]: a share that the workers may write, too.
make_share() {
    seqshare create "$share" --size 64K --mode 666 --from <(document "${1:-1}") "${@:2}"
}

publish() { # NUMBER
    document "$1" | seqshare set "$share" --json -
}

spoil() {
    printf '{"number": ' | seqshare set "$share" --force -
}

# In the foreground it is our child, whose end can be waited for.
start() {
    "${wrapper[@]}" nginx -p "$PLACE" -c "$PLACE/nginx.conf" -e "$PLACE/error.log" -g "daemon off;" >"$PLACE/output" 2>&1 &
    server=$!
    wait_until answers_or_ended && kill -0 "$server" && return
    cat "$PLACE/output" "$PLACE/error.log"
    return 1
}

# Not another server on this port.
answers() {
    [ "$(cat "$PLACE/nginx.pid")" = "$server" ] && curl -sf --max-time 10 "$url/index.html" && [ "$(children | wc -l)" -eq $workers ]
}

stop() {
    kill -QUIT "$server" 2>/dev/null || true
    wait "$server" || true
}

# Until all workers of the new generation are there, and none of the old one.
reload() {
    local old
    old=$(children)
    kill -HUP "$server"
    wait_until is_reloaded "$old"
}

is_reloaded() { # OLD WORKERS
    none_is_left "$1" && answers
}

wrong_in_log() {
    grep -E '\[(error|crit|alert|emerg)\]' "$PLACE/error.log" | grep -v 'access forbidden by rule' || true
}

all_say() { # NUMBER
    python3 $client all "$PORT" "$1" "$server"
}

# Servers and clients that still run, of this shell; and places.
tidy() {
    local running one
    running=$(jobs -rp)
    for one in $running; do
        kill -TERM "$one" 2>/dev/null || true
    done
    tidy_rest
    for one in $running; do
        wait "$one" 2>/dev/null || true
    done
    rm -rf "${places[@]}"
}

# SPDX-License-Identifier: MIT
# Sourced: a server with the module in a folder of its own, on a free port of 127.0.0.1.
# shellcheck shell=bash

export PATH=$PATH:/usr/sbin

PATIENCE=60 # seconds: what has not happened by then does not
RESUMED="resuming normal operations"

# Below those that the kernel gives to whoever wants any: nobody gets it before the server does.
free_port() {
    python3 - <<'PYTHON'
import random, socket
while True:
    try:
        with socket.socket() as one:
            one.bind(("127.0.0.1", random.randrange(15000, 32000)))
            print(one.getsockname()[1])
            break
    except OSError:
        pass
PYTHON
}

# MPM [WRITE]: a folder and what the configuration takes from the environment. Nothing is started.
new_place() {
    PLACE=$(mktemp -d /tmp/seqshare.test-httpd.XXXXXX)
    places+=("$PLACE")
    export PLACE MPM=$1 WRITE=${2:-on} EXTRA=$PLACE/extra.conf
    PORT=$(free_port)
    export PORT
    url=http://127.0.0.1:$PORT
    chmod 755 "$PLACE"
    mkdir "$PLACE/htdocs"
    shared=$(mktemp -d /dev/shm/seqshare.test-httpd.XXXXXX)
    places+=("$shared")
    chmod 755 "$shared"
    cp httpd.conf "$PLACE/"
    : >"$EXTRA"
    : >"$PLACE/error.log"
    share_is "SeqshareCreate shop 64K shop.json"
    if [ "$(id -u)" -eq 0 ]; then
        printf 'User www-data\nGroup www-data\n' >"$EXTRA"
    fi
    document 1 >"$PLACE/shop.json"
    echo page >"$PLACE/htdocs/index.html"
    cat >"$PLACE/htdocs/page.shtml" <<'PAGE'
<!--#echo var="NUMBER" --> <!--#include virtual="/part.shtml" -->
PAGE
    # shellcheck disable=SC2016
    cat >"$PLACE/htdocs/part.shtml" <<'PAGE'
<!--#echo var="LIMIT" --> <!--#echo var="TEXT" -->
PAGE
}

# NUMBER: a document whose values all follow from it.
document() {
    printf '{"number":%d,"limit":%d,"flag":%s,"text":"Text %d","list":[%d,{"a/b":null}],"pi":3.10,' \
        "$1" $(($1 * 7)) "$( (($1 % 2)) && echo true || echo false)" "$1" "$1"
    printf '"big":18446744073709551615,"a/b":{"~":[0,"x"]},"null":null}'
}

share_is() { # DIRECTIVE
    echo "$1" >"$PLACE/share.conf"
}

configuration_is() { # on standard input: more directives
    cat >>"$EXTRA"
}

# In the foreground it is our child, whose end can be waited for; but it ends all of its process group.
start() {
    resumed=$(($(logged "$RESUMED") + 1))
    setsid "${wrapper[@]}" apache2 -f "$PLACE/httpd.conf" -D FOREGROUND "${options[@]}" >"$PLACE/output" 2>&1 &
    server=$!
    wait_until answers_or_ended && kill -0 "$server" && return
    cat "$PLACE/output" "$PLACE/error.log"
    return 1
}

# Not another server on this port.
answers() {
    [ "$(cat "$PLACE/httpd.pid")" = "$server" ] && curl -sf --max-time 10 "$url/index.html"
}

answers_or_ended() {
    answers || ! kill -0 "$server"
}

# In this shell, not in that of a check.
begin() { # NAME
    local rc=0
    start >"$PLACE/started" 2>&1 || rc=$?
    check "$1" shows "$PLACE/started" $rc
    [ $rc -eq 0 ] || finish
}

shows() { # FILE STATUS
    cat "$1"
    return "$2"
}

stop() {
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" || true
}

restart() { # SIGNAL: until all children of the new generation are there, and none of the old one
    local old
    old=$(children)
    resumed=$((resumed + 1))
    kill "-$1" "$server"
    wait_until is_restarted "$old"
}

is_restarted() { # OLD CHILDREN
    local born=2
    [ "$MPM" != prefork ] || born=4
    [ "$(logged "$RESUMED")" -ge $resumed ] && none_is_left "$1" && [ "$(children | wc -l)" -ge $born ] && answers
}

kill_children() {
    local old
    old=$(children)
    xargs kill -KILL <<<"$old" || true
    wait_until none_is_left "$old"
    wait_until answers
}

none_is_left() { # CHILDREN
    ! grep -qxF "$1" <(children)
}

children() {
    pgrep -P "$server" || true
}

bytes() { # COUNT: JSON of exactly that many
    printf '"%*s"' $(($1 - 2)) ""
}

# FILE FILTER: what is true of it
holds() {
    cat "$1"
    jq -e "$2" "$1"
}

header() { # PATH NAME [CURL OPTION...]
    curl -s --max-time $PATIENCE -D - -o "$PLACE/page" "${@:3}" "$url$1" | tr -d '\r' | sed -n "s/^$2: //Ip"
}

status() { # PATH [CURL OPTION...]: the number; $PLACE/page has the page
    curl -s --max-time $PATIENCE -o "$PLACE/page" -w '%{http_code}' "${@:2}" "$url$1"
}

is() { # WANTED GOT
    [ "$1" = "$2" ] && return
    printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
    return 1
}

wait_until() { # COMMAND...
    local end=$((SECONDS + PATIENCE))
    while [ $SECONDS -lt $end ]; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "not so in $PATIENCE seconds: $*"
    "$@"
}

# Lines of the error log with this text.
logged() { # TEXT
    grep -cF -- "$1" "$PLACE/error.log" || true
}

log_has() { # COUNT TEXT
    is "$1" "$(logged "$2")"
}

# It is not a mistake that somebody was not let in.
wrong_in_log() {
    grep -E ':(error|crit|alert|emerg)\]|exit signal (Seg|Abort|Bus|Ill)' "$PLACE/error.log" |
        grep -v AH01630 || true
}

the_log_is_clean() {
    is "" "$(wrong_in_log)"
}

# All children have the document of this number.
all_say() { # NUMBER
    python3 client.py all "$PORT" "$1" "$server"
}

# The share that the server has made, as the tool names it.
created_share() {
    seqshare ls --pid "$server" --json | jq -re '[.[] | select(.capacity == 65536)][0].name'
}

# Servers and clients that still run; not by numbers of old, which may be others' by now.
tidy() {
    local running one
    running=$(jobs -rp)
    for one in $running; do
        kill -TERM "$one" 2>/dev/null || true
    done
    for one in $running; do
        wait "$one" 2>/dev/null || true
    done
    rm -rf "${places[@]}"
}

places=()
wrapper=() options=() # of the server's command
trap tidy EXIT

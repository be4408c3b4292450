# SPDX-License-Identifier: MIT
# The README's example, and example.conf, as they are.
# Shows: no promise of the library, but what the README of the module says.
# shellcheck shell=bash

# Two back ends of the example, which say their names; and its folders and ports, which are others' here.
fit_example() {
    local blue green
    blue=$(free_port) green=$(free_port)
    sed "s|127.0.0.1:8080|127.0.0.1:$PORT|; s|127.0.0.1:8001|127.0.0.1:$blue|; s|127.0.0.1:8002|127.0.0.1:$green|
         s|^seqshare shop;|seqshare shop $share;|; s|/var/log/nginx|$PLACE|" ../example.conf >"$PLACE/example.conf"
    cat >"$PLACE/nginx.conf" <<CONF
load_module $MODULE;
include $PLACE/main.conf;
worker_processes 4;
pid $PLACE/nginx.pid;
error_log $PLACE/error.log notice;
events {
}
http {
    access_log off;
    include $PLACE/example.conf;
    server {
        listen 127.0.0.1:$blue;
        return 200 "blue \$http_x_none";
    }
    server {
        listen 127.0.0.1:$green;
        return 200 "green \$http_x_none";
    }
}
CONF
}

# Of 200 clients, how many get the other back end?
greens() {
    local n
    for n in {1..200}; do
        curl -s -A "client $n" "$url/"
    done | grep -o green | wc -l
}

becomes() { # JQ FILTER: the document, by PUT
    jq "$1" "$PLACE/shop.json" >"$PLACE/new.json"
    is 204 "$(status /seqshare/document -T "$PLACE/new.json")"
}

counts_up_to() { # LEAST MOST GOT
    [ "$3" -ge "$1" ] && [ "$3" -le "$2" ]
}

# 60 requests at once, of which the limit lets 20 and a few through.
refused_by_limit() {
    seq 60 | xargs -P 20 -I N curl -s --max-time $PATIENCE -o /dev/null -w '%{http_code}\n' "$url/" | grep -c 503 || true
}

the_example() {
    new_place
    sed -n "s/.*echo '\(.*\)' >shop.json/\1/p" ../example.conf >"$PLACE/shop.json"
    seqshare create "$share" --size 1M --mode 666 --from "$PLACE/shop.json"
    fit_example
    start_example
    check "the example: a back end by its name" is "blue " "$(curl -s -A robot "$url/")"
    check "the example: a banner" is "Sale!" "$(header / X-Banner)"
    check "the example: the status" is 1 "$(curl -s "$url/seqshare/status" | jq .version)"
    check "the example: metrics" grep -qx 'seqshare_version{share="shop"} 1' <(curl -s "$url/seqshare/metrics")
    check "the example: it is closed" becomes '.closed = true'
    check "the example: for everybody" is "503 We are back soon." "$(status /) $(cat "$PLACE/page")"
    check "the example: another back end" becomes '.backend = "green"'
    check "the example: for everybody but the canary" is "green " "$(curl -s -A robot "$url/")"
    check "the example: a back end that is not there is not asked" becomes '.backend = "evil.example.org" | .canary = 0'
    check "the example: but the usual one" is "blue " "$(curl -s "$url/")"
    is_quick || canaries_and_limits
    check "the example: the log has it" wait_until grep -q '"GET / HTTP/1.1" 200 blue version=[0-9]* age=[0-9.]*' "$PLACE/shop.log"
    stop
}

canaries_and_limits() {
    check "the example: no canary" counts_up_to 0 0 "$(greens)"
    becomes '.canary = 5'
    check "the example: a canary of 5 percent" counts_up_to 1 30 "$(greens)"
    becomes '.canary = 50'
    check "the example: of 50 percent" counts_up_to 60 140 "$(greens)"
    becomes '.canary = 100'
    check "the example: of all" counts_up_to 200 200 "$(greens)"
    becomes '.canary = 0 | .strict = true'
    check "the example: a limit is turned on" counts_up_to 1 40 "$(refused_by_limit)"
    becomes '.strict = false'
    check "the example: and off" counts_up_to 0 0 "$(refused_by_limit)"
}

# The start of this server has no page /index.html.
start_example() {
    # shellcheck disable=SC2317
    answers() {
        [ "$(cat "$PLACE/nginx.pid")" = "$server" ] && curl -sf --max-time 10 "$url/seqshare/status"
    }
    begin "the example: a server starts"
    # shellcheck source=bindings/nginx/t/server.bash
    source <(sed -n '/^answers() {/,/^}/p' server.bash)
}

# The README's first block, and its two commands, with a share and a port of this test's.
the_readme() {
    new_place
    {
        sed -n '/^    load_module/,/^    }$/p' ../README.md
        echo "events {} pid $PLACE/nginx.pid; error_log $PLACE/error.log notice; worker_processes 4;"
        cat "$PLACE/main.conf"
    } | sed "s|modules/ngx_http_seqshare_module.so|$MODULE|; s|listen 8080;|listen 127.0.0.1:$PORT; root $PLACE/htdocs;|
            s|seqshare     shop;|seqshare shop $share;|; s|^    http {|&access_log off;|" >"$PLACE/nginx.conf"
    sed -n 's/^    \$ \(echo .*\)/\1/p' ../README.md | sed "s| shop | $share |" >"$PLACE/commands"
    check "the README: its commands" is 2 "$(wc -l <"$PLACE/commands")"
    begin "the README: a server starts"
    bash -euo pipefail -c "$(sed -n 1p "$PLACE/commands")"
    check "the README: the share is found" wait_until log_has 1 "the share is there again"
    check "the README: it is open" is 200 "$(status /index.html)"
    bash -euo pipefail -c "$(sed -n 2p "$PLACE/commands")"
    check "the README: another process closes it" wait_until is_closed
    stop
}

is_closed() {
    is 503 "$(status /index.html)"
}

the_readme
the_example

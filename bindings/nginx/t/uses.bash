# SPDX-License-Identifier: MIT
# The recipes of docs/nginx.md as they are, all in one nginx of four workers: under wrk, while the document changes
# hundreds of times.
# Shows: READ-1, READ-2, and that the recipes do what they say.
# shellcheck shell=bash

recipe() { # NAME: its block of the page
    awk -v name="$1" '/^```nginx$/ { getline; inside = index($0, "# " name) == 1 } /^```$/ { inside = 0 } inside' \
        ../../../docs/nginx.md
}

# Each with a port of its own, in $PLACE/NAME.port.
all_recipes() {
    local name
    recipe "the share" | sed "s|/run/shop/config|$share|"
    for name in maintenance headers upstream canary limits logs; do
        free_port >"$PLACE/$name.port"
        recipe $name | sed "s|listen 8080|listen 127.0.0.1:$(cat "$PLACE/$name.port") reuseport|
            s|/srv/www|$PLACE/htdocs|; s|/var/log/nginx|$PLACE|; s|:8001|:$blue|; s|:8002|:$green|"
    done
}

place_of_recipes() {
    new_place
    blue=$(free_port) green=$(free_port)
    [ "$(recipe canary | wc -l)" -gt 10 ]
    {
        sed -n '1,/^http {/p' "$PLACE/nginx.conf"
        echo "access_log off; keepalive_requests 1000000;"
        all_recipes
        echo "server { listen 127.0.0.1:$blue; location / { return 200 blue; } }"
        echo "server { listen 127.0.0.1:$green; location / { return 200 green; } }"
        echo "server { listen 127.0.0.1:$PORT reuseport; root $PLACE/htdocs; add_header X-Late \$seqshare_shop_version;"
        echo "location = /status { seqshare_status shop; } } }"
    } >"$PLACE/recipes.conf"
    mv "$PLACE/recipes.conf" "$PLACE/nginx.conf"
    sed -n '/^```json$/,/^```$/p' ../../../docs/nginx.md | sed '/^```/d' >"$PLACE/shop.json"
    seqshare create "$share" --size 1M --mode 644 --from "$PLACE/shop.json"
}

becomes() { # JQ FILTER
    jq -c "$1" "$PLACE/shop.json" | seqshare set "$share" --json -
}

of() { # RECIPE [PATH] [CURL OPTION...]
    curl -s --max-time $PATIENCE "${@:3}" "http://127.0.0.1:$(cat "$PLACE/$1.port")${2:-/}"
}

code_of() { # RECIPE [PATH]
    of "$1" "${2:-/}" -o /dev/null -w '%{http_code}'
}

# Both by turns, 200 times, and until END is there.
publish_by_turns() { # FILE FILE END
    local n
    for ((n = 0; n < 200; n += 2)); do
        seqshare set "$share" - <"$1"
        seqshare set "$share" - <"$2"
        [ $n -lt 198 ] || [ -e "$3" ] || n=100
    done
}

# RECIPE FILTER FILTER WANTED...: each of these kinds of answers comes, and no other
changes_under_load() {
    rm -f "$PLACE/enough"
    jq -c "$2" "$PLACE/shop.json" >"$PLACE/one.json"
    jq -c "$3" "$PLACE/shop.json" >"$PLACE/other.json"
    seqshare set "$share" - <"$PLACE/one.json"
    publish_by_turns "$PLACE/one.json" "$PLACE/other.json" "$PLACE/enough" &
    wrk -t1 -c8 -d2s -s kinds.lua "http://127.0.0.1:$(cat "$PLACE/$1.port")/" >"$PLACE/wrk" 2>&1 || true
    touch "$PLACE/enough"
    wait $!
    cat "$PLACE/wrk"
    is "$(printf '%s\n' "${@:4}" | sort)" "$(sed -n 's/^kind //p' "$PLACE/wrk" | sort)"
    ! grep -q 'Socket errors' "$PLACE/wrk"
}

maintenance() {
    check "maintenance: open" is "200 page" "$(code_of maintenance /index.html) $(of maintenance /index.html)"
    becomes '.closed = true'
    check "maintenance: closed" is "503 We are back soon." "$(code_of maintenance) $(of maintenance)"
    check "maintenance: with a header" grep -qi '^Retry-After: 120' <(of maintenance / -D -)
    check "maintenance: under load" changes_under_load maintenance '.closed = false' '.closed = true' "200|page" "503|We are back soon."
}

headers() {
    becomes '.theme = "dark"'
    check "headers: dark" is "dark </dark.css>; rel=preload" "$(of headers) $(of headers / -D - | tr -d '\r' | sed -n 's/^Link: //p')"
    becomes '.theme = "unheard of"'
    check "headers: not in the map" grep -q '^Link: </light.css>' <(of headers / -D -)
    check "headers: under load, header and body agree" changes_under_load headers '.theme = "dark"' '.theme = "light"' \
        "200|dark" "200|light"
}

upstream() {
    becomes '.backend = "green"'
    check "upstream: green" is green "$(of upstream)"
    becomes '.backend = "127.0.0.1:1/x?"'
    check "upstream: one that is not there" is blue "$(of upstream)"
    check "upstream: under load" changes_under_load upstream '.backend = "blue"' '.backend = "green"' "200|blue" "200|green"
}

news() { # of 200 clients, so many get the new release
    local n
    for n in {1..200}; do printf 'url = "http://127.0.0.1:%s/?client=%s"\n' "$(cat "$PLACE/canary.port")" "$n"; done |
        curl -s -K - | grep -c new || true
}

between() { # LEAST MOST GOT
    [ "$3" -ge "$1" ] && [ "$3" -le "$2" ]
}

canary() {
    check "canary: nobody" is 0 "$(news)"
    becomes '.canary = 5'
    check "canary: 5 percent" between 1 30 "$(news)"
    becomes '.canary = 50'
    check "canary: 50 percent" between 60 140 "$(news)"
    becomes '.canary = 100'
    check "canary: all" is 200 "$(news)"
    becomes '.canary = "all of them"'
    check "canary: nonsense is nobody" is 0 "$(news)"
    check "canary: which the log says" wait_until log_has 1 '$canary has its default: the value at /canary in version'
    check "canary: under load" changes_under_load canary '.canary = 0' '.canary = 100' "200|old" "200|new"
}

refused() { # of 20 requests
    local n
    for n in {1..20}; do code_of limits /index.html && echo; done | grep -c 429 || true
}

# The server sends at once what fits, and then waits.
seconds_for() { # BYTES
    head -c "$1" /dev/zero >"$PLACE/htdocs/long"
    of limits /long -o /dev/null -w '%{time_total}'
}

limits() {
    check "limits: not strict" is 0 "$(refused)"
    becomes '.limits.strict = true'
    check "limits: strict" between 10 19 "$(refused)"
    becomes '.limits.rate = "no size"'
    check "limits: nonsense sets no limit" code_of limits /index.html
    becomes '.limits.rate = "10k"'
    check "limits: a rate of 10k" awk -v took="$(seconds_for 30000)" 'BEGIN { exit !(took > 1) }'
    check "limits: under load" changes_under_load limits '.limits.strict = false' '.limits.strict = true' "200|page" "429|"
}

logs() {
    becomes '.log = false'
    of logs >/dev/null
    becomes '.log = true'
    of logs >/dev/null
    check "logs: a line with the version, and none before" wait_until is 1 "$(grep -c 'version=[0-9]* age=[0-9.]*$' "$PLACE/shop.log")"
}

place_of_recipes
begin "the recipes: a server starts"
maintenance
headers
upstream
canary
limits
logs
only_omissions() {
    is "" "$(wrong_in_log | grep -vE 'has its default|limiting requests|is forbidden')"
}
check "the recipes: nothing was wrong" only_omissions
stop

# SPDX-License-Identifier: MIT
# Values of all types, and of none, in everything that takes a variable: one version for the whole request.
# Shows: JSON-1, and no promise more: what the module makes of values.
# shellcheck shell=bash

in_the_log() { # TEXT
    grep -F -- "$1" "$PLACE/numbers.log"
}

put_this() { # PYTHON: a document, put
    is 204 "$(python3 -c "import json, sys; json.dump($1, sys.stdout)" | status /document -T - -H Expect:)"
}

# A back end behind the server, which says the headers that it got.
start_back_end() {
    python3 - "$PLACE/back" <<'PYTHON' >"$PLACE/back.log" 2>&1 &
import http.server, os, sys

class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

server = http.server.HTTPServer(("127.0.0.1", 0), Echo)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PYTHON
    wait_until test -s "$PLACE/back"
}

typed() { # DOCUMENT: what the variables of each type say
    printf '%s' "$1" | seqshare set "$share" --json -
    header /typed X-Typed
}

types() {
    check "type=string takes strings, type=integer integers, type=flag truth" is "a|12|1|10k" \
        "$(typed '{"string": "a", "integer": 12, "flag": true, "size": "10k"}')"
    check "false is 0, and a size may be a number" is "|-12|0|4096" \
        "$(typed '{"string": "", "integer": -12, "flag": false, "size": 4096}')"
    check "others have the default" is "none|7|1|1m" "$(typed '{"string": 1, "integer": "12", "flag": "true", "size": -1}')"
    check "which the log says once" wait_until log_has 1 "has its default: the value at"
    check "with the variable, the pointer and the reason" log_has 1 '$flagged has its default: the value at /flag in version 4 is neither true nor false'
    check "fractions and large numbers are not integers" is "none|7|1|1m" \
        "$(typed '{"string": [], "integer": 1.5, "flag": 1, "size": "k"}')"
    check "nor what nginx cannot compute with" is "none|7|1|1m" \
        "$(typed '{"string": {}, "integer": 18446744073709551615, "flag": [], "size": 99999999999999999999}')"
    check "what is missing or null has the default too" is "none|7|1|1m" "$(typed '{"string": null}')"
    check "also if the document is not an object" is "none|7|1|1m" "$(typed '[]')"
}

one_version() {
    document 2 | seqshare set "$share" --json -
    check "an internal redirect and a subrequest have the version of their request" is "2 14 Text 2" \
        "$(status /redirected >/dev/null && cat "$PLACE/page")"
    check "the log of requests too" wait_until in_the_log " 2 14"
    check "if, and rewrite" is "it is even, 302 http://127.0.0.1:$PORT/to/Text 2" \
        "$(curl -s "$url/if"), $(curl -s -o /dev/null -w '%{http_code} %{redirect_url}' "$url/rewritten")"
    document 3 | seqshare set "$share" --json -
    check "another version, another branch" is "it is odd" "$(curl -s "$url/if")"
    check "while a request waits, another document comes: it keeps its own" is "3 3" "$(slow_request)"
    check "a map and a log" in_the_log "map 3 odd"
}

# A request that nginx holds by limit_rate: its log line comes at the end.
slow_request() {
    local begun
    exec 8< <(exec curl -sN --max-time $PATIENCE -D - "$url/slow" | tr -d '\r' | sed -un 's/^X-Late: //p')
    read -r -u 8 begun
    document 5 | seqshare set "$share" --json -
    header /index.html X-Late >/dev/null
    cat <&8 >/dev/null
    exec 8<&-
    wait_until in_the_log "slow"
    echo "$begun $(sed -n 's/^slow //p' "$PLACE/slow.log")"
}

ends="one\\r\\nSet-Cookie: evil=1"
blanks="one  Set-Cookie: evil=1"

no_header_is_added() { # PATH...
    local path
    for path; do
        is "" "$(header "$path" Set-Cookie)"
    done
}

hostile() {
    printf '{"text": "%s", "list": ["\\r\\n\\u007f"], "pi": "a\\u0000b", "null": "\\"q\\" \\\\ \\u0001\\t\\u0085\\u00e4"}' "$ends" |
        seqshare set "$share" --json -
    check "line ends in a value are blanks in a header" is "$blanks" "$(header /index.html X-Text)"
    check "no header is added anywhere" no_header_is_added /index.html /values /page.shtml /redirected /back/ /rewritten
    check "a back end gets blanks, too" is "$blanks" "$(curl -s "$url/back/" | tr -d '\r' | sed -n 's/^X-Text: //p')"
    check "and not a header of the value's" is "" "$(curl -s "$url/back/" | grep -i '^set-cookie' || true)"
    check "a zero character, quotes and others" is 'a b|"q" \   '$'\xc2\x85\xc3\xa4' "$(header /values X-Values | cut -d '|' -f 4,7)"
    check "JSON in a header escapes them" is '["\r\n "]' "$(header /values X-Values | cut -d '|' -f 3)"
    check "each line of the log is one line" wait_until grep -q 'hostile .*Set-Cookie' "$PLACE/texts.log"
    check "and none more" is 0 "$(grep -c '^Set-Cookie' "$PLACE/texts.log")"
    check "a log in JSON is JSON" jq -e --arg text "$blanks" 'select(.text == $text)' "$PLACE/json.log"
}

log_ends_empty() {
    is "hostile -|-|it is null" "$(tail -n 1 "$PLACE/texts.log")"
}

long_values() {
    check "a value of 4096 bytes is taken" put_this "{'text': 'x' * 4096}"
    check "it is all there" is 4096 "$(header /index.html X-Text | tr -d '\n' | wc -c)"
    check "a longer one is put" put_this "{'text': 'x' * 4097}"
    check "it has the default: none" is "" "$(header /index.html X-Text)"
    check "1 MB, too: no page suffers" put_this "{'text': 'x' * 1000000}"
    check "it has the default: none" is "200 " "$(status /index.html) $(header /index.html X-Text)"
    check "a back end neither" is 200 "$(status /back/)"
    check "the log neither" wait_until log_ends_empty
    check "where max allows it, 1 MB gets through" is 1000011 "$(curl -s "$url/whole" | wc -c)"
    check "deep nesting is taken" put_this "{'text': eval('[' * 80 + ']' * 80)}"
    check "a document that is a number" put_this 7
    check "it is answered" is 200 "$(status /index.html)"
}

# Bodies come in by other functions of nginx then.
over_http_2() {
    local url=http://127.0.0.1:$(cat "$PLACE/http2.port") option=--http2-prior-knowledge
    bytes 1900000 >"$PLACE/long"
    check "HTTP/2: a document is put" is 204 "$(document 2 | status /document $option -T -)"
    check "HTTP/2: it is there" is 2 "$(header /index.html X-Late $option)"
    check "HTTP/2: a malformed one is refused" is 400 "$(echo '[' | status /document $option -T -)"
    check "HTTP/2: a long one is put" is 204 "$(status /document $option -T "$PLACE/long")"
    check "HTTP/2: it is all there" is 1900000 "$(curl -s $option "$url/document" | wc -c)"
    bytes 5000000 >"$PLACE/long"
    # curl 7.88 does not show what nginx answers before the body has been sent.
    status /document $option -T "$PLACE/long" >/dev/null || true
    status /document $option -T - <"$PLACE/long" >/dev/null || true
    check "HTTP/2: longer ones than the capacity change nothing" is 1900000 "$(curl -s $option "$url/document" | wc -c)"
}

# A page that includes the document, for a client that has conditions: they are about the page.
included() {
    document 2 | seqshare set "$share" --json -
    echo '<!--# include virtual="/document" -->' >"$PLACE/htdocs/include.shtml"
    check "a page may include the document" is "$(document 2)" \
        "$(curl -s -H "If-None-Match: $(header /document ETag)" "$url/include.shtml" | tr -d '\n')"
}

# SECONDS: a feed of the share knew so long ago that its value is the source's; "": never since boot.
feed_says() {
    python3 - "$work/plain/lib/libseqshare.so" "$share.feed" "$1" <<'PYTHON'
import ctypes, struct, sys, time
library, share, name = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p(), b"seqshare_feed_1"
current = int((time.clock_gettime(time.CLOCK_BOOTTIME) - float(sys.argv[3])) * 1e9) if sys.argv[3] else 0
state = struct.pack("QQQqqIIIIII", 1, 1, 1, current, current, 0, 1000, 1, 0, 0, 0)
assert library.seqshare_open(ctypes.byref(share), sys.argv[2].encode(), 2) == 0
library.seqshare_tag.argtypes = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t
library.seqshare_tag.restype = ctypes.c_uint32
tag = ctypes.c_uint32(library.seqshare_tag(name, len(name), len(state)))
assert library.seqshare_set_typed(share, state, ctypes.c_size_t(len(state)), tag) == 0
PYTHON
}

age_is() { # PATTERN
    [[ $(header /values X-Age) =~ ^$1$ ]]
}

aged_by_its_feed() {
    seqshare create "$share.feed" --size 64 --mode 644
    feed_says -1e6
    check "a feed's word counts for the age" wait_until age_is '0\.000'
    feed_says 20
    check "also when it is old" wait_until age_is '2[0-9]\.[0-9]{3}'
    feed_says ""
    check "a value that was never known since boot has no age" wait_until age_is ""
    seqshare rm "$share.feed"
    check "without a feed, it is the time since the publication" wait_until age_is '[0-9]{1,3}\.[0-9]{3}'
}

new_place
share_is "seqshare shop $share max=2m;"
seqshare create "$share" --size 4M --mode 666 --from <(document 1)
start_back_end
free_port >"$PLACE/http2.port"
http_has <<CONF
server {
    listen 127.0.0.1:$(cat "$PLACE/http2.port") http2;
    root $PLACE/htdocs;
    location = /document {
        seqshare_page shop put;
    }
}
seqshare_set \$string shop /string none type=string;
seqshare_set \$integer shop /integer 7 type=integer;
seqshare_set \$truth shop /flag 1 type=flag;
seqshare_set \$size shop /size 1m type=size;
map \$number \$parity {
    ~[02468]\$ even;
    default odd;
}
log_format map "map \$number \$parity";
log_format texts "hostile \$text|\$pi|\$null";
log_format json escape=json '{"text": "\$text", "null": "\$null", "list": "\$list"}';
log_format slow "slow \$late";
access_log $PLACE/numbers.log numbers;
access_log $PLACE/numbers.log map;
access_log $PLACE/texts.log texts;
access_log $PLACE/json.log json;
CONF
server_has <<CONF
location = /typed {
    add_header X-Typed "\$string|\$integer|\$truth|\$size";
    return 200;
}
location = /if {
    if (\$flagged) {
        return 200 "it is odd";
    }
    return 200 "it is even";
}
location = /rewritten {
    rewrite ^ http://127.0.0.1:$PORT/to/\$text redirect;
}
location = /whole {
    return 200 \$whole;
}
location = /slow {
    access_log $PLACE/numbers.log slow;
    access_log $PLACE/slow.log slow;
    add_header X-Late \$late;
    limit_rate 1k;
    alias $PLACE/htdocs/slow;
}
location /back/ {
    proxy_set_header X-Text \$text;
    proxy_set_header X-List \$list;
    proxy_pass http://127.0.0.1:$(cat "$PLACE/back")/;
}
CONF
head -c 2000 /dev/zero >"$PLACE/htdocs/slow"
begin "a server starts"
check "values of all types are texts" is \
    'Text 1|true|[1,{"a/b":null}]|3.10|18446744073709551615|x|it is null|it is missing||1' "$(header /values X-Values)"
check "the whole document is a value" grep -qF '"limit":7' <<<"$(header /values X-Whole)"
check "its version is a variable" is 1 "$(header /values X-Version)"
check "and its age, in seconds" grep -qxE '[0-9]{1,3}\.[0-9]{3}' <<<"$(header /values X-Age)"
aged_by_its_feed
types
one_version
hostile
long_values
included
over_http_2
only_omissions() {
    is "" "$(wrong_in_log | grep -vF 'has its default')"
}
check "nothing else was wrong" only_omissions
stop

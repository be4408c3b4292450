# SPDX-License-Identifier: MIT
# Good documents with values that a header, a log or an environment cannot carry: no page suffers from them.
# Shows: JSON-1, and no promise more: what the module does with values that are none of a header.
# shellcheck shell=bash

ends="one\\r\\nSet-Cookie: evil=1"
blanks="one  Set-Cookie: evil=1"

# A back end behind the server: its page is what it was sent.
start_back_end() {
    python3 - "$PLACE/back" <<'PYTHON' >"$PLACE/back.log" 2>&1 &
import http.server, sys

class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

server = http.server.HTTPServer(("127.0.0.1", 0), Echo)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(server.server_port))
__import__("os").rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
PYTHON
    back=$!
    wait_until test -s "$PLACE/back" || true
}

script() {
    mkdir "$PLACE/cgi"
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv | sort\n' >"$PLACE/cgi/env"
    chmod 755 "$PLACE/cgi/env"
}

# NAME FILTER: of the CGI's environment, without the name
of_script() {
    local got
    got=$(status /cgi/env)
    [ "$got" = 200 ] || echo "$got"
    sed -n "s/^$1=//p" "$PLACE/page"
}

# PYTHON: a document, put
put_this() {
    python3 -c "import json, sys; json.dump($1, sys.stdout)" | status /document -T - -H Expect:
}

# Length of the variable LONG that a CGI program gets
long_is() { # WANTED LENGTH
    is 204 "$(put_this "{'long': 'x' * $2}")"
    is "$1" "$(of_script LONG | tr -d '\n' | wc -c)"
}

answers_at() { # STATUS PATH...
    local path
    for path in "${@:2}"; do
        is "$1" "$(status "$path")"
    done
}

no_header_is_added() { # PATH...
    local path
    for path; do
        is "" "$(header "$path" Set-Cookie)"
    done
}

long_variables() { # MPM
    # LONG= and a zero byte belong to the 128 KiB that the kernel takes.
    check "$1: the longest variable that can be" long_is 131066 131066
    check "$1: one byte more is left out" long_is 0 131067
    check "$1: as is one that is far too long" long_is 0 4000000
    check "$1: a page without a program is answered, too" answers_at 200 /index.html
    check "$1: many long ones" is 204 "$(put_this "{'many': {str(n): 'x' * 100000 for n in range(1, 31)}}")"
    check "$1: so many that no program could be started: it is" is 200 "$(status /cgi/env)"
    check "$1: it has the first of them" is 100000 "$(of_script MANY1 | tr -d '\n' | wc -c)"
    check "$1: and not the last" is "" "$(of_script MANY30)"
    check "$1: within a minute one line says so" log_has 1 "is left out"
}

# httpd itself answers 500 where SetEnvIfExpr catches more than 64 KiB: the README's way to take none of it.
bounds() { # MPM
    local most over
    most=$(printf '%04000d' 0)
    over=$(printf '%0100000d' 0)
    check "$1: a text of so many bytes is put" is 204 "$(put_this "{'long': '$most'}")"
    check "$1: expressions take it" is "$most|$most" \
        "$(header /bounded X-Bounded)|$(header /bounded X-Long)"
    check "$1: and a longer one" is 204 "$(put_this "{'long': '$over'}")"
    check "$1: that takes no page down" is 200 "$(status /bounded)"
    check "$1: and is not taken" is "(null)|" "$(header /bounded X-Bounded)|$(header /bounded X-Long)"
}

only_omissions() {
    is "" "$(wrong_in_log | grep -vF 'is left out')"
}

hostile() { # MPM
    local cgi=cgi n
    [ "$1" = prefork ] || cgi=cgid
    new_place "$1"
    share_is "SeqshareCreate shop 4M"
    script
    start_back_end
    configuration_is <<CONF
LoadModule ${cgi}_module \${MODULES}/mod_$cgi.so
LoadModule proxy_module \${MODULES}/mod_proxy.so
LoadModule proxy_http_module \${MODULES}/mod_proxy_http.so
<IfModule cgid_module>
    ScriptSock \${PLACE}/cgid.sock
</IfModule>
ScriptAlias /cgi/ \${PLACE}/cgi/
SeqshareEnv ZERO /zero "it is out"
SeqshareEnv LONG /long
$(for n in {1..30}; do echo "SeqshareEnv MANY$n /many/$n"; done)
LogFormat "%{TEXT}e|%{ZERO}e" texts
CustomLog texts.log texts
<Location /set>
    Header set X-Set "expr=%{seqshare:/text}"
    Header always set X-Zero "expr=%{seqshare:/zero}"
    Header always set X-Controls "expr=%{seqshare:/controls}"
    Header always set X-Nested "expr=%{seqshare:/nested}"
    Header set X-Env "expr=%{reqenv:TEXT}"
    Header set X-Edited before
    Header edit X-Edited before "expr=%{seqshare:/text}"
    <If "%{seqshare:/text} =~ /evil/ && %{reqenv:TEXT} =~ /evil/">
        Header set X-If yes
    </If>
</Location>
<Location /back>
    RequestHeader set X-Expression "expr=%{seqshare:/text}"
    RequestHeader set X-Variable "%{TEXT}e"
    RequestHeader set X-Both "expr=%{reqenv:TEXT}"
    ProxyPass "http://127.0.0.1:$(cat "$PLACE/back")/"
</Location>
<Location /moved>
    Redirect 302 "http://127.0.0.1/%{seqshare:/text}"
</Location>
<Location /rewritten>
    RewriteEngine on
    RewriteRule ^ "http://127.0.0.1/%{ENV:TEXT}" [R,L,NE]
</Location>
<Location /mapped>
    RewriteEngine on
    RewriteCond expr "%{seqshare:/text} =~ /(.*)/"
    RewriteRule ^ - [E=CAUGHT:%1]
    Header set X-Caught "%{CAUGHT}e"
</Location>
<Location /bounded>
    SetEnvIfExpr "%{seqshare:/long} =~ /^(.{0,4000})\$/" BOUNDED=\$1
    Header always set X-Bounded "%{BOUNDED}e"
    <If "%{seqshare:/long} =~ /^.{0,4000}\$/">
        Header always set X-Long "expr=%{seqshare:/long}"
    </If>
</Location>
<Location /refused>
    Require expr "%{seqshare:/text} == 'open'"
    ErrorDocument 403 "%{seqshare:/text}"
</Location>
AliasMatch "^/(set|mapped|bounded)" \${PLACE}/htdocs/index.html
CONF
    begin "$1: a server starts, with a back end and a program"
    check "$1: a document with control characters is taken" is 201 "$(status /document -T - <<<"{\"text\": \"$ends\", \"zero\": \"a\\u0000b\", \"controls\": \"a\\u0001\\u007f\\tb\\u0085\\u00e4\", \"nested\": [\"\\r\\n\\u007f\"]}")"
    check "$1: line ends in a value: all pages are answered" answers_at 200 /index.html /set /back/ /mapped /page.shtml /cgi/env
    check "$1: and redirected" answers_at 302 /moved /rewritten
    check "$1: and refused" answers_at 403 /refused
    check "$1: no header is added" no_header_is_added /index.html /set /mapped /moved /rewritten /refused
    for n in Set Env Edited; do
        check "$1: a header has blanks for them: $n" is "$blanks" "$(header /set "X-$n")"
    done
    check "$1: also what a RewriteCond caught" is "$blanks" "$(header /mapped X-Caught)"
    check "$1: conditions see the rest" is yes "$(header /set X-If)"
    check "$1: a back end gets no header of the value's" is "" "$(status /back/ >/dev/null && grep -i '^set-cookie' "$PLACE/page")"
    for n in Expression Variable Both; do
        check "$1: but blanks: $n" is "$blanks" "$(tr -d '\r' <"$PLACE/page" | sed -n "s/^X-$n: //p")"
    done
    check "$1: a program, too" is "$blanks" "$(of_script TEXT)"
    check "$1: a zero character is a blank in expressions" is "a b" "$(header /set X-Zero)"
    check "$1: an environment has the default instead" is "it is out" "$(of_script ZERO)"
    check "$1: other control characters are blanks, and other characters are not" is $'a   b\xc2\x85\xc3\xa4' \
        "$(header /set X-Controls)"
    check "$1: JSON in a header escapes them, or has blanks" is '["\r\n "]' "$(header /set X-Nested)"
    check "$1: the log of requests has one line for each" is 0 "$(grep -c '^Set-Cookie' "$PLACE/texts.log")"
    check "$1: one line of the log tells what is left out" log_has 1 "the variable ZERO is left out"

    if [ "$(status /cgi/env -H "X-Long: $(printf '%06000d' 0)")" = 200 ]; then
        long_variables "$1"
    else
        skip "$1: long variables" "programs behind this httpd do not even get a long header of the client's"
        : >"$PLACE/error.log"
    fi
    bounds "$1"
    check "$1: nothing else was wrong" only_omissions
    stop
    kill "$back"
}

# The characters of a name get to the log and the status.
hostile_name() {
    local name=$shared/$'na\x01\xff"<b>\e[31m'
    new_place prefork
    name=$shared/$'na\x01\xff<b>\e[31m'
    share_is "SeqshareOpen \"$name\""
    begin "a name with bytes that are not text: a server starts"
    check "its status is JSON" jq -e '.share | test("<b>")' <(curl -s "$url/status")
    check "with the bytes escaped" grep -qF 'na\\x01\\xff' <(curl -s "$url/status")
    check "the log has no control character" is 0 "$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]' "$PLACE/error.log")"
    stop
}

for mpm in prefork event; do
    hostile "$mpm"
done
hostile_name

# SPDX-License-Identifier: MIT
# The README's examples, and example.conf.
# Shows: no promise of the library, but what the README of the module says.
# shellcheck shell=bash

the_example() {
    new_place prefork
    cp ../example.conf "$PLACE"
    echo '{"flags": {"closed": false, "banner": "Sale!"}, "limits": {"rate": 100}}' >"$PLACE/shop.json"
    share_is "LoadModule authz_host_module \${MODULES}/mod_authz_host.so"
    configuration_is <<'CONF'
Include example.conf
Header set X-Seen "expr=%{req:X-Rate}"
CONF
    begin "the example: a server starts"
    check "the example: a limit" is 100 "$(header /index.html X-Seen)"
    check "the example: a banner" is "Sale!" "$(header /index.html X-Banner)"
    check "the example: the status" is 1 "$(curl -s "$url/seqshare/status" | jq .version)"
    echo '{"flags": {"closed": true}}' >"$PLACE/closed.json"
    check "the example: it is closed" is 204 "$(status /seqshare/document -T "$PLACE/closed.json")"
    check "the example: for everybody" is 503 "$(status /index.html)"
    check "the example: by default" is 10 "$(header /seqshare/status X-Seen)"
    check "the example: it is opened" is 204 "$(status /seqshare/document -T "$PLACE/shop.json")"
    check "the example: for everybody" is 200 "$(status /index.html)"
    stop
}

# The expressions that the README shows: each must give "yes" for one document, and not for the other.
the_expressions() {
    local dark
    dark=$(sed -n 's/^    <If "\(-T [^"]*\)">.*/\1/p' ../README.md)
    new_place prefork
    configuration_is <<CONF
<If "$dark">
    Header set X-Theme dark
</If>
CONF
    begin "expressions: a server starts"
    for dark in true '"on"' '"yes"' 1; do
        echo "{\"flags\": {\"dark\": $dark}}" >"$PLACE/dark.json"
        status /document -T "$PLACE/dark.json" >/dev/null
        check "expressions: $dark is true" is dark "$(header /index.html X-Theme)"
    done
    for dark in false '"off"' '"no"' 0 null '""'; do
        echo "{\"flags\": {\"dark\": $dark}}" >"$PLACE/dark.json"
        status /document -T "$PLACE/dark.json" >/dev/null
        check "expressions: $dark is false" is "" "$(header /index.html X-Theme)"
    done
    stop
}

benchmark_runs() {
    python3 ../benchmark/compare.py --quick >"$work/benchmark"
    local name
    for name in without SeqshareEnv 'seqshare:/flag' 'file:' 'RewriteMap txt:'; do
        grep -qF "$name" "$work/benchmark"
    done
}

the_example
! is_quick || return 0
the_expressions
check "the benchmark runs" benchmark_runs

# SPDX-License-Identifier: MIT
# The values of a document in requests, and the places where requests can use them.
# Shows: no promise of the library, but what the module makes of values.
# shellcheck shell=bash

of_a_host() { # HOST: what its page says of the text
    header /index.html X-Text -H "Host: $1"
}

in_the_log() { # TEXT
    grep -F "$1" "$PLACE/numbers.log"
}

values() { # MPM
    new_place "$1"
    mkdir "$PLACE/htdocs/sub" "$PLACE/htdocs/env" "$PLACE/run"
    seqshare create "$PLACE/run/opened" --size 1M --mode 644 --from "$PLACE/shop.json"
    echo '{"text": "other", "number": 2}' >"$PLACE/other.json"
    configuration_is <<'CONF'
<VirtualHost *>
    ServerName localhost
    RewriteEngine on
    RewriteOptions Inherit
</VirtualHost>
<VirtualHost *>
    ServerName other
    SeqshareCreate other 1M other.json
    SeqshareEnv TEXT /number
    RewriteEngine on
    RewriteOptions Inherit
</VirtualHost>
<VirtualHost *>
    ServerName opened
    SeqshareOpen run/opened
</VirtualHost>
<VirtualHost *>
    ServerName unpublished
    SeqshareCreate unpublished 1M
    SeqshareEnv TEXT /text "it is not there yet"
</VirtualHost>
CONF
    echo 'Header always set X-Htaccess "expr=%{seqshare:/text}"' >"$PLACE/htdocs/sub/.htaccess"
    echo sub >"$PLACE/htdocs/sub/index.html"
    echo 'SeqshareEnv X /text' >"$PLACE/htdocs/env/.htaccess"
    echo '<!--#if expr="seqshare('"'/text'"') == '"'Text 1'"'" -->taken<!--#endif -->' >"$PLACE/htdocs/expr.shtml"

    begin "$1: a server starts"
    local all="Text 1|true|[1,{\"a/b\":null}]|3.10|18446744073709551615|x|it is null|it is missing|(null)|flag"
    check "$1: values of all types are variables" is "$all" "$(header /values X-Values)"
    check "$1: and in expressions" is 'Text 1|true|[1,{"a/b":null}]||' "$(header /values X-Expressions)"
    check "$1: and arguments of functions" is "text 1|eA==" "$(header /values X-Computed)"
    check "$1: and all of it" is yes "$(header /values X-Whole)"
    check "$1: a version" is 1 "$(header /values X-Version)"
    check "$1: <If>" is on "$(header /values X-Flag)"
    check "$1: RewriteCond, of a variable" is 200 "$(status /first)"
    check "$1: Require, of an expression" is 403 "$(status /private)"
    check "$1: Require, of a variable" is 200 "$(status /admitted)"
    check "$1: the log" in_the_log " 1 7"
    check "$1: variables of a place" is "7|1|Text 1" "$(header /outer X-Placed)"
    check "$1: of a place within it" is "Text 1|1|Text 1" "$(header /outer/inner X-Placed)"
    check "$1: and of an <If>" is "3.10|1|Text 1" "$(header /outer/late X-Placed)"
    check "$1: a subrequest" is 200 "$(status /page.shtml)"
    check "$1: has them" is "1 7 Text 1" "$(cat "$PLACE/page")"
    check "$1: a subrequest has those of its place" is 1 "$(header /page.shtml X-Ahead)"
    check "$1: an internal redirect" is 403 "$(status /redirected)"
    check "$1: has them" is "1 7 Text 1" "$(cat "$PLACE/page")"
    check "$1: an expression in .htaccess" is "Text 1" "$(header /sub/ X-Htaccess)"
    check "$1: a virtual host has a share of its own" is "2" "$(of_a_host other)"
    check "$1: or opens one, below ServerRoot" is "Text 1" "$(of_a_host opened)"
    check "$1: or inherits the server's" is "Text 1" "$(of_a_host localhost)"
    check "$1: or has one that is empty" is "it is not there yet" "$(of_a_host unpublished)"
    check "$1: which has no document" is 404 "$(status /document -H 'Host: unpublished')"
    check "$1: the next document" is 204 "$(status /document -T - < <(document 1000001))"
    check "$1: RewriteCond, of an expression" is 403 "$(status /admitted)"
    check "$1: is in the log" wait_until in_the_log " 1000001 7000007"
    check "$1: nothing was wrong" the_log_is_clean
    check "$1: SeqshareEnv is not for .htaccess" is 500 "$(status /env/)"
    check "$1: which says why" in_the_error_log "SeqshareEnv not allowed here"
    check "$1: pages of others cannot look into the share" is "" "$(status /expr.shtml >/dev/null && grep -F taken "$PLACE/page")"
    check "$1: which says why" in_the_error_log "seqshare: not allowed in pages"
    stop
}

in_the_error_log() { # TEXT
    grep -F -- "$1" "$PLACE/error.log"
}

for mpm in "${mpms[@]}"; do
    values $mpm
done

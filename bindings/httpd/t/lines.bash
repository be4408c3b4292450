# SPDX-License-Identifier: MIT
# Lines of the configuration that are wrong: said at the start, with file and line.
# Shows: no promise of the library, but what the directives take.
# shellcheck shell=bash

new_place prefork

# TEXT CONFIGURATION [MARK]: the line with the mark is wrong, and why
refused() {
    local said file=$PLACE/wrong.conf
    printf '%s\n' "$2" >"$file"
    if said=$(EXTRA=$file apache2 -t -f "$PLACE/httpd.conf" 2>&1); then
        echo "taken: $2"
        return 1
    fi
    echo "$said"
    grep -F "on line $(grep -n -m 1 "${3:-WRONG}" "$file" | cut -d: -f1) of $file" <<<"$said" &&
        grep -F -- "$1" <<<"$said"
}
wrong() { # NAME TEXT CONFIGURATION [MARK]
    check "refused: $1" refused "${@:2}"
}
host() { # CONFIGURATION: in a virtual host of its own, where a share may be
    printf '<VirtualHost *>\nServerName wrong\n%s\n</VirtualHost>' "$1"
}

check "the configuration that is right is taken" apache2 -t -f "$PLACE/httpd.conf"
wrong "a pointer without its slash" "'number' is not a JSON Pointer" "SeqshareEnv WRONG number"
wrong "a pointer with a tilde for nothing" "'/a~2' is not a JSON Pointer" "SeqshareEnv WRONG /a~2"
wrong "no pointer" "SeqshareEnv takes" "SeqshareEnv WRONG"
wrong "an impossible variable" "'WRONG=' cannot be the name of a variable" "SeqshareEnv WRONG= /a"
wrong "a pointer in a header" "'wrong' is not a JSON Pointer" 'Header set WRONG "expr=%{seqshare:wrong}"'
wrong "a pointer in <If>" "'wrong' is not a JSON Pointer" \
    $'<If "seqshare(\'wrong\') == \'WRONG\'">\n</If>'
wrong "a pointer in RewriteCond" "'/~' is not a JSON Pointer" 'RewriteCond expr "%{seqshare:/~} == '"'WRONG'"'"'

for capacity in 0 -1 x 1X 1KB 99999999999999999999 99999999999G; do
    wrong "the capacity $capacity" "'$capacity' is not a capacity" "$(host "SeqshareCreate WRONG $capacity")"
done
wrong "no capacity" "SeqshareCreate takes" "$(host "SeqshareCreate WRONG")"
wrong "a share without a name" "SeqshareCreate takes" "$(host 'SeqshareCreate "" 1M WRONG')"
wrong "a second share" "this server has a share already, shop" "SeqshareCreate WRONG 1M"
wrong "a second share, opened" "this server has a share already, shop" "SeqshareOpen WRONG"
wrong "one share with two capacities" "another SeqshareCreate gives one another capacity or file" \
    "$(host 'SeqshareCreate one 1M')
$(host 'SeqshareCreate one 2M')" 2M
wrong "one share with two files" "another SeqshareCreate gives shop another capacity or file" \
    "$(host "SeqshareCreate shop 64K")" 64K
wrong "a share of a place" "not allowed" $'<Location />\nSeqshareCreate WRONG 1M\n</Location>'
wrong "no name to open" "SeqshareOpen takes" "$(host 'SeqshareOpen "" WRONG')"
wrong "a name that cannot be" "'..' cannot be the name of a share" "$(host 'SeqshareOpen ..')" "\.\."
wrong "neither on nor off" "must be On or Off" "SeqshareWrite WRONG"

echo '{"number": 1,}' >"$PLACE/malformed.json"
: >"$PLACE/empty.json"
mkfifo "$PLACE/pipe.json"
wrong "a file that is not there" "cannot read $PLACE/absent.json: No such file" \
    "$(host 'SeqshareCreate WRONG 1M absent.json')"
wrong "a malformed document" "malformed.json: not JSON" "$(host 'SeqshareCreate WRONG 1M malformed.json')"
wrong "an empty document" "empty.json: not JSON" "$(host 'SeqshareCreate WRONG 1M empty.json')"
wrong "a document that is too large" "shop.json is longer than the share's capacity" \
    "$(host 'SeqshareCreate WRONG 20 shop.json')"
wrong "a folder" "htdocs is not a file" "$(host 'SeqshareCreate WRONG 1M htdocs')"
wrong "a pipe" "pipe.json is not a file" "$(host 'SeqshareCreate WRONG 1M pipe.json')"

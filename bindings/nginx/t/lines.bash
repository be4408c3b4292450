# SPDX-License-Identifier: MIT
# Lines of the configuration that are wrong: `nginx -t` says file, line, and what to write.
# Shows: no promise of the library, but what the directives take.
# shellcheck shell=bash

new_place
make_share

is_taken() {
    nginx -t -c "$PLACE/nginx.conf" -e "$PLACE/error.log"
}

# TEXT CONFIGURATION [BLOCK]: the line with WRONG, or else the last, is wrong, and why
refused() {
    local said line file=$PLACE/$3.conf
    printf '%s\n' "$2" >"$file"
    line=$(grep -n -m 1 WRONG "$file" | cut -d: -f1 || true)
    said=$(is_taken 2>&1) && rc=0 || rc=$?
    : >"$file"
    echo "$said"
    [ "$rc" -ne 0 ] && grep -F -- "$1" <<<"$said" | grep -F "in $file:${line:-$(wc -l <<<"$2")}"
}
wrong() { # NAME TEXT CONFIGURATION [BLOCK]
    check "refused: $1" refused "$2" "$3" "${4:-http}"
}

check "the configuration that is right is taken" is_taken

wrong "a name with a dash" 'write letters, digits and _' "seqshare my-WRONG;"
wrong "an empty name" 'write letters, digits and _' 'seqshare "";'
wrong "a second share of the name" 'there is a share "shop" already: give this one another name' "seqshare shop;"
wrong "a path that is not whole" 'is neither a name nor a whole path: begin it with a slash' "seqshare a run/WRONG;"
wrong "a name that cannot be" '".." cannot be the name of a share' "seqshare a ..;"
wrong "a path with a line end" "cannot have control characters" "seqshare a '/run/a
b';"
wrong "a long path" "too long parameter" "seqshare a /$(printf '%04096d' 0);"
wrong "two paths" 'is one word too many: write "seqshare NAME [PATH] [max=SIZE]"' "seqshare a /run/a /run/WRONG;"
for size in 0 -1 x 1kb "" 99999999999999999999 99999999999g; do
    wrong "the size '$size'" 'is not a size: write max=1m, for example' "seqshare WRONG max=$size;"
done
wrong "no name" 'invalid number of arguments in "seqshare" directive' "seqshare;"
wrong "a share in a server" '"seqshare" directive is not allowed here' "seqshare WRONG max=1m;" server

wrong "a variable before its share" 'there is no share "prices" yet: write "seqshare prices;" above this line' \
    $'seqshare_set $WRONG prices /a;\nseqshare prices;'
wrong "a variable without its dollar" '"WRONG" is not a variable: write a $, a letter or _, and letters, digits and _ after it' \
    'seqshare_set WRONG shop /a;'
wrong "a variable with a dash" '"$WRONG-a" is not a variable' 'seqshare_set $WRONG-a shop /a;'
wrong "the number of a capture" '"$1" is not a variable' 'seqshare_set $1 shop /WRONG;'
wrong "a dollar alone" '"$" is not a variable' 'seqshare_set $ shop /a;'
wrong "no pointer" 'needs more: write "seqshare_set $VARIABLE SHARE POINTER [DEFAULT] [type=TYPE] [max=SIZE]"' \
    'seqshare_set $WRONG shop;'
wrong "a pointer without its slash" '"limit" is not a JSON Pointer: it must be empty or begin with a slash' \
    'seqshare_set $WRONG shop limit;'
wrong "a pointer with a tilde for nothing" '"/a~2" is not a JSON Pointer' 'seqshare_set $WRONG shop /a~2;'
wrong "a type that is none" 'there is no type "bool": write text, string, integer, flag or size' \
    'seqshare_set $WRONG shop /a type=bool;'
wrong "a default that is not an integer" '$WRONG: the default is not an integer: write digits' \
    'seqshare_set $WRONG shop /a 1.5 type=integer;'
wrong "a default that is not a size" '$WRONG: the default is not a size: write digits, and k or m' \
    'seqshare_set $WRONG shop /a -1 type=size;'
wrong "a default that is not a flag" '$WRONG: the default of a flag must be 0, 1 or ""' \
    'seqshare_set $WRONG shop /a yes type=flag;'
wrong "a default with a variable" '$WRONG: a default is taken as it is, without variables: use "map"' \
    'seqshare_set $WRONG shop /a $uri;'
wrong "a default with a line end" '$WRONG: a default cannot have control characters' \
    $'seqshare_set $WRONG shop /a "\\r\\n";'
wrong "a long default" '$WRONG: the default is longer than "max" allows: raise that' \
    'seqshare_set $WRONG shop /a abc max=2;'
wrong "two defaults" '"words" is a second default: put a text with blanks into quotes' \
    'seqshare_set $WRONG shop /a two words;'
for size in 0 x 256m; do
    wrong "the longest value $size" 'is not a size of less than 256m: write max=16k, for example' \
        "seqshare_set \$WRONG shop /a max=$size;"
done
wrong "a variable twice" 'the duplicate "number" variable' 'seqshare_set $number shop /WRONG;'
wrong "a variable of nginx" 'the duplicate "uri" variable' 'seqshare_set $uri shop /WRONG;'
for line in 'map $uri $taken { default 1; }' 'split_clients $uri $taken { * 1; }' 'server { set $taken 1; }'; do
    wrong "a variable of ${line%% *} above" 'the duplicate "taken" variable: a line above (map, set ...) makes it too' \
        "$line"$'\nseqshare_set $taken shop /WRONG;'
done
wrong "a version of map above" 'the duplicate "seqshare_prices_version" variable' \
    $'map $uri $seqshare_prices_version { default 1; }\nseqshare prices /WRONG;'
wrong "set, of such a variable" 'the duplicate "number" variable' 'set $number WRONG;' server

wrong "a page before its share" 'there is no share "prices" yet: write "seqshare prices;" above this line' \
    $'location = /a {\nseqshare_page prices; # WRONG\n}' server
wrong "a page that may do something else" '"PUT" cannot be here: write "put", or nothing' \
    $'location = /a {\nseqshare_page shop PUT; # WRONG\n}' server
wrong "two pages" '"seqshare_page" directive is duplicate: a location can have one' \
    $'location = /a {\nseqshare_page shop;\nseqshare_page shop put; # WRONG\n}' server
wrong "a status and a page" '"seqshare_status" directive cannot share a location with seqshare_page: give it its own' \
    $'location = /a {\nseqshare_page shop;\nseqshare_status shop; # WRONG\n}' server
wrong "a page and a status" '"seqshare_page" directive cannot share a location with seqshare_status: give it its own' \
    $'location = /a {\nseqshare_status shop;\nseqshare_page shop; # WRONG\n}' server
wrong "a status in another form" '"xml" cannot be here: write "prometheus", or nothing' \
    $'location = /a {\nseqshare_status shop xml; # WRONG\n}' server

# The version and the age are variables of the shares that are there.
says_unknown() {
    echo 'add_header X $seqshare_prices_version;' >"$PLACE/http.conf"
    (is_taken 2>&1 || true) | grep 'unknown "seqshare_prices_version" variable'
    : >"$PLACE/http.conf"
}
check "the version of a share that is not there is not a variable" says_unknown

rm "$share"
warns() {
    is_taken 2>&1 | grep 'there is no share of that name.*; nginx goes on looking for the share'
}
check "a share that is not there is a warning" warns

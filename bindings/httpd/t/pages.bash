# SPDX-License-Identifier: MIT
# The pages: a document got and put, on conditions, and refused; the status.
# Shows: JSON-1.
# shellcheck shell=bash

put() { # [CURL OPTION...], the document on standard input: the number
    status /document -T - "$@"
}

put_text() { # TEXT [CURL OPTION...]
    put "${@:2}" <<<"$1"
}

page_says() { # TEXT
    grep -F -- "$1" "$PLACE/page"
}

# PATTERN...: permissions with which each child has the share mapped, in any order
maps() {
    local child inode
    inode=$(stat -L -c %i "$(created_share)")
    for child in $(children); do
        is "$*" "$(awk -v inode="$inode" '$5 == inode { print $2 }' "/proc/$child/maps" | sort -u | xargs)"
    done
}

tag() {
    header /document ETag "$@"
}

of_status() { # FILTER
    curl -s "$url/status" | jq -r "$1"
}

conditions() { # MPM
    local old
    old=$(tag)
    check "$1: a document has its version for a tag" grep -qxE '"1-[0-9a-f]{8}"' <<<"$old"
    check "$1: who has it need not get it again" is 304 "$(status /document -H "If-None-Match: $old")"
    echo '<!--#include virtual="/document" -->' >"$PLACE/htdocs/include.shtml"
    check "$1: a page that includes it has it, whatever its client has" grep -qxF "$(document 1)" \
        <(curl -s -H "If-None-Match: $old" "$url/include.shtml")
    check "$1: its date is unknown, and no condition" is 200 \
        "$(status /document -H 'If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT')"
    check "$1: who wants another version does not get it" is 412 "$(status /document -H 'If-Match: "0-00000000"')"
    check "$1: a head" is "$(wc -c <"$PLACE/shop.json")" "$(header /document Content-Length -I)"
    check "$1: put, if the version stands" is 204 "$(document 2 | put -H "If-Match: $old")"
    check "$1: is in the next answer" is 2 "$(header /index.html X-Late)"
    check "$1: has the next version" is "${old/1-/2-}" "$(tag)"
    check "$1: not put, if it does not" is 412 "$(document 3 | put -H "If-Match: $old")"
    check "$1: says so" page_says "the current version is not the expected one"
    check "$1: says which one" is "${old/1-/2-}" "$(document 3 | header /document ETag -T - -H "If-Match: $old")"
    check "$1: nor if it is that of another region" is 412 "$(document 3 | put -H 'If-Match: "2-00000000"')"
    check "$1: nor if that is nonsense" is 412 "$(document 3 | put -H 'If-Match: 2')"
    check "$1: nor if there must be none" is 412 "$(document 3 | put -H 'If-None-Match: *')"
    check "$1: one of several" is 204 "$(document 3 | put -H "If-Match: \"1-00000000\", ${old/1-/2-}")"
    check "$1: any" is 204 "$(document 4 | put -H 'If-Match: *')"
    check "$1: it is all there" is "$(document 4)" "$(curl -s "$url/document")"
    check "$1: no first document, if there must be one" is 412 \
        "$(document 5 | put -H 'Host: unpublished' -H 'If-Match: *')"
    check "$1: a first document, if there is none" is 201 \
        "$(document 5 | put -H 'Host: unpublished' -H 'If-None-Match: *')"
}

refusals() { # MPM
    local before
    before=$(tag)
    check "$1: malformed is refused" is 400 "$(put_text '{"number": 5,}')"
    check "$1: says why and where" page_says "not JSON: a name in quotes is missing in line 1, at byte 14"
    check "$1: empty is refused" is 400 "$(put </dev/null)"
    check "$1: two documents are refused" is 400 "$(put_text '1 2')"
    check "$1: no UTF-8 is refused" is 400 "$(put_text $'"\xff"')"
    check "$1: more than the capacity is refused" is 413 "$(bytes 65537 | put -H 'Expect:')"
    check "$1: says what that is" page_says "longer than the share's capacity of 65536 bytes"
    check "$1: as it is from a file" is 413 "$(bytes 65537 >"$PLACE/long" && status /document -T "$PLACE/long")"
    check "$1: as it is when nobody says how long it will be" is 413 "$(python3 client.py chunks "$PORT" 100000000)"
    check "$1: which takes no memory" no_memory_taken
    check "$1: a length that is none is refused" is 400 "$(put_text 1 -H 'Content-Length: x')"
    check "$1: a part is refused" is 400 "$(document 5 | put -H 'Content-Range: bytes 0-9/1000')"
    check "$1: says so" page_says "as a whole"
    check "$1: another method is refused" is 405 "$(status /document -X DELETE)"
    check "$1: says which ones are not" is "GET,PUT,HEAD,OPTIONS" "$(allowed /document -X DELETE)"
    check "$1: also when asked" is "GET,PUT,HEAD,OPTIONS" "$(allowed /document -X OPTIONS)"
    check "$1: where documents are not taken" is 405 "$(document 5 | status /look -T -)"
    check "$1: says so" is "GET,HEAD,OPTIONS" "$(document 5 | allowed /look -T -)"
    check "$1: but given" is "$(document 4)" "$(curl -s "$url/look")"
    check "$1: who is not let in is not let in" is 403 "$(document 5 | status /private -T -)"
    check "$1: all that changed nothing" is "$before" "$(tag)"
    check "$1: the longest that fits" is 204 "$(bytes 65536 | put)"
    check "$1: is all there" is 65536 "$(curl -s "$url/document" | wc -c)"
}

# Half of the 100 MB that were sent.
no_memory_taken() {
    local child peak
    for child in $(children); do
        peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$child/status")
        [ "$peak" -lt 50000 ]
    done
}

allowed() { # PATH CURL OPTION...: in an order that does not depend on the server's version
    header "$1" Allow "${@:2}" | tr -d ' ' | tr , '\n' | sort |
        awk '{ got[$1] } END { for (i = split("GET PUT HEAD OPTIONS", all); i; i--)
             if (all[i] in got) text = all[i] (text ? "," : "") text; else delete all[i]; print text }'
}

the_status() { # MPM
    check "$1: status" is "shop SeqshareCreate 65536 65536" \
        "$(of_status '[.share, .made_by, .size, .capacity] | join(" ")' || true)"
    check "$1: version and tag" is "$(tag)" "$(of_status .etag)"
    check "$1: an age" is true "$(of_status '.age >= 0 and .age < 1000 and .version == .this_process.version')"
    check "$1: no refusals" is "0 0" "$(of_status '"\(.refusals) \(.this_process.failed)"')"
    check "$1: which it may write" is true "$(of_status .this_process.may_write)"
    check "$1: status takes nothing" is 405 "$(document 5 | status /status -T -)"
}

# Forced in past the check, with the library's own tool.
forced() { # MPM
    local version
    document 6 | seqshare set "$(created_share)" --json -
    check "$1: another process publishes" is 6 "$(header /index.html X-Late)"
    version=$(of_status .version)
    echo '{"number": 7' | seqshare set "$(created_share)" --force -
    for _ in {1..50}; do status /index.html >/dev/null; done
    check "$1: what is malformed and forced in is not used" is 6 "$(header /index.html X-Late)"
    check "$1: one line of the log says so" wait_until log_has 1 "version $((version + 1)) is not used"
    check "$1: and why" log_has 1 "the last good one stays: not JSON: a comma or } is missing in line 2"
    check "$1: the status tells, too" is "$((version + 1)) true" \
        "$(of_status '"\(.refused_version) \(.refusals > 0)"')"
    check "$1: the page gives what is there" is '{"number": 7' "$(curl -s "$url/document")"
    if [ "$1" = prefork ]; then
        kill_children
        check "$1: children that are born then use the last good one, too" is 6 "$(header /index.html X-Late)"
    fi
    seqshare set "$(created_share)" --force ''
    check "$1: nor is what is empty" is 6 "$(header /index.html X-Late)"
    document 8 | seqshare set "$(created_share)" --json -
    check "$1: the next good one is" is 8 "$(header /index.html X-Late)"
    check "$1: of two there is one line within a minute, and nothing else was wrong" is 1 "$(wrong_in_log | wc -l)"
}

# While somebody else has the lock, and does not give it back.
locked() { # MPM
    local owner
    exec 7< <(exec seqshare lock "$(created_share)" -- sh -c 'echo $$; exec sleep 100')
    read -r -u 7 owner
    check "$1: while another has the lock, it is not waited for without end" is 503 "$(document 9 | put)"
    check "$1: and reading goes on" is 8 "$(header /index.html X-Late)"
    kill -KILL $owner
    exec 7<&-
    check "$1: when that is killed, writing goes on" is 204 "$(document 9 | put)"
}

# While a child that keeps a document for all is stopped.
stopped() { # MPM
    local good owner
    check "$1: a document is used" is 9 "$(header /index.html X-Late)"
    good=$(seqshare ls --pid "$server" --json | jq -re '[.[] | select(.capacity == 65568)][0].name')
    exec 7< <(exec seqshare lock "$good" -- sh -c 'echo $$; exec sleep 100')
    read -r -u 7 owner
    check "$1: while a child is stopped with a document, another is put" is 204 "$(document 10 | put)"
    check "$1: requests are answered with the one before" is "9 200" "$(header /index.html X-Late) $(status /index.html)"
    check "$1: the log says so" wait_until log_has 1 "has not finished for a second"
    kill -KILL $owner
    exec 7<&-
    check "$1: when it is killed, all have the newest" wait_until python3 client.py all "$PORT" 10 "$server"
}

pages() { # MPM
    new_place "$1"
    configuration_is <<'CONF'
<VirtualHost *>
    ServerName localhost
</VirtualHost>
<VirtualHost *>
    ServerName unpublished
    SeqshareCreate unpublished 1M
</VirtualHost>
CONF
    begin "$1: a server starts"
    conditions "$1"
    refusals "$1"
    the_status "$1"
    check "$1: nothing was wrong" the_log_is_clean
    check "$1: children that write map it twice" maps r--s rw-s
    forced "$1"
    if [ "$1" = prefork ]; then
        locked "$1"
        stopped "$1"
    fi
    stop

    new_place "$1" off
    begin "$1: a server starts that takes no documents"
    sed -i '/private/,/Location/ s/SeqshareWrite on/SeqshareWrite off/' "$PLACE/httpd.conf"
    restart USR1
    check "$1: its children have it for reading only" wait_until maps r--s
    check "$1: the status says so" is false "$(of_status .this_process.may_write)"
    check "$1: it refuses" is 405 "$(document 5 | put)"
    stop
}

for mpm in "${mpms[@]}"; do
    pages $mpm
done

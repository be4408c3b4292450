# SPDX-License-Identifier: MIT
# A body that nginx has read before the page sees it, or that it leaves to somebody else: a copy of the request (mirror),
# and a request that another handler could not answer (error_page). What the client sent is published, and the original
# goes on with all of it.
# Shows: no promise of the library, but that each PUT publishes what its client sent.
# shellcheck shell=bash

new_place
make_share
seqshare create "$shared/other" --size 64K --mode 666 --from <(document 1)
http_has <<<"seqshare other $shared/other;"
server_has <<CONFIGURATION
location = /other {
    seqshare_page other put;
}
location = /copied {
    mirror /document;
    proxy_pass $url/other;
}
location = /judged {
    mirror /document;
    proxy_set_header If-Match "";
    proxy_pass $url/other;
}
location = /unread {
    mirror /document;
    mirror_request_body off;
    seqshare_page other put;
}
location = /answered {
    mirror /document;
    mirror_request_body off;
    return 200;
}
location = /failed {
    error_page 502 = @page;
    proxy_pass http://127.0.0.1:1;
}
location @page {
    seqshare_page shop put;
}
CONFIGURATION
bytes 40000 >"$PLACE/long" # nginx writes it to a file
document 2 >"$PLACE/short"

gives() { # PATH FILE
    curl -s --max-time $PATIENCE "$url$1" | cmp - "$2"
}

# PATH FILE PAGE...: an answer comes, and all these pages have the document then
publishes() {
    local page
    is 204 "$(status "$1" -T "$2")"
    for page in "${@:3}"; do
        wait_until gives "$page" "$2"
    done
}

# While a copy waits for the lock, its original is answered.
copy_waits() {
    local owner
    exec 7< <(exec seqshare lock "$share" -- sh -c 'echo $$; exec sleep 100')
    read -r -u 7 owner
    publishes /copied "$PLACE/short" /other
    kill -KILL "$owner"
    exec 7<&-
    wait_until gives /document "$PLACE/short"
}

version_of() { # PAGE
    header "$1" ETag | sed 's/"\(.*\)-.*/\1/'
}

# The client wants another version: the copy is refused, so that the next one has the next version.
copy_has_conditions() {
    local version
    version=$(version_of /document)
    is 204 "$(status /judged -T "$PLACE/short" -H 'If-Match: "0-00000000"')"
    publishes /copied "$PLACE/long" /other /document
    is $((version + 1)) "$(version_of /document)"
}

# The copy has no document then, and is refused.
nobody_reads() {
    is 200 "$(status /answered -T "$PLACE/long")"
    is 200 "$(status /answered -T "$PLACE/short" -H 'Transfer-Encoding: chunked')"
    gives /document "$PLACE/short"
}

begin "a server starts"
for size in short long; do
    check "a copied request, $size: both have it" publishes /copied "$PLACE/$size" /other /document
    check "a request that a back end could not take, $size" publishes /failed "$PLACE/$size" /document
    check "a copy without its body, $size: the original has it" publishes /unread "$PLACE/$size" /other
done
check "while a copy waits for the lock, the original is answered" copy_waits
check "a copy has the client's conditions" copy_has_conditions
document 2 | seqshare set "$share" --json -
check "nobody reads the body: that is all the same to the copy" nobody_reads
check "no worker has ended" is 0 "$(logged "exited on signal")"
stop

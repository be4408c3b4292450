# SPDX-License-Identifier: MIT
# Documents put into a share that others make: its name may move meanwhile, and it may be theirs for something else.
# Shows: NAME-3, and that a PUT is not lost with a name that moves.
# shellcheck shell=bash

# The server's user, too.
make_share() { # [OPTION...]
    seqshare create "$share" --size 64K --mode 666 "$@"
    [ "$(id -u)" -ne 0 ] || chown www-data:www-data "$share"
}

put_half() { # NUMBER COMMAND: the answer, where the command runs when half of it is there
    python3 client.py half "$PORT" "$1" "$2"
}

number_in_share() {
    seqshare get "$share" | jq .number
}

type_of_share() {
    seqshare stat "$share" --json | jq -r .tag
}

puts() { # MPM
    local json=d86fc7a3
    new_place "$1"
    share=$shared/config
    share_is "SeqshareOpen $share"
    make_share
    begin "$1: a server starts with a share that others make"
    check "$1: a first document" is 201 "$(document 1 | status /document -T -)"
    check "$1: has the type of JSON" is $json "$(type_of_share)"
    check "$1: while one comes in, the share is replaced" is 204 "$(put_half 2 "seqshare replace '$share' --size 128K --mode 666")"
    check "$1: it is where the name leads" is 2 "$(number_in_share)"
    check "$1: while one comes in, the share is made again by hand, for nobody to notice" is 201 \
        "$(put_half 3 "rm '$share'; seqshare create '$share' --size 64K --mode 666")"
    check "$1: it is where the name leads" is 3 "$(number_in_share)"
    check "$1: while one comes in, another share is moved there" is 204 \
        "$(put_half 4 "seqshare create '$share.new' --size 64K --mode 666 --from '$PLACE/shop.json'; mv '$share.new' '$share'")"
    check "$1: it is where the name leads" is 4 "$(number_in_share)"
    check "$1: while one comes in, the share is removed" is 404 "$(put_half 5 "seqshare rm '$share'")"
    check "$1: there is none then" is 404 "$(status /document)"
    make_share
    check "$1: while one comes in, the share is removed by hand" is 404 "$(put_half 5 "rm '$share'")"
    make_share
    check "$1: while one comes in, something else takes the name" is 500 \
        "$(put_half 5 "rm '$share'; echo no share >'$share'")"
    rm "$share"
    make_share
    check "$1: while one comes in, the share becomes too small" is 413 \
        "$(put_half 5 "rm '$share'; seqshare create '$share' --size 64 --mode 666")"

    rm "$share"
    make_share
    seqshare set "$share" --force --tag 0badcafe "it is a program's"
    check "$1: a value of another type is not overwritten" is 409 "$(document 6 | status /document -T -)"
    check "$1: which is said" grep -qF "not of the type JSON" "$PLACE/page"
    check "$1: it stands" is "it is a program's" "$(seqshare get "$share")"
    check "$1: nor if its version is named" is 409 \
        "$(document 6 | status /document -T - -H "If-Match: $(header /document ETag)")"
    seqshare set "$share" --force --tag 0 "anything"
    check "$1: but what has no type" is 204 "$(document 6 | status /document -T -)"
    seqshare set "$share" --tag ac10f95c "$(document 7)" # perl.JSON
    check "$1: or Perl's type for JSON" is 204 "$(document 8 | status /document -T -)"
    check "$1: which then is JSON" is "8 $json" "$(number_in_share) $(type_of_share)"
    check "$1: as again" is 204 "$(document 9 | status /document -T -)"
    stop
}

for mpm in prefork event; do
    puts "$mpm"
done

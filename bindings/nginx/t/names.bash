# SPDX-License-Identifier: MIT
# A share with a name, which is another's: absent, made, replaced, removed, spoilt, of another user.
# Shows: JSON-2, NAME-8.
# shellcheck shell=bash

absent="there is no share of that name"

# Workers look once a second. From here on each has done so.
all_have_looked() {
    sleep 1.2
}

of_another_user() {
    seqshare replace "$share" --size 64K --mode 600
    publish 8
    all_have_looked
    check "a share that the workers' user may not read: the last document stays" all_say 7
    check "which is said" wait_until log_has 1 "the workers' user may not read the share"
    kill_children
    check "also to workers that start then" all_say 7
    reload
    check "new workers have it from the master, which is root, and so have all" all_say 8
    chmod 644 "$share"
    publish 7
    check "now they may" wait_until all_say 7
    check "they may not write" is 500 "$(document 9 | status /document -T -)"
    check "which is said" log_has 1 "seqshare shop: the permissions of the share or its folder do not allow"
    chmod 666 "$share"
}

new_place
begin "a server starts without its share"
check "which is said once" log_has 1 "$absent"
check "values are missing" is "||||||it is null|it is missing||0" "$(header /values X-Values)"
check "there is no document" is 404 "$(status /document)"
check "the status says so" grep -qF "$absent" <(curl -s "$url/status")
check "and the metrics" grep -qx 'seqshare_trouble{share="shop"} 1' <(curl -s "$url/metrics")
make_share
check "a second later it is there" wait_until all_say 1
check "which is said once" wait_until log_has 1 "the share is there again"
publish 2
check "another document is in the next answer" all_say 2
seqshare replace "$share" --size 1M --mode 666
publish 3
check "it is replaced by one with another capacity" wait_until all_say 3
check "which the status shows" is 1048576 "$(curl -s "$url/status" | jq .capacity)"
publish 4
check "another is in the next answer of each" all_say 4
kill_children
seqshare rm "$share"
all_have_looked
check "it is removed: the last document stays" all_say 4
check "which is said once" wait_until log_has 2 "$absent"
kill_children
check "also in workers that start then" all_say 4
check "and not again" log_has 2 "$absent"

reload
make_share 5
check "it is made again, with versions from 1" wait_until all_say 5
check "from 1" is 1 "$(header /index.html X-Version)"
seqshare rm "$share"
echo "this is not a share" >"$share"
all_have_looked
check "something else has the name: the last document stays" all_say 5
check "which is said" wait_until log_has 1 "not a share, a damaged share"
check "and is the server's mistake" is 500 "$(status /document)"
rm "$share"
make_share 7
check "it is a share again" wait_until all_say 7
[ "$(id -u)" -ne 0 ] || of_another_user
check "they may write" is 204 "$(document 9 | status /document -T -)"
check "and have written" all_say 9
rm "$share"
make_share 10
check "removed by hand and made again, without a mark: they look" wait_until all_say 10
check "no worker died" log_has 0 "exited on signal 11"
stop

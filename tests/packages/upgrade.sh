#!/bin/bash
# SPDX-License-Identifier: MIT
# In the bare machine: programs in C, Perl and Python, a command and an agent work on while all packages are upgraded.
# Shows: no promise of the library, but what a distribution expects of its packages.
set -euo pipefail
cd "$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

until_line() { # FILE LINE: it comes, sooner or later
    until grep -qxF "$2" "$1"; do sleep 0.1; done
}

seqshare create running --json --from - <<<'"before"'
# shellcheck disable=SC2046
cc -o reader /reader.c $(pkg-config --cflags --libs seqshare)
./reader running >c &
reader=$!
seqshare watch running >shell &
perl -MSeqshare -e '$| = 1; $share = Seqshare->open("running", codec => "JSON", read_only => 1);
    do { print "\"" . $share->get . "\"\n" } while $share->wait;' >perl &
python3 -uc 'import seqshare
share = seqshare.open("running", write=False)
version = 0
while True:
    version = share.wait(version) or version
    print("\"" + share.snapshot() + "\"")' >python &
mkdir source
echo 1 >source/number
printf 'source = file:%s\nshare = /dev/shm/fed\nform = json-tree\nstate = %s\n' "$PWD/source" "$PWD/state" >feed.conf
seqshare-feed run "$PWD/feed.conf" &
agent=$!
seqshare-feed status "$PWD/feed.conf" --wait 60s
for who in c shell perl python; do until_line $who '"before"'; done

dpkg --install /newer/*.deb
grep 'libseqshare.so.*(deleted)' /proc/$reader/maps # it runs with the old one
readlink /proc/$agent/exe | grep deleted

seqshare set running '"after"' --json # by the new one
for who in c shell perl python; do until_line $who '"after"'; done
echo 2 >source/number
until [ "$(seqshare get /dev/shm/fed)" = '{"number":2}' ]; do sleep 0.1; done
seqshare-feed status "$PWD/feed.conf"
timeout 60 ./reader running >again &
until_line again '"after"'

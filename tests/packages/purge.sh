#!/bin/bash
# SPDX-License-Identifier: MIT
# In the bare machine, where a feed runs as its guide says: removes all our packages, then purges them.
# Shows: no promise of the library, but what a distribution expects of its packages.
set -euo pipefail
mapfile -t ours < <(dpkg-query -W -f '${Package}\n' '*seqshare*')

getent passwd seqshare-feed
install -d -o seqshare-feed /run/seqshare /var/lib/seqshare
cat >/etc/seqshare/feed.d/shop.conf <<'END'
source = file:/etc/hostname
share = /run/seqshare/shop
form = bytes
state = /var/lib/seqshare/shop
END
setpriv --reuid seqshare-feed --regid seqshare-feed --clear-groups seqshare-feed run shop &
agent=$!
seqshare-feed status shop --wait 60s
systemctl enable seqshare-feed@shop

dpkg --remove "${ours[@]}"
wait $agent || true # it has ended
[ -s /etc/seqshare/feed.d/shop.conf ] && [ -e /run/seqshare/shop ] && [ -d /var/lib/seqshare/shop ]
dpkg --purge "${ours[@]}"
[ ! -e /run/seqshare ]

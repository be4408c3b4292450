#!/bin/bash
# SPDX-License-Identifier: MIT
# In a machine that systemd runs: installs our packages, and has a feed as a unit while its package is upgraded, removed
# and purged.
# Shows: no promise of the library, but what a distribution expects of its packages.
set -xeuo pipefail

fails() {
    ! "$@"
}

pid_of_agent() {
    systemctl show --property MainPID --value seqshare-feed@shop
}

dpkg --install /packages/*.deb
mkdir -p /srv/source
echo 1 >/srv/source/number
cat >/etc/seqshare/feed.d/shop.conf <<'END'
source = file:/srv/source
share = /run/seqshare/shop
form = json-tree
state = /var/lib/seqshare/shop
END
systemctl enable --now seqshare-feed@shop
seqshare-feed status shop --wait 60s
[ "$(stat -c %U /run/seqshare/shop)" = seqshare-feed ]
reader=$(seqshare watch /run/seqshare/shop --count 2 >/srv/seen & echo $!)
agent=$(pid_of_agent)

dpkg --install /newer/seqshare-feed_*.deb
[ "$(pid_of_agent)" != "$agent" ]
systemctl is-active seqshare-feed@shop
echo 2 >/srv/source/number
tail --pid "$reader" -f /dev/null # the reader has seen both, from the old agent and the new one
printf '{"number":%d}\n' 1 2 | diff - /srv/seen

dpkg --remove seqshare-feed
fails systemctl is-active seqshare-feed@shop
[ "$(seqshare get /run/seqshare/shop)" = '{"number":2}' ]
dpkg --purge seqshare-feed
fails getent passwd seqshare-feed
for left in /run/seqshare /var/lib/seqshare /etc/seqshare /etc/systemd/system/*.wants/seqshare*; do
    [ ! -e "$left" ] && [ ! -L "$left" ]
done

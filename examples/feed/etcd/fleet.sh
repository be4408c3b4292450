#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A fleet on one machine: an etcd on loopback, and three agents that follow it, each with a share of its own. Ctrl-C
# ends them all.
set -euo pipefail
trap 'kill $(jobs -p)' EXIT

mkdir /dev/shm/fleet
etcd --data-dir /dev/shm/fleet/etcd --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 >/dev/shm/fleet/etcd.log 2>&1 &
echo $! >/dev/shm/fleet/etcd.pid
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=127.0.0.1:2379
until etcdctl endpoint health; do sleep 1; done
for agent in 1 2 3; do
    cat >/dev/shm/fleet/$agent.conf <<END
source = etcd://127.0.0.1:2379/shop/
share = /dev/shm/fleet/$agent
form = json-tree
state = /dev/shm/fleet/state-$agent
END
    seqshare-feed run /dev/shm/fleet/$agent.conf &
done
etcdctl put /shop/flags/dark true
for agent in 1 2 3; do
    seqshare-feed status /dev/shm/fleet/$agent.conf --wait 60s
    seqshare get /dev/shm/fleet/$agent
done
wait

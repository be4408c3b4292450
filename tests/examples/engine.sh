#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# engine.sh WORK RECIPE: the images of examples/containers, and a recipe (containers.py) in real containers, by podman.
# WORK/trixie is a bare Debian, from which the image debian:trixie-slim is made; WORK/sources a copy of this tree.
set -euo pipefail
if [ -z "${SEQSHARE_INSIDE:-}" ]; then
    exec env SEQSHARE_INSIDE=1 unshare --mount --propagation private "$0" "$@" # for the mount below
fi
work=$1 recipe=$2
export CONTAINERS_CONF=$work/containers.conf
export PODMAN="podman --root $work/engine --runroot $work/engine-run --runtime runc --cgroup-manager cgroupfs"
read -ra podman <<<"$PODMAN"
limits=(--ulimit nofile=1024:1024 --ulimit nproc=4096:4096) # a machine may forbid more, which podman asks for

build() { # TARGET TAG
    "${podman[@]}" image exists "$2" || "${podman[@]}" build --isolation chroot --network host "${limits[@]}" \
        --file examples/containers/Dockerfile --target "$1" --tag "$2" .
}

end() {
    "${podman[@]}" pod rm --force --all --time 1 || true
    "${podman[@]}" volume prune --force || true
}

mkdir -p "$work/engine/volumes" "$work/run"
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\nevents_logger = "file"\n' >"$CONTAINERS_CONF"
"${podman[@]}" image exists debian:trixie-slim ||
    tar -C "$work/trixie" -c . | "${podman[@]}" import - docker.io/library/debian:trixie-slim
here=$PWD
cd "$work/sources"
build feed seqshare-feed
build application application
mount -t tmpfs -o size=64m none "$work/engine/volumes"
trap end EXIT
cd examples/containers
PREFIX='' python3 -B "$here/containers.py" "$recipe" engine

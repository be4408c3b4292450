# SPDX-License-Identifier: MIT
# The container recipe by a real engine, in the long programme; sourced by run.sh.
# shellcheck shell=bash
source ../machine.sh

copy_for_images() {
    mkdir "$work/sources"
    copy_sources "$work/sources"
}

if ! command -v podman runc catatonit debootstrap >"$work/programs" || [ "$(wc -l <"$work/programs")" -lt 4 ]; then
    skip "containers by podman" "needs podman, runc, catatonit and debootstrap: apt-get install them"
    finish
fi
need_machines
check "a bare Debian, for images" make_bare_machine trixie
check "a copy of the sources, for images" copy_for_images
for recipe in kubernetes publisher; do
    check "containers by podman: $recipe" ./engine.sh "$work" $recipe
done
remove_machine trixie

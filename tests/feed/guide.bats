#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The guide does what it says, the unit is sound, and program, man page and completion agree.
# Shows: no promise, but docs/feed.md.
load helpers

source_of() { # FILE
    echo "$BATS_TEST_DIRNAME/../../src/feed/$1"
}

# NUMBER: this block of shell of the guide, in this test's own folder.
block() {
    awk -v wanted="$1" '/^```sh$/ {n++; inside = n == wanted; next} /^```$/ {inside = 0} inside' \
        "$BATS_TEST_DIRNAME/../../docs/feed.md" |
        sed "s#/dev/shm/#$work/#g"
}

@test "the first example: a file" {
    block 1 >example
    grep -q 'seqshare-feed run' example
    start bash -e example >printed
    eventually grep -q '{"rate":100}' printed
    echo nonsense >try/source/rate
    eventually bash -c "seqshare-feed status try/shop.conf | grep -q 'key rate: not JSON'"
    [ "$(seqshare get "$work/try/shop")" = '{"rate":100}' ]
}

@test "the configuration of the guide is taken, but for what it needs of the machine" {
    block 2 | sed -n '/^cat/,/^END/p' | sed '1d;$d' >fleet.conf
    grep -q '^source = etcds:' fleet.conf
    run -2 seqshare-feed check ./fleet.conf
    [[ $output == "/usr/lib/shop/check-config: "* ]]
    sed -i '/^check/d' fleet.conf
    run -1 timeout 60 seqshare-feed check ./fleet.conf
}

@test "program, man page and completion have the same commands and options" {
    local man command
    man=$(source_of seqshare-feed.1)
    [ "$(seqshare-feed --help | sed -nE 's/^  ([a-z]+) +CONF.*/\1/p' | sort | tr '\n' ' ')" = "accept check history pin rollback run status unpin " ]
    for command in accept check history pin rollback run status unpin; do
        grep -qE "^\.(It )?Cm .*\b$command\b" "$man"
    done
    for option in document json prometheus wait to; do
        seqshare-feed --help | grep -q -- "--$option"
        grep -q "Fl -.*$option\|-$option" "$man"
    done
    # each setting of the program is explained
    for setting in $(sed -nE 's/^    \{"([a-z-]+)", take_.*/\1/p' "$(source_of config.c)"); do
        grep -qE "^\.It Cm (.* , )?$setting( ,|$)" "$man" || { echo "$setting is not in the man page" && false; }
    done
    # shellcheck source=/dev/null
    source "$(source_of seqshare-feed.bash)"
    COMP_WORDS=(seqshare-feed st) COMP_CWORD=1
    _seqshare_feed
    [ "${COMPREPLY[*]}" = status ]
    COMP_WORDS=(seqshare-feed status shop --j) COMP_CWORD=3
    _seqshare_feed
    [ "${COMPREPLY[*]}" = --json ]
    command -v mandoc >/dev/null || skip "needs mandoc for the rest"
    mandoc -T lint -W warning "$man"
}

@test "the unit is sound" {
    command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
    sed "s#^ExecStart=.*#ExecStart=$(command -v seqshare-feed) run %i#" "$(source_of seqshare-feed@.service.in)" >"seqshare-feed@.service"
    cp seqshare-feed@.service seqshare-feed@shop.service
    systemd-analyze verify --man=no "$work/seqshare-feed@shop.service" 2>&1 | tee said || true
    run ! grep -F 'seqshare-feed@' said
    run ! grep -E '^(After|Wants|Requires)=network' seqshare-feed@.service
    grep -qx 'RuntimeDirectoryPreserve=yes' seqshare-feed@.service
    run ! grep -E '^(ProcSubset|PrivatePIDs|PrivateUsers)=' seqshare-feed@.service
}

@test "FEED-7: the back-off keeps its limits in any outage" {
    feed-parts
}

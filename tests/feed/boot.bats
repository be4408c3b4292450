#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What an agent finds when it starts: after a reboot, a kill, a full disk, damage, somebody else's hand.
# Shows: FEED-6, FEED-7, FEED-8, FEED-9.
load helpers

# An agent publishes 100, and is killed.
publish_first() {
    start_agent
    eventually status_is 0
    keeps '"rate":100'
    stop_agent KILL
    rm log
}

# As after a reboot: what lay on the tmpfs is gone, but for the state, which lies on a disk.
reboot() {
    rm shop shop.feed
}

@test "FEED-6: after a boot the last good value is published before the source is asked, and is stale" {
    publish_first
    reboot
    rm -r source
    start_agent
    eventually has '{"rate":100}'
    eventually status_is 7
    eventually logged "stale"
    eventually logged "cannot be read"
    json '.current == 0 and .contact == 0 and .age_seconds == null'
    mkdir source
    echo 200 >source/rate
    eventually has '{"rate":200}'
    eventually status_is 0
}

@test "FEED-7: the agent does not end because its source is away, and asks ever more seldom" {
    local from=$SECONDS
    rm -r source
    start_agent
    says "cannot be read"
    eventually json '.connects >= 3'
    lives "$last"
    json ".connects <= 12 * (1 + $((SECONDS - from)) / 60 | ceil)"
    status_is 3
}

@test "FEED-6: a value in the share is left alone, whatever the disk has" {
    local before
    publish_first
    before=$(seqshare-feed status ./shop.conf --json | jq .contact)
    seqshare set "$share" '{"rate":1}' --json
    rm -r source
    start_agent
    says "version 2 was set while no agent ran"
    has '{"rate":1}'
    mkdir source
    echo 100 >source/rate
    eventually json ".contact > $before" # the store's document has not changed, so what was set by hand stays
    says "drifted"
    has '{"rate":1}'
    put rate 300
    eventually has '{"rate":300}'
    eventually status_is 0
}

@test "FEED-8: damaged state is not used, and that is said" {
    local damage
    for damage in 'truncate -s -1 state/current state/history/*' 'printf X | dd of=state/current conv=notrunc bs=1 seek=200 status=none; rm -r state/history' \
        'sed -i "s/^source .*/source file:\/elsewhere/" state/current state/history/*' 'sed -i "1s/1/2/" state/current state/history/*' \
        ': >state/current; rm -r state/history' 'rm state/current state/history/*; mkdir state/current' \
        'rm state/current state/history/*; ln -s /etc/passwd state/current'; do
        rm -rf state shop shop.feed
        mkdir -p source
        echo 100 >source/rate
        publish_first
        eval "$damage"
        reboot
        rm -r source
        start_agent
        eventually logged "state/current is not used"
        eventually status_is 3
        mkdir source
        echo 5 >source/rate
        eventually has '{"rate":5}'
        eventually status_is 0
        stop_agent TERM
    done
}

@test "FEED-8: where current is damaged, the history has it" {
    start_agent
    eventually status_is 0
    put rate 200
    eventually has '{"rate":200}'
    eventually status_is 0
    stop_agent TERM
    reboot
    rm -r source
    cp state/current damaged && truncate -s -1 damaged && rm state/current && mv damaged state/current
    start_agent
    eventually has '{"rate":200}'
}

@test "FEED-8: a next that is torn, or was never published, is dropped" {
    publish_first
    head -c 50 state/current >state/next
    start_agent
    eventually status_is 0
    has '{"rate":100}'
    eventually test ! -e state/next
    [ "$(version_of "$share")" = 1 ]
}

@test "FEED-8: killed between publication and current: the step is finished" {
    publish_first
    put rate 200
    start_agent
    eventually has '{"rate":200}'
    keeps '"rate":200'
    stop_agent KILL
    # as it was before the last steps
    mv state/current state/next
    cp -p state/history/1 state/current
    rm state/history/2
    start_agent
    eventually test ! -e state/next # the status says live before that: the share has the value already
    eventually status_is 0
    [ "$(version_of "$share")" = 2 ]
    grep -q '"rate":200' state/current
}

@test "FEED-8: killed at each system call, share, next and current agree afterwards" {
    mkdir killed
    run feed-killed "$work/killed"
    echo "$output"
    [ "$status" -ne 77 ] || skip "needs ptrace: docker run --cap-add SYS_PTRACE"
    [ "$status" -eq 0 ]
}

@test "FEED-8: a full disk: published all the same, unkept, and kept when there is room again" {
    mkdir -m 700 mounted
    allowed mount -t tmpfs -o size=64k,mode=700 none mounted
    configure "state = $work/mounted/state"
    mkdir -m 700 mounted/state
    start_agent
    state=$work/mounted/state keeps '"rate":100'
    dd if=/dev/zero of=mounted/filler bs=4k 2>/dev/null || true
    put rate 200
    eventually has '{"rate":200}'
    eventually logged "No space left"
    seqshare-feed status ./shop.conf >text || true
    grep -q "unkept" text
    rm mounted/filler
    eventually grep -q '"rate":200' mounted/state/current
    eventually json '.unkept == null and .state == []'
    stop_agent TERM
    umount mounted
}

@test "a state folder that cannot be made: published all the same, unkept" {
    configure "state = $work/none/state"
    start_agent
    eventually has '{"rate":100}'
    eventually logged "unkept; there is no state folder"
}

@test "a second agent ends with 1: by its state folder, and by the share" {
    start_agent
    eventually status_is 0
    run -1 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"another agent runs with the state folder"* ]]
    sed "s|^state = .*|state = $work/other|" shop.conf >other.conf
    run -1 timeout 20 seqshare-feed run ./other.conf
    [[ $output == *"another agent keeps this share"* ]]
    lives "$last"
    status_is 0
}

@test "FEED-9: an agent that is dead is seen: no agent, and stale by the reader's own clock" {
    configure "stale = 1s"
    start_agent
    eventually status_is 0
    stop_agent KILL
    status_is 4
    says "stale, no agent runs"
    seqshare-feed status ./shop.conf --prometheus >metrics || true
    grep -q 'state="stale"} 1' metrics
    grep -q '^seqshare_feed_current_timestamp_seconds{share="[^"]*"} [1-9]' metrics
}

@test "the share is made as it must be: too small, another mode, a container's old one; its readers follow" {
    seqshare create "$share" --size 10 --mode 600 --from - <<<'1'
    start seqshare watch "$share" --count 2
    start_agent
    eventually has '{"rate":100}'
    [ "$(stat -c %a shop)" = 644 ]
    [ "$(seqshare stat "$share" | awk '$1 == "capacity" {print $2}')" -ge 262144 ]
    stop_agent TERM
    rm -r state
    allowed unshare --pid --fork --mount-proc true
    start unshare --pid --fork --mount-proc --kill-child seqshare-feed run ./shop.conf
    eventually status_is 0
    put rate 200
    eventually has '{"rate":200}'
}

@test "a file that is not a share, or a link, is not touched" {
    echo precious >shop
    run -1 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"not a share"* ]]
    [ "$(cat shop)" = precious ]
    rm shop shop.feed
    echo precious >elsewhere
    ln -s elsewhere shop.feed
    run -1 timeout 20 seqshare-feed run ./shop.conf
    [ "$(cat elsewhere)" = precious ]
    rm -r state shop.feed
    ln -s elsewhere state
    run -2 timeout 20 seqshare-feed run ./shop.conf
    rm state
    mkdir -m 755 state
    run -2 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"others may look into the state folder"* ]]
}

@test "links in the state folder lead nowhere" {
    mkdir -m 700 state elsewhere
    echo precious >elsewhere/1
    ln -s ../elsewhere state/history
    run -2 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"its history is not a folder"* ]]
    [ "$(cat elsewhere/1)" = precious ]
    rm state/history
    ln -s ../elsewhere/1 state/lock
    run -2 timeout 20 seqshare-feed run ./shop.conf
    [[ $output == *"state/lock is a symbolic link"* ]]
    rm state/lock
    ln -s ../elsewhere/1 state/next
    ln -s ../elsewhere/1 state/status
    ln -s ../elsewhere/1 state/keys
    start_agent
    keeps '"rate":100'
    eventually status_is 0
    eventually test ! -L state/status
    [ "$(cat elsewhere/1)" = precious ]
}

@test "a saved document without end is not read" {
    publish_first
    truncate -s 900G state/current
    rm -r state/history
    reboot
    rm -r source
    start_agent
    eventually logged "state/current is not used: it is not a file of the agent's own, or too large"
}

@test "started without standard descriptors, it writes into no file of its own" {
    setsid seqshare-feed run ./shop.conf <&- >&- 2>&- 3>&- &
    last=$!
    started+=("$last")
    eventually status_is 0
    local fd
    for fd in 0 1 2; do # which a user other than root may not look at
        [ "$(readlink "/proc/$last/fd/$fd" || echo /dev/null)" = /dev/null ]
    done
    [ ! -s state/lock ]
}

@test "the share is removed by hand, or moved to another region: it is made, and published, again" {
    start_agent
    eventually status_is 0
    rm shop
    eventually has '{"rate":100}'
    seqshare replace "$share" --size 2M
    put rate 200
    eventually has '{"rate":200}'
    eventually status_is 0
}

@test "the lock held by hand: said, never waited for, and published when it is free" {
    start_agent
    eventually status_is 0
    start seqshare lock "$share" -- sleep 4711
    local holder=$last
    eventually seqshare_is_locked
    put rate 200
    says "holds the share's lock"
    # the agent goes on: it answers, and has seen the newest
    eventually json '.newest == 2'
    has '{"rate":100}'
    kill -KILL -- "-$holder"
    eventually has '{"rate":200}'
    eventually status_is 0
}

seqshare_is_locked() {
    seqshare stat "$share" | grep -q '^lock.*[0-9]'
}

@test "drift: kept until the store changes, or reverted" {
    start_agent
    eventually status_is 0
    seqshare set "$share" '{"rate":1}' --json
    eventually status_is 9
    says "has set version 2"
    has '{"rate":1}'
    put rate 200
    eventually has '{"rate":200}'
    eventually status_is 0
    seqshare set "$share" '{"rate":200}' --json # the same bytes: no drift
    eventually json '.version == 4 and .state == []'
    stop_agent TERM
    configure "drift = revert"
    start_agent
    eventually status_is 0
    seqshare set "$share" '{"rate":1}' --json
    eventually has '{"rate":200}'
    eventually status_is 0
}

@test "drift = revert: a lock held by hand puts it off no longer than it is held" {
    configure "drift = revert"
    start_agent
    eventually status_is 0
    seqshare set "$share" '{"rate":1}' --json
    start seqshare lock "$share" -- sleep 4711
    local holder=$last
    eventually seqshare_is_locked
    eventually status_is 9
    kill -KILL -- "-$holder"
    local from=$SECONDS
    eventually has '{"rate":100}'
    [ $((SECONDS - from)) -lt 50 ] # not as after a revert, when the next one comes a minute later
    eventually status_is 0
}

@test "systemd learns: ready, status, watchdog, stopping" {
    command -v python3 >/dev/null || skip "needs python3"
    cat >systemd.py <<'PYTHON'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
while True:
    print(s.recv(4096).decode(), flush=True)
PYTHON
    start python3 systemd.py >told
    eventually test -S notify
    start env NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=200000 seqshare-feed run ./shop.conf
    eventually grep -q '^READY=1' told
    eventually grep -q '^STATUS=version 1, live' told
    eventually grep -q '^WATCHDOG=1' told
    kill -TERM "$last"
    eventually grep -q '^STOPPING=1' told
}

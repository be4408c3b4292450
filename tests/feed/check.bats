#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The operator's check: what it gets, and what it may do to the agent: nothing.
# Shows: FEED-1, FEED-10.
load helpers

# The body of the check, from standard input.
checked_by() {
    { echo '#!/bin/bash' && cat; } >check
    chmod 755 check
    configure "check = $work/check one two" "$@"
}

@test "it gets the document as a file, its words, and nothing else of the agent" {
    checked_by <<TEXT
exec >$work/seen 2>&1
echo "\$# \$1 \$2"
env | sort
cat
echo
readlink /proc/self/fd/0 | grep -o memfd
ls /proc/\$\$/fd
[ "\$(ps -o pgid= -p \$\$ | tr -d ' ')" = \$\$ ] && echo leads
TEXT
    SEQSHARE_TEST_SECRET=marked-secret start_agent
    eventually status_is 0
    has '{"rate":100}'
    head -n 1 seen | grep -qxF '2 one two'
    grep -qxF 'SEQSHARE_NAME=shop' seen
    grep -qxF 'SEQSHARE_REVISION=1' seen
    grep -qF '{"rate":100}' seen
    grep -qxF memfd seen
    grep -qxF leads seen
    run ! grep -F marked-secret seen
    run ! grep -E '^(USER|HOME|BATS_.*|NOTIFY_SOCKET)=' seen
    # 0, 1, 2, and what bash and ls have open themselves
    run ! grep -E '^([4-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-4])$' seen
}

@test "FEED-1: what it refuses is not published, and a later one is" {
    checked_by <<'TEXT'
! grep -q 200
TEXT
    start_agent
    eventually has '{"rate":100}'
    put rate 200
    eventually status_is 6
    says "the check ended with status 1"
    has '{"rate":100}'
    put rate 300
    eventually has '{"rate":300}'
    eventually status_is 0
}

@test "one that hangs is ended with all its children, and the agent goes on meanwhile" {
    checked_by "check-within = 1s" <<TEXT
read -r line
[[ \$line == *200* ]] || exit 0
sleep 4711 &
echo \$! >$work/child
sleep 4711
TEXT
    start_agent
    eventually has '{"rate":100}'
    put rate 200
    eventually test -s child
    put rate 300
    eventually has '{"rate":300}'
    logged "the check did not end within 1000 ms"
    eventually gone "$(cat child)"
}

@test "one that leaves children behind, which hold its output open" {
    checked_by <<TEXT
sleep 4711 &
echo \$! >$work/child
TEXT
    start_agent
    eventually has '{"rate":100}'
    eventually status_is 0
    eventually gone "$(cat child)"
}

@test "one that floods: 64 KiB are kept, in the state folder alone" {
    checked_by <<'TEXT'
cat
head -c 5000000 /dev/zero | tr '\0' x
TEXT
    put secret '"marked-secret"'
    start_agent
    eventually has '{"rate":100,"secret":"marked-secret"}'
    [ "$(stat -c %s state/check.log)" -eq 65536 ]
    [ "$(stat -c %a state/check.log)" = 600 ]
    grep -qF marked-secret state/check.log
    run ! grep -F marked-secret log state/status
}

@test "its log is a new file, whatever had the name" {
    checked_by <<'TEXT'
echo said
TEXT
    echo precious >precious
    mkdir -m 700 state
    mkfifo state/check.log
    start_agent
    eventually status_is 0
    [ "$(cat state/check.log)" = said ]
    ln -f precious state/check.log
    put rate 200
    eventually has '{"rate":200}'
    eventually status_is 0
    [ "$(cat state/check.log)" = said ]
    [ "$(cat precious)" = precious ]
}

nobody_checks() {
    [ -z "$(pgrep -f "^/bin/bash $work/check")" ]
}

@test "one that forks without end within its limits is ended" {
    checked_by "check-within = 1s" <<'TEXT'
[ "$(cat)" = '{"rate":100}' ] && exit 0
for i in 1 2 3; do (while :; do sleep 0.05 & wait; done) & done
wait
TEXT
    start_agent
    eventually has '{"rate":100}'
    put rate 200
    eventually status_is 6
    eventually nobody_checks
}

@test "one that cannot be run" {
    checked_by <<'TEXT'
exit 0
TEXT
    sed -i '1s/.*/#!\/nowhere/' check
    start_agent
    eventually status_is 3
    says "could not be run"
    [ "$(version_of "$share")" = 0 ]
}

@test "check: a fetch, or a file, through all checks; nothing is written" {
    checked_by <<'TEXT'
! grep -q 200
TEXT
    run -0 seqshare-feed check ./shop.conf
    [ ! -e state ] && [ ! -e shop ]
    put rate 200
    run -1 seqshare-feed check ./shop.conf
    [[ $output == *"the check ended with status 1"* ]]
    echo '{"rate":3}' >document
    run -0 seqshare-feed check ./shop.conf --document document
    echo '{"rate":3,}' >document
    run -1 seqshare-feed check ./shop.conf --document document
    [[ $output == *"not JSON"* ]]
    : >document
    run -1 seqshare-feed check ./shop.conf --document document
    [[ $output == *"empty"* ]]
    run -1 seqshare-feed check ./shop.conf --document none
    rm -r source
    run -1 seqshare-feed check ./shop.conf
    [[ $output == *"cannot be read"* ]]
    [ ! -e state ] && [ ! -e shop ]
    mkdir source
    printf '"%2000s"' '' >source/big
    start_agent
    eventually status_is 0
    echo 1 >document
    run -1 seqshare-feed check ./shop.conf --document document
    [[ $output == *"shrinks too much"* ]]
}

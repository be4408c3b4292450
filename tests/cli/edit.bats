#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# edit: a copy in the editor, and back if nobody was faster.
# Shows: JSON-1, and no other promise: what edit does.
load helpers

# SCRIPT: an editor that does this to the file "$1".
use_editor() {
    printf '#!/bin/sh\n%s\n' "$1" >editor
    chmod +x editor
    export EDITOR=$PWD/editor TMPDIR=$PWD/tmp
    mkdir -p tmp
}

kept() { # the copy that was kept
    cat tmp/seqshare-edit.*
}

@test "edit publishes what the editor made, and leaves no copy" {
    seqshare create "$share" --from - <<<old
    use_editor 'sed -i s/old/new/ "$1"'
    run -0 seqshare edit "$share" </dev/null
    [ "$(seqshare get "$share")" = new ]
    stat_is version 2
    [ -z "$(ls tmp)" ]
}

@test "the copy is the user's alone" {
    seqshare create "$share" --from - <<<old
    use_editor 'stat -c %a "$1" >mode'
    seqshare edit "$share"
    [ "$(cat mode)" = 600 ]
}

@test "VISUAL comes before EDITOR, and may have options" {
    seqshare create "$share" --from - <<<old
    use_editor 'exit 1'
    export VISUAL="sed -i 's/old/seen by sed/'"
    seqshare edit "$share"
    [ "$(seqshare get "$share")" = "seen by sed" ]
}

@test "a line end that the editor adds is taken off; one that was there stays" {
    seqshare create "$share"
    use_editor 'echo >>"$1"; sed -i s/a/b/ "$1"'
    seqshare set "$share" a
    seqshare edit "$share"
    [ "$(seqshare get "$share" | od -An -c | tr -d ' ')" = b ]
    use_editor 'sed -i s/a/b/ "$1"'
    seqshare set "$share" $'a\n'
    seqshare edit "$share"
    [ "$(seqshare get "$share" | od -An -c | tr -d ' ')" = 'b\n' ]
}

@test "what interrupts the editor does not end the edit" {
    seqshare create "$share" --from - <<<old
    use_editor 'trap : INT QUIT; kill -INT 0; kill -QUIT 0; echo new >"$1"'
    setsid --wait seqshare edit "$share"
    [ "$(seqshare get "$share")" = new ]
}

@test "what was not changed is not published" {
    seqshare create "$share" --from - <<<old
    use_editor ':'
    run -0 seqshare edit "$share"
    [[ $output == *"nothing was changed" ]]
    stat_is version 1
}

@test "the first value may come from the editor" {
    seqshare create "$share"
    use_editor 'echo first >"$1"'
    seqshare edit "$share"
    [ "$(seqshare get "$share")" = first ]
}

@test "of two editors at once one fails, and keeps a copy" {
    seqshare create "$share" --from - <<<old
    use_editor 'echo "$WHO" >"$1"; echo "$WHO" >opened.$WHO; read line <go.$WHO'
    mkfifo go.one go.two
    WHO=one start seqshare edit "$share"
    eventually test -s opened.one
    WHO=two seqshare edit "$share" 2>errors.two 3>&- &
    started+=($!)
    eventually test -s opened.two
    echo >go.two
    wait $!
    echo >go.one
    ends_with 1
    [ "$(seqshare get "$share")" = two ]
    grep -q "the current version is not the expected one: 2, not 1" errors
    grep -q "is kept in $TMPDIR/seqshare-edit" errors
    [ "$(kept)" = one ]
}

@test "JSON must stay JSON" {
    seqshare create "$share" --from - <<<'{"a": 1}'
    use_editor 'echo "{a: 2}" >"$1"'
    run -1 seqshare edit "$share" </dev/null
    [[ $output == *"not JSON: "* ]]
    [ "$(seqshare get "$share")" = '{"a": 1}' ]
    [ "$(kept)" = '{a: 2}' ]
}

@test "--json wants JSON where there was none" {
    seqshare create "$share" --from - <<<text
    use_editor 'echo more text >"$1"'
    run -1 seqshare edit "$share" --json </dev/null
    seqshare edit "$share"
    [ "$(seqshare get "$share")" = "more text" ]
}

@test "edit --json says so in the type tag, and without it the tag stays" {
    seqshare create "$share"
    use_editor 'echo "{}" >"$1"'
    seqshare edit "$share" --json
    stat_is tag d86fc7a3
    seqshare set "$share" '[1]' --tag 0
    seqshare edit "$share"
    stat_is tag 00000000
}

@test "on a terminal a mistake can be mended" {
    seqshare create "$share" --from - <<<'{"a": 1}'
    use_editor 'if [ -e again ]; then echo "{\"a\": 2}" >"$1"; else echo "{" >"$1"; touch again; fi'
    script -qec "seqshare edit $share" screen >/dev/null <<<y
    grep -q 'Edit it again?' screen
    [ "$(seqshare get "$share")" = '{"a": 2}' ]
}

@test "an editor that fails publishes nothing" {
    seqshare create "$share" --from - <<<old
    use_editor 'echo new >"$1"; exit 1'
    run -1 seqshare edit "$share"
    [ "$(seqshare get "$share")" = old ]
}

@test "binary values are not edited" {
    seqshare create "$share"
    use_editor 'touch ran'
    printf 'a\0b' | seqshare set "$share"
    says_no seqshare edit "$share"
    [[ $stderr == *"binary"* ]]
    [ ! -e ran ]
}

@test "a value keeps its type tag when edited" {
    seqshare create "$share"
    seqshare set "$share" old --tag 0badcafe
    use_editor 'echo new >"$1"'
    seqshare edit "$share"
    stat_is tag 0badcafe
}

@test "a copy that is not there, or was not edited, is not said to be kept" {
    seqshare create "$share" --from - <<<old
    use_editor 'rm -f "$1"'
    run -1 seqshare edit "$share"
    [[ $output != *"kept"* ]]
    use_editor 'exit 1'
    run -1 seqshare edit "$share"
    [[ $output != *"kept"* ]]
    [ -z "$(ls tmp)" ]
    use_editor 'echo new >"$1"; exit 1'
    run -1 seqshare edit "$share"
    [[ $output == *"the edited copy is kept in $TMPDIR/seqshare-edit"* ]]
    [ "$(kept)" = new ]
}

@test "where there is no vi, edit says what to set" {
    local tool
    tool=$(command -v seqshare)
    seqshare create "$share" --from - <<<old
    mkdir empty
    run -1 env PATH="$PWD/empty" "$tool" edit "$share"
    [[ $output == *"name another one: EDITOR=nano"* ]]
    run -1 env PATH="$PWD/empty" EDITOR=nothing "$tool" edit "$share"
    [[ $output == *"seqshare: nothing: the editor failed; nothing was published" ]]
    [ "$(seqshare get "$share")" = old ]
}

@test "a signal that tells edit to stop reaches the editor, and nothing is published" {
    local signal
    seqshare create "$share" --from - <<<old
    for signal in TERM HUP; do
        use_editor "echo new >\"\$1\"; trap 'echo told; exit 3' $signal; echo ready; while :; do sleep 0.05; done"
        start cli-program interruptible seqshare edit "$share"
        eventually grep -q ready output
        kill -s "$signal" "$last"
        ends_with 1
        grep -q told output
        grep -q "nothing was published" errors
        [ "$(seqshare get "$share")" = old ]
        [ "$(kept)" = new ]
        rm tmp/*
    done
}

@test "where a shell must run the editor, edit ends no sooner than that" {
    seqshare create "$share" --from - <<<old
    use_editor 'echo new >"$1"; echo ready; until [ -e go ]; do sleep 0.05; done; touch ended'
    EDITOR="true; $EDITOR"
    start cli-program interruptible seqshare edit "$share"
    eventually grep -q ready output
    kill -TERM "$last"
    kill -HUP "$last"
    touch go
    ends_with 1
    [ -e ended ]
    grep -q "a signal ended the editor; nothing was published" errors
    [ "$(kept)" = new ]
}

@test "an editor that gets a signal to stop may save and be content: nothing is published" {
    seqshare create "$share" --from - <<<old
    use_editor 'trap "echo new >\"$1\"; exit 0" TERM; echo ready; while :; do sleep 0.05; done'
    start cli-program interruptible seqshare edit "$share"
    eventually grep -q ready output
    kill -TERM "$last"
    ends_with 1
    grep -q "nothing was published" errors
    [ "$(seqshare get "$share")" = old ]
    [ "$(kept)" = new ]
}

@test "JSON is text for an editor, whatever is in its strings" {
    seqshare create "$share" --json --from - <<<$'["\x7f"]'
    use_editor 'sed -i s/]/,1]/ "$1"'
    seqshare edit "$share"
    [ "$(seqshare get "$share")" = $'["\x7f",1]' ]
}

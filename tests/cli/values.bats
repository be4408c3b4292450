#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# create, set, get, replace, rm: values come out as they went in.
# Shows: JSON-1, NAME-1, NAME-2, WRITE-3.
load helpers

@test "create makes an empty share; get says that nothing has been published" {
    run -0 seqshare create "$share"
    [ -z "$output" ]
    says_no seqshare get "$share"
    [[ $stderr == *"nothing has been published yet"* ]]
    stat_is version 0
    stat_is capacity 1048576
    stat_is mode 0640
}

@test "create takes a size, a mode whatever the umask, and a first value" {
    umask 077
    echo hello >file
    seqshare create "$share" --size 64K --mode 664 --from file
    stat_is capacity 65536
    stat_is mode 0664
    stat_is version 1
    [ "$(seqshare get "$share")" = hello ]
}

@test "sizes have units, and nonsense is refused" {
    local size
    for size in 4096:4096 64K:65536 1m:1048576 2G:2147483648 1T:1099511627776; do
        seqshare create "$share" --size "${size%:*}"
        stat_is capacity "${size#*:}"
        seqshare rm "$share"
    done
    for size in 0 -1 '' 0x10 1X 1KB 1.5M ' 1' 99999999999T 18446744073709551616; do
        is_misuse seqshare create "$share" --size "$size"
    done
    [ ! -e "$share" ]
}

@test "create on a file system that will not do says so" {
    allowed unshare --mount sh -c 'mount -t hugetlbfs none /mnt'
    says_no unshare --mount sh -c 'mount -t hugetlbfs none /mnt && seqshare create /mnt/share'
    [[ $stderr == "seqshare: /mnt/share: a share cannot be on this kind of file system"* ]]
}

@test "a name that exists is not created again" {
    seqshare create "$share"
    says_no seqshare create "$share"
    [[ $stderr == "seqshare: $share: the name exists already" ]]
}

@test "a first value longer than the size makes nothing" {
    head -c 1000 /dev/zero >file
    says_no seqshare create "$share" --size 999 --from file
    [ ! -e "$share" ]
    seqshare create "$share" --size 1000 --from file
}

@test "a first value above the default size gets the room it needs" {
    head -c 3000000 /dev/urandom >file
    seqshare create "$share" --from - <file
    seqshare get "$share" | cmp - file
    stat_is capacity 3000000
}

@test "set takes the value from the command line, a file or standard input" {
    seqshare create "$share"
    seqshare set "$share" 'two  words'
    [ "$(seqshare get "$share" | od -c)" = "$(printf 'two  words' | od -c)" ]
    printf 'from a file' >file
    seqshare set "$share" --from file
    [ "$(seqshare get "$share")" = "from a file" ]
    seqshare set "$share" - <<<"from standard input"
    [ "$(seqshare get "$share")" = "from standard input" ]
    seqshare set "$share" <<<"the same"
    [ "$(seqshare get "$share")" = "the same" ]
    seqshare set "$share" -- --dashes
    [ "$(seqshare get "$share")" = "--dashes" ]
    seqshare set "$share" ''
    [ "$(seqshare get "$share" | wc -c)" -eq 0 ]
    stat_is version 6
}

@test "binary values of all sizes come out as they went in" {
    local size
    seqshare create "$share" --size 4M
    for size in 0 1 7 8 63 64 65 4095 4096 65536 65537 1000000; do
        head -c "$size" /dev/urandom >file
        seqshare set "$share" --from file
        seqshare get "$share" | cmp - file
        seqshare get "$share" --output copy
        cmp copy file
        stat_is length "$size"
    done
}

@test "a value longer than the capacity is refused, endless input too, and the old value stays" {
    seqshare create "$share" --size 10 --from - <<<old
    says_no seqshare set "$share" 12345678901
    [[ $stderr == *"has 11 bytes and is longer than the capacity of 10"* ]]
    says_no seqshare set "$share" --from /dev/zero
    [[ $stderr == "seqshare: /dev/zero: "* ]]
    [ "$(seqshare get "$share")" = old ]
    seqshare set "$share" 1234567890
}

@test "set --if-version fails when the current version is another one" {
    seqshare create "$share"
    seqshare set "$share" one --if-version 0
    says_no seqshare set "$share" two --if-version 0
    [[ $stderr == *"the current version is not the expected one: 1, not 0" ]]
    seqshare set "$share" two --if-version 1
    [ "$(seqshare get "$share")" = two ]
}

@test "of ten who change the same version, one does" {
    local i pids=() done=0
    seqshare create "$share" --from - <<<start
    for i in {1..10}; do
        seqshare set "$share" "$i" --if-version 1 2>/dev/null &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" && done=$((done + 1))
    done
    [ "$done" -eq 1 ]
    stat_is version 2
}

@test "counting with --if-version from four processes loses nothing" {
    local i pids=()
    count() {
        local i version
        for i in {1..8}; do
            until version=$(stat_of "$share" version) &&
                seqshare set "$share" $(($(seqshare get "$share") + 1)) --if-version "$version" 2>/dev/null; do :; done
        done
    }
    seqshare create "$share" --size 100 --from - <<<0
    for i in {1..4}; do
        count &
        pids+=($!)
    done
    wait "${pids[@]}"
    [ "$(seqshare get "$share")" -eq 32 ]
}

@test "set --json takes JSON" {
    local value
    seqshare create "$share"
    for value in "$(printf '[%.0s' {1..512})$(printf ']%.0s' {1..512})" '"料金 😀 \u0000"' '{"a":1,"a":2}' '1.7976931348623157e308' \
        '{}' '[]' 'null' 'true' '0' '-0.5e-3' '1E+2' '"text \u00e9 \" \\ \/ \n"' ' [1, {"a": [null, {}]}] ' \
        '{"big": 123456789012345678901234567890}' $'\t{\r\n"k":1 }\n' '"zoë"' '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]'; do
        seqshare set "$share" --json -- "$value"
        [ "$(seqshare get "$share" --pretty | tr -d ' \t\r\n')" = "$(tr -d ' \t\r\n' <<<"$value")" ]
    done
}

@test "set --json refuses anything else, says where, and the old value stays" {
    local value
    seqshare create "$share" --from - <<<old
    for value in '' ' ' '{' '[1,]' '{"a":1,}' "{'a':1}" '{a:1}' 'NaN' '-Infinity' 'nul' 'True' '01' '1.' '.5' '+1' '1e' \
        '"open' '{} {}' '1 2' '[1 2]' '{"a" 1}' '{"a":1]' '// no' '/* no */ 1' $'"a\tb"' $'"a\nb"' '"\x"' '"\u12g4"' $'"\xff"' \
        $'\xef\xbb\xbf{}' ',' ']' 'undefined'; do
        says_no seqshare set "$share" --json -- "$value"
        [[ $stderr == "seqshare: $share: not JSON: "*" in line "*", at byte "*"; nothing was changed" ]]
    done
    for value in '{"a\u0000b":1}' '["\ud800"]' '{"\udc00":1}' '[1e309]' '1.7976931348623158e308' $'["\xc0\xaf"]' \
        $'["\xed\xa0\x80"]' $'["\xf4\x90\x80\x80"]' "$(printf '[%.0s' {1..513})$(printf ']%.0s' {1..513})"; do
        says_no seqshare set "$share" --json -- "$value"
    done
    says_no seqshare set "$share" --json -- $'{"a": 1,\n "b\\u0000": 2}'
    [[ $stderr == *"a zero character in a name in line 2, at byte 13; nothing was changed" ]]
    says_no seqshare set "$share" --json -- $'\xef\xbb\xbf{}'
    [[ $stderr == *"a byte order mark"*"in line 1, at byte 1; "* ]]
    printf '{"a":\0 1}' >file
    says_no seqshare set "$share" --json --from file
    says_no seqshare set "$share" --json <<<$'{"a": 1,\n"b": x}'
    [[ $stderr == *"in line 2, at byte 15"* ]]
    [ "$(seqshare get "$share")" = old ]
}

@test "get --pretty indents, and changes no number" {
    seqshare create "$share" --from - <<<'{"a":[1.10,{"b":[]},{}],"n":18446744073709551617000}'
    run -0 seqshare get "$share" --pretty
    [ "$output" = '{
  "a": [
    1.10,
    {
      "b": []
    },
    {}
  ],
  "n": 18446744073709551617000
}' ]
    seqshare set "$share" 'no JSON' --force
    says_no seqshare get "$share" --pretty
}

document='{"rate": 100, "a/b~c": [1, {"deep": "x"}, []],  "zo\u00eb": "q\"\n", "big": 123456789012345678901234567890, "": 0}'

@test "get looks one place of a document up" {
    seqshare create "$share" --from - <<<"$document"
    [ "$(seqshare get "$share" /rate)" = 100 ]
    [ "$(seqshare get "$share" /a~1b~0c/1/deep)" = x ]
    [ "$(seqshare get "$share" /a~1b~0c/1/deep --pretty)" = '"x"' ]
    [ "$(seqshare get "$share" /a~1b~0c/1)" = '{"deep": "x"}' ]
    [ "$(seqshare get "$share" /zoë)" = 'q"' ] # the shell takes line ends off
    [ "$(seqshare get "$share" /zoë | od -An -c | tr -d ' ')" = 'q"\n' ]
    [ "$(seqshare get "$share" /big)" = 123456789012345678901234567890 ]
    [ "$(seqshare get "$share" /)" = 0 ]
    [ "$(seqshare get "$share" '')" = "$document" ]
    seqshare get "$share" /big --output file
    [ "$(cat file)" = 123456789012345678901234567890 ]
    local pointer
    for pointer in /nothing /rate/x /a~1b~0c/3 /a~1b~0c/01 /a~1b~0c/- /zoe /a; do
        says_no seqshare get "$share" "$pointer"
        [[ $stderr == "seqshare: $share: the document has nothing at $pointer" ]]
    done
    says_no seqshare get "$share" /a~b
    [[ $stderr == *"not a JSON Pointer"* ]]
    seqshare set "$share" word --force
    says_no seqshare get "$share" /rate
    [[ $stderr == "seqshare: $share: not JSON: "* ]]
}

@test "of a name that occurs twice the last one counts" {
    seqshare create "$share" --from - <<<'{"a": {"x": 1}, "a": 2, "b": 1, "b": {"x": 3}}'
    says_no seqshare get "$share" /a/x
    [ "$(seqshare get "$share" /b/x)" = 3 ]
    seqshare set "$share" /b/x 4 --json
    [ "$(seqshare get "$share")" = '{"a": {"x": 1}, "a": 2, "b": 1, "b": {"x": 4}}' ]
}

@test "set changes one place of a document, and leaves the rest as it is" {
    seqshare create "$share" --from - <<<"$document"
    seqshare set "$share" /rate 250 --json
    [ "$(seqshare get "$share")" = "${document/100/250}" ]
    stat_is tag d86fc7a3
    seqshare set "$share" /a~1b~0c/1/deep ' [true] ' --json
    seqshare set "$share" /a~1b~0c/1/deep/- - --json <<<'"new"'
    seqshare set "$share" /a~1b~0c/2/- 7 --json
    echo '{"k": null}' >file
    seqshare set "$share" '/not "there"' --json --from file
    [ "$(seqshare get "$share" /a~1b~0c)" = '[1, {"deep": [true, "new"]}, [7]]' ]
    [[ $(seqshare get "$share") == *', "": 0, "not \"there\"": {"k": null}}' ]]
    [[ $(seqshare get "$share") == *'"big": 123456789012345678901234567890,'* ]]
    seqshare set "$share" '' '{}' --json
    seqshare set "$share" /first 1 --json
    [ "$(seqshare get "$share")" = '{"first": 1}' ]
    seqshare set "$share" --json -- /first -1
    [ "$(seqshare get "$share" /first)" = -1 ]
}

@test "set refuses a place that is not there, and what is not JSON" {
    local pointer deep
    seqshare create "$share" --from - <<<'{"a": [1], "b": 2}'
    for pointer in /b/x /c/d /a/1 /a/x /a/0/x; do
        says_no seqshare set "$share" "$pointer" 1 --json
    done
    says_no seqshare set "$share" /b '{broken' --json
    says_no seqshare set "$share" /b 1 --json --if-version 7
    says_no seqshare set "$share" /b~ 1 --json
    is_misuse seqshare set "$share" /b 3
    is_misuse seqshare set "$share" b 3 --json
    is_misuse seqshare set "$share" /b 3 --json --from file
    deep=$(printf '[%.0s' {1..511})$(printf ']%.0s' {1..511})
    seqshare set "$share" /b "$deep" --json
    says_no seqshare set "$share" /a/0 "[$deep]" --json
    [[ $stderr == *"nothing was changed"* ]]
    stat_is version 2
    seqshare create ./empty
    says_no seqshare set ./empty /a 1 --json
    [[ $stderr == *"nothing has been published yet" ]]
}

@test "of four processes that change places of one document, none loses a change" {
    local i pids=()
    seqshare create "$share" --from - <<<'{}'
    change() {
        local i
        for i in {1..10}; do
            seqshare set "$share" "/p$1-$i" "$i" --json || return
        done
    }
    for i in {1..4}; do
        change "$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
    done
    [ "$(seqshare get "$share" | grep -o '"p' | wc -l)" -eq 40 ]
    stat_is version 41
}

@test "get --output through a link replaces its file as a whole, and the link stays" {
    mkdir folder
    echo old >folder/file
    ln -s folder/file link
    ln -s nowhere/file dangling
    seqshare create "$share" --from - <<<new
    exec 5<folder/file
    seqshare get "$share" --output link
    [ "$(cat <&5)" = old ] # a process that had it open reads it to its end
    exec 5<&-
    [ -L link ]
    [ "$(cat folder/file)" = new ]
    says_no seqshare get "$share" --output dangling
    [ "$(ls folder)" = file ]
}

@test "get --output replaces a file as a whole, keeps its mode, and writes into pipes" {
    seqshare create "$share" --from - <<<value
    umask 022
    seqshare get "$share" --output new
    [ "$(stat -c %a new)" = 640 ]
    chmod 600 new
    ln new old
    seqshare set "$share" other
    seqshare get "$share" --output new
    [ "$(cat new)" = other ]
    [ "$(cat old)" = value ]
    [ "$(stat -c %a new)" = 600 ]
    mkfifo pipe
    cat pipe >got &
    seqshare get "$share" --output pipe
    wait $!
    [ "$(cat got)" = other ]
    [ "$(seqshare get "$share" --output -)" = other ]
    says_no seqshare get "$share" --output nowhere/file
    [[ $stderr == "seqshare: nowhere/file: No such file or directory" ]]
    [ -z "$(find . -name 'new.*')" ]
}

@test "a new file of get --output gets the share's mode, less the umask" {
    local mode
    for mode in 600:600 644:640 666:640 640:640 777:640 444:440; do
        seqshare create "$share" --mode "${mode%:*}" --from - <<<value
        (umask 027 && seqshare get "$share" --output file)
        [ "$(stat -c %a file)" = "${mode#*:}" ]
        seqshare rm "$share"
        rm file
    done
    start cli-program anonymous value
    eventually grep -q ready output
    seqshare get "$(seqshare ls --pid "$last" | cut -f 1)" --output file
    [ "$(stat -c %a file)" = 600 ]
}

@test "get --output keeps owner, group, mode and ACL of the file" {
    may_become_another # and so may give files away
    cat >acl.py <<'EOF'
import os, struct, sys
name, nobody = "system.posix_acl_access", 0xffffffff
# The owner rw, user 34567 r, the group r, the mask r, others nothing.
entries = [(1, 6, nobody), (2, 4, 34567), (4, 4, nobody), (16, 4, nobody), (32, 0, nobody)]
if sys.argv[1] == "set":
    os.setxattr(sys.argv[2], name, struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries))
else:
    print(os.getxattr(sys.argv[2], name).hex())
EOF
    seqshare create "$share" --from - <<<value
    echo old >file
    chown 12345:23456 file
    chmod 2640 file
    seqshare get "$share" --output file
    [ "$(cat file)" = value ]
    [ "$(stat -c '%u:%g %a' file)" = '12345:23456 640' ]
    python3 acl.py set file || skip "needs python3, and a file system that has ACLs"
    python3 acl.py get file >before
    seqshare get "$share" --output file
    python3 acl.py get file | cmp - before
}

@test "get --output that may not keep the owner says so, and changes nothing unless forced" {
    be_nobody
    seqshare create "$unique" --mode 644 --from - <<<value
    mkdir theirs
    chown 65534 theirs "$BATS_TEST_TMPDIR" .
    echo old >theirs/file
    chmod 640 theirs/file
    says_no "${nobody[@]}" get "$unique" --output theirs/file
    [[ $stderr == *"only root"*"--force"* ]]
    [ "$(cat theirs/file)" = old ]
    [ "$(ls theirs)" = file ]
    "${nobody[@]}" get "$unique" --output theirs/file --force
    [ "$(cat theirs/file)" = value ]
    [ "$(stat -c '%u %a' theirs/file)" = '65534 640' ]
}

@test "replace keeps owner, group and mode of the share, and says so where it may not" {
    be_nobody
    seqshare create "$share" --mode 660 --from - <<<value
    chown 12345:23456 "$share"
    seqshare replace "$share" --size 2M
    [ "$(stat -c '%u:%g %a' "$share")" = '12345:23456 660' ]
    seqshare replace "$share" --mode 644 --from - <<<new
    [ "$(stat -c '%u:%g %a' "$share")" = '12345:23456 644' ]
    local theirs
    theirs=$(mktemp -d /tmp/seqshare-cli.XXXXXX) # another user can get there
    chown 65534 "$theirs"
    seqshare create "$theirs/share" --mode 644 --from - <<<value
    says_no "${nobody[@]}" replace "$theirs/share"
    [[ $stderr == *"only root"*"--force"* ]]
    "${nobody[@]}" replace "$theirs/share" --force
    [ "$(stat -c %u "$theirs/share")" = 65534 ]
    [ "$(seqshare get "$theirs/share" --any-owner)" = value ]
    chown 0 "$theirs"
    chmod 1777 "$theirs"
    seqshare create "$theirs/sticky" --mode 666
    says_no "${nobody[@]}" replace "$theirs/sticky" --force
    [[ $stderr == *"in this folder only root, its owner or the folder's may replace it" ]]
    rm -r "$theirs"
}

@test "get --output beyond the limit for files says so, and the old file stays" {
    head -c 50000 /dev/zero >file
    seqshare create "$share" --from file
    mkdir folder
    echo old >folder/file
    run -1 --separate-stderr sh -c 'ulimit -c 0; ulimit -f 4; exec seqshare get "$1" --output folder/file' sh "$share"
    [[ $stderr == "seqshare: folder/file: File too large" ]]
    [ "$(cat folder/file)" = old ]
    [ "$(ls folder)" = file ]
    run -1 --separate-stderr sh -c 'ulimit -c 0; ulimit -f 4; exec seqshare get "$1" >copy' sh "$share"
    [[ $stderr == "seqshare: standard output: File too large" ]]
}

@test "get --output takes a name as long as a name can be" {
    local name
    printf -v name 'x%.0s' {1..255}
    seqshare create "$share" --from - <<<new
    seqshare get "$share" --output "$name"
    [ "$(cat "$name")" = new ]
    echo old >"$name"
    seqshare get "$share" --output "./$name"
    [ "$(cat "$name")" = new ]
}

@test "empty standard input is refused, unless it is meant" {
    seqshare create "$share" --from - <<<old
    says_no seqshare set "$share" </dev/null
    [[ $stderr == "seqshare: standard input: it is empty; "*"--empty" ]]
    run -1 sh -c 'false | seqshare set "$1" -' sh "$share"
    says_no seqshare set "$share" --from - </dev/null
    says_no seqshare create ./new --from - </dev/null
    [ ! -e new ]
    says_no seqshare replace "$share" --from - </dev/null
    [ "$(seqshare get "$share")" = old ]
    stat_is version 1
    seqshare set "$share" --empty </dev/null
    stat_is version 2
    stat_is length 0
    seqshare set "$share" ''
    stat_is version 3
    : >file
    seqshare set "$share" --from file
    stat_is version 4
    says_no seqshare set "$share" --from <(false)
    says_no seqshare set "$share" --from /dev/stdin < <(false)
    says_no seqshare replace "$share" --from <(false)
    stat_is version 4
    seqshare set "$share" --from <(false) --empty
    stat_is version 5
    seqshare create ./new --from - --empty </dev/null
    [ "$(stat_of ./new version)" = 1 ]
}

@test "a typed value keeps its type tag, and no other takes its place unless forced" {
    local tag
    seqshare create "$share"
    tag=$(cli-program typed "$share")
    stat_is tag "$tag"
    seqshare get "$share" --output file
    seqshare set "$share" --from file
    stat_is tag "$tag"
    seqshare set "$share" --from file --tag "$tag"
    [ "$(cli-program read-typed "$share")" = 42 ]
    says_no seqshare set "$share" --from file --tag 0badcafe
    [[ $stderr == *"has type tag $tag"*"0badcafe"*"--force"* ]]
    says_no seqshare set "$share" --from file --tag 0
    says_no seqshare set "$share" garbage
    [[ $stderr == *"binary"*"$tag"*"text"*"--force"* ]]
    says_no seqshare set "$share" --json '{}'
    stat_is version 3
    [ "$(cli-program read-typed "$share")" = 42 ]
    seqshare set "$share" --from file --force
    stat_is tag "$tag"
    seqshare set "$share" text --tag "$tag"
    stat_is tag "$tag"
    seqshare set "$share" --from file --tag 0 --force
    stat_is tag 00000000
    run -1 cli-program read-typed "$share"
    seqshare set "$share" 'any text over what is untyped'
    is_misuse seqshare set "$share" x --tag nonsense
}

@test "forced text over a typed value is untyped" {
    seqshare create "$share"
    cli-program typed "$share"
    seqshare set "$share" garbage --force
    stat_is tag 00000000
    [ "$(seqshare get "$share")" = garbage ]
}

# TAG: "perl.JSON" and "json" have these, as docs/format.md computes them.
json=d86fc7a3

@test "--json says so in the type tag, and JSON is replaced by JSON alone" {
    local perl
    perl=$(cli-program tag perl.JSON)
    [ "$(cli-program tag json)" = "$json" ]
    seqshare create "$share"
    seqshare set "$share" --json '{"a": 1}'
    stat_is tag "$json"
    says_no seqshare set "$share" garbage
    [[ $stderr == *"not JSON: "*"the current value is JSON, and nothing was changed (--force "* ]]
    says_no seqshare set "$share" '[1]' --tag 0badcafe
    says_no seqshare replace "$share" --from - <<<garbage
    [ "$(seqshare get "$share")" = '{"a": 1}' ]
    seqshare replace "$share" --from - <<<'{"a": 2}'
    stat_is tag "$json"
    seqshare set "$share" '[2]'
    stat_is tag "$json"
    [ "$(seqshare get "$share")" = '[2]' ]
    for tag in "$perl" 0 "$json"; do
        seqshare set "$share" '{"tag": 1}' --tag "$tag"
        stat_is tag "$(printf %08x "0x$tag")"
        says_no seqshare set "$share" garbage
        seqshare set "$share" '[3]'
        stat_is tag "$(printf %08x "0x$tag")"
        seqshare set "$share" --json '[4]'
        stat_is tag "$json"
    done
    seqshare set "$share" garbage --force
    stat_is tag 00000000
    [ "$(seqshare get "$share")" = garbage ]
}

@test "create and replace --json take JSON alone, and say so in the type tag" {
    says_no seqshare create "$share" --json --from - <<<'{broken'
    [[ $stderr == "seqshare: $share: not JSON: "*"; nothing was changed" ]]
    [ ! -e "$share" ]
    seqshare create "$share" --json --from - <<<'{"a": 1}'
    stat_is tag "$json"
    says_no seqshare replace "$share" --json --from - <<<word,
    seqshare replace "$share" --json --from - <<<'[2]'
    stat_is tag "$json"
    [ "$(seqshare get "$share")" = '[2]' ]
    says_no seqshare create "$share" --from - <<<word
    [[ $stderr == *"exists already" ]]
}

@test "an untyped object or array is JSON, an untyped number or word is not" {
    local value
    for value in '{"a": 1}' ' [1, 2]' '{}'; do
        seqshare create "$share" --from - <<<"$value"
        says_no seqshare set "$share" garbage
        seqshare set "$share" '{"b": 2}'
        stat_is tag 00000000
        seqshare rm "$share"
    done
    for value in 5 '"text"' null word '{broken' ''; do
        seqshare create "$share" --from - <<<"$value"
        seqshare set "$share" garbage
        [ "$(seqshare get "$share")" = garbage ]
        seqshare rm "$share"
    done
}

@test "replace gives another capacity and mode and carries value and version on" {
    seqshare create "$share" --size 100 --mode 600 --from - <<<value
    seqshare set "$share" again
    seqshare replace "$share" --size 1M
    stat_is capacity 1048576
    stat_is mode 0600
    stat_is version 2
    [ "$(seqshare get "$share")" = again ]
    seqshare replace "$share" --mode 644 --from - <<<newer
    stat_is mode 0644
    stat_is capacity 1048576
    stat_is version 3
    [ "$(seqshare get "$share")" = newer ]
}

@test "replace makes what is not there, and refuses to lose a value" {
    seqshare replace "$share" --size 100 --from - <<<value
    stat_is version 1
    says_no seqshare replace "$share" --size 2
    [[ $stderr == *"longer than the capacity"* ]]
    [ "$(seqshare get "$share")" = value ]
}

@test "rm removes a name whose file is cut just then" {
    local call
    strace -o /dev/null true 2>/dev/null || skip "needs strace, which may trace"
    for call in fstat unlinkat; do
        seqshare create "$share"
        # Not where it is cut, but when: before the name is gone, and after that.
        run -0 strace -o /dev/null -e inject="$call:signal=BUS:when=1" seqshare rm --force "$share"
        [ ! -e "$share" ]
    done
}

@test "create and replace say that there may be no inode, and what is mounted read-only" {
    can_mount
    run with_shm 1M sh -c '
        mount -o remount,nr_inodes=3 /dev/shm
        seqshare create one && seqshare create two || exit 90
        seqshare create three && exit 91
        seqshare replace two --size 2M && exit 92
        mount -o remount,ro /dev/shm
        seqshare create four && exit 93
        seqshare rm two && exit 94
        seqshare set two value && exit 95
        exit 0'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"seqshare: three: no memory, disk space or inode is left for it; nothing was changed"* ]]
    [[ $output == *"seqshare: two: no memory, disk space or inode is left for it; nothing was changed"* ]]
    [[ $output == *"seqshare: four: its file system is mounted read-only"* ]]
    [[ $output == *"seqshare: two: its file system is mounted read-only"* ]]
    [[ $output != *"read-only in this process"* ]]
}

@test "rm removes names, but only shares unless forced" {
    seqshare create "$share"
    seqshare create "$share-2"
    seqshare rm "$share" "$share-2"
    [ ! -e "$share" ]
    says_no seqshare rm "$share"
    [[ $stderr == "seqshare: $share: there is no share of that name"* ]]
    echo precious >file
    says_no seqshare rm ./file
    [[ $stderr == *"--force"* ]]
    [ "$(cat file)" = precious ]
    seqshare rm --force ./file
    [ ! -e file ]
    says_no seqshare rm /proc/self/fd/0
}

@test "rm removes what can be removed, and says no for the rest" {
    seqshare create "$share"
    says_no seqshare rm ./nothing "$share"
    [ ! -e "$share" ]
}

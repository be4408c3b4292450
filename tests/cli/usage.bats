#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Help, man page and completion say the same; wrong usage is status 2.
# Shows: no promise of the library, but that help, man page and completion agree.
load helpers

source_of() {
    echo "$BATS_TEST_DIRNAME/../../src/cli/$1"
}

commands() {
    seqshare --help | sed -nE 's/^  ([a-z]+) +.*/\1/p' | grep . || echo none
}

# What --help says of a command's options: "s size SIZE", sorted.
options_in_help() { # COMMAND
    seqshare "$1" --help | sed -nE 's/^ +-(.), --([a-z-]+)( ([A-Z]+))? .*/\1 \2 \4/p' | sort
}

# Of its section in the man page.
section() { # COMMAND
    awk -v name="$1" '/^\.S[hs] /{inside = ($1 == ".Ss" && $2 == name)} inside' "$(source_of seqshare.1)"
}

options_in_man() { # COMMAND
    section "$1" | sed -nE 's/^\.It Fl (.) , Fl -([a-z-]+)( Ar ([A-Z]+))?$/\1 \2 \4/p' | sort
}

# Of its usage line.
long_options_in_usage() { # COMMAND
    seqshare "$1" --help | sed '/^$/,$d' | grep -oE -- '--[a-z-]+' | sort
}

@test "there are fourteen commands, and each has a help that begins with its usage" {
    local command
    [ "$(commands | wc -l)" -eq 14 ]
    for command in $(commands); do
        run -0 --separate-stderr seqshare "$command" --help
        [[ $output == "usage: seqshare $command"* ]]
        [ -z "$stderr" ]
        [ "$(seqshare "$command" -h)" = "$output" ]
        [ "$(seqshare help "$command")" = "$output" ]
    done
}

@test "the man page has every command with the options of its --help, and no others" {
    local command
    [ "$(commands | sort)" = "$(sed -nE 's/^\.Ss ([a-z]+)$/\1/p' "$(source_of seqshare.1)" | sort)" ]
    for command in $(commands); do
        [ -n "$(options_in_help "$command")" ]
        diff <(options_in_help "$command") <(options_in_man "$command")
    done
}

@test "usage lines name every option but help, in help and man page alike" {
    local command option
    for command in $(commands); do
        diff <(long_options_in_usage "$command") \
            <(options_in_help "$command" | cut -d ' ' -f 2 | grep -vx help | sed 's/^/--/' | sort)
        for option in $(long_options_in_usage "$command"); do
            section "$command" | sed '/^\.Bl -tag/,$d' | grep -qE "Fl -${option#--}( |$)"
        done
    done
}

@test "the man page is sound mdoc" {
    command -v mandoc >/dev/null || skip "needs mandoc: apt-get install mandoc"
    run -0 mandoc -T lint -W warning "$(source_of seqshare.1)"
}

@test "no line of help is longer than 104 columns" {
    local command
    for command in $(commands); do
        [ "$(seqshare "$command" --help | wc -L)" -le 104 ]
    done
}

@test "--version says the version of the header" {
    local header=$BATS_TEST_DIRNAME/../../include/seqshare/seqshare.h
    run -0 seqshare --version
    [ "$output" = "seqshare $(sed -nE 's/^#define SEQSHARE_VERSION_[A-Z]+ +([0-9]+)$/\1/p' "$header" | paste -sd.)" ]
}

@test "wrong usage is status 2, with the usage on standard error, and changes nothing" {
    local command
    seqshare create "$share" --from - <<<value
    is_misuse seqshare
    is_misuse seqshare frobnicate
    is_misuse seqshare --frobnicate
    for command in $(commands); do
        is_misuse seqshare "$command" --frobnicate
        [[ $stderr == "seqshare: $command: unrecognized option '--frobnicate'"* ]]
    done
    for command in create set get watch edit stat check rm lock replace; do
        is_misuse seqshare "$command"
        [[ $stderr == "seqshare: $command: "* ]]
    done
    for command in create get watch edit stat check replace; do
        is_misuse seqshare "$command" "$share" more
    done
    is_misuse seqshare set "$share" two words
    is_misuse seqshare set "$share" text --from file
    is_misuse seqshare set "$share" x --if-version new
    is_misuse seqshare set "$share" x --timeout -1
    is_misuse seqshare set "$share" x --timeout 0x10
    is_misuse seqshare set "$share" x --timeout 1000000001
    is_misuse seqshare set "$share" x --tag 0xbadcafe
    is_misuse seqshare set "$share" -3
    [[ $stderr == "seqshare: set: unrecognized option '-3'; put -- before"* ]]
    is_misuse seqshare set "$share" x --tag
    [[ $stderr == "seqshare: set: option '--tag' needs a value"* ]]
    is_misuse seqshare ls --json=yes
    [[ $stderr == "seqshare: ls: option '--json' takes no value"* ]]
    is_misuse seqshare create ./new --mode 888
    is_misuse seqshare create ./new --mode 1777
    is_misuse seqshare get "$share" --pretty --output file
    is_misuse seqshare watch "$share" --exec
    is_misuse seqshare watch "$share" --count 0
    is_misuse seqshare ls --pid nobody
    is_misuse seqshare ls . --pid 1
    is_misuse seqshare top . --pid 1
    is_misuse seqshare top --interval 0
    is_misuse seqshare bench it
    [ "$(seqshare get "$share")" = value ]
    ls -a
    [ "$(ls)" = config ]
}

@test "names that cannot be: a sentence and status 1" {
    says_no seqshare create ''
    says_no seqshare create ..
    says_no seqshare create ./.
    says_no seqshare create "$(printf 'x%.0s' {1..300})"
    [[ $stderr == *"the name is too long" ]]
    says_no seqshare create nowhere/name
    ln -s config link
    seqshare create "$share"
    says_no seqshare get ./link
    [[ $stderr == *"symbolic link"* ]]
    says_no seqshare get /dev/null
    says_no seqshare get .
}

@test "bench prints one line" {
    run -0 timeout 60 seqshare bench --size 64
    [ "${#lines[@]}" -eq 1 ]
    [[ $output =~ ^"64 bytes: get "[0-9.]+" ns (memcpy "[0-9.]+"), peek and valid "[0-9.]+", version "[0-9.]+", set " ]]
}

@test "completion offers commands, options and names" {
    # shellcheck disable=SC1090
    source "$(source_of seqshare.bash)"
    complete_words() {
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _seqshare
        printf '%s\n' "${COMPREPLY[@]}"
    }
    [ "$(complete_words seqshare wa)" = watch ]
    [ "$(complete_words seqshare '' | wc -l)" -eq 16 ]
    [ "$(complete_words seqshare set x --if)" = --if-version ]
    [ "$(complete_words seqshare ls --p)" = --pid ]
    [ "$(complete_words seqshare check x --u)" = --user ]
    complete_words seqshare check x --user roo | grep -qx root
    seqshare create "$unique"
    [ "$(complete_words seqshare get "$unique")" = "$unique" ]
    touch a-file
    [ "$(complete_words seqshare set "$unique" --from a-)" = a-file ]
    complete_words seqshare ls --pid $$ | grep -qx "$$" # there may be longer numbers
}

# Fails with: names that are expanded as words, or that break the list of them.
@test "completion runs nothing that a stranger has put into a name, and offers the other names all the same" {
    local evil
    # shellcheck disable=SC1090
    source "$(source_of seqshare.bash)"
    seqshare create "$unique"
    # shellcheck disable=SC2016
    for evil in $'\n\'$(touch ran)' '$(touch ran)' '`touch ran`' $'"$(touch ran)' $'\'}' "'" '"' '{a,b}' '\' $'\xff'; do
        touch "/dev/shm/seqshare.$unique$evil"
        COMP_WORDS=(seqshare get cli-test) COMP_CWORD=2 COMPREPLY=()
        _seqshare
        [ ! -e ran ]
        printf '%s\n' "${COMPREPLY[@]}" | grep -aqx "$unique"
        rm "/dev/shm/seqshare.$unique$evil"
    done
}

# The shell sessions of a page, line by line: a line that begins with $ is run, the lines after it must come out.
sessions_do_what_they_show() { # PAGE
    local page=$BATS_TEST_DIRNAME/../../docs/$1
    can_mount
    awk '/^```/{inside = /^```console/; next} inside && NF' "$page" >session
    grep -q '^\$ seqshare' session
    cat >follow <<'EOF'
grep '^\$ ' session | while IFS= read -r line; do
    echo "$line"
    bash -c "${line#$ }" 2>&1 </dev/null
done
EOF
    with_shm 8M bash follow >happened || true
    diff session happened
}

@test "the tour's shell session does what it shows" {
    sessions_do_what_they_show tour.md
}

@test "the page of hosts: its shell session does what it shows" {
    sessions_do_what_they_show hosts.md
}

# SPDX-License-Identifier: MIT
# Completion of seqshare in bash. Commands and options are what `seqshare --help` says they are.

_seqshare_commands() {
    seqshare --help 2>/dev/null | sed -nE 's/^  ([a-z]+) +.*/\1/p'
}

_seqshare_options() { # COMMAND
    seqshare "$1" --help 2>/dev/null | grep -oE '^ +-., --[a-z-]+' | grep -oE -- '--[a-z-]+'
}

# WORD: the shares whose names begin with it. Anybody may name a share in /dev/shm, so the names are never words for
# `compgen -W`, which would run what is in them; and those with control characters are left to the user.
_seqshare_names() {
    local file
    for file in /dev/shm/seqshare.*; do
        file=${file#/dev/shm/seqshare.}
        [[ $file == *[[:cntrl:]]* || $file == '*' ]] || [[ $file != "$1"* ]] || COMPREPLY+=("$file")
    done
}

_seqshare() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_seqshare_commands) --help --version" -- "$word")
        return
    fi
    case $before in
    --size | --mode | --if-version | --tag | --timeout | --after | --count | --interval) return ;;
    --user)
        mapfile -t COMPREPLY < <(compgen -u -- "$word")
        return
        ;;
    --pid)
        mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [0-9]*)" -- "$word")
        return
        ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_seqshare_options "$command")" -- "$word")
    elif [ "$command" = help ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_seqshare_commands)" -- "$word")
    elif [[ $before == --from || $before == --output || $command == ls || $word == */* || $COMP_CWORD -gt 2 ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
        _seqshare_names "$word"
    fi
}

complete -o filenames -F _seqshare seqshare

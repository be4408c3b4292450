# SPDX-License-Identifier: MIT
# Completion of seqshare-feed in bash. Commands and options are what `seqshare-feed --help` says they are.

_seqshare_feed_commands() {
    seqshare-feed --help 2>/dev/null | sed -nE 's/^  ([a-z]+) +CONF.*/\1/p'
}

_seqshare_feed_options() { # COMMAND
    seqshare-feed --help 2>/dev/null | sed -nE "s/^  $1 +(CONF.*)/\1/p" | grep -oE -- '--[a-z]+'
}

# WORD: the configurations whose names begin with it. A name is never a word for `compgen -W`, which runs what is in it.
_seqshare_feed_configurations() {
    local file
    for file in /etc/seqshare/feed.d/*.conf; do
        file=${file##*/}
        [[ $file == '*.conf' || $file != "$1"* ]] || COMPREPLY+=("${file%.conf}")
    done
}

_seqshare_feed() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_seqshare_feed_commands) --help --version" -- "$word")
    elif [[ $before == --wait || $before == --to ]]; then
        return
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_seqshare_feed_options "$command")" -- "$word")
    elif [[ $before == --document || $word == */* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
        _seqshare_feed_configurations "$word"
    fi
}

complete -o filenames -F _seqshare_feed seqshare-feed

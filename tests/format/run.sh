#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: sources are formatted, headers stand alone in C and C++, exports are the public names
# tier: quick
# budget: 45
# quick budget: 25
# quick leaves out: clang and clang-tidy, C++ standards but one, the graph of calls
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
cd "$SEQSHARE_SOURCE"

work=$SEQSHARE_BUILD/format
mkdir -p "$work"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-align -Wcast-qual
    -Wpointer-arith -Wwrite-strings -Wmissing-declarations -Wredundant-decls -Wswitch-enum -Wdouble-promotion -Werror)

sources() { # PATTERN...
    local pattern names=()
    for pattern in "$@"; do
        names+=(-o -name "$pattern")
    done
    find . \( -name .git -o -path './build*' \) -prune -o -type f \( "${names[@]:1}" \) -print | sort
}

sources_are_formatted() {
    sources '*.c' '*.h' '*.cc' '*.cpp' >"$work/sources"
    grep -q '^./src/lock.c$' "$work/sources"
    xargs $formatter --dry-run -Werror <"$work/sources"
}

scripts_pass_shellcheck() {
    (sources '*.sh' && echo ./.ci/run) >"$work/scripts"
    xargs shellcheck -x -P SCRIPTDIR -S warning <"$work/scripts"
}

# `set -e` looks away from a line that begins with `!`: in a test of bats it must be `run !`.
tests_in_bats_can_fail() {
    ! grep -nE '^    ! ' tests/*/*.bats
}

workflows_are_yaml() {
    find .github .pre-commit-config.yaml -name '*.y*ml' >"$work/yaml"
    grep -q workflows "$work/yaml"
    /usr/bin/python3 -c 'import sys, yaml
for name in sys.stdin.read().split():
    with open(name) as file:
        yaml.safe_load(file)' <"$work/yaml"
}

# After the licence, a sentence on what the file is for.
files_say_what_they_are_for() {
    local file silent=0
    sources '*.[ch]' '*.cc' '*.cpp' >"$work/sources"
    grep -q '^./src/lock.c$' "$work/sources"
    while read -r file; do
        sed -n 2p "$file" | grep -qE '^(/\*|//)' || { echo "$file does not say what it is for" && silent=1; }
    done <"$work/sources"
    return $silent
}

# Everything that people read or edit: no corpus, no pictures, no licence.
texts() {
    find . \( -name .git -o -path './build*' -o -path ./tests/fuzz/corpus -o -path ./docs/pictures -o -path ./bench/data \) -prune -o \
        -type f ! -name LICENSE ! -path ./tests/format/phrases -print | sort
}

# A file of phrases that plain English does without, and what to write in place of each.
no_phrase_is_forbidden() {
    local phrases
    phrases=$(grep -v '^#' tests/format/phrases | paste -sd '|')
    texts >"$work/texts"
    grep -q '^./README.md$' "$work/texts"
    grep -qP "$phrases" <<<"no value sha""ll be older" # the pattern is sound
    fails xargs grep -nIP "$phrases" <"$work/texts"
}

words_are_spelt() {
    texts >"$work/texts"
    fails codespell --config tests/format/codespell.cfg - <<<"the writ""ter waits" # it can find one
    xargs codespell --config tests/format/codespell.cfg <"$work/texts"
}

# The texts that users read, without code. proselint.json turns off the rules that do not serve: those about taste and
# typography, and "for ever", which British English has.
prose_is_plain() {
    local file
    rm -rf "$work/prose"
    while read -r file; do
        mkdir -p "$work/prose/${file%/*}"
        awk '/^ *```/ {code = !code; print ""; next} code || /^    / {print ""; next} {gsub(/`[^`]*`/, "code"); print}' \
            "$file" >"$work/prose/$file"
    done < <(sources '*.md')
    mandoc -T utf8 src/cli/seqshare.1 2>/dev/null | col -bx >"$work/prose/seqshare.1" || rm -f "$work/prose/seqshare.1"
    mkdir -p "$work/xdg/proselint" "$work/cache/proselint"
    cp tests/format/proselint.json "$work/xdg/proselint/config"
    cp tests/format/proselint.json "$work/xdg/proselint/config.json"
    export XDG_CONFIG_HOME=$work/xdg XDG_CACHE_HOME=$work/cache
    echo "The the lock is very unique." >"$work/planted"
    fails proselint "$work/planted" # it can find something
    (cd "$work/prose" && find . -type f -exec proselint {} +)
}

stands_alone() { # COMPILER STANDARD HEADER
    local language=c more=()
    [[ $2 = c++* ]] && language=c++
    [ "$3" != feed.h ] || more=(-U_GNU_SOURCE -D_GNU_SOURCE) # which it says that it needs
    echo "#include <seqshare/$3>" | "$1" -x $language -std="$2" "${warnings[@]}" "${more[@]}" -Iinclude -fsyntax-only -
}

# The headers declare, the version script lists and the library exports the same names. The first
# library exports what is inline, too.
headers_of() { # LIBRARY
    case $1 in
    seqshare) echo include/seqshare/{seqshare,protocol,typed}.h ;;
    *) echo "include/seqshare/${1#seqshare-}.h" ;;
    esac
}

public_names() { # LIBRARY
    local headers kinds=API
    [ "$1" != seqshare ] || kinds="API|INLINE"
    read -ra headers <<<"$(headers_of "$1")"
    sed -nE "s/^SEQSHARE_($kinds) [^(]*[ *](seqshare_[a-z0-9_]+)\(.*/\2/p" "${headers[@]}" | sort -u
}

# The opening comment of seqshare.h has a line for each function that a program may call. (seqshare_holds is for the
# inline ones; protocol.h is the protocol, not the interface.)
header_has_a_table_of_all_functions() {
    sed '/\*\//q' <(sed 1d include/seqshare/seqshare.h) >"$work/table"
    sed -nE 's/^SEQSHARE_(API|INLINE) [^(]*[ *](seqshare_[a-z0-9_]+)\(.*/\2/p' include/seqshare/{seqshare,typed}.h |
        grep -vxE 'seqshare_(holds|try_get_small)' | sort -u >"$work/functions"
    [ "$(wc -l <"$work/functions")" -ge 45 ]
    grep -oE '^ \* {5}( {10}|[a-z]+ +)seqshare_[a-z_]+ ' "$work/table" | grep -oE 'seqshare_\w+' | sort |
        diff "$work/functions" -
}

folder_of() { # LIBRARY: below src
    [ "$1" = seqshare ] || echo "/${1#seqshare-}"
}

map_lists_the_public_names() { # LIBRARY, AND HOW MANY THERE ARE AT LEAST
    public_names "$1" >"$work/public-$1"
    [ "$(wc -l <"$work/public-$1")" -ge "$2" ]
    sed -nE 's/^ +([a-z0-9_]+);$/\1/p' "src$(folder_of "$1")/$1.map" | sort | diff "$work/public-$1" -
}

# In the first node, and in those of names that came later (NODE.2 and so on).
library_exports_the_public_names() { # LIBRARY NODE
    build_preset release "${1//-/_}"
    nm -D --defined-only "$SEQSHARE_BUILD/release/src$(folder_of "$1")/lib$1.so" >"$work/exports"
    sed -nE "s/^[0-9a-f]+ T (.*)@@$2(\.[0-9]+)?\$/\1/p" "$work/exports" | sort | diff "$work/public-$1" -
    ! grep -v ' T ' "$work/exports" | grep -v " A $2"
}

# Of two files that include each other.
circle_is_noticed() {
    rm -rf "$work/circle"
    mkdir "$work/circle"
    echo '#include "b.h"' >"$work/circle/a.h"
    echo '#include "a.h"' >"$work/circle/b.h"
    (cd "$work/circle" && fails "$SEQSHARE_SOURCE/tests/format/arrows.py" includes)
}

# A header of the lock that includes one of the handles; and a file that architecture.md does not know.
arrow_up_is_noticed() {
    rm -rf "$work/floors"
    mkdir -p "$work/floors/src" "$work/floors/docs/internals"
    cp docs/internals/architecture.md "$work/floors/docs/internals"
    cd "$work/floors"
    echo '#include "share.h"' >src/lock.h
    touch src/share.h
    fails "$SEQSHARE_SOURCE/tests/format/arrows.py" floors 2>&1 | tee "$work/refused"
    grep -Fx "src/lock.h needs src/share.h, which is on a floor above" "$work/refused"
}

file_on_no_floor_is_noticed() {
    touch "$work/floors/src/stranger.c"
    cd "$work/floors"
    fails "$SEQSHARE_SOURCE/tests/format/arrows.py" floors 2>&1 | tee "$work/refused"
    grep -Fx "src/stranger.c is on no floor" "$work/refused"
}

calls_go_one_way() {
    build_preset release src/all src/cli/all
    tests/format/arrows.py calls "$SEQSHARE_BUILD/release"
    tests/format/arrows.py floors "$SEQSHARE_BUILD/release"
}

# .clang-tidy says what is asked for. The analyzer takes minutes.
tidy_finds_nothing() {
    local without="-clang-analyzer-*"
    [ -z "${SEQSHARE_LONG:-}" ] || without=
    ninja -C "$SEQSHARE_BUILD/release" -t compdb >"$SEQSHARE_BUILD/release/compile_commands.json"
    printf '%s\n' src/*.c src/{cache,json,cli}/*.c |
        xargs -P "$(nproc)" -n 8 clang-tidy-14 -p "$SEQSHARE_BUILD/release" --checks="$without" --quiet 2>/dev/null
}

# ENTRY MESSAGE: the catalogue of planted faults with that entry is refused.
planter_refuses() {
    rm -rf "$work/mutants"
    mkdir "$work/mutants"
    printf 'files = ["src/lock.c"]\n%s\n' "$1" >"$work/mutants/wrong.toml"
    fails python3 tests/mutants/mutants.py check . "$work/mutants" | tee "$work/refused"
    grep -F "$2" "$work/refused"
}

planted_faults() {
    check "each planted fault has its place" python3 tests/mutants/mutants.py check
    check "a planted fault without a place is noticed" planter_refuses \
        '[a]'$'\n''caught_by = ["crash"]'$'\n''edits = [{ old = "of no file", new = "" }]' "a: 'of no file' stands in no file"
    check "a planted fault with several places is noticed" planter_refuses \
        '[a]'$'\n''caught_by = ["crash"]'$'\n''edits = [{ old = "return", new = "" }]' "a: 'return' stands in lock.c:"
    check "a planted fault that nobody must catch is noticed" planter_refuses \
        '[a]'$'\n''caught_by = ["nobody"]' "a: no detector is named by"
    check "a model's fault that is not planted is noticed" planter_refuses "" "M_NO_W2 is not in the catalogue"
}

# Other versions lay out a few things differently, and nobody is asked to have several.
formatter=clang-format-14
command -v $formatter >/dev/null || formatter=clang-format
if $formatter --version 2>/dev/null | grep -q 'version 14\.'; then
    check "C and C++ files are formatted" sources_are_formatted
else
    skip "C and C++ files are formatted" "needs clang-format 14, which Debian 12 has"
fi
check "scripts pass shellcheck" scripts_pass_shellcheck
check "every source file says what it is for" files_say_what_they_are_for
check "no phrase is forbidden" no_phrase_is_forbidden
if ! is_quick; then
    check "words are spelt as they should be" words_are_spelt
    check "prose is plain, by proselint" prose_is_plain
fi
check "no file includes itself by way of others" tests/format/arrows.py includes
check "two files that include each other are noticed" circle_is_noticed
check "includes go down the floors of architecture.md" tests/format/arrows.py floors
check "an include that goes up is noticed" arrow_up_is_noticed
check "a file on no floor is noticed" file_on_no_floor_is_noticed
check "promises and tests name each other" tests/format/promises.py
check "workflows and templates are YAML" workflows_are_yaml
check "a line of a test in bats that says no can fail" tests_in_bats_can_fail
if python3 -c 'import tomllib' 2>/dev/null; then
    planted_faults
else
    skip "each planted fault has its place" "needs Python 3.11"
fi
compilers=(gcc clang) standards=(c++11 c++17 c++20)
! is_quick || compilers=(gcc) standards=(c++11)
for header in include/seqshare/*.h; do
    for compiler in "${compilers[@]}"; do
        check "$header: $compiler, C11" stands_alone "$compiler" c11 "${header##*/}"
        for standard in "${standards[@]}"; do
            check "$header: $compiler, $standard" stands_alone "$compiler" "$standard" "${header##*/}"
        done
    done
done
check "seqshare.h has a table of all functions" header_has_a_table_of_all_functions
while read -r library least node; do
    check "$library: the version script lists the public names" map_lists_the_public_names "$library" "$least"
    check "$library: exports the public names" library_exports_the_public_names "$library" "$node"
done <<'LIST'
seqshare 30 SEQSHARE_0
seqshare-cache 10 SEQSHARE_CACHE_0
seqshare-json 10 SEQSHARE_JSON_0
LIST
is_quick || check "calls between the files of the libraries and the command make no circle, and go down the floors" calls_go_one_way
if ! is_quick && command -v clang-tidy-14 >/dev/null; then
    check "clang-tidy finds nothing" tidy_finds_nothing
elif ! is_quick; then
    skip "clang-tidy finds nothing" "needs clang-tidy 14, which Debian 12 has"
fi
finish

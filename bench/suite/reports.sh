# SPDX-License-Identifier: MIT
# Sourced by run.sh: what it does with results that are there.
# shellcheck shell=bash
: "${root:?is set by run.sh}" "${build:?is set by run.sh}"

# has_module MODULE: of Debian's own Python, whichever else is there
has_module() {
    /usr/bin/python3 -c "import $1" 2>/dev/null
}

# need_modules MODULE...: each is in Debian's package python3-MODULE
need_modules() {
    local module
    for module in "$@"; do
        has_module "$module" || need "python3-$module" python3 "python3-$module"
    done
}

# python PROGRAM ARGUMENT...: one of the programs beside this file
python() {
    /usr/bin/python3 -B "$root/bench/suite/$1.py" "${@:2}"
}

# report FILE: tables on the terminal, pictures below build/
report() {
    [ -x /usr/bin/python3 ] || need python3 python3
    python tables "$1"
    need_modules matplotlib
    python plot "$1" --out "$build/pictures"
    echo "Results: $1"
    echo "Pictures: $build/pictures"
}

# refresh_docs FILE: the questions that it has figures for. Pictures as SVG alone, which is text, and the same for
# the same figures; of them the document shows some, and only those are kept.
refresh_docs() {
    local drawn=$build/pictures-for-docs picture
    need_modules matplotlib
    python tables "$1" --docs "$root/docs/benchmarks.md"
    rm -rf "$drawn"
    python plot "$1" --out "$drawn" --svg
    for picture in $(sed -nE 's/^!\[.*\]\(pictures\/(.*)\)$/\1/p' "$root/docs/benchmarks.md"); do
        [ ! -e "$drawn/$picture" ] || cp "$drawn/$picture" "$root/docs/pictures/$picture"
    done
    echo "docs/benchmarks.md and docs/pictures are made from $1"
}

# compare OLD NEW [--benchmark_filter=REGEX]
compare() {
    [ -e /usr/share/benchmark/compare.py ] || need libbenchmark-tools libbenchmark-tools
    need_modules scipy
    python compare "$@"
}

# show --report FILE | --docs FILE | --compare OLD NEW
show() {
    [ "$1" = --compare ] || [ $# -eq 2 ] ||
        { echo "bench/run.sh: $1 takes one file, the results of --suite" >&2; exit 2; }
    case $1 in
    --report) report "$2" ;;
    --docs) refresh_docs "$2" ;;
    --compare) compare "${@:2}" ;;
    esac
}

# SPDX-License-Identifier: MIT
# Sourced: the examples of the documentation, as they stand. It begins in the tree of the source, as autopkgtest does.
# shellcheck shell=bash
source=$PWD
cd "$AUTOPKGTEST_TMP" || exit

block() { # FILE LANGUAGE [HEADING]: its first block in that language, below that heading
    awk -v begin="^\`\`\`$2\$" -v heading="${3:-}" 'heading != "" { if ($0 == heading) heading = ""; next }
        inside && /^```$/ {exit} inside {print} $0 ~ begin {inside = 1}' "$source/$1" | grep .
}

session() { # FILE [HEADING]: the commands of its first block of console; a here-document goes on to END
    block "$1" console "${2:-}" | awk '/^\$ / {print substr($0, 3); inside = /<<.?END/; next} inside; $0 == "END" {inside = 0}' |
        sed 's/^curl /curl -s --retry 60 --retry-delay 1 --retry-connrefused /'
}

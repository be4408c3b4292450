#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# redirect.sh LIBRARY.a OUTPUT.a: a copy of the static library in which every call that may fail goes to
# faulty_NAME (inject.c) instead of NAME. Stops at a call that calls.txt does not know, so that none is forgotten.
set -euo pipefail
library=$1 output=$2
calls=$(dirname "${BASH_SOURCE[0]}")/calls.txt
names=$output.names

# The C library's name for it, by the standard in force, or by the size of a file.
plain_name() { # SYMBOL
    sed -E 's/^__isoc[0-9]+_//; s/64$//' <<<"$1"
}

: >"$names"
while read -r symbol; do
    case $symbol in
    seqshare_* | _GLOBAL_OFFSET_TABLE_ | __errno_location | __stack_chk_fail | __cpu_*) continue ;;
    __gcov_* | __asan_* | __ubsan_* | __sanitizer_*) continue ;;
    esac
    name=$(plain_name "$symbol")
    kind=$(sed -n "s/^$name //p" "$calls")
    case $kind in
    "may fail") echo "$symbol faulty_$name" >>"$names" ;;
    harmless) ;;
    *)
        echo "redirect.sh: the library calls $symbol: add it to ${calls##*/} (and inject.c, if it may fail)" >&2
        exit 1
        ;;
    esac
done < <(nm -u "$library" | awk '$1 == "U" || $1 == "w" { print $2 }' | sort -u)
objcopy --redefine-syms="$names" "$library" "$output"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Shows what reads come down to; called by bench/run.sh.
#
#   show.sh PROGRAM                 instructions a call, counted by callgrind
#   show.sh PROGRAM --disassemble   the instructions of the inline ones
#
# What this compiler made, counted on a processor as valgrind plays it: there libc may choose another memcpy than on the
# real one. Unlike times, counts are the same on every run.
set -euo pipefail

program=$1
if [ $# -gt 2 ] || [ "${2:---disassemble}" != --disassemble ]; then
    echo "bench/run.sh: --instructions takes no other option than --disassemble" >&2
    exit 2
fi

if [ $# -eq 2 ]; then
    for name in $(nm "$program" | sed -n 's/.* \(shown_[a-z0-9_]*\)$/\1/p'); do
        objdump --disassemble="$name" --no-show-raw-insn "$program" | sed '1,/^Disassembly of section .text/d' |
            grep -E '^[0-9a-f]+ <|^ '
    done
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One file for each call of counted(): out.1, out.2, ...
valgrind --quiet --tool=callgrind --callgrind-out-file="$work/out" \
    --zero-before=counted --dump-after=counted "$program" >"$work/rows"
for ((row = 1; row <= $(wc -l <"$work/rows"); row++)); do
    sed -n 's/^summary: //p' "$work/out.$row"
done >"$work/counts"

paste -d ' ' "$work/counts" "$work/rows" | awk '
    { instructions = $1 / $3; value = $2; name = $4; for (i = 5; i <= NF; i++) name = name " " $i }
    NR == 1 {
        loop = instructions
        printf "Instructions a call, by callgrind; the %.0f of the loop around it are not in them.\n\n", loop
        printf "%-32s %8s %13s %8s %6s\n", "", "value", "instructions", "memcpy", "more"
        next
    }
    { instructions -= loop }
    name == "memcpy" { memcpy = instructions; next }
    value == 0 { printf "%-32s %8s %13.0f\n", name, "", instructions; next }
    { printf "%-32s %6d B %13.0f %8.0f %+6.0f\n", name, value, instructions, memcpy, instructions - memcpy }'

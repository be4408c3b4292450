# SPDX-License-Identifier: MIT
# The benchmark runs, and shows a ratio for each way; whatever that is.
# Shows: no promise, but that the benchmark of the README can be repeated.
# shellcheck shell=bash

benchmark() {
    python3 ../benchmark/compare.py --quick >"$work/benchmark" 2>&1 || { cat "$work/benchmark" && return 1; }
    cat "$work/benchmark"
    grep -E '^seqshare: 10 variables +[0-9]+ +[0-9.]+' "$work/benchmark"
    grep -E '^a header with a variable of seqshare: -?[0-9]+ ns' "$work/benchmark"
}
check "the benchmark runs" benchmark

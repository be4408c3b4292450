#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares two runs of the suite, before and after a change, by google-benchmark's own tool.

The tool looks at nothing but a benchmark's time, so each counter that matters is handed to it as a benchmark
of its own, the less the better. Its U test says whether a difference can be chance; that needs nine rounds or
more (--benchmark_repetitions=9)."""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

from results import Unusable, load

TOOL = "/usr/share/benchmark/compare.py"
COUNTERS = {
    "read": ("time",),
    "readers": ("time per read",),
    "latency": ("p50", "p99", "p999", "p9999"),
    "write": ("time",),
    "seen": ("p50", "p99"),
    "woken": ("p50", "p99"),
    "killed": ("next_write_p50", "longest_read"),
    "memory": ("private", "shared"),
    "retries": ("retries", "p50", "p999"),
    "big": ("time",),
    "coherence": ("read_64", "publication_64"),
    "calls": ("time",),
    "takeover": ("p50",),
}


def rounds_of(benchmark, counter):
    if counter == "time per read":
        return [1e9 / speed for speed in benchmark.figures("per_reader")]
    return benchmark.rounds.get(counter, [])  # who hangs at the first kill has no next write


def as_the_tool_wants(results, pattern):
    entries = []

    def add(name, value, **more):
        entries.append(
            {
                "name": name,
                "run_name": name,
                "family_index": family,
                "real_time": value,
                "cpu_time": value,
                "time_unit": "ns",
                **more,
            }
        )

    figures = [
        (benchmark, counter) for benchmark in results.benchmarks for counter in COUNTERS[benchmark.question]
    ]
    for family, (benchmark, counter) in enumerate(figures):
        at = [f"{key}:{value}" for key, value in benchmark.at.items()]
        name = "/".join([benchmark.question, benchmark.contender, *at, counter.replace(" ", "_")])
        values = rounds_of(benchmark, counter) if re.search(pattern, name) else []
        for value in values:
            add(name, value, run_type="iteration")
        if values:
            add(f"{name}_median", statistics.median(values), run_type="aggregate", aggregate_name="median")
    return {"context": results.context, "benchmarks": entries}


def compare(old, new, pattern):
    if not os.path.exists(TOOL):
        raise Unusable(f"needs {TOOL}: apt-get install libbenchmark-tools python3-scipy")
    prepared = {name: as_the_tool_wants(load(path), pattern) for name, path in (("old", old), ("new", new))}
    both = set.intersection(
        *({one["name"] for one in results["benchmarks"]} for results in prepared.values())
    )
    if not both:
        raise Unusable(
            f"{old} and {new} have no figures in common" + (f" that match {pattern}" if pattern else "")
        )
    print(
        f"Old: {old}. New: {new}. In ns, bytes, or repetitions, and rounded.\n"
        "Time: what has changed; -0.1 is 10 % less. CPU repeats it.",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, results in prepared.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                json.dump(results, file)
        colour = [] if sys.stdout.isatty() else ["--no-color"]
        # -W: it takes the geometric mean of everything, which warns where something is 0.
        return subprocess.run(
            [sys.executable, "-W", "ignore", TOOL, *colour, "-a", "benchmarks", "old", "new"],
            cwd=folder,
            check=False,
        ).returncode


def main():
    parser = argparse.ArgumentParser(description="Compare two results of the suite.")
    parser.add_argument("old", help="what bench/run.sh --suite wrote (JSON)")
    parser.add_argument("new", help="what it wrote later")
    parser.add_argument(
        "--benchmark_filter", metavar="REGEX", default="", help="only names in which it is found"
    )
    options = parser.parse_args()
    try:
        return compare(options.old, options.new, options.benchmark_filter)
    except re.error as error:
        print(f"compare.py: {options.benchmark_filter}: {error}", file=sys.stderr)
    except Unusable as error:
        print(f"compare.py: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

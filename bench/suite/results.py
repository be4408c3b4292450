# SPDX-License-Identifier: MIT
"""What the suite measured, read from the JSON that it wrote; and numbers as people read them.

A benchmark is called QUESTION/CONTENDER/KEY:VALUE/..., for example latency/mutex/bytes:64/writer:1k. Each
repetition is a round; a figure is the median of its rounds, and its spread their standard deviation by their
mean.
"""
import json
import statistics

# What a name says besides question and contender, for each question; anything else is none of ours.
_KEYS = {
    "read": {"bytes"},
    "readers": {"bytes", "readers"},
    "latency": {"bytes", "writer"},
    "write": {"bytes", "waiters"},
    "seen": {"readers"},
    "woken": {"readers", "share"},
    "killed": set(),
    "memory": {"bytes"},
    "retries": {"bytes", "slots", "writer"},
    "big": {"bytes", "how"},
    "coherence": {"bytes"},
    "calls": {"call"},
    "takeover": {"from"},
}
QUESTIONS = tuple(_KEYS)

ASKED = {
    "read": "How long does one read take?",
    "readers": "How many reads do several processes get done?",
    "latency": "How long can a read take while somebody writes?",
    "write": "How long does one write take?",
    "seen": "How long until every reader has a new value?",
    "woken": "How long until a sleeping reader has a new value?",
    "killed": "What if the writer is killed in the middle of a write?",
    "memory": "How much memory does one more worker take?",
    "retries": "How often must a read begin again?",
    "big": "How long does it take to get at a big value?",
    "coherence": "How many cache lines travel between processors?",
    "calls": "What do seqshare's other calls cost?",
    "takeover": "How soon has a dead owner's lock another owner?",
}

# The order of contenders in every table and picture: relatives stand together.
CONTENDERS = (
    "seqshare",
    "seqshare-typed",
    "seqshare-peek",
    "memcpy",
    "ck-sequence",
    "liburcu",
    "mutex",
    "mutex-robust",
    "rwlock",
    "ck-rwlock",
    "boost",
    "semaphore",
    "flock",
    "lmdb",
    "mmap-sync",
    "mmap-sync-rust",
    "iceoryx2",
    "iceoryx2-rust",
    "futex",
    "eventfd",
    "iceoryx2-event",
    "file",
    "memcached",
    "redis",
    "redis-pubsub",
)

WRITERS = ("idle", "1k", "100k", "free")
_NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
_NO_COUNTERS = {
    "name",
    "run_name",
    "run_type",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
    "family_index",
    "per_family_instance_index",
    "real_time",
    "cpu_time",
    "time_unit",
    "label",
    "items_per_second",
    "bytes_per_second",
}


class Unusable(Exception):
    """There is nothing to show; the text says why, for the user."""


class Benchmark:
    """One name, with the figures of all its rounds. Counter "time" is the benchmark's own time, in ns."""

    def __init__(self, question, contender, at):
        self.question = question
        self.contender = contender
        self.at = at  # {"bytes": 64, "writer": "1k"}
        self.rounds = {}

    def order(self):
        """Among the benchmarks of its question and contender."""
        return [
            (
                WRITERS.index(value) if value in WRITERS else 0,
                value if isinstance(value, int) else 0,
                str(value),
            )
            for value in self.at.values()
        ]

    def add_round(self, run):
        figures = {
            key: float(value)
            for key, value in run.items()
            if key not in _NO_COUNTERS and isinstance(value, (int, float))
        }
        figures["time"] = run["real_time"] * _NANOSECONDS[run.get("time_unit", "ns")]
        for counter, value in figures.items():
            self.rounds.setdefault(counter, []).append(value)

    def figures(self, counter):
        if counter not in self.rounds:
            raise Unusable(f"{self.question}/{self.contender} has no counter {counter}")
        return self.rounds[counter]

    def median(self, counter="time"):
        return statistics.median(self.figures(counter))

    def worst(self, counter):
        return max(self.figures(counter))

    def total(self, counter):
        return sum(self.figures(counter))

    def spread(self, counter="time"):
        values = self.figures(counter)
        mean = statistics.fmean(values)
        return statistics.stdev(values) / mean if len(values) > 1 and mean else 0.0


class Results:
    def __init__(self, context, benchmarks, failed):
        self.context = context
        self.benchmarks = benchmarks
        self.failed = failed  # {name: what it said}

    def select(self, question, **at):
        """A question's benchmarks in the contenders' order; at: only where these keys have these values."""
        chosen = [
            one
            for one in self.benchmarks
            if one.question == question and all(one.at.get(key) == value for key, value in at.items())
        ]
        return sorted(chosen, key=lambda one: (contender_rank(one.contender), one.order()))

    def one(self, question, contender, **at):
        return next((one for one in self.select(question, **at) if one.contender == contender), None)

    def contenders(self, question, **at):
        return list(dict.fromkeys(one.contender for one in self.select(question, **at)))

    def values(self, question, key):
        """What KEY was set to."""
        found = {one.at[key] for one in self.select(question) if key in one.at}
        return [value for value in WRITERS if value in found] if key == "writer" else sorted(found)

    def rounds(self, question):
        return max(len(one.rounds["time"]) for one in self.select(question))

    def cores(self):
        return int(self.context.get("cores", self.context.get("num_cpus", 0)))

    def machine(self):
        """The machine in one line."""

        def said(key):
            return self.context.get(key, f"unknown {key}")

        cores = f"{self.cores()} core{'s' if self.cores() != 1 else ''}"
        return (
            f"{said('processor')}, {cores}, {said('kernel')}, {said('compiler')}, seqshare {said('seqshare')}"
        )


def contender_rank(name):
    """Strangers come last."""
    return CONTENDERS.index(name) if name in CONTENDERS else len(CONTENDERS)


def parse_name(name):
    """A benchmark without figures yet; None if the name is none of ours. What google-benchmark itself puts
    behind a name (iterations:1, manual_time) is dropped."""
    question, *parts = name.split("/")
    if question not in QUESTIONS or not parts:
        return None
    at = {}
    for part in parts[1:]:
        key, colon, value = part.partition(":")
        if colon and key not in ("iterations", "repeats"):
            at[key] = int(value) if value.isdigit() else value
    return Benchmark(question, parts[0], at) if set(at) == _KEYS[question] else None


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("benchmarks"), list):
        raise Unusable(f"{path} has no list of benchmarks: it is not what the suite writes")
    benchmarks, failed = {}, {}
    for run in _rounds_of(document["benchmarks"]):
        name = str(run.get("run_name"))
        benchmark = parse_name(name)
        if benchmark is None:
            continue
        if run.get("error_occurred"):
            failed[name] = run.get("error_message", "failed")
        elif run.get("samples") == 0:
            failed[name] = "in one round, nothing happened that could be timed"
        else:
            benchmarks.setdefault(name, benchmark).add_round(run)
    if not benchmarks:
        raise Unusable(f"{path} has no figures of the suite in it (of {', '.join(QUESTIONS)})")
    return Results(document.get("context", {}), list(benchmarks.values()), failed)


def _rounds_of(runs):
    """The single rounds; where only aggregates were asked for, the medians stand for them."""
    runs = [run for run in runs if isinstance(run, dict)]
    rounds = [run for run in runs if run.get("run_type") == "iteration"]
    return rounds or [run for run in runs if run.get("aggregate_name") == "median"]


def _scaled(number, step, units):
    """Three digits and a unit; units are `step` apart."""
    at = 0
    while at + 1 < len(units) and number >= step * 0.9995:
        number /= step
        at += 1
    return f"{number:.{0 if number >= 99.95 else 1 if number >= 9.995 else 2}f}{units[at]}"


def ns_text(ns):
    if ns < 0.1:
        return "< 0.1 ns"
    return _scaled(ns, 1000, (" ns", " us", " ms", " s"))


def single_text(ns):
    """Of a single time, which a clock has taken, or a percentile of them."""
    return f"{ns:.0f} ns" if ns < 99.5 else ns_text(ns)


def count_text(count):
    return _scaled(count, 1000, ("", " k", " M", " G"))


def bytes_text(count):
    """64 B, 4 KiB, 1.5 KiB."""
    at = 0
    while at < 3 and count >= 1024:
        count /= 1024
        at += 1
    return f"{count:.{0 if count == int(count) or at == 0 else 1}f} {('B', 'KiB', 'MiB', 'GiB')[at]}"


def ratio_text(ratio):
    if ratio < 0.01:
        return "< 0.01 x"
    return f"{ratio:.2f} x" if ratio < 1.995 else f"{ratio:.1f} x" if ratio < 9.95 else f"{ratio:,.0f} x"


def share_text(part):
    return f"{100 * part:.1f} %" if part < 0.0995 else f"{100 * part:.0f} %"


WRITER_TEXT = {
    "idle": "nobody writes",
    "1k": "1,000 writes/s",
    "100k": "100,000 writes/s",
    "free": "the writer never pauses",
}

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tables of what the suite measured: for the terminal, as Markdown, or put into docs/benchmarks.md between
its markers, <!-- begin NAME --> and <!-- end NAME -->.

Ratios come first: seqshare's row has figures with units, and the others' say how many times as long it took
them; 3 x is three times as slow as seqshare, whether times or reads per second were measured."""
import argparse
import re
import statistics
import sys

from results import (
    ASKED,
    CONTENDERS,
    QUESTIONS,
    WRITER_TEXT,
    Unusable,
    bytes_text,
    contender_rank,
    count_text,
    load,
    ns_text,
    ratio_text,
    share_text,
    single_text,
)

WRITER_HEAD = {"idle": "idle", "1k": "1 k/s", "100k": "100 k/s", "free": "no pause"}
# What the spread of a question is computed from.
COUNTER = {
    "readers": "reads_per_second",
    "latency": "p999",
    "seen": "p50",
    "woken": "p50",
    "killed": "longest_read",
    "memory": "private",
    "retries": "p50",
}

FILTER = {"retries": "'^(retries|latency)/'"}  # its picture shows others' latencies, too
SHOWN = ("read", "readers", "killed")  # the pictures that the document shows, and the repository keeps
DISTURBED = 0.02  # of a round: somebody waited for a processor longer than that


class Table:
    def __init__(self, title, columns, rows):
        self.title = title
        self.columns = columns
        self.rows = rows  # [(name, cells)]

    def text(self):
        lines = [["", *self.columns]] + [[name, *cells] for name, cells in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join(
            [self.title]
            + [
                "  ".join(
                    cell.ljust(width) if at == 0 else cell.rjust(width)
                    for at, (cell, width) in enumerate(zip(line, widths))
                ).rstrip()
                for line in lines
            ]
        )

    def markdown(self):
        lines = [["", *self.columns], ["---"] + ["---:"] * len(self.columns)]
        lines += [
            [f"**{name}**" if name.startswith("seqshare") else name, *cells] for name, cells in self.rows
        ]
        return f"{self.title}:\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)


def compared(title, columns, rows, text, more_is_better=False):
    """columns: {key: head}; rows: {name: {key: value}}, the first is what the others are compared with; where
    its name goes on after a comma, it is the same contender again, and not compared with itself."""
    reference = next(iter(rows.values()), {})

    def cell(name, values, key):
        if key not in values:
            return "-"
        if values is reference or not reference.get(key) or name.startswith("seqshare,"):
            return text(values[key])
        ratio = values[key] / reference[key]
        return ratio_text(1 / ratio if more_is_better else ratio)

    return Table(
        title,
        list(columns.values()),
        [(name, [cell(name, values, key) for key in columns]) for name, values in rows.items()],
    )


def table_of(title, columns, rows):
    """columns: {key: head}; rows: {name: {key: text}}."""
    return Table(
        title,
        list(columns.values()),
        [(name, [cells.get(key, "-") for key in columns]) for name, cells in rows.items()],
    )


def by_contender(benchmarks, keys, figure):
    """{contender: {values of these keys: figure}}."""
    rows = {}
    for one in benchmarks:
        rows.setdefault(one.contender, {})[tuple(one.at[key] for key in keys)] = figure(one)
    return rows


def sizes(results, question):
    return {(size,): bytes_text(size) for size in results.values(question, "bytes")}


def read_tables(results):
    rows = by_contender(results.select("read"), ["bytes"], lambda one: one.median())
    return [compared("Time per read", sizes(results, "read"), rows, ns_text)]


def readers_tables(results):
    counts, tables = results.values("readers", "readers"), []
    for size in results.values("readers", "bytes"):
        here = results.select("readers", bytes=size)
        columns = {(count,): f"{count} reader{'s' if count > 1 else ''}" for count in counts}
        table = compared(
            f"Reads per second, all together, {bytes_text(size)}",
            columns,
            by_contender(here, ["readers"], lambda one: one.median("reads_per_second")),
            count_text,
            more_is_better=True,
        )
        if results.cores() in counts and results.cores() > 1:
            add_scaling(table, here, results.cores())
        tables.append(table)
    return tables


def add_scaling(table, benchmarks, count):
    """How fast each of so many readers is, compared with one alone: 1 is a straight line."""
    speed = by_contender(benchmarks, ["readers"], lambda one: one.median("per_reader"))
    table.columns.append(f"each of {count} / one alone")
    for name, cells in table.rows:
        cells.append(quotient(speed[name], (count,), (1,)))


def latency_tables(results):
    writers, tables = results.values("latency", "writer"), []
    columns = [f"{WRITER_HEAD[writer]}: {head}" for writer in writers for head in ("median", "99.9 %")]
    for size in results.values("latency", "bytes"):
        here = {(one.contender, one.at["writer"]): one for one in results.select("latency", bytes=size)}
        rows = [
            (name, [cell for writer in writers for cell in latency_cells(here, name, writer)])
            for name in results.contenders("latency", bytes=size)
        ]
        tables.append(Table(f"Time per read, {bytes_text(size)}; ratios are of the 99.9 %", columns, rows))
    if {"idle", "1k"} <= set(writers):
        tables.append(disturbance(results))
    tables.append(writes_done(results))
    return tables


def latency_cells(here, name, writer):
    """Median, and the time that 99.9 % do not exceed."""
    if (name, writer) not in here:
        return "-", "-"
    one, reference = here[name, writer], here.get(("seqshare", writer))
    tail = single_text(one.median("p999"))
    if reference and one is not reference:
        tail = f"{ratio_text(tail_of(one) / tail_of(reference))}, {tail}"
    return single_text(one.median("p50")), tail


def tail_of(one):
    return max(1, one.median("p999"))


def quotient(figures, over, under):
    """Of two of the figures, as text."""
    if over not in figures or not figures.get(under):
        return "-"
    return f"{figures[over] / figures[under]:.2f}"


def disturbance(results):
    tails = by_contender(results.select("latency"), ["bytes", "writer"], tail_of)
    rows = [
        (name, [quotient(tail, (size, "1k"), (size, "idle")) for size, in sizes(results, "latency")])
        for name, tail in tails.items()
    ]
    return Table(
        "99.9 % of reads take less: with 1,000 writes/s, divided by with none",
        list(sizes(results, "latency").values()),
        rows,
    )


def writes_done(results):
    """A reader has an easy life beside a writer that does not get on. (1,000 times a second, all do.)"""
    columns = {
        (size, writer): f"{bytes_text(size)}: {WRITER_HEAD[writer]}"
        for size in results.values("latency", "bytes")
        for writer in results.values("latency", "writer")
        if writer in ("100k", "free")
    }
    rows = by_contender(
        results.select("latency"), ["bytes", "writer"], lambda one: one.median("writes_per_second")
    )
    return Table(
        "Writes per second that the writer got done meanwhile",
        list(columns.values()),
        [
            (name, [count_text(done[key]) if key in done else "-" for key in columns])
            for name, done in rows.items()
        ],
    )


def write_tables(results):
    rows = {}
    for one in results.select("write"):
        waiters = one.at["waiters"]
        name = f"{one.contender}, {waiters} asleep" if waiters else one.contender
        rows.setdefault(name, {})[one.at["bytes"],] = one.median()
    return [compared("Time per write", sizes(results, "write"), rows, ns_text)]


def seen_tables(results):
    columns = {
        (count, counter): f"{count} reader{'s' if count > 1 else ''}: {head}"
        for count in results.values("seen", "readers")
        for counter, head in (("p50", "median"), ("p99", "99 %"))
    }
    rows = {}
    for one in results.select("seen"):
        rows.setdefault(one.contender, {}).update(
            {(one.at["readers"], counter): one.median(counter) for counter in ("p50", "p99")}
        )
    return [compared("Time until all have it", columns, rows, ns_text)]


def woken_tables(results):
    """Times, and no ratios: seqshare itself sleeps in two ways."""
    columns = {
        (count, counter): f"{count} asleep: {head}"
        for count in results.values("woken", "readers")
        for counter, head in (("p50", "median"), ("p99", "99 %"), ("sleeps", "sleeps"))
    }
    rows = {}
    for one in results.select("woken"):
        name = f"{one.contender}, {one.at['share']}" if one.contender == "seqshare" else one.contender
        rows.setdefault(name, {}).update(
            {
                (one.at["readers"], counter): text(one.median(counter))
                for counter, text in (("p50", ns_text), ("p99", ns_text), ("sleeps", "{:.1f}".format))
            }
        )
    return [table_of("Time until all have it, and how often each sleeps for a publication", columns, rows)]


def coherence_tables(results):
    columns = {
        f"{what}_{readers}": f"{what}, {readers}"
        for what in ("read", "publication")
        for readers in (2, 8, 64)
    }
    rows = {
        one.contender: {counter: f"{one.median(counter):.2f}" for counter in columns}
        for one in results.select("coherence")
    }
    return [table_of("Transactions per read and per publication, with 2, 8 and 64 readers that read 100 times a publication", columns, rows)]


def calls_tables(results):
    rows = {one.at["call"]: {"time": ns_text(one.median())} for one in results.select("calls")}
    return [table_of("Time per call", {"time": "time"}, rows)]


def takeover_tables(results):
    rows = {
        one.at["from"]: {"p50": ns_text(one.median("p50")), "max": ns_text(one.worst("max"))}
        for one in results.select("takeover")
    }
    return [table_of("Time until the lock has another owner", {"p50": "median", "max": "longest"}, rows)]


def killed_tables(results):
    rows = []
    for one in results.select("killed"):
        hung = one.total("hung") > 0
        rows.append(
            (
                one.contender,
                [
                    "never" if hung else ns_text(one.median("next_write_p50")),
                    "never" if hung else ns_text(one.worst("next_write_max")),
                    ns_text(one.worst("longest_read")),
                    f"{one.total('torn'):,.0f}",
                    f"{one.total('hung'):.0f} of {results.rounds('killed')} rounds",
                    f"{one.total('kills'):.0f}",
                ],
            )
        )
    return [
        Table(
            "The writer killed in the middle of a write",
            ["next write: median", "longest", "longest read meanwhile", "wrong reads", "hung in", "kills"],
            rows,
        )
    ]


def memory_tables(results):
    columns = {
        (size, counter): f"{bytes_text(size)}: {head}"
        for size in results.values("memory", "bytes")
        for counter, head in (("private", "own"), ("shared", "shared"))
    }
    rows = {}
    for one in results.select("memory"):
        rows.setdefault(one.contender, {}).update(
            {
                (one.at["bytes"], counter): f"{one.median(counter) / 1024:.0f} KiB"
                for counter in ("private", "shared")
            }
        )
    return [table_of("Memory that a worker maps in", columns, rows)]


def retries_tables(results):
    columns, tables = sizes(results, "retries"), []
    for counter, title, text in (
        ("retries", "Repetitions per read", lambda value: f"{value:.2g}"),
        ("failed", "Part of single attempts that fail", lambda value: f"{value:.2g}"),
        ("p50", "Time per read, median", single_text),
        ("p999", "Time per read, 99.9 % take less", single_text),
    ):
        rows = {}
        for one in results.select("retries"):
            name = f"{one.at['slots']} slots, {WRITER_TEXT[one.at['writer']]}"
            rows.setdefault(name, {})[one.at["bytes"],] = text(one.median(counter))
        tables.append(table_of(title, columns, dict(sorted(rows.items()))))
    return tables


def big_tables(results):
    tables = []
    for how, title in (("copy", "Copied"), ("borrow", "Looked at where it lies")):
        rows = by_contender(results.select("big", how=how), ["bytes"], lambda one: one.median())
        tables.append(compared(f"{title}, time per read", sizes(results, "big"), rows, ns_text))
    return tables


TABLES = {
    "read": read_tables,
    "readers": readers_tables,
    "latency": latency_tables,
    "write": write_tables,
    "seen": seen_tables,
    "woken": woken_tables,
    "killed": killed_tables,
    "memory": memory_tables,
    "retries": retries_tables,
    "big": big_tables,
    "coherence": coherence_tables,
    "calls": calls_tables,
    "takeover": takeover_tables,
}


def tables_of(results, question):
    return [table for table in TABLES[question](results) if table.rows and table.columns]


def disturbed_text(results, question):
    """What the suite noticed of other programs on the machine."""
    shares = [share for one in results.select(question) for share in one.rounds.get("held_up", [])]
    disturbed = sum(share > DISTURBED for share in shares)
    return f" In {disturbed} of {len(shares)} rounds, other programs were in the way." if disturbed else ""


def spread_text(results, question):
    """How far the rounds of a benchmark lie apart."""
    counter = COUNTER.get(question, "time")
    benchmarks = results.select(question)
    rounds = results.rounds(question)
    if rounds == 1:
        return "One round." + disturbed_text(results, question)
    spreads = [one.spread(counter) for one in benchmarks]
    widest = benchmarks[spreads.index(max(spreads))]
    where = ", ".join([widest.contender] + [f"{key} {value}" for key, value in widest.at.items()])
    return (
        f"Medians of {rounds} rounds. Their spread (standard deviation by mean): half of them up to "
        f"{share_text(statistics.median(spreads))}, the widest {share_text(max(spreads))} ({where})."
        + disturbed_text(results, question)
    )


def terminal(results):
    blocks = [results.machine()]
    for question in QUESTIONS:
        if results.select(question):
            blocks += [
                f"== {ASKED[question]}",
                *(table.text() for table in tables_of(results, question)),
                spread_text(results, question),
            ]
    blocks += [f"failed: {name}: {why}" for name, why in results.failed.items()]
    return "\n\n".join(blocks) + "\n"


def question_block(results, question):
    return "\n\n".join(
        [f"    bench/run.sh --suite --benchmark_filter={FILTER.get(question, f'^{question}/')}"]
        + [f"![{ASKED[question]}](pictures/{question}.svg)" for _ in range(question in SHOWN)]
        + [table.markdown() for table in tables_of(results, question)]
        + [f"{spread_text(results, question)} On: {results.machine()}."]
    )


def machine_block(results):
    there = {one.contender for one in results.benchmarks}
    missing = [name for name in CONTENDERS if name not in there]
    text = f"The summary is of: {results.machine()}."
    if results.context.get("packages"):
        text += f" With: {results.context['packages']}."
    if missing:
        text += f" Not there, and so left out: {', '.join(missing)}."
    if results.failed:
        text += " Failed, at least once:\n\n"
        text += "\n".join(f"- `{name}`: {why}" for name, why in results.failed.items())
    return text


def summary_block(results):
    """The figures that most people look for, a column each."""
    cores, columns, rows = results.cores(), {}, {}

    def column(head, question, figure, **at):
        columns[head] = head
        for one in results.select(question, **at):
            rows.setdefault(one.contender, {})[head] = figure(one)

    column("a read, 64 B", "read", lambda one: one.median(), bytes=64)
    column("a read, 4 KiB", "read", lambda one: one.median(), bytes=4096)
    column(
        f"each of {cores} readers, 64 B",
        "readers",
        lambda one: 1e9 / one.median("per_reader"),
        bytes=64,
        readers=cores,
    )
    column("99.9 % of reads beside 1,000 writes/s, 64 B", "latency", tail_of, bytes=64, writer="1k")
    column("a write, 64 B", "write", lambda one: one.median(), bytes=64, waiters=0)
    rows = {name: rows[name] for name in sorted(rows, key=contender_rank)}
    return compared("How many times as long it takes", columns, rows, ns_text).markdown()


def rust_block(results):
    """Libraries of Rust from C and from Rust, beside what C programs have."""
    names = ("seqshare", "seqshare-typed", "iceoryx2", "iceoryx2-rust", "mmap-sync", "mmap-sync-rust")
    columns, rows = {}, {}
    for question, at in (("read", {}), ("write", {"waiters": 0})):
        for one in results.select(question, **at):
            if one.contender in names and one.at["bytes"] in (8, 64, 1024, 4096):
                head = f"a {question}, {bytes_text(one.at['bytes'])}"
                columns[head] = head
                rows.setdefault(one.contender, {})[head] = one.median()
    rows = {name: rows[name] for name in sorted(rows, key=contender_rank)}
    table = compared("How many times as long it takes", columns, rows, ns_text).markdown()
    return f"{table}\n\nMedians of {results.rounds('read')} rounds. On: {results.machine()}."


def is_whole(results, question):
    """Not whole is a run of some contenders alone: the yardstick is missing."""
    asked = results.contenders(question)
    return bool(asked) and ("memcpy" in asked or question not in ("read", "readers", "latency", "write"))


def block(results, name, old):
    """What stands between the markers of that name: as before where the results say nothing about it."""
    if name in ("summary", "machine"):
        complete = all(results.select(question) for question in ("read", "readers", "latency", "write"))
        return {"summary": summary_block, "machine": machine_block}[name](results) if complete else old
    if name == "rust":
        return rust_block(results) if results.one("write", "iceoryx2-rust", waiters=0) else old
    if name not in QUESTIONS:
        raise Unusable(f"the document has a place for {name}: there is no such question")
    return question_block(results, name) if is_whole(results, name) else old


def refreshed(results, text):
    """The text with what stands between its markers made again."""
    markers = re.compile(r"(<!-- begin (\w+) -->)\n(.*?)(<!-- end \2 -->)", re.DOTALL)
    if not markers.search(text):
        raise Unusable("the document has no <!-- begin NAME --> ... <!-- end NAME --> to put figures between")
    return markers.sub(
        lambda found: f"{found[1]}\n\n{block(results, found[2], found[3].strip(chr(10)))}\n\n{found[4]}", text
    )


def refresh(results, path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = refreshed(results, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Unusable(f"cannot refresh {path}: {error.strerror}") from error


def main():
    parser = argparse.ArgumentParser(description="Show the suite's results as tables, ratios first.")
    parser.add_argument("file", help="what bench/run.sh --suite wrote (JSON)")
    parser.add_argument("--markdown", action="store_true", help="as Markdown")
    parser.add_argument("--docs", metavar="FILE", help="put them between the markers of this file")
    options = parser.parse_args()
    try:
        results = load(options.file)
        if options.docs:
            refresh(results, options.docs)
        elif options.markdown:
            print(
                "\n\n".join(
                    question_block(results, question) for question in QUESTIONS if results.select(question)
                )
            )
        else:
            print(terminal(results), end="")
    except Unusable as error:
        print(f"tables.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

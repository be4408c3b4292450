#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws what the suite measured: one picture (SVG and PNG) for each question in its JSON.

Needs python3-matplotlib of Debian, so it is run by Debian's own /usr/bin/python3."""
import argparse
import os
import sys

import drawing
from drawing import Picture, draw_line, draw_range, log_axis, name_lines, ns_tick, panel_title
from results import ASKED, Unusable, WRITER_TEXT, bytes_text, count_text, load

MARKS = ("p50", "p99", "p999", "p9999", "max")


# Of each picture: what its axis shows, and under which conditions.
TEXTS = {
    "read": (
        "time per read",
        "One reader, while nobody writes, copies the value. Black dashes: libc's memcpy of the "
        "same bytes and nothing else. Both axes are logarithmic.",
    ),
    "readers": (
        "reads per second, all together",
        "Readers are processes; meanwhile another writes 1,000 times "
        "a second. Grey dots: twice the readers, twice the reads. Both axes are logarithmic.",
    ),
    "latency": (
        "time per read",
        "One reader and one writer, on different processors. The vertical dashes are "
        "memcpy's median. What the clock cannot tell from nothing counts as that much. The axes are "
        "logarithmic.",
    ),
    "write": (
        "time per write",
        "One writer, alone; and seqshare while others sleep until something is "
        "published, whom the write must wake. Black dashes: memcpy of the same bytes. Both axes are "
        "logarithmic.",
    ),
    "seen": (
        "time from the beginning of its publication",
        "Readers ask again and again. The vertical dashes are memcpy's median. The axes are logarithmic.",
    ),
    "woken": (
        "time from the beginning of its publication",
        "Readers sleep until something is published, 50 to 100 times a second; the last of them counts. The axes "
        "are logarithmic.",
    ),
    "killed": (
        "time until the next write, and per read",
        "SIGKILL at random moments of writing without a pause; another writer follows, and so "
        "on, until somebody hangs. Wrong reads: a mixture of two values, or older than the one read before. "
        "The axes are logarithmic.",
    ),
    "memory": (
        "KiB mapped in by its first read",
        "Dark: its own pages, times the number of workers. Light: "
        "pages that all share. A server's own memory is not counted.",
    ),
    "retries": (
        "repetitions per read; time per read",
        "One reader, and one writer on another processor; "
        "seqshare with 2 slots (the default), 4 and 8, and beside them the others. All axes are "
        "logarithmic; 0 is drawn at the bottom.",
    ),
    "big": (
        "time per read",
        "Copied whole; or looked at where it lies, its first and last cache line, without "
        "a copy (seqshare: peek, then valid). Both axes are logarithmic.",
    ),
}


def new_picture(results, question, plot_height, asked=None, **margins):
    unit, conditions = TEXTS[question]
    rounds = results.rounds(question)
    if rounds > 1:
        slowest = "; the longest times are those of all" if question in ("latency", "seen", "woken", "killed") else ""
        conditions += f" Medians of {rounds} rounds{slowest}."
    else:
        conditions += " One round."
    if results.cores() == 1:
        conditions += " There is one processor, which all share."
    return Picture(results, f"{asked or ASKED[question]} ({unit})", conditions, plot_height, **margins)


def names(benchmarks):
    return list(dict.fromkeys(one.contender for one in benchmarks))


def curve(benchmarks, contender, key, figure):
    """(key, figure) of that contender's benchmarks, by key."""
    return sorted((one.at[key], figure(one)) for one in benchmarks if one.contender == contender)


def time(benchmark):
    return benchmark.median()


def name_at_roomier_end(picture, axis, lines):
    """Names stand where the lines lie further apart; at the left, the axis' numbers move to the right.
    lines: {(contender, name): points}."""
    first, last = (
        [(name, contender, *points[at]) for (contender, name), points in lines.items()] for at in (0, -1)
    )
    if drawing.need_of_room(axis, first) >= drawing.need_of_room(axis, last):
        name_lines(axis, last)
        return
    picture.swap_margins()
    axis.yaxis.tick_right()
    axis.spines["left"].set_visible(False)
    axis.spines["right"].set_visible(True)
    name_lines(axis, first, "left")


def draw_read(results):
    benchmarks = results.select("read")
    picture = new_picture(results, "read", 4.6, left=0.85, right=1.5)
    axis = picture.axes()[0][0]
    drawing.size_axis(axis, results.values("read", "bytes"))
    log_axis(axis.yaxis, ns_tick, [time(one) for one in benchmarks])
    lines = {
        (contender, contender): curve(benchmarks, contender, "bytes", time) for contender in names(benchmarks)
    }
    for (contender, _), points in lines.items():
        draw_line(axis, contender, points)
    name_at_roomier_end(picture, axis, lines)
    yield "read", picture


def draw_readers(results):
    benchmarks = results.select("readers")
    sizes, counts = results.values("readers", "bytes"), results.values("readers", "readers")
    values = [one.median("reads_per_second") for one in benchmarks]
    picture = new_picture(results, "readers", 4.4, left=0.75, right=1.4)
    panels = picture.axes(1, len(sizes), gap=1.55, sharey=True)[0]
    for axis, size in zip(panels, sizes):
        panel_title(axis, f"{bytes_text(size)} values")
        drawing.points_axis(axis, counts, [str(count) for count in counts])
        axis.set_xlabel("readers")
        log_axis(axis.yaxis, count_tick, values)
        here, ends = results.select("readers", bytes=size), []
        for contender in names(here):
            points = curve(here, contender, "readers", lambda one: one.median("reads_per_second"))
            draw_line(axis, contender, points)
            ends.append((contender, contender, *points[-1]))
            if contender == "seqshare":
                axis.plot(
                    counts,
                    [points[0][1] * count / points[0][0] for count in counts],
                    color="#999999",
                    linestyle=(0, (1, 2)),
                    linewidth=1.2,
                    zorder=2,
                )
        mark_processors(axis, results, counts)
        name_lines(axis, ends)
    yield "readers", picture


def count_tick(value):
    return count_text(value).replace(".00", "").replace(".0", "")


def mark_processors(axis, results, counts):
    """Beyond this line, readers share processors."""
    cores = results.cores()
    if counts[0] < cores < counts[-1]:
        axis.axvline(cores, color=drawing.QUIET, linewidth=0.8, zorder=1)
        axis.text(
            cores,
            1,
            f"{cores} processors",
            transform=axis.get_xaxis_transform(),
            ha="center",
            va="bottom",
            color=drawing.QUIET,
        )


def range_panels(picture, columns, rows, values, key):
    """A panel for each (title, {row: marks}); rows: (name, contender)."""
    panels = picture.axes(1, len(columns), gap=0.22)[0]
    for at, (axis, (title, ranges)) in enumerate(zip(panels, columns)):
        panel_title(axis, title)
        log_axis(axis.xaxis, ns_tick, values, small=True)
        drawing.row_names(axis, rows)
        for row in rows:
            if row in ranges:
                draw_range(axis, rows.index(row), ranges[row], drawing.colour(row[1]))
            else:
                axis.text(
                    0.03,
                    rows.index(row),
                    "not measured",
                    transform=axis.get_yaxis_transform(),
                    va="center",
                    color="#8a8a8a",
                )
        limit = ranges.get(("memcpy", "memcpy"))
        if limit:
            axis.axvline(limit[0], color="black", linewidth=1, linestyle=(0, (4, 1.6)), zorder=1)
        if at > 0:
            axis.tick_params(axis="y", labelleft=False)
    drawing.range_key(picture, key)


def marks_of(benchmark, counters):
    """Rising: a median of rounds may lie a hair above the next one's."""
    marks = [1]
    for counter in counters:
        value = benchmark.worst(counter) if counter == "max" else benchmark.median(counter)
        marks.append(max(value, marks[-1]))
    return marks[1:]


def draw_latency(results):
    for size in results.values("latency", "bytes"):
        benchmarks = results.select("latency", bytes=size)
        ranges = {one: marks_of(one, MARKS) for one in benchmarks}
        rows = [(contender, contender) for contender in names(benchmarks)]
        columns = [
            (
                WRITER_TEXT[writer],
                {
                    (one.contender, one.contender): ranges[one]
                    for one in benchmarks
                    if one.at["writer"] == writer
                },
            )
            for writer in results.values("latency", "writer")
        ]
        asked = f"How long can a read of {bytes_text(size)} take while somebody writes?"
        picture = new_picture(
            results, "latency", 0.2 + 0.21 * len(rows), asked, left=1.25, right=0.2, bottom=0.8
        )
        range_panels(
            picture,
            columns,
            rows,
            [mark for marks in ranges.values() for mark in marks],
            ("median", "99 %", "99.9 %", "99.99 %", "slowest"),
        )
        yield f"latency-{size}", picture


# Of one contender's lines: with the name go a dash and a marker.
DASHED = {"linestyle": (0, (4, 1.6)), "linewidth": 2, "marker": "s"}
DOTTED = {"linestyle": (0, (1, 1.3)), "linewidth": 2, "marker": "^"}
SLOT_LOOKS = {2: {"linestyle": "-", "linewidth": 3}, 4: DASHED, 8: DOTTED}
WAITER_LOOKS = {0: {}, 1: DASHED}


def draw_write(results):
    benchmarks = results.select("write")
    picture = new_picture(results, "write", 4.4, left=0.85, right=1.9)
    axis = picture.axes()[0][0]
    drawing.size_axis(axis, results.values("write", "bytes"))
    log_axis(axis.yaxis, ns_tick, [time(one) for one in benchmarks])
    ends = {}
    for waiters in results.values("write", "waiters"):
        here = [one for one in benchmarks if one.at["waiters"] == waiters]
        for contender in names(here):
            points = curve(here, contender, "bytes", time)
            draw_line(axis, contender, points, **WAITER_LOOKS.get(waiters, DOTTED))
            ends[contender, f"{contender}, {waiters} asleep" if waiters else contender] = points
    name_at_roomier_end(picture, axis, ends)
    yield "write", picture


def draw_sightings(results, question, name):
    """A panel for each number of readers. name: of a benchmark's row."""
    ranges = {one: marks_of(one, ("p50", "p99", "max")) for one in results.select(question)}
    rows = list(dict.fromkeys((name(one), one.contender) for one in ranges))
    columns = []
    for count in results.values(question, "readers"):
        here = {
            (name(one), one.contender): marks for one, marks in ranges.items() if one.at["readers"] == count
        }
        columns.append((f"{count} reader{'s' if count > 1 else ''}", here))
    picture = new_picture(results, question, 0.2 + 0.21 * len(rows), left=2.15, right=0.25, bottom=0.8)
    values = [mark for marks in ranges.values() for mark in marks]
    range_panels(picture, columns, rows, values, ("median", "99 %", "slowest"))
    yield question, picture


def draw_seen(results):
    return draw_sightings(results, "seen", lambda one: one.contender)


def draw_woken(results):
    return draw_sightings(
        results,
        "woken",
        lambda one: f"{one.contender}, {one.at['share']}" if drawing.is_ours(one.contender) else one.contender,
    )


def draw_killed(results):
    benchmarks = results.select("killed")
    rows = [(one.contender, one.contender) for one in benchmarks]
    picture = new_picture(results, "killed", 0.2 + 0.21 * len(rows), left=1.25, right=2.6, bottom=0.5)
    panels = picture.axes(1, 2, gap=0.25)[0]
    values = [one.worst("longest_read") for one in benchmarks]
    for one in benchmarks:
        if "next_write_p50" in one.rounds:
            values += [one.median("next_write_p50"), one.worst("next_write_max")]
    values = [max(1, value) for value in values]
    for axis, title in zip(panels, ("until the next write: median to longest", "the longest read meanwhile")):
        panel_title(axis, title)
        log_axis(axis.xaxis, ns_tick, values, small=True)
        drawing.row_names(axis, rows)
    panels[1].tick_params(axis="y", labelleft=False)
    for row, one in enumerate(benchmarks):
        draw_kills(panels, row, one)
    yield "killed", picture


def draw_kills(panels, row, one):
    ink, low = drawing.colour(one.contender), panels[0].get_xlim()[0]
    hung, torn, kills = (int(one.total(counter)) for counter in ("hung", "torn", "kills"))
    if hung:
        panels[0].text(low * 1.3, row, "hangs for ever", va="center", color=ink)
    else:
        draw_range(panels[0], row, [one.median("next_write_p50"), one.worst("next_write_max")], ink)
    panels[1].barh(row, one.worst("longest_read") - low, left=low, height=0.5, color=ink)
    said = [f"hung in {hung} of {len(one.figures('hung'))} rounds"] if hung else []
    said += [f"{torn:,} wrong reads"] if torn else []
    panels[1].text(
        1.04,
        row,
        f"{', '.join(said) or 'all went on'} ({kills} kill{'s' if kills > 1 else ''})",
        va="center",
        transform=panels[1].get_yaxis_transform(),
        color=drawing.INK,
        fontweight="bold" if said else "normal",
    )


def draw_memory(results):
    benchmarks = results.select("memory")
    sizes = results.values("memory", "bytes")
    rows = [(contender, contender) for contender in names(benchmarks)]
    picture = new_picture(results, "memory", 0.2 + 0.21 * len(rows), left=1.25, right=1.0, bottom=0.5)
    panels = picture.axes(1, len(sizes), gap=1.0)[0]
    for axis, size in zip(panels, sizes):
        panel_title(axis, f"a value of {bytes_text(size)}")
        drawing.row_names(axis, rows)
        axis.grid(True, axis="x", color=drawing.FAINT, linewidth=0.7)
        for one in results.select("memory", bytes=size):
            row, ink = rows.index((one.contender, one.contender)), drawing.colour(one.contender)
            private, shared = one.median("private") / 1024, one.median("shared") / 1024
            axis.barh(row, private, height=0.6, color=ink)
            axis.barh(row, shared, left=private, height=0.6, color=drawing.light(one.contender))
            axis.annotate(
                f"{private:.0f} + {shared:.0f}",
                (private + shared, row),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=drawing.INK,
                annotation_clip=False,
            )
        axis.set_xlim(left=0)
        axis.set_xlabel("KiB: own + shared")
    for axis in panels[1:]:
        axis.tick_params(axis="y", labelleft=False)
    yield "memory", picture


def draw_retries(results):
    writers = results.values("retries", "writer")
    picture = new_picture(results, "retries", 6.6, left=0.85, right=1.2)
    above, below = picture.axes(2, len(writers), gap=1.95, row_gap=0.85, heights=(1, 1.9))
    retries = [one.median("retries") for one in results.select("retries")]
    tails = [
        max(1, one.median("p999")) for question in ("retries", "latency") for one in results.select(question)
    ]
    for upper, lower, writer in zip(above, below, writers):
        panel_title(upper, f"repetitions per read; {WRITER_TEXT[writer]}")
        drawing.size_axis(upper, results.values("retries", "bytes"))
        floor = drawing.log_axis_with_zero(upper.yaxis, plain_tick, retries)
        name_lines(upper, draw_slots(upper, results, writer, "retries", floor))
        panel_title(lower, f"99.9 % take less; {WRITER_TEXT[writer]}")
        drawing.size_axis(lower, results.values("retries", "bytes"))
        log_axis(lower.yaxis, ns_tick, tails)
        name_lines(lower, draw_slots(lower, results, writer, "p999", 1) + draw_others(lower, results, writer))
    yield "retries", picture


def draw_slots(axis, results, writer, counter, least):
    """A line for each number of slots; returns their ends."""
    ends = []
    for slots in results.values("retries", "slots"):
        here = results.select("retries", slots=slots, writer=writer)
        points = curve(here, "seqshare", "bytes", lambda one: max(least, one.median(counter)))
        draw_line(axis, "seqshare", points, **SLOT_LOOKS[slots])
        ends.append((f"{slots} slots", "seqshare", *points[-1]))
    return ends


def draw_others(axis, results, writer):
    """What the others' reads take beside the same writer; returns the ends of their lines."""
    ends = []
    benchmarks = results.select("latency", writer=writer)
    for contender in names(benchmarks):
        if not drawing.is_ours(contender):
            points = curve(benchmarks, contender, "bytes", lambda one: max(1, one.median("p999")))
            draw_line(axis, contender, points)
            ends.append((contender, contender, *points[-1]))
    return ends


def plain_tick(value):
    return f"{value:.9f}".rstrip("0").rstrip(".")


def draw_big(results):
    benchmarks = results.select("big")
    sizes = results.values("big", "bytes")
    picture = new_picture(results, "big", 3.8, left=0.75, right=1.4)
    panels = picture.axes(1, 2, gap=1.6, sharey=True)[0]
    for axis, how, title in zip(panels, ("copy", "borrow"), ("copied", "looked at where it lies")):
        panel_title(axis, title)
        here = results.select("big", how=how)
        drawing.size_axis(axis, sizes)
        log_axis(axis.yaxis, ns_tick, [time(one) for one in benchmarks])
        ends = []
        for contender in names(here):
            points = curve(here, contender, "bytes", time)
            draw_line(axis, contender, points)
            ends.append((contender, contender, *points[-1]))
        name_lines(axis, ends)
    yield "big", picture


# The other questions have tables alone.
PICTURES = {
    "read": draw_read,
    "readers": draw_readers,
    "latency": draw_latency,
    "write": draw_write,
    "seen": draw_seen,
    "woken": draw_woken,
    "killed": draw_killed,
    "memory": draw_memory,
    "retries": draw_retries,
    "big": draw_big,
}


def draw(results, folder, kinds):
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Unusable(f"cannot make {folder}: {error.strerror}") from error
    for question in PICTURES:
        if not results.select(question):
            print(f"no picture of {question}: the file has no figures for it")
        else:
            for name, picture in PICTURES[question](results):
                picture.save(os.path.join(folder, name), kinds)


def main():
    parser = argparse.ArgumentParser(
        description="Draw the suite's results: one SVG and one PNG for each question."
    )
    parser.add_argument("file", help="what bench/run.sh --suite wrote (JSON)")
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder for the pictures")
    parser.add_argument("--svg", action="store_true", help="SVG alone")
    options = parser.parse_args()
    try:
        draw(load(options.file), options.out, ("svg",) if options.svg else ("svg", "png"))
    except Unusable as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""How pictures look, whatever they show: colours, axes, labels that do not overlap.

Each contender has one colour, dash and marker in all pictures. A colour stands for a family, dash and marker
tell its members apart, and every line has its name at its end: nobody needs to see colours to read a picture.
"""
import math
import textwrap

import matplotlib

matplotlib.use("Agg")
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from results import bytes_text, contender_rank, ns_text

matplotlib.rcParams.update(
    {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "Verdana"],  # of the same widths
        "font.size": 9,
        "svg.fonttype": "none",  # text stays text: small, searchable, one line for one figure
        "svg.hashsalt": "seqshare",  # with no date in it, the same figures give the same file
    }
)

WIDTH = 9.2  # inches: what a page shows without shrinking it
LINE = 0.165  # inches from one line of text to the next
INK, QUIET, FAINT = "#222222", "#5a5a5a", "#d9d9d9"
STRONG = "#0057d9"

_SOLID, _DASHED, _DOTTED = "-", (0, (4, 1.6)), (0, (1, 1.3))
_LOCK, _RWLOCK, _SYSTEM = "#c94f4f", "#7a2048", "#9467bd"
_RUNNERS, _STORE, _FAR = "#14807a", "#9a7400", "#46525e"
_LOOKS = {
    "seqshare": (STRONG, _SOLID, "o"),
    "seqshare-typed": (STRONG, _DASHED, "s"),
    "seqshare-peek": (STRONG, _DOTTED, "^"),
    "memcpy": ("#000000", _DASHED, None),
    "ck-sequence": (_RUNNERS, _SOLID, ">"),
    "liburcu": (_RUNNERS, _DASHED, "<"),
    "mutex": (_LOCK, _SOLID, "o"),
    "mutex-robust": (_LOCK, _DASHED, "s"),
    "boost": (_LOCK, _DOTTED, "^"),
    "rwlock": (_RWLOCK, _SOLID, "v"),
    "ck-rwlock": (_RWLOCK, _DASHED, "D"),
    "semaphore": (_SYSTEM, _SOLID, "P"),
    "flock": (_SYSTEM, _DASHED, "X"),
    "lmdb": (_STORE, _SOLID, "o"),
    "mmap-sync": (_STORE, _DASHED, "s"),
    "mmap-sync-rust": (_STORE, _DASHED, "X"),
    "iceoryx2": (_STORE, _DOTTED, "^"),
    "iceoryx2-rust": (_STORE, _DOTTED, "v"),
    "iceoryx2-event": (_STORE, _SOLID, "D"),
    "futex": (_SYSTEM, _SOLID, "o"),
    "eventfd": (_SYSTEM, _DASHED, "s"),
    "file": (_FAR, _SOLID, "d"),
    "memcached": (_FAR, _DASHED, "h"),
    "redis": (_FAR, _DOTTED, "*"),
    "redis-pubsub": (_FAR, _DOTTED, "p"),
}


def colour(contender):
    return _LOOKS.get(contender, (_FAR, _SOLID, "x"))[0]


def light(contender):
    """The same colour, diluted."""
    return [0.4 * part + 0.6 for part in to_rgb(colour(contender))]


def is_ours(contender):
    return contender.startswith("seqshare")


def weight(contender):
    """Of its name's letters."""
    return "bold" if is_ours(contender) or contender == "memcpy" else "normal"


def line_look(contender):
    """How to draw its line."""
    ink, dash, marker = _LOOKS.get(contender, (_FAR, _SOLID, "x"))
    width = (
        3 if contender == "seqshare" else 2 if is_ours(contender) else 1.6 if contender == "memcpy" else 1.3
    )
    return {
        "color": ink,
        "linestyle": dash,
        "marker": marker,
        "linewidth": width,
        "markersize": 5 if is_ours(contender) else 4,
        "zorder": 6 if contender == "memcpy" else 5 if is_ours(contender) else 3,
    }


class Picture:
    """A title, a line or two about the conditions, axes, the machine at the bottom; lengths in inches."""

    def __init__(self, results, title, below, plot_height, left=0.75, right=0.3, bottom=0.6):
        lines = textwrap.wrap(below, 128)
        self.top = 0.45 + LINE * len(lines) + 0.36
        self.height = self.top + plot_height + bottom + 0.3
        self.left, self.right, self.bottom = left, right, bottom + 0.3
        self.figure = Figure(figsize=(WIDTH, self.height), facecolor="white")
        self.text(0.12, self.height - 0.14, title, fontsize=12, fontweight="bold", color=INK)
        self.text(0.12, self.height - 0.42, "\n".join(lines), color=QUIET, linespacing=1.3)
        self.text(0.12, 0.26, results.machine(), color=QUIET)

    def text(self, x, y, text, **how):
        self.figure.text(x / WIDTH, y / self.height, text, va="top", **how)

    def axes(self, rows=1, columns=1, gap=0.2, row_gap=0.5, heights=None, sharey=False):
        """A grid of axes, always as rows of columns; gaps in inches."""
        wide = (WIDTH - self.left - self.right - gap * (columns - 1)) / columns
        high = (self.height - self.top - self.bottom - row_gap * (rows - 1)) / rows
        self.figure.subplots_adjust(
            self.left / WIDTH,
            self.bottom / self.height,
            1 - self.right / WIDTH,
            1 - self.top / self.height,
            gap / wide,
            row_gap / high,
        )
        grid = self.figure.subplots(
            rows, columns, squeeze=False, sharey=sharey, gridspec_kw={"height_ratios": heights}
        )
        for axis in grid.flat:
            plain(axis)
        return grid

    def swap_margins(self):
        self.left, self.right = self.right, self.left
        self.figure.subplots_adjust(left=self.left / WIDTH, right=1 - self.right / WIDTH)

    def inset(self, x, y, width, height):
        """Bare axes at that place, counted from the left and the bottom."""
        axis = self.figure.add_axes((x / WIDTH, y / self.height, width / WIDTH, height / self.height))
        axis.axis("off")
        return axis

    def save(self, stem, kinds):
        """kinds: of "svg" and "png"."""
        metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
        for kind in kinds:
            self.figure.savefig(f"{stem}.{kind}", dpi=144, metadata=metadata[kind])


def plain(axis):
    axis.set_axisbelow(True)
    axis.tick_params(length=3, color=QUIET, labelcolor=INK)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axis.spines[side].set_color(QUIET)


def panel_title(axis, text):
    axis.set_title(text, fontsize=9.5, loc="left", color=INK, pad=6)


def log_axis(axis, text, values, small=False):
    """A logarithmic scale from somewhat below the values to somewhat above them. axis: of a plot, axes.xaxis
    or axes.yaxis. small: one of several pictures side by side, with less room for numbers."""
    decade = 10.0 ** math.floor(math.log10(min(values) * 0.9))
    low = max(decade * part for part in (1, 2, 5) if decade * part <= min(values) * 0.9)
    high = max(values) * 1.5
    scale, limits = (
        (axis.axes.set_xscale, axis.axes.set_xlim)
        if axis.axis_name == "x"
        else (axis.axes.set_yscale, axis.axes.set_ylim)
    )
    scale("log")
    limits(low, high)
    inches = WIDTH * axis.axes.get_position().width
    crowded = small and inches / math.log10(high / low) < 0.55
    axis.set_major_locator(LogLocator(base=100 if crowded else 10, numticks=20))
    axis.set_minor_locator(NullLocator())
    # In a small picture, no number at the right end: it would run into the next picture's first.
    last = high * (low / high) ** (0.25 / inches) if small else high
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value) if value <= last else ""))
    axis.grid(True, color=FAINT, linewidth=0.7)


def log_axis_with_zero(axis, text, values):
    """As log_axis; returns where 0 is drawn, a decade below the smallest value, if one of them is 0."""
    some = [value for value in values if value > 0] or [1]
    if min(values) > 0:
        log_axis(axis, text, values)
        return 0
    floor = 10.0 ** (math.floor(math.log10(min(some))) - 1)
    log_axis(axis, lambda value: "0" if value <= floor * 1.01 else text(value), [floor, max(some)])
    return floor


def ns_tick(value):
    return ns_text(value).replace(".00", "").replace(".0", "")


def size_axis(axis, sizes):
    """Value sizes along x."""
    points_axis(axis, sizes, [bytes_text(size) for size in sizes])
    axis.set_xlabel("value", color=INK)


def points_axis(axis, points, texts):
    """x is logarithmic with ticks at these points and nowhere else."""
    axis.set_xscale("log", base=2)
    axis.set_xlim(points[0] * 0.85, points[-1] * 1.18)
    axis.xaxis.set_major_locator(FixedLocator(points))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, at: texts[at] if at is not None else ""))


def draw_line(axis, contender, points, **how):
    """points: (x, y), sorted by x."""
    axis.plot(
        [x for x, _ in points], [y for _, y in points], clip_on=False, **{**line_look(contender), **how}
    )


def apart(wanted, gap):
    """Positions as near as can be to the wanted ones (sorted), each at least `gap` above the one before:
    groups that come too near each other are merged and share their mean."""
    groups = []  # [sum of (wanted - what it needs below itself within the group), count]
    for position in wanted:
        groups.append([position, 1])
        while len(groups) > 1 and _start(groups[-2]) + gap * groups[-2][1] > _start(groups[-1]):
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total - gap * groups[-1][1] * count, groups[-1][1] + count]
    return [_start(group) + gap * at for group in groups for at in range(group[1])]


def _start(group):
    return group[0] / group[1]


def name_lines(axis, ends, side="right"):
    """Write each line's name beside its end. ends: (name, contender, x, y); side: "left" or "right" of the
    plot. The limits of the axes must be final."""
    box = axis.get_window_extent()
    per_inch = axis.figure.dpi
    ends = sorted(ends, key=lambda end: (end[3], -contender_rank(end[1])))
    pixels = [axis.transData.transform((x, y))[1] for _, _, x, y in ends]
    places = within(apart(pixels, LINE * per_inch), box.y0, box.y1)
    edge, out, align, tip = (1, 0.26, "left", 0) if side == "right" else (0, -0.26, "right", 1)
    for (name, contender, x, y), place in zip(ends, places):
        axis.annotate(
            name,
            (x, y),
            (edge + out * per_inch / box.width, (place - box.y0) / box.height),
            textcoords="axes fraction",
            ha=align,
            va="center",
            color=colour(contender),
            fontweight=weight(contender),
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour(contender),
                "linewidth": 0.7,
                "shrinkA": 1,
                "shrinkB": 4,
                "relpos": (tip, 0.5),
            },
        )


def within(places, low, high):
    """The places (sorted), moved together if they stand out at one end."""
    if not places:
        return places
    shift = max(0, low - places[0]) or min(0, high - places[-1])
    return [place + shift for place in places]


def need_of_room(axis, ends):
    """By how much names would have to move away from these line ends."""
    pixels = sorted(axis.transData.transform((x, y))[1] for _, _, x, y in ends)
    return sum(abs(place - pixel) for place, pixel in zip(apart(pixels, LINE * axis.figure.dpi), pixels))


def row_names(axis, rows):
    """Names of rows down the left side, the first on top. rows: (name, contender)."""
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.yaxis.set_major_locator(FixedLocator(range(len(rows))))
    axis.set_yticklabels([name for name, _ in rows])
    axis.tick_params(axis="y", length=0)
    for label, (_, contender) in zip(axis.get_yticklabels(), rows):
        label.set_color(colour(contender))
        label.set_fontweight(weight(contender))
    stripes(axis, len(rows))


def stripes(axis, count):
    """A faint stripe under every second row leads the eye."""
    for row in range(1, count, 2):
        axis.axhspan(row - 0.5, row + 0.5, color="#f5f5f5", zorder=0, linewidth=0)


# A range: a dot at its beginning, then ever thinner from mark to mark.
RANGE_WIDTHS = (6, 4, 2.4, 1)


def draw_range(axis, row, marks, ink):
    """marks: rising values, the first is the dot."""
    widths = RANGE_WIDTHS[: len(marks) - 2] + RANGE_WIDTHS[-1:]
    for begin, end, width in zip(marks, marks[1:], widths):
        axis.plot([begin, end], [row, row], color=ink, linewidth=width, solid_capstyle="butt", zorder=3)
    axis.plot(
        [marks[0]],
        [row],
        marker="o",
        markersize=6.5,
        color=ink,
        markeredgecolor="white",
        markeredgewidth=0.8,
        zorder=4,
        clip_on=False,
    )
    axis.plot([marks[-1]], [row], marker="|", markersize=7, color=ink, zorder=3)


def range_key(picture, texts):
    """What the parts of a range are, drawn above the bottom line."""
    width = 0.95 * len(texts)
    axis = picture.inset(WIDTH - width - 0.15, 0.36, width, 0.36)
    axis.set_xlim(-0.5, len(texts) - 0.5)
    axis.set_ylim(1, -0.4)
    draw_range(axis, 0, list(range(len(texts))), QUIET)
    for at, text in enumerate(texts):
        axis.text(at, 0.9, text, ha="center", va="center", color=QUIET)

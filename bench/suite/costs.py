#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What seqshare's calls cost beside libc's memcpy of the same size, of what the suite measured; and what is wanted of
them, as figures to look at: nothing fails that is over."""
import argparse
import sys

from results import Unusable, bytes_text, load, ns_text

# Of a read: up to so many bytes, memcpy and so many ns, or so many times memcpy.
READ_WANTED = ((256, 1.5, None), (1024, 2.5, None), (16 << 10, None, 1.07), (1 << 30, None, 1.03))
# ns, at most.
WANTED = {
    ("read", "seqshare-typed"): 2.5,
    ("write", "seqshare"): 17,
    ("calls", "version"): 0.6,
    ("calls", "peek"): 2,
    ("calls", "set-while-locked"): 14,
    ("calls", "lock-set-unlock"): 25,
    ("calls", "cache-get"): 1.3,
    ("calls", "json-prepared"): 4,
    ("takeover", "buried"): 1e6,
    ("takeover", "zombie"): 1e6,
    ("takeover", "asleep"): 70e6,
    ("woken", "writable"): 200e3,
    ("woken", "read-only"): 200e3,
}


class Report:
    def __init__(self):
        self.over = 0

    def head(self, text):
        print(f"\n{text}")

    def row(self, what, size, own, base=None, most=None, more=None, times=None):
        """own, base: ns; wanted is one of: at most, more than base, times base."""
        wanted, missed = "", False
        if most:
            wanted, missed = f"at most {ns_text(most)}", own > most
        elif more and base:
            wanted, missed = f"memcpy + {more} ns", own - base > more
        elif times and base:
            wanted, missed = f"{times} x memcpy", own / base > times
        self.over += missed
        compared = f"{ns_text(base):>9} {own - base:>+9.1f} ns {own / base:6.2f}" if base else " " * 28
        line = f"{what:<34} {size:>8} {ns_text(own):>9} {compared}  {wanted:<17}{' over' if missed else ''}"
        print(line.rstrip())


def time_of(results, question, contender, **at):
    one = results.one(question, contender, **at)
    return one.median() if one else None


def report_reads(report, results):
    report.head(f"{'One process':<34} {'value':>8} {'time':>9} {'memcpy':>9} {'more':>12} {'ratio':>6}  wanted")
    for contender, what in (("seqshare", "get"), ("seqshare-typed", "typed get, inline")):
        for one in results.select("read"):
            if one.contender != contender:
                continue
            size = one.at["bytes"]
            base = time_of(results, "read", "memcpy", bytes=size)
            most = WANTED.get(("read", contender))
            more, times = next((more, times) for limit, more, times in READ_WANTED if size <= limit)
            report.row(what, bytes_text(size), one.median(), base, most, more, times)


def report_writes(report, results):
    for one in results.select("write", waiters=0):
        if one.contender == "seqshare":
            size = one.at["bytes"]
            most = WANTED["write", "seqshare"] if size == 64 else None
            base = time_of(results, "write", "memcpy", bytes=size)
            report.row("set", bytes_text(size), one.median(), base, most)
    for one in results.select("calls"):
        report.row(one.at["call"], "", one.median(), most=WANTED.get(("calls", one.at["call"])))


def report_others(report, results):
    report.head("For scale: a read and a write of 64 bytes by others, nobody in the way")
    for one in results.select("read", bytes=64):
        if not one.contender.startswith("seqshare") and one.contender != "memcpy":
            report.row(f"{one.contender}: read", "64 B", one.median())
            written = time_of(results, "write", one.contender, bytes=64, waiters=0)
            if written:
                report.row(f"{one.contender}: write", "64 B", written)


def report_together(report, results):
    report.head("Beside another reader, and 1,000 writes a second; memcpy beside another memcpy")
    for one in results.select("readers", readers=2):
        if one.contender == "seqshare":
            size = one.at["bytes"]
            base = time_of(results, "readers", "memcpy", bytes=size, readers=2)
            report.row(
                "get", bytes_text(size), one.median(), base, more=2.5 if size < 4096 else None, times=1.07
            )
    report.head(f"{'Beside a writer':<34} {'value':>8} {'median':>9} {'99.9 %':>9}  repetitions a read")
    for one in results.select("retries"):
        what = f"{one.at['slots']} slots, writer {one.at['writer']}"
        print(
            f"{what:<34} {bytes_text(one.at['bytes']):>8} {ns_text(one.median('p50')):>9} "
            f"{ns_text(one.median('p999')):>9}  {one.median('retries'):.5f}"
        )


def report_moments(report, results):
    report.head("Moments, medians")
    for one in results.select("takeover"):
        what = one.at["from"]
        text = "first set in a process" if what == "first-set" else f"lock of the dead taken over, {what}"
        report.row(text, "", one.median("p50"), most=WANTED.get(("takeover", what)))
    for one in results.select("woken", readers=1):
        report.row(
            f"{one.contender}, {one.at['share']}: woken", "", one.median("p50"), most=WANTED.get(("woken", one.at["share"]))
        )


def main():
    parser = argparse.ArgumentParser(description="Show what seqshare's calls cost, from the suite's results.")
    parser.add_argument("file", help="what bench/run.sh --costs or --suite wrote (JSON)")
    options = parser.parse_args()
    try:
        results = load(options.file)
    except Unusable as error:
        print(f"costs.py: {error}", file=sys.stderr)
        return 2
    report = Report()
    print(results.machine())
    for part in (report_reads, report_writes, report_others, report_together, report_moments):
        part(report, results)
    rows = f"{report.over} row{'' if report.over == 1 else 's'}"
    print(f"\n{rows} over what is wanted; on a machine that has other things to do, that says little.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

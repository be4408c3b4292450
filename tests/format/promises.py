#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""promises.py [--write]: do docs/guarantees.md and the tests name each other?

Each test file says in the comment at its top which promises it shows: "Shows: READ-1, WRITE-2." If it shows none of
them, it says "Shows: no promise" and what instead. Each promise has at least one file that shows it, and the last
column of its row lists these. With --write the column is written again.
"""
import glob
import os
import re
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
GUARANTEES = os.path.join(ROOT, "docs", "guarantees.md")
PLACES = ("tests/*/*.c", "tests/*/*.cpp", "tests/*/*.bats", "tests/*/*.bash", "tests/*/*.pml", "tests/*/run.sh",
          *(f"bindings/*/{folder}/*.{kind}" for folder in ("t", "test", "test/*", "tests", "tests/*")
            for kind in ("t", "bash", "sh", "c", "py", "lua", "php", "phpt", "rb")))
# By the end of a file's name: how a test is known. Others may say what they show, and need not.
A_TEST = {
    ".c": r"^int main\(|^(Parameterized)?Test\(|report_check\(|_operations\[\] =|^int LLVMFuzzerTestOneInput\(.*\)$",
    ".bats": r"^@test ",
    ".bash": r"^ *check ",
    ".pml": r"^init|^active",
    ".t": r"",
    ".py": r"^def test_",
    ".rb": r"^ *def test_",
}
# Programs that tests run.
HELPERS = re.compile(r"tests/(arch/plain|cli/program|feed/reader|crash/main|faults/main|ptrace/report|releases/unprivileged|step/main|unit/program)\.c$|(build|server)\.bash$")
ROW = re.compile(r"^\| ([A-Z]+-[0-9]+) \| (.*) \| ([^|]*) \|$")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def place_of(path):
    """Part and file, as the table names them."""
    folders = path.split("/")
    name = os.path.splitext(folders[-1])[0]
    return folders[1], "" if name == "run" else name


def shown_by_tests(errors):
    """{promise: {(part, file)}}"""
    shown = {}
    for path in sorted(path for pattern in PLACES for path in glob.glob(pattern, root_dir=ROOT)):
        text = read(os.path.join(ROOT, path))
        said = re.search(r"\bShows: ([^.]+)\.", "\n".join(text.splitlines()[:30]))
        kind = A_TEST.get(os.path.splitext(path)[1])
        if said:
            for promise in re.findall(r"\b[A-Z]+-[0-9]+\b", said[1]):
                shown.setdefault(promise, set()).add(place_of(path))
            if not re.search(r"\b[A-Z]+-[0-9]+\b|no promise", said[1]):
                errors.append(f"{path}: 'Shows:' names no promise; if there is none, say 'Shows: no promise' and what")
        elif kind is not None and not HELPERS.search(path) and re.search(kind, text, re.MULTILINE):
            errors.append(f"{path}: its top does not say what it shows, as in 'Shows: READ-1, WRITE-2.'")
    return shown


def as_text(places):
    parts = {}
    for part, file in sorted(places):
        parts.setdefault(part, []).append(file)
    return ", ".join(part + (f" ({', '.join(filter(None, files))})" if any(files) else "") for part, files in parts.items())


def main():
    errors, lines, rows = [], [], {}
    shown = shown_by_tests(errors)
    for line in read(GUARANTEES).splitlines():
        row = ROW.match(line)
        if row:
            promise, text, column = row.groups()
            rows[promise] = column
            wanted = as_text(shown.get(promise, ()))
            if not wanted:
                errors.append(f"docs/guarantees.md: no test says that it shows {promise}")
            elif column != wanted and "--write" not in sys.argv:
                errors.append(f"docs/guarantees.md: {promise} is shown by {wanted}, not by {column} (promises.py --write mends it)")
            line = f"| {promise} | {text} | {wanted} |"
        lines.append(line)
    for promise in sorted(shown.keys() - rows.keys()):
        errors.append(f"{as_text(shown[promise])}: there is no promise {promise} in docs/guarantees.md")
    if "--write" in sys.argv:
        with open(GUARANTEES, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    print("\n".join(errors + [f"{len(rows)} promises, {len(errors)} errors"]))
    return 1 if errors or len(rows) < 40 else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""explained.py REPORT LIST: is every line that gcovr's JSON report calls not covered explained in the list?

The list has entries `FILE FUNCTION | PIECE OF THE LINE | REASON`: it explains the lines of that function that have the
piece, or, with the piece `*`, all of them. An entry that explains nothing is reported, and does no harm: chance covers some lines in some runs.
"""
import json
import os
import re
import sys


def read_entries(path):
    entries = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.split(" | ")]
            place = parts[0].split()
            if len(parts) != 3 or len(place) != 2 or not all(parts):
                sys.exit(f"{path}:{number}: not FILE FUNCTION | PIECE OF THE LINE | REASON")
            entries.append((place[0], place[1], parts[1]))
    return entries


def function_of(text, index):
    """The name before the first bracket of the nearest line that begins at the margin and has one."""
    while index > 0 and not re.match(r"[A-Za-z_].*\(", text[index]):
        index -= 1
    found = re.search(r"(\w+)\(", text[index].replace("__attribute__((", ""))
    return found.group(1) if found else ""


def uncovered_lines(report):
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    for file in report["files"]:
        with open(os.path.join(root, file["file"]), encoding="utf-8") as source:
            text = source.read().splitlines()
        for line in file["lines"]:
            if line["count"] == 0 and not line.get("gcovr/noncode"):
                number = line["line_number"]
                yield file["file"], number, function_of(text, number - 1), text[number - 1].strip()


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        report = json.load(lines)
    entries = read_entries(sys.argv[2])
    used = set()
    missing = total = 0
    for file, number, function, text in uncovered_lines(report):
        total += 1
        for index, (name, inside, piece) in enumerate(entries):
            if (name, inside) == (file, function) and (piece == "*" or piece in text):
                used.add(index)
                break
        else:
            missing += 1
            print(f"not covered, not explained: {file}:{number}: {function} | {text}")
    for index, (name, inside, piece) in enumerate(entries):
        if index not in used:
            print(f"stale, covered by now or gone: {name} {inside} | {piece}")
    print(f"{total} lines are not covered, {total - missing} of them explained")
    return 1 if missing else 0


sys.exit(main())

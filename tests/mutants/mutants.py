#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the catalogue of planted faults beside this file, and plants them. README.md describes an entry.

    mutants.py check [SOURCE [CATALOGUE]]   every fault has its place in SOURCE, and a detector
    mutants.py list DETECTOR                a line for each run: name, TAB, arguments
    mutants.py plant NAME TREE              change TREE, a copy of the sources; print the changes as a patch
    mutants.py table                        which detectors must catch which fault, as Markdown
"""
import difflib
import pathlib
import re
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
DETECTORS = ["crash", "step", "faults", "world", "fuzz", "arch", "cache", "json", "httpd", "nginx", "feed", "genmc", "spin"]
# From the start of a line to a brace there.
FUNCTION = re.compile(
    r"^(?:__attribute__\(\(\w+\)\)|[\w*\s])+?\b(?!__attribute__)(\w+)\([^;{]*\)\s*\{.*?^\}", re.M | re.S)


class Wrong(Exception):
    """An entry that cannot be planted, or that nobody looks for."""


def read_catalogue(folder=HERE):
    """All entries by name; each with the patterns of the files that it may change."""
    faults = {}
    for path in sorted(folder.glob("*.toml")):
        entries = tomllib.loads(path.read_text())
        files = entries.pop("files")
        for name, entry in entries.items():
            if name in faults:
                raise Wrong(f"{name}: stands in the catalogue twice")
            faults[name] = {"files": files, "edits": []} | entry
    return faults


def spans_of(edit, text):
    """Where the edit's old text stands, whatever white space is between its words."""
    functions = [m for m in FUNCTION.finditer(text) if m[1] == edit["in"]] if "in" in edit else None
    old = re.compile(r"\s+".join(map(re.escape, edit["old"].split())))
    for found in old.finditer(text):
        if functions is None or any(f.start() <= found.start() and found.end() <= f.end() for f in functions):
            yield found.span()


def place_of(edit, texts):
    """The one file and span that the edit means."""
    places = [(path, span) for path, text in texts.items() for span in spans_of(edit, text)]
    if len(places) != 1:
        lines = [f"{path.name}:{texts[path].count(chr(10), 0, span[0]) + 1}" for path, span in places]
        where = f" in {edit['in']}" if "in" in edit else ""
        raise Wrong(f"'{' '.join(edit['old'].split())}'{where} stands in {', '.join(lines) or 'no file'}")
    return places[0]


def planted(entry, tree):
    """The files that the fault changes: their texts before and after."""
    paths = [path for pattern in entry["files"] for path in sorted(tree.glob(pattern))]
    before = {path: path.read_text() for path in paths}
    after = dict(before)
    # From the end: what stands before keeps its place.
    places = [(*place_of(edit, before), edit["new"].strip()) for edit in entry["edits"]]
    for path, (start, end), new in sorted(places, key=lambda place: place[1], reverse=True):
        after[path] = after[path][:start] + new + after[path][end:]
    return {path: (before[path], after[path]) for path in paths if before[path] != after[path]}


def plant(name, tree):
    for path, (before, after) in planted(read_catalogue()[name], tree).items():
        path.write_text(after)
        where = str(path.relative_to(tree))
        sys.stdout.writelines(
            difflib.unified_diff(before.splitlines(True), after.splitlines(True), where, where, n=1))


def runs_of(entry, detector):
    """What to call the detector with, for each run that must catch the fault."""
    for run in entry["caught_by"]:
        word, _, arguments = run.partition(" ")
        if word == detector:
            yield arguments


def list_runs(detector):
    for name, entry in read_catalogue().items():
        for arguments in runs_of(entry, detector):
            print(name, arguments, sep="\t")


def switches(texts):
    return set(re.findall(r"(?:\b|-D)(M_[A-Z0-9_]+)", " ".join(texts)))


def check_entry(name, entry, source):
    unknown = {run.split()[0] for run in entry["caught_by"]} - set(DETECTORS)
    if unknown or not entry["caught_by"]:
        raise Wrong(f"no detector is named by {entry['caught_by']}")
    if not planted(entry, source) and not switches(entry["caught_by"]):
        raise Wrong("changes nothing")


def check(source=SOURCE, catalogue=HERE):
    """Also that each switch of a model is in the catalogue."""
    faults, wrong = read_catalogue(catalogue), 0
    for name, entry in faults.items():
        try:
            check_entry(name, entry, source)
        except Wrong as error:
            print(f"{name}: {error}")
            wrong += 1
    models = source / "tests/model"
    known = switches(run for entry in faults.values() for run in entry["caught_by"])
    there = switches(path.read_text() for path in [*models.glob("*.pml"), *models.glob("*.c")])
    for switch in sorted(known ^ there):
        print(f"{switch} is {'in no model' if switch in known else 'not in the catalogue'}")
        wrong += 1
    print(f"{len(faults)} faults, {wrong} wrong")
    return wrong == 0


def table():
    faults = read_catalogue()
    caught = {name: [any(True for _ in runs_of(entry, d)) for d in DETECTORS] for name, entry in faults.items()}
    print("| fault |", " | ".join(DETECTORS), "|")
    print("| --- |", " | ".join(":-:" for _ in DETECTORS), "|")
    for name, marks in caught.items():
        print(f"| {name} |", " | ".join("x" if mark else " " for mark in marks), "|")
    print(f"| **{len(faults)}** |", " | ".join(str(sum(column)) for column in zip(*caught.values())), "|")


def main(command="", *arguments):
    if command == "check" and len(arguments) <= 2:
        return check(*map(pathlib.Path, arguments))
    if command == "list" and arguments and arguments[0] in DETECTORS:
        return list_runs(arguments[0])
    if command == "plant" and len(arguments) == 2:
        return plant(arguments[0], pathlib.Path(arguments[1]))
    if command == "table":
        return table()
    sys.exit(__doc__)


try:
    sys.exit(main(*sys.argv[1:]) is False)
except Wrong as error:
    sys.exit(f"mutants.py: {error}")

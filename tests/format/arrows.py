#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arrows.py includes | calls FOLDER | floors [FOLDER]: the arrows between the project's files go one way.

includes: no file includes itself by way of others.
calls: FOLDER has the objects of a build. No object of the libraries or the command needs itself by way of others.
floors: each file of src/ stands on a floor of docs/internals/architecture.md, and no include (with FOLDER: nor a call)
leads to a floor above.
Prints the circle, or the files at fault. If there are none, it prints the number of arrows."""
import graphlib
import os
import re
import subprocess
import sys

# The folders of the compilers' search paths, besides that of the file itself.
SEARCHED = (".", "include", "src", "src/json", "bench", "tests/support", "tests/unit")

# typed.h is the end of seqshare.h, in a file of its own: whoever includes one has both.
ONE_FILE = {("include/seqshare/typed.h", "include/seqshare/seqshare.h")}


def files_below(folder, pattern):
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not re.match(r"\.git$|build", name) or path != folder]
        for name in names:
            if re.search(pattern, name):
                yield os.path.normpath(os.path.join(path, name))


def includes():
    for path in files_below(".", r"\.(c|h|cc|cpp|xs)$"):
        with open(path, encoding="utf-8") as source:
            names = re.findall(r'^ *# *include ["<]([^">]+)[">]', source.read(), re.MULTILINE)
        for name in names:
            found = [os.path.normpath(os.path.join(folder, name)) for folder in (os.path.dirname(path), *SEARCHED)]
            target = next((file for file in found if os.path.isfile(file)), None)
            if target and (path, target) not in ONE_FILE:
                yield path, target


def symbols(item):
    """The names that an object defines, and those that it needs."""
    lines = subprocess.run(["nm", item], check=True, capture_output=True, text=True).stdout.splitlines()
    words = [line.split()[-2:] for line in lines]
    return {name for kind, name in words if kind in "TDBR"}, {name for kind, name in words if kind == "U"}


def calls(build):
    """An object that is left of a source that is gone counts no more."""
    objects = {}
    for path in files_below(build, r"\.c\.o$"):
        place = os.path.relpath(path, build)
        source = re.sub(r"/CMakeFiles/[^/]+\.dir/|^CMakeFiles/[^/]+\.dir/", "/", place)[: -len(".o")]
        if re.match(r"src/(cache/|json/|cli/)?[^/]+$", source) and os.path.isfile(source):
            objects[source] = symbols(path)
    home = {name: source for source, (defined, _) in objects.items() for name in defined}
    for source, (_, needed) in objects.items():
        for name in needed:
            if home.get(name, source) != source:
                yield source, home[name]


def floors():
    """The floor of each file and folder that the table of floors names, counted from above."""
    with open("docs/internals/architecture.md", encoding="utf-8") as page:
        rows = re.findall(r"^\| [a-z ]+ \| (`.*`) \|", page.read(), re.MULTILINE)
    return {name: floor for floor, row in enumerate(rows) for name in re.findall(r"`([^`]+)`", row)}


def floor_of(path, table):
    """NAME.h stands beside its NAME.c. None: the table does not have it."""
    place = re.match(r"(?:src|include/seqshare)/(?:(\w+/).*|(\w+)\.[ch])$", path)
    if not place:
        return None
    names = [place[1]] if place[1] else [place[2] + ".c", place[2] + ".h"]
    return next((table[name] for name in names if name in table), None)


def refuse_arrows_up(arrows):
    table = floors()
    faults = [f"{path} is on no floor" for path in files_below("src", r"\.[ch]$") if floor_of(path, table) is None]
    for start, end in sorted(arrows):
        above, below = floor_of(start, table), floor_of(end, table)
        if above is not None and below is not None and below < above:
            faults.append(f"{start} needs {end}, which is on a floor above")
    if faults:
        sys.exit("\n".join(faults))
    print(len(arrows), "arrows, and none goes up")


def refuse_circles(arrows):
    graph = graphlib.TopologicalSorter()
    for start, end in arrows:
        graph.add(start, end)
    try:
        graph.prepare()
    except graphlib.CycleError as error:
        sys.exit("a circle: " + " <- ".join(error.args[1]))
    print(len(arrows), "arrows, and no circle")


def main():
    what, *build = sys.argv[1:]
    arrows = set(includes()) if what != "calls" else set()
    for folder in build:
        arrows |= set(calls(folder))
    if not arrows:
        sys.exit("no arrow at all: these are not the files that this is about")
    if what == "floors":
        refuse_arrows_up(arrows)
    else:
        refuse_circles(arrows)


main()

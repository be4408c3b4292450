#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arrows.py includes | calls FOLDER: the arrows between the project's files go one way.

includes: no file includes itself by way of others.
calls: FOLDER has the objects of a build. No object of the libraries or the command needs itself by way of others.
Prints a circle if there is one, and how many arrows there are if there is none."""
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


def main():
    arrows = set(includes() if sys.argv[1:] == ["includes"] else calls(sys.argv[2]))
    if not arrows:
        sys.exit("no arrow at all: these are not the files that this is about")
    graph = graphlib.TopologicalSorter()
    for start, end in arrows:
        graph.add(start, end)
    try:
        graph.prepare()
    except graphlib.CycleError as error:
        sys.exit("a circle: " + " <- ".join(error.args[1]))
    print(len(arrows), "arrows, and no circle")


main()

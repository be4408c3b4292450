#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks that each line of code of docs/hosts.md stands in a file, or a folder, that its section links to: hosts.py FILE."""
import pathlib
import re
import sys


def squeezed(text):
    return " ".join(text.split())


def text_of(path):
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.is_file())
    return squeezed(" ".join(file.read_text() for file in files))


def main(page):
    faults, lines = [], 0
    for section in re.split(r"^## ", page.read_text(), flags=re.M)[1:]:
        links = [page.parent / link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", section)]
        text = " ".join(map(text_of, links))
        for line in re.findall(r"^    (?:\$ )?(.*)", section, re.M):
            lines += 1
            if squeezed(line) not in text:
                faults.append(f"{page.name}: {section.splitlines()[0]}: on none of its pages: {line}")
    print("\n".join(faults) or f"{lines} lines")
    return 1 if faults or not lines else 0


sys.exit(main(pathlib.Path(sys.argv[1])))

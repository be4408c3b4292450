#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quotes.py [TREE]: is what the pages quote of files what these have?

In a page, `<!-- quote: examples/flag/c/server.c -->` stands before a block of code, and `=for quote FILE` in a POD. The
block's lines must stand in the file, one after the other; a line `...` leaves some out. (An indented block ends before
a command.)
"""
import glob
import os
import re
import sys
import textwrap

MARK = re.compile(r"^(?:<!-- quote: (\S+) -->|=for quote (\S+))\n", re.MULTILINE)
BLOCK = re.compile(r"\n*(?:```[^\n]*\n(.*?)^```$|((?:    (?!\$ )[^\n]*\n|\n)+))", re.MULTILINE | re.DOTALL)
PAGES = ("*.md", "docs/**/*.md", "bindings/**/*.md", "bindings/**/*.pod", "examples/**/*.md")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def pieces_of(block):
    pieces = re.split(r"^ *\.\.\.\n", block, flags=re.MULTILINE)
    return [textwrap.dedent(piece).strip("\n") for piece in pieces if piece.strip()]


def fault_of(block, file):
    """What of the block the text does not have; None: it has all."""
    lines, begin = textwrap.dedent(file).splitlines(), 0
    for piece in pieces_of(block):
        wanted = piece.splitlines()
        for begin in range(begin, len(lines) - len(wanted) + 1):
            if textwrap.dedent("\n".join(lines[begin:begin + len(wanted)])) == piece:
                break
        else:
            return f"the file does not have, or not here:\n{piece}"
        begin += len(wanted)
    return None


def quotes_of(page):
    """[(file, block)]; a mark without a block has None"""
    for mark in MARK.finditer(page):
        block = BLOCK.match(page, mark.end())
        yield mark[1] or mark[2], (block[1] or block[2]) if block else None


def main(tree):
    faults, count = [], 0
    for path in sorted(path for pattern in PAGES for path in glob.glob(pattern, root_dir=tree, recursive=True)):
        for file, block in quotes_of(read(tree, path)):
            count += 1
            if block is None or not pieces_of(block):
                faults.append(f"{path}: no code follows the mark of {file}")
            elif not os.path.exists(os.path.join(tree, file)):
                faults.append(f"{path}: there is no {file}")
            elif fault := fault_of(block, read(tree, file)):
                faults.append(f"{path}, of {file}: {fault}")
    print("\n".join(faults + [f"{count} quotes, {len(faults)} faults"]))
    return 1 if faults or count == 0 else 0


sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))

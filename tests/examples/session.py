#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""session.py README: runs the console blocks of an example's README, in this folder, and compares what they print.

`$ ` begins a command, and `> ` a line more of it. The lines after it must come out; `...` stands for any text. A server
needs a moment, so a command that only looks is repeated until it shows what the README says, as a person would do.
"""
import doctest
import os
import re
import select
import subprocess
import sys
import tempfile
import time

PATIENCE = 120  # seconds; what has not happened by then does not happen
LOOKS = re.compile(r"(cat|sort|tail|grep|seqshare (get|stat)|seqshare-feed (status|history)|\./fresh|python3 fresh|etcdctl|curl (?!.*(-T|-X|--data)))\b")


def steps_of(path):
    """[(command, what it prints)]"""
    steps, inside = [], False
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("```"):
                inside = line == "```console\n"
            elif inside and line.startswith("$ "):
                steps.append([line[2:], ""])
            elif inside and line.startswith("> "):
                steps[-1][0] += line[2:]
            elif inside:
                steps[-1][1] += line
    return steps


class Shell:
    """One bash for all commands of a README: its jobs, variables and descriptors last."""

    def __init__(self):
        self.statuses, ours = os.pipe()
        self.bash = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, pass_fds=[ours], text=True)
        self.ours = ours
        self.count = 0
        self.folder = tempfile.mkdtemp()

    def run(self, command):
        """(status, output). What a command leaves in the background keeps the file, which nobody reads any more."""
        self.count += 1
        output = os.path.join(self.folder, f"output.{self.count}")
        self.bash.stdin.write(f"{{ {command}}} >{output} 2>&1 </dev/null\necho $? >&{self.ours}\n")
        self.bash.stdin.flush()
        if not select.select([self.statuses], [], [], PATIENCE)[0]:
            return "none: it hangs", read(output)
        return int(os.read(self.statuses, 16)), read(output)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def is_as_wanted(wanted, status, output):
    same = doctest.OutputChecker().check_output(wanted.rstrip("\n"), output.rstrip("\n"), doctest.ELLIPSIS)
    return same and (status == 0 or wanted not in ("", "...\n"))


def follow(shell, command, wanted):
    end = time.monotonic() + PATIENCE
    while True:
        status, output = shell.run(command)
        if is_as_wanted(wanted, status, output):
            return True
        if not LOOKS.match(command) or time.monotonic() > end:
            print(f"$ {command}wanted:\n{wanted}got, with status {status}:\n{output}", end="")
            return False
        time.sleep(0.1)


def main():
    steps, shell = steps_of(sys.argv[1]), Shell()
    if not steps:
        print(f"{sys.argv[1]} has no commands")
    for command, wanted in steps:
        print(f"$ {command}{wanted}", end="", flush=True)
        if not follow(shell, command, wanted):
            return 1
    return 0 if steps else 1


sys.exit(main())

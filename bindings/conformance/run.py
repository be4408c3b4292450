#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every writer with every reader, over the corpus: see README.md.

    run.py [ADAPTER...]        the adapters of this folder that can run here, or those that are named

The last line is "N passed, N failed, N skipped".
"""

import json
import os
import subprocess
import sys
import tempfile

from corpus import BAD, GOOD

HERE = os.path.dirname(os.path.abspath(__file__))
ADAPTERS = {
    "c": [os.environ.get("SEQSHARE_C_ADAPTER", "./c")],
    "lua": [os.environ.get("SEQSHARE_LUAJIT", "luajit"), "adapters/lua.lua"],
    "perl": ["perl", "adapters/perl.pl"],
    "php": [*os.environ.get("SEQSHARE_PHP", "php").split(), "adapters/php.php"],
    "python": [os.environ.get("SEQSHARE_PYTHON", "python3"), "adapters/python.py"],
    "ruby": ["ruby", "adapters/ruby.rb"],
}


class Adapter:
    def __init__(self, name, path):
        self.name = name
        self._process = subprocess.Popen([*ADAPTERS[name], path], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)  # fmt: skip
        words = self._process.stdout.readline().split()
        if not words or words[0] != "ready":
            self._process.kill()
            lines = self._process.communicate()[1].strip().splitlines() or ["it said nothing"]
            raise OSError(lines[-1])
        self.lacks = set(words[1:])

    def ask(self, *words):
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"the adapter {self.name} died: {self._process.communicate()[1]}")
        return answer.rstrip("\n").split(" ", 2)

    def end(self):
        self._process.stdin.close()
        self._process.wait()


def pack(text):
    return text.hex()


def meaning(text):
    """A document as Python objects that compare exactly: 1 and 1.0 and True differ, and so do 0.1 and its neighbours."""

    def pairs(members):
        return {"object": dict(members)}

    value = json.loads(text, object_pairs_hook=pairs, parse_int=lambda digits: ("integer", int(digits)),
                       parse_float=lambda digits: ("float", repr(float(digits))))  # fmt: skip
    return _tagged(value)


def _tagged(value):
    if isinstance(value, dict):
        return {name: _tagged(member) for name, member in value["object"].items()}
    if isinstance(value, list):
        return [_tagged(member) for member in value]
    return ("bool", value) if isinstance(value, bool) else value


LOOSE = {"float-integer", "empty-object"}


def loose(value):
    """The same, for a language that does not know 1.0 from 1, or -0.0 from 0, or {} from []."""
    if isinstance(value, dict):
        return [] if not value else {name: loose(member) for name, member in value.items()}
    if isinstance(value, list):
        return [loose(member) for member in value]
    if isinstance(value, tuple) and value[0] in ("integer", "float"):
        return ("number", float(value[1]) if abs(float(value[1])) < 2**53 or value[0] == "float" else value[1])
    return value


class Count:
    passed = failed = skipped = 0

    def good(self):
        self.passed += 1

    def bad(self, what):
        self.failed += 1
        print(f"FAILED: {what}")


def check_good(count, writer, readers):
    for name, text, needs in GOOD:
        answer = writer.ask("publish", pack(text))
        if answer[0] != "ok":
            if not set(needs) & writer.lacks:
                count.bad(f"{writer.name} refuses {name}: {' '.join(answer[1:])}")
            continue
        for reader in readers:
            lacks = set(needs) & (writer.lacks | reader.lacks)
            if lacks and not lacks <= LOOSE:
                continue
            check_one(count, writer, reader, name, text, loosely=bool(LOOSE & (writer.lacks | reader.lacks)))


def check_one(count, writer, reader, name, text, loosely):
    answer = reader.ask("snapshot")
    what = f"{writer.name} publishes {name}, {reader.name} reads"
    if answer[0] != "ok":
        count.bad(f"{what} nothing: {' '.join(answer[1:])}")
        return
    found, wanted = meaning(bytes.fromhex(answer[2])), meaning(text)
    if loosely:
        found, wanted = loose(found), loose(wanted)
    if found == wanted:
        count.good()
    else:
        count.bad(f"{what} {str(found)[:200]}")


def check_bad(count, writer, readers, command, path):
    """A writer refuses a text that is not a document. Forced in by hand, the text changes no reader's document."""
    for name, text in BAD:
        assert writer.ask("publish", pack(b'{"good":["' + name.encode() + b'"]}'))[0] == "ok"
        wanted = [reader.ask("snapshot")[2] for reader in readers]
        answer = writer.ask("publish", pack(text))
        if answer[0] == "refused":
            count.good()
        else:
            count.bad(f"{writer.name} publishes {name}")
        subprocess.run([command, "set", path, "--force", "-" if text else "--empty"], input=text, check=True)
        for reader, last_good in zip(readers, wanted):
            found = reader.ask("snapshot")
            if found[0] == "ok" and found[2] == last_good:
                count.good()
            else:
                count.bad(f"{reader.name} does not keep the last good document: {name}")


def main(names):
    count = Count()
    command = os.environ.get("SEQSHARE_COMMAND", "seqshare")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = os.path.join(folder, "share")
        subprocess.run([command, "create", path, "--size", "4M"], check=True)
        adapters = []
        for name in names or ADAPTERS:
            try:
                adapters.append(Adapter(name, path))
            except OSError as error:
                print(f"skipped: {name}: {error}")
                count.skipped += 1
        for writer in adapters:
            print(f"now: {writer.name} writes, {', '.join(reader.name for reader in adapters)} read", flush=True)
            check_good(count, writer, adapters)
            check_bad(count, writer, adapters, command, path)
        for adapter in adapters:
            adapter.end()
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return count.failed > 0 or count.passed == 0


if __name__ == "__main__":
    sys.setrecursionlimit(10000)  # the deepest document has 512 levels, and Python's own functions take several each
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: MIT
# follow.py SEQSHARE PATH: the guide's Config, while the command publishes, blunders, replaces and removes.
import os
import subprocess
import sys
import time

import shop

seqshare, path = sys.argv[1:]


def run(*arguments):
    subprocess.run([seqshare, *arguments[:1], path, *arguments[1:]], check=True)


def follows(document):  # a second later, if the name has just been looked at
    end = time.monotonic() + 40
    while before.get() != document:
        assert time.monotonic() < end, (before.get(), document)
        time.sleep(0.01)


def expect(document):
    for config in (before, shop.Config(path)):  # a worker that is there, and one that is born now
        assert config.get() == document, (config.get(), document)


try:
    shop.Config(path)
    raise AssertionError("opened what is not there")
except FileNotFoundError as error:
    assert path in str(error) and "no share of that name" in str(error), error
run("create")
before = shop.Config(path)
expect({})
run("set", '{"rate": 1}')
expect({"rate": 1})
assert before.get() is before.get()
for bad in "{broken", "[" * 20000 + "]" * 20000, "9" * 5000:
    run("set", "--force", bad)
    assert before.get() == {"rate": 1}
run("set", '{"list": [{"deep": [1]}]}')
shared = before.get()
for change in (lambda: shared.update(rate=0), lambda: shared["list"].append(0), lambda: shared["list"][0].clear()):
    try:
        change()
        raise SystemExit("a caller changed what all requests share")
    except AttributeError:
        pass
run("replace", "--size", "2M")
run("set", '{"rate": 2}')
expect({"rate": 2})
run("rm")
assert before.get() == {"rate": 2}
run("create")
run("set", '{"rate": 3}')
follows({"rate": 3})
expect({"rate": 3})
os.unlink(path)  # by hand: no mark
run("create")
run("set", '{"rate": 4}')
follows({"rate": 4})
worker = os.fork()
if worker == 0:
    os._exit(0 if before.get() == {"rate": 4} else 1)
assert os.waitpid(worker, 0)[1] == 0
run("rm")

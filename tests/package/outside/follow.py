# SPDX-License-Identifier: MIT
# follow.py SEQSHARE PATH: the guide's Config, while the command publishes, blunders, replaces and removes.
import os
import subprocess
import sys

import shop

seqshare, path = sys.argv[1:]


def run(*arguments):
    subprocess.run([seqshare, *arguments[:1], path, *arguments[1:]], check=True)


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
run("set", "{broken")
assert before.get() == {"rate": 1}
run("replace", "--size", "2M")
run("set", '{"rate": 2}')
expect({"rate": 2})
run("rm")
assert before.get() == {"rate": 2}
run("create")
run("set", '{"rate": 3}')
expect({"rate": 3})
worker = os.fork()
if worker == 0:
    os._exit(0 if before.get() == {"rate": 3} else 1)
assert os.waitpid(worker, 0)[1] == 0
run("rm")

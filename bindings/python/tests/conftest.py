# SPDX-License-Identifier: MIT
"""What the tests have in common: shares of their own, and children that report."""

import os
import pickle
import signal
import time
import traceback

import pytest

import seqshare


@pytest.fixture
def path(tmp_path):
    """A name of the test's own."""
    return str(tmp_path / "share")


@pytest.fixture
def share():
    with seqshare.new(1 << 20) as made:
        yield made


class Child:
    """A forked process that runs a function; its result comes through a pipe."""

    def __init__(self, function, *args):
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            try:
                answer = (True, function(*args))
            except BaseException:
                answer = (False, traceback.format_exc())
            with os.fdopen(write, "wb") as out:
                pickle.dump(answer, out)
            os._exit(0)
        os.close(write)

    def result(self):
        with os.fdopen(self._read, "rb") as answer:
            good, value = pickle.load(answer)
        os.waitpid(self.pid, 0)
        assert good, value
        return value

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._read)


@pytest.fixture
def child():
    return Child


def _eventually(condition, seconds=60):
    """Waits for an event, not for a moment: the limit is for a test that would hang."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@pytest.fixture
def eventually():
    return _eventually

# SPDX-License-Identifier: MIT
"""No memory, no descriptor and no thread is left behind.

Shows: no promise: nothing is left behind.
"""

import gc
import os
import threading
import tracemalloc

import seqshare

PUBLICATIONS = 2000 if os.environ.get("SEQSHARE_LONG") else 500


def _memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _descriptors():
    return len(os.listdir("/proc/self/fd"))


def _publish(share, reader, times):
    for number in range(times):
        share.set({"number": number, "list": list(range(100)), f"name{number}": {"text": "x" * 100}})
        assert reader.snapshot()["number"] == number
        reader.snapshot(mutable=True)
        reader.get()
        with reader.peek() as view:
            len(view)
        if number % 10 == 0:
            share.set_bytes(b"bad")
            reader.snapshot()


def test_publications_leave_nothing_behind(path, caplog):
    caplog.set_level("CRITICAL", "seqshare")
    with seqshare.create(path, 1 << 20, value=0) as share, seqshare.open(path) as reader:
        _publish(share, reader, 200)
        gc.collect()
        before = _memory(), _descriptors(), threading.active_count()
        tracemalloc.start()
        _publish(share, reader, PUBLICATIONS)
        gc.collect()
        traced = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert (_descriptors(), threading.active_count()) == before[1:]
        assert traced < 100 * PUBLICATIONS  # some hundred bytes a publication would be more than that
        assert _memory() - before[0] < 4 << 20


def test_handles_leave_nothing_behind(path):
    seqshare.create(path, 1 << 20, value={"a": 1}).close()

    def use():
        with seqshare.open(path) as share:
            share.snapshot()
            share.wait(seen=0)
            with share.peek() as view:
                len(view)
            with share.lock() as held:
                held.document()
        seqshare.open(path).snapshot()  # and those that nobody closes
        seqshare.replace(path, 1 << 20).close()

    for _ in range(20):
        use()
    gc.collect()
    before = _descriptors(), _memory()
    for _ in range(300):
        use()
    gc.collect()
    assert _descriptors() == before[0] and _memory() - before[1] < 4 << 20

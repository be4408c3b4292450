# SPDX-License-Identifier: MIT
"""Between processes: fork, kill, locks, names that move, waiting.

Shows: READ-6, WRITE-1, WRITE-5, NAME-2, NAME-6, NAME-8, WAIT-1.
"""

import asyncio
import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import seqshare


def test_children_inherit_a_share(share, child):
    share.set({"n": 1})
    snapshot = share.snapshot()
    children = [child(lambda: (share.snapshot()["n"], share.set({"n": os.getpid()}))[0]) for _ in range(4)]
    assert snapshot["n"] == 1
    assert all(one.result() is not None for one in children)
    assert share.version == 5 and share.snapshot()["n"] in {one.pid for one in children}


def test_nothing_is_stale_after_set_returned(share, child):
    def follow(read, write):
        for _ in range(200):
            number = int.from_bytes(os.read(read, 4), "little")
            assert share.snapshot()["n"] == number
            os.write(write, b"x")

    share.set({"n": -1})
    ask, answer = os.pipe(), os.pipe()
    reader = child(follow, ask[0], answer[1])
    for number in range(200):
        share.set({"n": number})
        os.write(ask[1], number.to_bytes(4, "little"))
        os.read(answer[0], 1)
    reader.result()


def test_a_worker_that_is_killed_with_the_lock_harms_nobody(share, child):
    share.set({"n": 1})
    ready = os.pipe()

    def hold():
        with share.lock():
            os.write(ready[1], b"x")
            signal.pause()

    worker = child(hold)
    os.read(ready[0], 1)
    assert share.snapshot() == {"n": 1}
    with pytest.raises(TimeoutError):
        with share.lock(timeout=0):
            pass
    with pytest.raises(TimeoutError):
        with share.lock(timeout=0.05):
            pass
    worker.kill()
    with share.lock() as held:
        assert held.recovered
        held.set({"n": 2})
    with share.lock() as held:
        assert not held.recovered and held.document() == {"n": 2}


def test_updates_are_not_lost(share, child):
    def count():
        for _ in range(100):
            share.update(lambda document: {"n": document["n"] + 1})

    share.set({"n": 0})
    children = [child(count) for _ in range(3)]
    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in children:
        one.result()
    assert share.snapshot() == {"n": 600}


def test_update(share):
    assert share.update(lambda document: {"was": document}) == {"was": None}
    assert share.update(lambda document: document.update(more=[1])) == {"was": None, "more": [1]}
    with pytest.raises(ZeroDivisionError):
        share.update(lambda document: 1 / 0)
    assert share.snapshot(mutable=True) == {"was": None, "more": [1]} and share.version == 2
    with share.lock():  # it was given back
        pass


def test_the_lock_is_of_its_thread(share):
    share.set(1)
    with share.lock() as held:
        with pytest.raises(OSError) as error:
            with share.lock():
                pass
        assert error.value.errno == 35  # EDEADLK
        held.set(2)
        share.set(3)
        assert held.get() == b"3" and share.get() == b"3"
        other = threading.Thread(target=share.set, args=(4,))
        other.start()
        other.join(0.2)
        assert other.is_alive() and share.snapshot() == 3
    other.join()
    assert share.snapshot() == 4
    with pytest.raises(OSError):
        share._unlock()
    with pytest.raises(ValueError):
        held.set(5)


def test_other_threads_run_while_one_waits_for_the_lock(share, child):
    ready = os.pipe()

    def hold():
        with share.lock():
            os.write(ready[1], b"x")
            signal.pause()

    holder = child(hold)
    os.read(ready[0], 1)
    setter = threading.Thread(target=share.set, args=("after",))
    setter.start()
    assert sum(range(100000)) > 0 and setter.is_alive()
    holder.kill()
    setter.join()
    assert share.snapshot() == "after"


def test_ctrl_c_ends_a_wait(share):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        _interrupt_waits(share)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt_waits(share):
    for wait in (lambda: share.wait(), lambda: next(share.changes())):
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            wait()


def test_wait(share):
    assert share.wait(timeout=0) is None and share.wait(timeout=0.05) is None
    share.set(1)
    assert share.wait(seen=0) == 1
    timer = threading.Timer(0.1, share.set, (2,))
    timer.start()
    assert share.wait() == 2


def test_wait_ends_when_the_share_is_closed(share):
    threading.Timer(0.1, share.close).start()
    with pytest.raises(ValueError, match="closed"):
        share.wait()


def test_changes(share, child):
    def publish():
        for number in range(5):
            time.sleep(0.05)
            share.set(number)

    publisher = child(publish)
    for version in share.changes(since=0):
        if version == 5:
            break
    assert share.snapshot() == 4
    publisher.result()
    iterator = share.changes()
    threading.Timer(0.1, share.close).start()
    assert list(iterator) == []


def test_changes_in_an_event_loop(share):
    async def follow(name):
        async for version in share.changes(since=0):
            if version >= 5:
                return share.snapshot()

    async def main():
        ticks = 0
        tasks = [asyncio.ensure_future(follow(number)) for number in range(10)]
        for number in range(5):
            await asyncio.sleep(0.02)
            share.set(number)
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.01)
            ticks += 1
        return [task.result() for task in tasks], ticks

    results, ticks = asyncio.run(main())
    assert results == [4] * 10
    assert sum(thread.name == "seqshare" for thread in threading.enumerate()) == 1


def test_the_thread_ends_with_its_share(eventually):
    share = seqshare.new(1000)

    async def first():
        async for version in share.changes(since=0):
            return version

    share.set(1)
    assert asyncio.run(first()) == 1
    del share, first
    gc.collect()
    eventually(lambda: not any(thread.name == "seqshare" for thread in threading.enumerate()))


def test_a_thread_that_waits_holds_up_no_exit(tmp_path):
    program = """
import asyncio, seqshare, sys
share = seqshare.new(1000)
async def follow():
    async for version in share.changes():
        pass
async def main():
    task = asyncio.create_task(follow())
    await asyncio.sleep(0.1)
    print("there", flush=True)
asyncio.run(main())
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "there\n", "")


def test_changes_after_fork(share, child):
    async def first(since):
        async for version in share.changes(since=since):
            return version

    share.set(1)
    assert asyncio.run(first(0)) == 1  # there is a thread, which the child has not
    follower = child(lambda: asyncio.run(first(1)))
    share.set(2)
    assert follower.result() == 2


# ---- names ----


def test_names(path):
    with pytest.raises(FileNotFoundError):
        seqshare.open(path)
    with seqshare.create(path, 1000, mode=0o640, value=1) as share:
        assert os.stat(path).st_mode & 0o777 == 0o640 and share.name == path
        with pytest.raises(FileExistsError):
            seqshare.create(path, 1000)
        with seqshare.open(path, write=False) as reader:
            assert reader.snapshot() == 1 and not reader.writable
            with pytest.raises(OSError) as error:
                reader.set(2)
            assert error.value.errno == 30
    seqshare.unlink(path)
    with pytest.raises(FileNotFoundError):
        seqshare.unlink(path)


def test_a_replaced_share_is_followed_by_all(path):
    with seqshare.create(path, 100, value=1) as share, seqshare.open(path) as other:
        assert other.snapshot() == 1
        with seqshare.replace(path, 10000) as new:
            assert (other.snapshot(), other.version, other.get()) == (1, 1, b"1")
            new.set("x" * 5000)
            assert len(other.snapshot()) == 5000 and other.capacity == 10000
            share.set("y" * 5000)  # a writer of the old region
            assert other.snapshot()[0] == new.snapshot()[0] == "y"
            with other.lock() as held:
                held.set("z")
            assert new.snapshot() == share.snapshot() == "z"


def test_a_file_that_is_swapped_is_followed(path, tmp_path, eventually):
    with seqshare.create(path, 100, value=1), seqshare.open(path) as reader:
        assert (reader.snapshot(), reader.get()) == (1, b"1")
        with seqshare.create(str(tmp_path / "new"), 100, value=2):
            os.rename(tmp_path / "new", path)
        eventually(lambda: reader.snapshot() == 2)
        eventually(lambda: reader.get() == b"2")


def slow_clock_for_children():
    """Children of this process have a clock that begins at one second. False: not here."""
    new_time_namespace = 0x80
    if ctypes.CDLL(None).unshare(new_time_namespace) != 0:
        return False
    try:
        with open("/proc/self/timens_offsets", "w") as offsets:
            offsets.write(f"monotonic -{int(time.monotonic()) - 1} 0")
    except OSError:
        return False
    return True


def test_a_child_with_a_slower_clock_follows_a_name(path, tmp_path, child, eventually):
    def follow(reader):
        with seqshare.create(str(tmp_path / "new"), 100, value=2):
            os.rename(tmp_path / "new", path)
        eventually(lambda: reader.get() == b"2")
        eventually(lambda: reader.snapshot() == 2)
        return "followed"

    def unshare_and_fork(reader):
        return child(follow, reader).result() if slow_clock_for_children() else "not here"

    with seqshare.create(path, 100, value=1), seqshare.open(path) as reader:
        assert (reader.get(), reader.snapshot()) == (b"1", 1)
        if child(unshare_and_fork, reader).result() == "not here":
            pytest.skip("needs CAP_SYS_ADMIN, and a kernel with time namespaces")


def test_waiting_follows_a_name(path):
    with seqshare.create(path, 100, value=1), seqshare.open(path) as reader:

        def swap():
            seqshare.unlink(path)
            seqshare.create(path, 100, value=2)

        threading.Timer(0.1, swap).start()
        assert reader.wait() == 1  # the new one's first version
        assert reader.snapshot() == 2


def test_a_removed_name_leaves_the_value(path):
    with seqshare.create(path, 100, value=1) as share:
        seqshare.unlink(path)
        assert share.snapshot() == 1
        share.set(2)
        assert share.snapshot() == 2
        with pytest.raises(FileNotFoundError):
            share.reopen()


def test_by_descriptor(share):
    share.set(1)
    fd = share.fileno()
    with seqshare.attach(fd) as reader:
        os.close(fd)
        assert reader.snapshot() == 1 and not reader.writable
    fd = share.fileno(True)
    with seqshare.attach(fd) as writer:
        writer.set(2)
    os.close(fd)
    assert share.snapshot() == 2


def test_drop_write(path, share):
    for one in (share, seqshare.create(path, 1000)):
        one.set(1)
        with one.lock(), pytest.raises(OSError):
            one.drop_write()
        one.drop_write()
        assert not one.writable and one.snapshot() == 1
        with pytest.raises(OSError) as error:
            one.set(2)
        assert error.value.errno == 30
        one.drop_write()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_worker_that_dropped_its_rights(path, child):
    os.chmod(os.path.dirname(path), 0o755)
    with seqshare.create(path, 1000, mode=0o600, value=1) as share:

        def work():
            os.setuid(65534)
            one = share.snapshot()
            return one, share.wait(seen=0, timeout=5)

        assert child(work).result() == (1, 1)

# SPDX-License-Identifier: MIT
"""One thread, process or object in the middle of something, while another closes, forks, swaps or keeps what it got.

Shows: NAME-2, NAME-8, WAIT-1.
"""

import asyncio
import ctypes
import errno
import logging
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading

import pytest

import seqshare


class Slow(seqshare.Codec):
    """Its decoder waits for an event."""

    name = "slow"

    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()

    def encode(self, value):
        return value

    def decode(self, data):
        self.begun.set()
        assert self.go_on.wait(60)
        return data


# ---- views ----


def test_what_is_kept_of_a_view_stays_readable():
    program = """
import seqshare, struct
share = seqshare.new(1 << 20)
share.set_bytes(b"x" * 100000)
with share.peek() as view:
    kept = view[10:20]
    words = struct.iter_unpack("=I", view)
share.close()
assert bytes(kept) == b"x" * 10 and len(list(words)) == 25000
try:
    seqshare._seqshare.Share().close()
    memoryview(seqshare._seqshare.View())
except BufferError:
    print("fine")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "fine\n"), result.stderr


def test_a_kept_view_hides_no_exception(share):
    share.set_bytes(b"abcd")
    with pytest.raises(ZeroDivisionError):
        with share.peek() as view:
            kept = struct.iter_unpack("=I", view)
            raise ZeroDivisionError
    assert len(list(kept)) == 1


def test_a_view_is_of_the_region_that_the_name_has(path, eventually):
    def seen():
        with reader.peek() as view:
            return bytes(view)

    with seqshare.create(path, 100, value=1), seqshare.open(path) as reader:
        assert (reader.snapshot(), seen()) == (1, b"1")
        seqshare.unlink(path)
        with seqshare.create(path, 100, value=2):
            eventually(lambda: reader.snapshot() == 2)  # the cache moves
            assert seen() == b"2"


# ---- a name that is swapped without a mark ----


def test_a_writer_follows_a_file_that_was_swapped(path):
    with seqshare.create(path, 100, value=1) as writer:
        seqshare.unlink(path)
        with seqshare.create(path, 100, value=2) as new:
            writer.set(3)
            assert new.snapshot() == 3
            seqshare.unlink(path)
            with seqshare.create(path, 100, value=4) as newer, writer.lock() as held:
                assert held.document() == 4
                held.set(5)
                assert newer.snapshot() == 5


def test_a_wait_takes_no_old_region_for_news(path):
    with seqshare.create(path, 100, value=1) as share, seqshare.open(path) as reader:
        share.set(2)
        assert reader.wait(timeout=0) is None  # the handle that it waits on is kept
        seqshare.unlink(path)
        with seqshare.create(path, 100, value=1):
            assert reader.reopen() and reader.version == 1
            assert reader.wait(timeout=0) is None


def test_a_wait_notices_a_region_of_the_same_version(path):
    with seqshare.create(path, 100, value=1), seqshare.open(path) as reader:
        assert reader.version == 1
        seqshare.unlink(path)
        with seqshare.create(path, 100, value=2):
            assert reader.wait(seen=1, timeout=30) == 1
            assert reader.get() == b"2"


def test_loops_notice_a_region_of_the_same_version(path):
    with seqshare.create(path, 100, value=1), seqshare.open(path) as reader, seqshare.open(path) as other:
        changes, loops = reader.changes(), other.changes()
        seqshare.unlink(path)
        with seqshare.create(path, 100, value=2):
            assert reader.reopen()  # the loop has not seen it
            assert next(changes) == 1

            async def first():
                return await asyncio.wait_for(loops.__anext__(), 60)

            assert asyncio.run(first()) == 1


# ---- close ----


def test_a_lock_outlives_its_share(path):
    with seqshare.create(path, 100, value=1) as other:
        share = seqshare.open(path)
        with share.lock() as held:
            closer = threading.Thread(target=share.close)
            closer.start()
            closer.join()
            with pytest.raises(ValueError, match="closed"):
                held.set(2)
            with pytest.raises(OSError) as error:
                with other.lock(timeout=0):
                    pass
            assert error.value.errno in (35, 110)  # this thread has it
        with other.lock(timeout=0) as free:
            assert not free.recovered


def test_a_report_may_close_the_share(share):
    class Closes(logging.Handler):
        def emit(self, record):
            share.close()

    handler = Closes()
    logging.getLogger("seqshare").addHandler(handler)
    try:
        share.set_bytes(b"bad")
        with pytest.raises(ValueError, match="closed"):
            share.snapshot()
    finally:
        logging.getLogger("seqshare").removeHandler(handler)


def test_an_age_of_a_share_that_a_report_closes(share):
    share.set(1)
    share.snapshot()
    share._report = lambda text: share.close()
    share.set_bytes(b"bad")
    with pytest.raises(ValueError, match="closed"):
        share.age()


def test_a_share_is_closed_while_another_thread_decodes():
    codec = Slow()
    share = seqshare.new(100, codec=codec)
    share.set(b"x")
    found = []
    reader = threading.Thread(target=lambda: found.append(share.snapshot()))
    reader.start()
    assert codec.begun.wait(60)
    share.close()
    with pytest.raises(ValueError, match="closed"):
        share.get()
    codec.go_on.set()
    reader.join()
    assert found == [b"x"] and share.closed


def test_the_end_of_a_document_closes_its_share():
    class Ends:
        def __del__(self):
            share.close()

    class Codec(Slow):
        def decode(self, data):
            return Ends()

    share = seqshare.new(100, codec=Codec())
    share.set(b"x")
    share.snapshot()
    share.close()
    assert share.closed


def test_nobody_drops_the_rights_of_a_thread_that_writes(path, child):
    with seqshare.create(path, 100, value=1) as share, seqshare.open(path) as other:
        has, goes_on = threading.Event(), threading.Event()

        def hold():
            with share.lock() as held:
                has.set()
                assert goes_on.wait(60)
                held.set(2)

        holder = threading.Thread(target=hold)
        holder.start()
        assert has.wait(60)
        with pytest.raises(OSError) as error:
            share.drop_write()
        assert error.value.errno == errno.EBUSY
        child(share.drop_write).result()  # there is no such thread in a child
        goes_on.set()
        holder.join()
        with other.lock(timeout=0) as free:
            assert not free.recovered and free.document() == 2
        share.drop_write()


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="without the interpreter's lock, nothing says when a thread waits",
)
def test_nobody_drops_the_rights_of_a_thread_that_waits_for_the_lock(path, child, eventually):
    with seqshare.create(path, 100, value=1) as share:
        ready = os.pipe()

        def hold():
            with share.lock():
                os.write(ready[1], b"x")
                signal.pause()

        def refused():
            try:
                share.drop_write()
            except OSError as error:
                return error.errno == errno.EBUSY
            return False

        owner = child(hold)
        os.read(ready[0], 1)
        setter = threading.Thread(target=share.set, args=(2,))
        asks = sys.getswitchinterval()
        sys.setswitchinterval(60)  # the thread keeps the interpreter until it waits for the lock
        try:
            setter.start()
            assert refused()
        finally:
            sys.setswitchinterval(asks)
            owner.kill()
        setter.join()
        assert share.snapshot() == 2 and share.writable
        share.drop_write()


# ---- fork ----


def test_a_fork_while_another_thread_decodes(child, eventually):
    codec = Slow()
    with seqshare.new(100, codec=codec) as share:
        share.set(b"x")
        reader = threading.Thread(target=share.snapshot)
        reader.start()
        assert codec.begun.wait(60)

        def look():
            codec.go_on = threading.Event()
            codec.go_on.set()

            def has_it():
                try:
                    return share.snapshot() == b"x"
                except OSError:
                    return False

            eventually(has_it, 20)

        try:
            child(look).result()
        finally:
            codec.go_on.set()
            reader.join()


def test_a_fork_while_a_thread_begins_to_watch(share, child):
    from seqshare import _changes

    async def first():
        async for version in share.changes(since=0):
            return version

    share.set(1)
    with _changes._making:
        follower = child(lambda: asyncio.run(asyncio.wait_for(first(), 20)))
    assert follower.result() == 1


# ---- values from outside ----


@pytest.mark.parametrize(
    "call",
    [
        lambda share: share.set_bytes(b"x", tag=1 << 32),
        lambda share: share.set_bytes(b"x", tag=-1),
        lambda share: share.set_if((1 << 64) + 1, 2),
        lambda share: share.wait(seen=-1, timeout=0),
        lambda share: share.wait(seen=1 << 64, timeout=0),
        lambda share: seqshare.new(100, slots=(1 << 32) + 2),
    ],
)
def test_numbers_are_not_cut_short(share, call):
    share.set(1)
    with pytest.raises(OverflowError):
        call(share)
    assert share.version == 1


def test_for_ever(share):
    share.set(1)
    assert share.wait(seen=0, timeout=float("inf")) == 1


def test_a_type_with_pointers_is_refused():
    class Text(ctypes.Structure):
        _fields_ = [("text", ctypes.c_char_p)]

    class Inside(ctypes.Structure):
        _fields_ = [("number", ctypes.c_int, 3), ("texts", Text * 2)]

    class Pointer(ctypes.Union):
        _fields_ = [("pointer", ctypes.POINTER(ctypes.c_int))]

    class Object(ctypes.Structure):
        _fields_ = [("object", ctypes.py_object)]

    class Function(ctypes.Structure):
        _fields_ = [("function", ctypes.CFUNCTYPE(None))]

    class Heir(Text):
        _fields_ = [("more", ctypes.c_int)]

    for kind in (Text, Inside, Pointer, Object, Function, Heir):
        with pytest.raises(TypeError, match="pointers"):
            seqshare.new(100, type=kind)


def test_pickling(path, tmp_path):
    pytest.importorskip("cbor2")
    with seqshare.create(path, 100, value=[1], codec="cbor") as share:
        with pickle.loads(pickle.dumps(share)) as copy:
            assert copy.snapshot() == (1,)


def test_pickling_keeps_the_trust(tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    common = tmp_path / "common"
    common.mkdir()
    common.chmod(0o1777)
    name = str(common / "share")
    seqshare.create(name, 100, value=1).close()
    os.chown(name, 65534, 65534)
    with seqshare.open(name, any_owner=True) as share, pickle.loads(pickle.dumps(share)) as copy:
        assert copy.snapshot() == 1

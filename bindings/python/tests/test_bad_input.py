# SPDX-License-Identifier: MIT
"""Whatever is wrong is an exception with an errno and a sentence, and never a crash.

Shows: NAME-4.
"""

import os
import subprocess
import sys

import pytest

import seqshare
from seqshare import _seqshare

CALLS = [
    ("snapshot", ()), ("get", ()), ("read", ()), ("peek().__enter__", ()), ("stat", ()), ("age", ()), ("set", (1,)),
    ("set_bytes", (b"",)), ("set_if", (0, 1)), ("update", (lambda document: 1,)), ("wait", (0, 0)),
    ("drop_write", ()), ("reopen", ()), ("fileno", ()), ("prefault", ()), ("lock().__enter__", ()),
]  # fmt: skip


def _call(share, method, args):
    first, *others = method.split("().")
    target = getattr(share, first)
    for other in others:
        target = getattr(target(), other)
    return target(*args)


@pytest.mark.parametrize("method,args", CALLS, ids=[method for method, _ in CALLS])
def test_a_closed_share(method, args):
    share = seqshare.new(1000)
    share.close()
    share.close()
    with pytest.raises(ValueError, match="closed"):
        _call(share, method, args)
    assert share.closed and "closed" in repr(share)


@pytest.mark.parametrize("method,args", CALLS, ids=[method for method, _ in CALLS])
def test_a_share_that_was_never_set_up(method, args):
    bare = seqshare.Share()
    with pytest.raises((ValueError, AttributeError)):
        _call(bare, method, args)
    bare.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda share: seqshare.open(1),
        lambda share: seqshare.open("a\0b"),
        lambda share: seqshare.open(""),
        lambda share: seqshare.open(None),
        lambda share: seqshare.open("x" * 5000),
        lambda share: seqshare.open("/etc/passwd"),
        lambda share: seqshare.open("/dev/null"),
        lambda share: seqshare.open("/"),
        lambda share: seqshare.open("x", codec="xml"),
        lambda share: seqshare.open("x", codec=1),
        lambda share: seqshare.new(0),
        lambda share: seqshare.new(-1),
        lambda share: seqshare.new(2**62),
        lambda share: seqshare.new(2**80),
        lambda share: seqshare.new("1"),
        lambda share: seqshare.new(1000, slots=3),
        lambda share: seqshare.attach(-1),
        lambda share: seqshare.attach(10**6),
        lambda share: seqshare.attach("x"),
        lambda share: seqshare.attach(0),
        lambda share: seqshare.create("/nonexistent/x", 100),
        lambda share: seqshare.create("/dev/shm/seqshare.bad", 100, mode=0o10000),
        lambda share: share.set_bytes("text"),
        lambda share: share.set_bytes(1),
        lambda share: share.set_bytes(b"x", "tag"),
        lambda share: share.set_if("1", 1),
        lambda share: share.set_if(-1, 1),
        lambda share: share.wait(seen="x"),
        lambda share: share.wait(timeout=-1),
        lambda share: share.wait(timeout="x"),
        lambda share: share.wait(timeout=float("nan")),
        lambda share: share.lock(timeout=-1),
        lambda share: share.update(1),
        lambda share: share.snapshot(1, 2),
        lambda share: share.snapshot(wrong=1),
        lambda share: share._valid(1),
        lambda share: share._set_up("open", b"x", 0, 0, 0, 0, 0, 0, 0, None, 0, 0),
        lambda share: _seqshare.decode_json("text"),
        lambda share: _seqshare.decode_json(b"{"),
        lambda share: _seqshare.thaw(),
        lambda share: setattr(share, "version", 1),
    ],
)
def test_wrong_arguments(share, call):
    share.set(1)
    with pytest.raises((TypeError, ValueError, OSError, OverflowError, AttributeError)):
        call(share)
    assert share.snapshot() == 1 and share.version == 1


@pytest.mark.parametrize("junk", [b"", b"x", b"seqshare" + b"\0" * 4088, os.urandom(8192)])
def test_files_that_are_no_share(path, junk):
    with open(path, "wb") as file:
        file.write(junk)
    with pytest.raises(OSError) as error:
        seqshare.open(path)
    assert error.value.errno in (74, 93) and path in str(error.value)


def test_every_error_has_a_sentence(path):
    with pytest.raises(OSError) as error:
        seqshare.open(path)
    assert str(error.value) == f"[Errno 2] {_seqshare.strerror(2)}: '{path}'"


def test_a_share_of_another_user_in_a_common_folder_is_not_trusted(tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    common = tmp_path / "common"
    common.mkdir()
    common.chmod(0o1777)
    seqshare.create(str(common / "share"), 100, value=1).close()
    os.chown(common / "share", 65534, 65534)
    with pytest.raises(PermissionError):
        seqshare.open(str(common / "share"))
    with seqshare.open(str(common / "share"), any_owner=True) as share:
        assert share.snapshot() == 1


def test_use_after_the_interpreters_end():
    program = """
import atexit, seqshare, weakref, sys
share = seqshare.new(1000)
share.set({"a": [1]})
share.snapshot()
class Late:
    def __del__(self):
        share.snapshot(); share.set(2)
sys.late = Late()
atexit.register(share.set, 3)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_two_interpreters():
    try:
        import _interpreters as interpreters
    except ImportError:
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            pytest.skip("this Python has no second interpreters")
    program = "import seqshare\nshare = seqshare.new(1000)\nshare.set({'a': [1]})\nassert share.snapshot()['a'] == (1,)\n"
    interpreter = interpreters.create()
    try:
        try:
            failure = interpreters.run_string(interpreter, program)
        except Exception as error:
            failure = error
        if failure is not None and "does not support" in str(failure):
            pytest.skip("this Python keeps extensions out of isolated interpreters")
        assert failure is None
    finally:
        interpreters.destroy(interpreter)
    assert seqshare.new(1000).version == 0

# SPDX-License-Identifier: MIT
"""Pools of workers: multiprocessing by fork, spawn and forkserver, and Celery's prefork pool.

Shows: WRITE-1, WRITE-5.
"""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

import seqshare

HERE = os.path.dirname(os.path.abspath(__file__))
config = None


def _look(number):
    return config.snapshot()["n"], os.getpid()


def _open(share):
    global config
    config = share


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_multiprocessing(how, path):
    context = multiprocessing.get_context(how)
    with seqshare.create(path, 1 << 16, value={"n": 0}) as share:
        with context.Pool(3, _open, (share,)) as pool:
            for number in range(50):
                share.set({"n": number})
                assert {n for n, _ in pool.map(_look, range(9))} == {number}
            share.set_bytes(b"[")  # each worker keeps the last good one that it looked at
            assert max(n for n, _ in pool.map(_look, range(9))) == 49
            with seqshare.replace(path, 1 << 18, value={"n": 50}):
                assert {n for n, _ in pool.map(_look, range(9))} == {50}


def test_multiprocessing_inherits_an_anonymous_share():
    with seqshare.new(1 << 16) as share:
        share.set({"n": 1})
        _open(share)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.apply(_look, (0,))[0] == 1
            share.set({"n": 2})
            assert pool.apply(_look, (0,))[0] == 2


def _hold(share, ready):
    with share.lock():
        ready.set()
        signal.pause()


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_a_process_that_is_killed_with_the_lock(how, path):
    context = multiprocessing.get_context(how)  # (a Pool hangs by itself when an idle worker of it is killed)
    with seqshare.create(path, 1 << 16, value={"n": 0}) as share:
        ready = context.Event()
        worker = context.Process(target=_hold, args=(share, ready))
        worker.start()
        ready.wait()
        worker.kill()
        worker.join()
        share.update(lambda document: {"n": 1})
        assert share.snapshot() == {"n": 1}


def _count(share, times):
    for _ in range(times):
        share.update(lambda document: {"n": document["n"] + 1})


def test_processes_and_threads_count_together(path):
    with seqshare.create(path, 1 << 16, value={"n": 0}) as share:
        workers = [multiprocessing.get_context("spawn").Process(target=_count, args=(share, 100)) for _ in range(2)]
        workers += [threading.Thread(target=_count, args=(share, 100)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert share.snapshot() == {"n": 400}


CELERY = """
import os, signal, celery, seqshare
app = celery.Celery("shop", broker="redis+socket://{folder}/redis", backend="redis+socket://{folder}/redis")
config = seqshare.open("{path}", write=False)
@app.task
def look():
    return [config.snapshot()["n"], os.getpid()]
@app.task
def stay():
    os.symlink(str(os.getpid()), "{folder}/staying")
    signal.pause()
"""


@contextlib.contextmanager
def _running(command, folder, log):
    """With all that it starts; ended after the block, by force if it does not end."""
    with open(folder / log, "w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "C_FORCE_ROOT": "1", "PYTHONPATH": str(folder)}, stdout=out, stderr=out,
            start_new_session=True)  # fmt: skip
        try:
            yield process
            process.terminate()
            process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_celery(path, tmp_path, eventually, monkeypatch):
    pytest.importorskip("celery")
    pytest.importorskip("redis")
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    (tmp_path / "shop_tasks.py").write_text(CELERY.format(folder=tmp_path, path=path))
    broker = ["redis-server", "--port", "0", "--unixsocket", str(tmp_path / "redis"), "--save", "", "--dir", str(tmp_path)]
    worker = [sys.executable, "-m", "celery", "-A", "shop_tasks", "worker", "--pool", "prefork", "-c", "2", "--loglevel", "WARNING"]
    with _running(broker, tmp_path, "redis.log"), seqshare.create(path, 1 << 16, mode=0o644, value={"n": 0}) as share:
        eventually((tmp_path / "redis").exists)
        monkeypatch.syspath_prepend(str(tmp_path))
        import shop_tasks

        with _running(worker, tmp_path, "log"):
            seen = {}  # by each process of the pool
            for number in range(20):
                share.set({"n": number})
                n, pid = shop_tasks.look.delay().get(timeout=120)
                assert n == number
                seen[pid] = n
            share.set_bytes(b"[")  # a process keeps the last good one that it looked at
            n, pid = shop_tasks.look.delay().get(timeout=120)
            assert n == seen.get(pid, n)
            # Killed in a task: one that waits for a task may have a lock of the pool.
            shop_tasks.stay.delay()
            eventually(lambda: os.path.lexists(tmp_path / "staying"))
            killed = int(os.readlink(tmp_path / "staying"))
            os.kill(killed, signal.SIGKILL)
            with seqshare.replace(path, 1 << 18, mode=0o644, value={"n": 20}):
                eventually(lambda: shop_tasks.look.delay().get(timeout=120)[1] not in {*seen, killed})
                assert shop_tasks.look.delay().get(timeout=120)[0] == 20

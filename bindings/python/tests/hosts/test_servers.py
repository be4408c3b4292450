# SPDX-License-Identifier: MIT
"""Real servers under load: nothing is stale, bad values and kills harm nobody, nothing is left behind.

Shows: READ-6, JSON-2, NAME-2, NAME-8.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import seqshare

WORKERS, POOL = 4, 4
HERE = os.path.dirname(os.path.abspath(__file__))
GUNICORN = [sys.executable, "-m", "gunicorn", "shop:application", "--workers", str(WORKERS), "--log-level", "warning"]
UWSGI = ["uwsgi", "--plugin", "python3", "--master", "--processes", str(WORKERS), "--module", "shop:application",
         "--need-app", "--disable-logging", "--die-on-term", "--listen", "64"]  # fmt: skip


def _uwsgi(*options):
    return lambda address: [*UWSGI, "--http-socket", address, "--pythonpath", os.path.dirname(os.path.dirname(seqshare.__file__)), *options]


def _gunicorn(*options):
    return lambda address: [*GUNICORN, "--bind", address, *options]


def _uvicorn(address):
    host, port = address.split(":")
    return [sys.executable, "-m", "uvicorn", "shop:asynchronous", "--host", host, "--port", port, "--workers",
            str(WORKERS), "--log-level", "warning"]  # fmt: skip


SERVERS = {
    "gunicorn sync": ("gunicorn", _gunicorn()),
    "gunicorn gthread --preload": ("gunicorn", _gunicorn("--preload", "-k", "gthread", "--threads", str(POOL))),
    "gunicorn gevent --preload": ("gevent", _gunicorn("-k", "gevent", "--preload")),
    "uwsgi": ("uwsgi", _uwsgi("--enable-threads")),
    "uvicorn": ("uvicorn", _uvicorn),
}
if os.environ.get("SEQSHARE_LONG"):
    SERVERS["gunicorn sync --preload"] = ("gunicorn", _gunicorn("--preload"))
    SERVERS["gunicorn gevent"] = ("gevent", _gunicorn("-k", "gevent"))
    SERVERS["uwsgi lazy"] = ("uwsgi", _uwsgi("--lazy-apps"))


def _need(what):
    if what == "uwsgi":
        if not shutil.which("uwsgi"):
            pytest.skip("uwsgi is not installed")
        linked = subprocess.run(["uwsgi", "--plugin", "python3", "--version"], capture_output=True)
        if linked.returncode != 0 or sys.version_info[:2] != _debian_python():
            pytest.skip("Debian's uwsgi embeds Debian's Python, and this is another one")
    else:
        pytest.importorskip(what)


def _debian_python():
    asked = subprocess.run(["/usr/bin/python3", "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True)
    return tuple(int(part) for part in asked.stdout.split())


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, command, config, log):
        self.port = _free_port()
        self._log = open(log, "w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            command(f"127.0.0.1:{self.port}"), cwd=HERE, env={**os.environ, "SHOP_CONFIG": config, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=self._log, stderr=self._log, start_new_session=True)  # fmt: skip

    def ask(self):
        """The answer; None where a worker was killed while it had the request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, body
            return json.loads(body)
        except (ConnectionError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def is_up(self):
        assert self._process.poll() is None, self.log()
        return self.ask() is not None

    def workers(self):
        """Those that answer: each worker's process id."""
        seen, asked = set(), 0
        while len(seen) < WORKERS and asked < 2000:
            together = [threading.Thread(target=lambda: seen.add((self.ask() or {}).get("pid"))) for _ in range(16)]
            for thread in together:
                thread.start()
            for thread in together:
                thread.join()
            seen.discard(None)
            asked += 16
        return seen

    def log(self):
        self._log.seek(0)
        return self._log.read()

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()


class Load:
    """Clients that ask all the time, and count what was not answered with 200. They end with the block."""

    def __init__(self, server, clients=3):
        self._server, self._stop, self.failures, self.lost, self.answers = server, False, [], 0, 0
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def _run(self):
        while not self._stop:
            try:
                if self._server.ask() is None:
                    self.lost += 1
                self.answers += 1
            except (AssertionError, OSError) as error:
                self.failures.append(error)

    def __exit__(self, *_):
        self._stop = True
        for thread in self._threads:
            thread.join()


def _left_behind(pids):
    facts = {}
    for pid in pids:
        threads = len(os.listdir(f"/proc/{pid}/task"))
        regions = sum("share" in _link(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
        facts[pid] = threads, regions
    return facts


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


@pytest.mark.parametrize("name", SERVERS)
def test_a_server(name, path, tmp_path, eventually):
    need, command = SERVERS[name]
    _need(need)
    os.chmod(os.path.dirname(path), 0o755)
    document = {"n": 0, "list": list(range(200))}
    config = seqshare.create(path, 1 << 16, mode=0o644, value=document)
    server = Server(command, path, tmp_path / "log")
    try:
        eventually(server.is_up)
        assert len(server.workers()) == WORKERS, server.log()
        with Load(server) as load:
            # Nothing is stale after set returned, whichever worker answers.
            for number in range(1, 301):
                config.set({**document, "n": number})
                if number % 5 == 0:
                    answer = server.ask()
                    assert answer and answer["n"] == number
            facts = _left_behind(server.workers())

            # A bad value: the last good document stays, in every worker.
            config.set_bytes(b'{"n": ')
            assert {(server.ask() or {}).get("n") for _ in range(40)} == {300}

            # Replaced under load, and larger.
            config.close()
            config = seqshare.replace(path, 1 << 20, mode=0o644, value={**document, "n": 1000})
            assert {(server.ask() or {}).get("n") for _ in range(40)} == {1000}

            # A worker that is killed harms nobody, and the next one finds the newest.
            before = server.workers()
            os.kill(min(before), signal.SIGKILL)
            config.set({**document, "n": 1001})
            eventually(lambda: len(server.workers() - {min(before)}) >= WORKERS)
            assert {(server.ask() or {}).get("n") for _ in range(40)} == {1001}

            # 2,000 publications leave nothing behind.
            for number in range(2000):
                config.set({**document, "n": number})
            assert {(server.ask() or {}).get("n") for _ in range(40)} == {1999}
            after = _left_behind(server.workers())
            for pid in set(facts) & set(after):
                threads, regions = facts[pid]
                if "gthread" in name:  # gunicorn starts the threads of its pool when they are first needed
                    threads = max(threads, 1 + POOL)
                assert after[pid][0] <= threads and after[pid][1] <= regions, (name, facts, after)
        assert not load.failures and load.answers > 0 and load.lost <= 3 * 3, (load.failures, load.lost)
    finally:
        server.stop()
        config.close()

# SPDX-License-Identifier: MIT
"""What a look at a configuration of 4.6 kB costs, beside what Python programs use instead: ratios of one run.

    python benchmark/compare.py [--quick]

Each way is asked for one flag of the same document while nothing changes, as on a request. Rounds of all ways
alternate; the least of them counts. A module global is the limit: no other process can change it.
"""

import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from multiprocessing import shared_memory

import seqshare

QUICK = "--quick" in sys.argv[1:]
ROUNDS, SECONDS = (3, 0.02) if QUICK else (15, 0.1)
DOCUMENT = {"flags": {"dark": True}, "limits": {"rate": 100}, "routes": [f"/path/{i}/to/something" for i in range(170)]}
TEXT = json.dumps(DOCUMENT).encode()


def ways(folder, until_the_end):
    """(name, what it does, function): each function returns the flag."""
    yield "module global", "the limit: one process", lambda: DOCUMENT["flags"]["dark"]

    share = seqshare.create(os.path.join(folder, "share"), 1 << 20, value=DOCUMENT)
    snapshot = share.snapshot
    yield "seqshare", "decoded once a version", lambda: snapshot()["flags"]["dark"]

    value = multiprocessing.Value("q", 1)
    yield "multiprocessing.Value", "one number, with its lock", lambda: value.value

    memory = shared_memory.SharedMemory(create=True, size=1 << 16)
    until_the_end.callback(memory.unlink)
    until_the_end.callback(memory.close)
    memory.buf[: len(TEXT)] = TEXT
    lock = multiprocessing.Lock()

    def by_shared_memory():
        with lock:
            data = bytes(memory.buf[: len(TEXT)])
        return json.loads(data)["flags"]["dark"]

    yield "shared_memory + Lock", "and json.loads", by_shared_memory

    manager = until_the_end.enter_context(multiprocessing.Manager())
    shared = manager.dict({"dark": True})
    yield "Manager.dict", "asks a process", lambda: shared["dark"]

    path = os.path.join(folder, "config.json")
    with open(path, "wb") as file:
        file.write(TEXT)

    def by_file():
        with open(path, "rb") as file:
            return json.load(file)["flags"]["dark"]

    yield "file + json", "read at each look", by_file
    yield from _diskcache(folder)
    yield from _redis(folder, until_the_end)


def calls():
    """What a call costs, without the look-up in a dict."""
    yield "a plain C function", "returns an object", sys.getrecursionlimit
    share, small = seqshare.new(1 << 20), seqshare.new(64)
    share.set(DOCUMENT)
    small.set_bytes(b"x" * 64)
    yield "snapshot", "nothing changed", share.snapshot
    yield "get", "64 bytes", small.get
    yield "version", "one number", lambda: share.version


def _diskcache(folder):
    try:
        import diskcache
    except ImportError:
        print("diskcache: left out, it is not installed", file=sys.stderr)
        return
    cache = diskcache.Cache(os.path.join(folder, "diskcache"))
    cache["config"] = DOCUMENT
    yield "diskcache", "SQLite and pickle", lambda: cache["config"]["flags"]["dark"]


def _redis(folder, until_the_end):
    try:
        import redis
    except ImportError:
        redis = None
    if not redis or not shutil.which("redis-server"):
        print("Redis: left out, redis-server or the package redis is not installed", file=sys.stderr)
        return
    path = os.path.join(folder, "redis")
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
                              stdout=subprocess.DEVNULL)  # fmt: skip
    until_the_end.callback(server.wait)
    until_the_end.callback(server.terminate)
    while not _listens(path):
        time.sleep(0.01)
    client = redis.Redis(unix_socket_path=path)
    client.set("config", TEXT)
    yield "Redis", "a Unix socket, and json.loads", lambda: json.loads(client.get("config"))["flags"]["dark"]


def _listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def once(function):
    """Nanoseconds a call, in one round."""
    calls, clock = 1, time.perf_counter_ns
    while True:
        repeat = [None] * calls
        begin = clock()
        for _ in repeat:
            function()
        took = clock() - begin
        if took >= SECONDS * 1e9:
            return took / calls
        calls = max(calls * 2, int(calls * SECONDS * 1e9 / max(took, 1)))


def measure(asked):
    """The least nanoseconds of each, of rounds that alternate."""
    best = {}
    for _ in range(ROUNDS):
        for name, _, function in asked:
            best[name] = min(best.get(name, float("inf")), once(function))
    return best


def main():
    with ExitStack() as until_the_end:
        folder = until_the_end.enter_context(tempfile.TemporaryDirectory())
        looks, plain = list(ways(folder, until_the_end)), list(calls())
        best = measure(looks + plain)
    print(f"Python {sys.version.split()[0]}, {_processor()}, a document of {len(TEXT)} bytes, nothing changes\n")
    print("| a look at one flag | | ns | as many times seqshare |\n| --- | --- | ---: | ---: |")
    for name, what, _ in sorted(looks, key=lambda row: best[row[0]]):
        print(f"| {name} | {what} | {best[name]:,.0f} | {best[name] / best['seqshare']:,.2f} x |")
    print("\n| a call | | ns | more than a plain one |\n| --- | --- | ---: | ---: |")
    for name, what, _ in plain:
        print(f"| {name} | {what} | {best[name]:,.1f} | {best[name] - best['a plain C function']:,.1f} |")


def _processor():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return models[0] if models else "an unknown processor"


main()

# SPDX-License-Identifier: MIT
"""How fast and how large the feed is with a real etcd, on this machine: measure.py [ROW]... prints a line for each.

Nothing here passes or fails. FEED_WORK, FEED_SOURCE, FEED_AGENT, FEED_COMMAND and FEED_VISIBLE name a folder and the programs.
"""
import base64
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time

from agent import Agent
from etcd import elsewhere, our_member, url
from kit import Process, Skip, Source, cluster, folder, until

VISIBLE = os.environ.get("FEED_VISIBLE", "")


def quantiles(seconds):
    """In milliseconds."""
    ordered = sorted(1000 * one for one in seconds)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"median {statistics.median(ordered):.2f} ms, p99 {p99:.2f} ms, worst {ordered[-1]:.2f} ms, {len(ordered)} times"


class Eye:
    """A reader of the share: when did it see which value?"""

    def __init__(self, path, share):
        self.seen = {}
        self.process = Process([VISIBLE, share], os.path.join(path, "eye.log"), stdout=subprocess.PIPE)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.child.stdout:
            when, value = line.decode().split(" ", 1)
            self.seen[value.strip()] = float(when)

    def when(self, text):
        return until(text, lambda: next((when for value, when in list(self.seen.items()) if text in value), None))


class Gateway:
    """Puts over one connection, through etcd's JSON gateway: the time of the answer is exact."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def put(self, key, value):
        body = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value.encode()).decode()}
        self.connection.request("POST", "/v3/kv/put", json.dumps(body))
        self.connection.getresponse().read()
        return time.time()


def visible(path):
    """after the put returned, until visible (100 B)"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "first")
    agent = Agent(path, url(etcd))
    agent.has({"a": "first"})
    eye, gateway = Eye(path, agent.share), Gateway(etcd.port)
    delays = []
    for n in range(500):
        text = f"n{n:05d}"
        returned = gateway.put("/shop/a", text + "x" * 80)
        delays.append(max(0.0, eye.when(text) - returned))
        time.sleep(0.01)
    agent.end()
    return quantiles(delays)


def resumed(path):
    """etcd kill -9, 3 s down: resumed after it answers"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "first")
    agent = Agent(path, url(etcd))
    agent.has({"a": "first"})
    eye = Eye(path, agent.share)
    delays = []
    for n in range(8):
        time.sleep(31)  # a good stream, after which the waits are short again
        etcd.kill()
        time.sleep(3)
        etcd.start()
        answered = Gateway(etcd.port).put("/shop/a", f"n{n:03d}")
        delays.append(eye.when(f"n{n:03d}") - answered)
    lists = agent.facts()["lists"]
    agent.end()
    return f"{quantiles(delays)}; {lists - 1} lists after the first"


def stamp(source, pattern):
    """When it said such a line."""
    found = source.expect(r"^(\d+\.\d+) " + pattern)
    return float(found[1])


def fail_over(path):
    """own member killed of three: on another one"""
    members = cluster(path, 3)
    members[0].put("/shop/a", "1")
    delays = []
    for n in range(12):  # each with a source of its own, for the waits grow with the failures of a minute
        os.mkdir(f"{path}/{n}")
        source = Source(f"{path}/{n}", url(*members))
        source.expect("contact")
        ours = our_member(source, members)
        killed = time.time()
        ours.kill()
        stamp(source, "away")
        delays.append(stamp(source, "contact") - killed)
        source.process.kill()
        ours.start()
    return quantiles(delays)


def left(path):
    """stopped member: left after"""
    (etcd,) = cluster(path)
    delays = []
    for n in range(4):
        os.mkdir(f"{path}/{n}")
        source = Source(f"{path}/{n}", url(etcd))
        source.expect("proven")
        time.sleep(n)
        etcd.process.freeze()
        delays.append(-time.time() + stamp(source, "away"))
        etcd.process.thaw()
        source.process.kill()
    return quantiles(delays)


def quorum(path):
    """no quorum: left after"""
    members = cluster(path, 3)
    delays = []
    for n in range(4):
        os.mkdir(f"{path}/{n}")
        source = Source(f"{path}/{n}", url(members[0]))
        source.expect("proven")
        for one in members[1:]:
            one.process.freeze()
        delays.append(-time.time() + stamp(source, "away"))
        for one in members[1:]:
            one.process.thaw()
        until("a leader", lambda: members[0].ctl("put", "x", "2", check=False).returncode == 0)
        source.process.kill()
    return quantiles(delays)


def through_proxy(path):
    """hung etcd behind grpc-proxy: left after"""
    (etcd,) = cluster(path)
    port = os.environ.get("FEED_PROXY_PORT", "41379")
    Process(["etcd", "grpc-proxy", "start", "--endpoints", f"127.0.0.1:{etcd.port}", "--listen-addr", f"127.0.0.1:{port}",
             "--data-dir", os.path.join(path, "proxy")], os.path.join(path, "proxy.log"))
    delays = []
    for n in range(3):
        os.mkdir(f"{path}/{n}")
        source = Source(f"{path}/{n}", f"etcd://127.0.0.1:{port}/shop/")
        source.expect("contact")
        if n > 0:
            source.expect("proven [1-9]")
        etcd.process.freeze()
        delays.append(-time.time() + stamp(source, "away"))
        etcd.process.thaw()
        source.process.kill()
    return quantiles(delays)


def compacted(path):
    """compacted beyond us: from that news to the list"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "1")
    source = Source(path, url(etcd))
    source.expect("contact")
    delays = []
    for n in range(6):
        elsewhere(etcd, lambda n=n: etcd.put("/shop/a", str(n)), lambda: etcd.put("/other", "1"), lambda: etcd.ctl("compact", str(etcd.revision())))
        at = stamp(source, "lost")
        delays.append(stamp(source, "listed") - at)
        source.expect("contact")
    return quantiles(delays)


def kilobytes(pid, name, file="status"):
    with open(f"/proc/{pid}/{file}", encoding="ascii") as lines:
        return next(int(re.search(r"\d+", line)[0]) for line in lines if line.startswith(name))


def memory(path):
    """etcd memory an agent; agent PSS"""
    (etcd,) = cluster(path)
    etcd.put("/shop/a", "x" * 100)
    agents, sizes = [], []
    for count in (20, 60):
        while len(agents) < count:
            os.mkdir(f"{path}/{len(agents)}")
            agents.append(Agent(f"{path}/{len(agents)}", url(etcd)))
        for one in agents:
            one.has({"a": "x" * 100})
        time.sleep(20)
        sizes.append(kilobytes(etcd.process.child.pid, "VmRSS"))
    pss = [kilobytes(one.process.child.pid, "Pss:", "smaps_rollup") for one in agents]
    alone = agents[0]
    for one in agents[1:]:
        one.end()
    single = kilobytes(alone.process.child.pid, "Pss:", "smaps_rollup")
    own = kilobytes(alone.process.child.pid, "Private_Dirty:", "smaps_rollup")
    alone.end()
    return (f"etcd {(sizes[1] - sizes[0]) / 40:.0f} kB an agent (60 against 20 of them); "
            f"agent PSS {statistics.median(pss)} kB among 60, {single} kB alone, of which {own} kB are its own")


ROWS = [visible, resumed, fail_over, left, quorum, through_proxy, compacted, memory]


def measure():
    for row in ROWS:
        if len(sys.argv) > 1 and row.__name__ not in sys.argv[1:]:
            continue
        try:
            print(f"{row.__doc__}: {row(folder('measure-' + row.__name__))}", flush=True)
        except Skip as skip:
            print(f"{row.__doc__}: skipped: {skip}", flush=True)
        finally:
            Process.end_all()
            Process.running.clear()


if __name__ == "__main__":
    measure()

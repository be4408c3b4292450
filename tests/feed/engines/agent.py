# SPDX-License-Identifier: MIT
"""The agent on a real etcd: what readers of the share see, whatever happens to the store."""
import json
import os
import shutil
import subprocess
import threading

from kit import Failure, Process, cluster, main, until
from etcd import restore, url

FEED, SHARE = os.environ.get("FEED_AGENT", ""), os.environ.get("FEED_COMMAND", "")


class Agent:
    """seqshare-feed on one share, and those who look at both."""

    def __init__(self, path, source, **keys):
        self.path = path
        self.place = os.path.join("/dev/shm", f"seqshare-feed-{os.getpid()}-{os.path.basename(path)}")
        shutil.rmtree(self.place, ignore_errors=True)
        os.mkdir(self.place)
        self.share, self.conf = os.path.join(self.place, "share"), os.path.join(path, "agent.conf")
        keys = {"share": self.share, "form": "text-tree", "state": os.path.join(path, "state"), **keys}
        with open(self.conf, "w", encoding="utf-8") as out:
            out.write(f"source = {source}\n" + "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in keys.items()))
        self.process, self.log, self.logged = None, os.path.join(path, "agent.log"), 0
        self.start()

    def start(self):
        self.logged = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        self.process = Process([FEED, "run", self.conf], self.log)

    def says(self, text):
        """Wait for a line of the log since the last start: what the status has may be the agent's before."""

        def said():
            with open(self.log, encoding="utf-8") as log:
                log.seek(self.logged)
                return text in log.read()

        until(f"the log says {text}", said)

    def kill(self):
        self.process.kill()

    def end(self):
        self.process.kill()
        shutil.rmtree(self.place, ignore_errors=True)

    def command(self, name):
        return subprocess.run([FEED, name, self.conf], capture_output=True, text=True, check=True)

    def status(self):
        return subprocess.run([FEED, "status", self.conf, "--json"], capture_output=True, text=True, check=False)

    def facts(self):
        try:
            return json.loads(self.status().stdout)
        except ValueError:
            return {}

    def value(self):
        done = subprocess.run([SHARE, "get", self.share], capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None

    def has(self, document):
        try:
            until(f"{document}", lambda: self.value() == document)
        except Failure as failure:
            raise Failure(f"{failure}; it has {self.value()}, and says {self.status().stdout}") from None

    def becomes(self, code):
        """Wait for an exit status of `status`: 0 live, 3 nothing, 4 no agent, 5 held, 6 refused, 7 stale."""
        try:
            until(f"status {code}", lambda: self.status().returncode == code)
        except Failure as failure:
            raise Failure(f"{failure}; it says {self.status().stdout}") from None


def with_agent(scenario):
    """The scenario with an etcd and an agent that has published its first value."""

    def run(path):
        (etcd,) = cluster(path)
        etcd.txn("put /shop/a 1", "put /shop/b 1")
        agent = Agent(path, url(etcd))
        try:
            agent.has({"a": "1", "b": "1"})
            agent.becomes(0)
            scenario(path, etcd, agent)
        finally:
            agent.end()

    run.__name__, run.__doc__ = scenario.__name__, scenario.__doc__
    return run


@with_agent
def whole(path, etcd, agent):
    """readers never see half of a transaction, and the last one arrives"""
    seen, broken = [], []
    watch = Process([SHARE, "watch", agent.share], os.path.join(path, "watch.log"), stdout=subprocess.PIPE)

    def read():
        for line in watch.child.stdout:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            seen.append(value)
            if value["a"] != value["b"]:
                broken.append(value)

    threading.Thread(target=read, daemon=True).start()
    for n in range(60):
        etcd.txn(f"put /shop/a n{n}", f"put /shop/b n{n}")
    agent.has({"a": "n59", "b": "n59"})
    if broken or not seen:
        raise Failure(f"{len(seen)} values seen, broken ones: {broken[:3]}")


@with_agent
def back_is_held(path, etcd, agent):
    """a restored store is held, over a restart of the agent, until accepted"""
    snapshot = os.path.join(path, "snapshot")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/b", "2")
    agent.has({"a": "1", "b": "2"})
    restore(etcd, snapshot)
    agent.becomes(5)
    agent.has({"a": "1", "b": "2"})
    etcd.put("/shop/a", "3")  # what comes later is held as well
    agent.kill()
    agent.becomes(4)
    agent.start()
    agent.says("the store went back")
    agent.becomes(5)
    agent.has({"a": "1", "b": "2"})
    agent.command("accept")
    agent.has({"a": "3", "b": "1"})
    agent.becomes(0)
    etcd.put("/shop/a", "4")
    agent.has({"a": "4", "b": "1"})


@with_agent
def back_while_dead(path, etcd, agent):
    """restored, and written past, while the agent was dead: held all the same"""
    snapshot = os.path.join(path, "snapshot")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/b", "2")
    agent.has({"a": "1", "b": "2"})
    agent.kill()
    restore(etcd, snapshot, *[lambda: etcd.put("/other", "1")] * 6)
    agent.start()
    agent.becomes(5)
    agent.has({"a": "1", "b": "2"})


@with_agent
def gone_while_dead(path, etcd, agent):
    """the same, where only a key shows it that is gone, and that nobody removed; a removal does not count as one"""
    snapshot = os.path.join(path, "snapshot")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/c", "2")
    agent.has({"a": "1", "b": "1", "c": "2"})
    agent.kill()
    etcd.ctl("del", "/shop/b")
    agent.start()
    agent.has({"a": "1", "c": "2"})
    agent.becomes(0)
    agent.kill()
    restore(etcd, snapshot, *[lambda: etcd.put("/other", "1")] * 9, lambda: etcd.ctl("del", "/shop/b"))
    agent.start()
    agent.becomes(5)
    agent.has({"a": "1", "c": "2"})


@with_agent
def back_to_the_same(path, etcd, agent):
    """a restored store with the very bytes that stand: taken over, nothing is published"""
    etcd.put("/shop/b", "2")
    etcd.put("/shop/b", "1")
    snapshot = os.path.join(path, "snapshot")
    etcd.ctl("snapshot", "save", snapshot)
    etcd.put("/shop/a", "2")
    etcd.put("/shop/a", "1")
    agent.has({"a": "1", "b": "1"})
    until("the last revision", lambda: agent.facts().get("newest") == etcd.revision())
    before = agent.facts()
    restore(etcd, snapshot)
    until("its revision", lambda: agent.facts().get("newest") == etcd.revision())
    agent.becomes(0)
    if agent.facts()["version"] != before["version"]:
        raise Failure("it published the same bytes")
    etcd.put("/shop/a", "5")
    agent.has({"a": "5", "b": "1"})


@with_agent
def emptied_is_held(_path, etcd, agent):
    """a store that is emptied is held; what comes next is published by itself"""
    etcd.ctl("del", "--prefix", "/shop/")
    agent.becomes(5)
    agent.has({"a": "1", "b": "1"})
    etcd.put("/shop/c", "1")
    agent.has({"c": "1"})
    agent.becomes(0)


@with_agent
def boot(_path, etcd, agent):
    """at boot, with etcd away: the last good value, stale; then what etcd has"""
    agent.kill()
    etcd.kill()
    os.unlink(agent.share)
    agent.start()
    agent.has({"a": "1", "b": "1"})
    agent.becomes(7)
    etcd.start()
    etcd.put("/shop/a", "2")
    agent.has({"a": "2", "b": "1"})
    agent.becomes(0)


@with_agent
def restarted(_path, _etcd, agent):
    """an agent that starts again publishes nothing, for the same bytes stand"""
    version = agent.facts()["version"]
    agent.kill()
    agent.start()
    agent.says(": live")
    agent.becomes(0)
    if agent.facts()["version"] != version:
        raise Failure("it published the same bytes again")
    until("its own counts", lambda: agent.facts().get("lists") == 1 and agent.facts().get("publications") == 0)


SCENARIOS = [whole, back_is_held, back_while_dead, gone_while_dead, back_to_the_same, emptied_is_held, boot, restarted]

if __name__ == "__main__":
    main({one.__name__: one for one in SCENARIOS})

# SPDX-License-Identifier: MIT
"""Engines and sources for the feed's tests: etcd's members, the program feed-source, and what they say."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

WORK = os.environ["FEED_WORK"]  # folders and logs go below it
PROGRAM = os.environ["FEED_SOURCE"]
PATIENCE = 90  # seconds until an event that must come is given up: far beyond what it takes


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def free_port():
    """A port that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def folder(name):
    path = os.path.join(WORK, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def until(what, probe, patience=PATIENCE):
    """Ask again and again until `probe` answers something true, and return that."""
    end = time.monotonic() + patience
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited in vain: {what}")
        time.sleep(0.02)


class Process:
    """A program that ends with the test."""

    running = []

    def __init__(self, arguments, log, **more):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=more.pop("stdout", out),
                                          stderr=out, **more)
        Process.running.append(self)

    def signal(self, number):
        if self.child.poll() is None:
            self.child.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.child.wait()

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    @classmethod
    def end_all(cls):
        for one in cls.running:
            one.kill()


class Member:
    """One member of an etcd cluster."""

    def __init__(self, path, number, host="127.0.0.1"):
        self.path, self.name, self.host = path, f"m{number}", host
        self.port, self.peer = free_port(), free_port()
        self.data = os.path.join(path, self.name)
        self.cluster, self.more, self.scheme, self.client = "", [], "http", []
        self.process = None

    def start(self, ready=True):
        peer = f"http://{self.host}:{self.peer}"
        client = f"{self.scheme}://{self.host}:{self.port}"
        self.process = Process(
            [os.environ.get("FEED_ETCD", "etcd"), "--data-dir", self.data, "--name", self.name, "--listen-client-urls", client,
             "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", self.cluster, "--unsafe-no-fsync", "--logger", "zap", *self.more],
            os.path.join(self.path, self.name + ".log"))
        if ready:
            self.ready()

    def ready(self):
        until(f"{self.name} answers", lambda: self.ctl("get", "ready", check=False, within=5).returncode == 0)

    def kill(self):
        self.process.kill()

    def ctl(self, *arguments, check=True, text=None, within=PATIENCE):
        """etcdctl on this member."""
        done = subprocess.run(["etcdctl", "--endpoints", f"{self.scheme}://{self.host}:{self.port}", *self.client,
                               f"--command-timeout={within}s", f"--dial-timeout={within}s", *arguments], capture_output=True, text=True,
                              input=text, env={**os.environ, "ETCDCTL_API": "3"}, check=False)
        if check and done.returncode != 0:
            raise Failure(f"etcdctl {arguments[0]}: {done.stderr}")
        return done

    def put(self, key, value):
        self.ctl("put", "--", key, value)

    def txn(self, *lines):
        self.ctl("txn", text="\n" + "\n".join(lines) + "\n\n\n")

    def revision(self):
        return int(re.search(r'"revision":(\d+)', self.ctl("get", "x", "-w", "json").stdout)[1])

    def move(self):
        """Another port for its clients, so that nobody who is configured finds it."""
        self.port = free_port()


def cluster(path, count=1, more=(), scheme="http", client=(), host="127.0.0.1"):
    members = [Member(path, n, host) for n in range(count)]
    for one in members:
        one.cluster = ",".join(f"{m.name}=http://{m.host}:{m.peer}" for m in members)
        one.more, one.scheme, one.client = list(more), scheme, list(client)
        one.start(ready=False)
    for one in members:
        one.ready()
    return members


class Source:
    """feed-source, and the lines that it has said."""

    def __init__(self, path, url, hold=None, command=(), **keys):
        self.path, self.lines, self.at = path, [], 0
        conf = os.path.join(path, "feed.conf")
        keys = {"share": os.path.join(path, "share"), "form": "json-tree", "state": os.path.join(path, "state"),
                **keys}
        with open(conf, "w", encoding="utf-8") as out:
            out.write(f"source = {url}\n")
            for key, value in keys.items():
                out.write(f"{key.replace('_', '-')} = {value}\n")
        self.process = Process([*command, PROGRAM, conf, *([hold] if hold else [])], os.path.join(path, "source.err"),
                               stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with open(os.path.join(self.path, "source.out"), "w", encoding="utf-8") as out:
            for line in self.process.child.stdout:
                line = line.decode("utf-8", "replace").rstrip("\n")
                out.write(line + "\n")
                out.flush()
                self.lines.append(line)

    def expect(self, pattern, patience=PATIENCE):
        """Wait for a line; those before it are passed over. Returns the match."""

        def look():
            ended = not self.reader.is_alive()
            while self.at < len(self.lines):
                self.at += 1
                found = re.search(pattern, self.lines[self.at - 1])
                if found:
                    return found
            if ended and self.at == len(self.lines):
                raise Failure(f"it has ended; waited for {pattern}")
            return None

        try:
            return until(pattern, look, patience)
        except Failure as failure:
            raise Failure(f"{failure}; it said:\n" + "\n".join(self.lines[-30:])) from None

    def never(self, pattern):
        """No line so far is like this."""
        for line in self.lines:
            if re.search(pattern, line):
                raise Failure(f"it said: {line}\nafter:\n" + "\n".join(self.lines[-30:]))

    def count(self, pattern):
        return sum(1 for line in self.lines if re.search(pattern, line))

    def counts(self):
        """Ends it: what it counted itself."""
        self.process.signal(signal.SIGTERM)
        found = self.expect(r"counts connects (\d+) logins (\d+) bytes (\d+)")
        self.process.child.wait()
        if self.process.child.returncode != 0:
            raise Failure(f"it ended with status {self.process.child.returncode}")
        return {"connects": int(found[1]), "logins": int(found[2]), "bytes": int(found[3])}


def main(scenarios):
    """Run one scenario by name; without a name, list them."""
    if len(sys.argv) < 2:
        for name, function in scenarios.items():
            print(f"{name}\t{function.__doc__}")
        return
    try:
        scenarios[sys.argv[1]](folder(sys.argv[1]))
    except Skip as skip:
        print(f"skipped: {skip}")
        sys.exit(77)
    except Failure as failure:
        print(f"failed: {failure}")
        sys.exit(1)
    finally:
        Process.end_all()

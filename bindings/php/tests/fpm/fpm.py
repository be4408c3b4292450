#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real php-fpm under nginx: nothing is stale, and nobody notices bad values, replaces, kills and reloads.

Shows: READ-1, READ-6, READ-10, JSON-2, NAME-2, NAME-8.

    fpm.py EXTENSION [--long]
"""

import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WORKERS, PATIENCE = 8, 60  # seconds: what has not happened by then does not
CHANGES = 5000 if "--long" in sys.argv else 1000
LAST = CHANGES + 59  # the last number that is published before the bad value
FPM = next((path for path in ("php-fpm8.4", "php-fpm8.3", "php-fpm8.2", "php-fpm") if shutil.which(path)), None)


def document(number):
    return json.dumps({"n": number, "twice": 2 * number, "text": f"{number} " * 20, "list": [number] * 50,
                       "deep": [{"n": number}]})  # fmt: skip


def seqshare(*words, **options):
    return subprocess.run(["seqshare", *words], check=True, capture_output=True, text=True, **options).stdout


class Place:
    """A folder, a share, php-fpm, nginx."""

    def __init__(self, extension):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="seqshare.test-php."))
        self.shared = pathlib.Path(tempfile.mkdtemp(prefix="seqshare.test-php.", dir="/dev/shm"))
        self.folder.chmod(0o777)
        self.shared.chmod(0o755)
        self.share = str(self.shared / "share")
        self.scripts = self.folder / "scripts"  # the sources may lie where www-data cannot go
        shutil.copytree(HERE, self.scripts, ignore=shutil.ignore_patterns("__pycache__"))
        self.scripts.chmod(0o755)
        self.port = _free_port()
        words = {"FOLDER": self.folder, "SCRIPTS": self.scripts, "SHARE": self.share, "EXTENSION": extension, "PORT": self.port}
        for name in ("php.ini", "php-fpm.conf", "nginx.conf"):
            text = (HERE / name).read_text()
            for word, value in words.items():
                text = text.replace(word, str(value))
            (self.folder / name).write_text(text)
        if os.getuid() == 0:
            with open(self.folder / "php-fpm.conf", "a") as file:
                file.write("user = www-data\ngroup = www-data\n")
            with open(self.folder / "php.ini", "a") as file:
                file.write("opcache.preload_user = www-data\n")
            with open(self.folder / "nginx.conf", "a") as file:
                file.write("user www-data;\n")
        (self.folder / "php.log").touch(mode=0o666)
        (self.folder / "php.log").chmod(0o666)
        self._processes = []

    def serve_instead(self, script):
        """Another script, which changes, and without one that is preloaded."""
        for name, old, new in (
            ("nginx.conf", f"{self.scripts}/app.php", str(script)),
            ("php.ini", f"opcache.preload = {self.scripts}/preload.php", "opcache.revalidate_freq = 0"),
            ("php.ini", "opcache.validate_timestamps = 0", "opcache.file_update_protection = 0"),
        ):
            path = self.folder / name
            assert old in path.read_text(), old
            path.write_text(path.read_text().replace(old, new))

    def start(self):
        environment = {**os.environ, "PHP_INI_SCAN_DIR": ""}
        self.fpm = self._begin([FPM, "-c", self.folder / "php.ini", "-y", self.folder / "php-fpm.conf", "-F",
                                *(["-R"] if os.getuid() == 0 else [])], environment)  # fmt: skip
        until((self.folder / "fpm.sock").exists, "php-fpm listens")
        self._begin(["nginx", "-e", self.folder / "nginx.start", "-c", self.folder / "nginx.conf"], os.environ)
        until(lambda: self.ask(is_json=False) is not None, "the server answers")

    def _begin(self, command, environment):
        output = open(self.folder / "output", "a")  # noqa: SIM115
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=output, stderr=output)
        output.close()
        self._processes.append(process)
        return process

    def ask(self, do="", is_json=True):
        """The answer; None where a worker was killed while it had the request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", f"/?do={do}")
            response = connection.getresponse()
            body = response.read().decode()
            if response.status == 502:
                return None
            assert response.status == 200, (response.status, body, self.log())
            return json.loads(body) if is_json else body
        except (ConnectionError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def workers(self):
        """The process ids of the workers of php-fpm."""
        found = subprocess.run(["pgrep", "-P", str(self.fpm.pid)], capture_output=True, text=True).stdout
        return set(map(int, found.split()))

    def all_say(self, number, requests=40):
        for _ in range(requests):
            answer = self.ask()
            assert answer is None or answer["n"] == number, (answer, number)

    def load(self, do="", connections=12):
        return subprocess.Popen(["wrk", "-t1", f"-c{connections}", "-d600", f"http://127.0.0.1:{self.port}/?do={do}"],
                                stdout=subprocess.DEVNULL)  # fmt: skip

    def log(self):
        return "".join(path.read_text() for path in self.folder.glob("*.log") if path.name != "access.log")

    def lines(self, text):
        return [line for line in self.log().splitlines() if text in line]

    def statuses(self):
        return {line.split('" ')[1].split()[0] for line in (self.folder / "access.log").read_text().splitlines()}

    def stop(self):
        for process in reversed(self._processes):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder)
        shutil.rmtree(self.shared)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not so in {PATIENCE} s: {what}"
        time.sleep(0.02)


def kill_all(place):
    old = place.workers()
    for pid in old:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not old & place.workers() and len(place.workers()) == WORKERS, "new workers")
    until(place.ask, "they answer")


# ---- what is shown, one after the other on one server ----


def starts_with_wrong_lines(place):
    said = place.log() + (place.folder / "output").read_text()
    assert '"bad=": expected NAME=PATH' in said, said
    assert "seqshare: away: there is no share of that name" in said, said
    assert said.count("this setting counts in php.ini only, and not in a pool") == 1, said
    assert (place.folder / "php.log.preload").read_text() == "1"
    place.all_say(1)


def changes_under_load(place):
    wrk = place.load(), place.load("change", 4), place.load("exit", 2)
    for number in range(2, CHANGES):
        seqshare("set", place.share, "--json", document(number))
        if number % 3 == 0:  # nothing is stale when set has returned, whichever worker answers
            answer = place.ask()
            assert answer and answer["n"] == number, (answer, number)
    for one in wrk:
        one.terminate()
        one.wait()
    place.all_say(CHANGES - 1)
    assert place.statuses() <= {"200", "499"}, place.statuses()


def workers_end_and_are_killed(place):
    wrk = place.load()
    for number in range(CHANGES, LAST + 1):
        seqshare("set", place.share, "--json", document(number))
        if number % 4 == 0:
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(random.choice(sorted(place.workers())), signal.SIGKILL)
    wrk.terminate()
    wrk.wait()
    place.all_say(LAST)


def fatal_errors_leave_nothing(place):
    for _ in range(10 * WORKERS):
        place.ask("change")
        with contextlib.suppress(AssertionError):  # 500, or what was written before
            place.ask("fatal", is_json=False)
    assert place.lines("Allowed memory size"), place.log()
    place.all_say(LAST)


def a_bad_value(place):
    seqshare("set", place.share, "--force", '{"n": ')
    place.all_say(LAST)
    assert len(place.lines("is not used, the last good document stays: not JSON")) == 1, place.log()
    kill_all(place)  # those that are born after it agree
    place.all_say(LAST)
    master = place.fpm.pid
    old = place.workers()
    os.kill(master, signal.SIGUSR2)  # and those of a master that has executed itself
    until(lambda: len(place.workers()) == WORKERS and not old & place.workers(), "the workers of a reload")
    until(place.ask, "they answer")
    assert place.fpm.poll() is None
    place.all_say(LAST)
    seqshare("set", place.share, "--json", document(10001))
    place.all_say(10001)


def nothing_is_inherited_by_programs(place):
    said = place.ask("environment", is_json=False)
    assert said and "PATH=" in said and "SEQSHARE_PHP_LAST_GOOD" not in said, said


def replaced_under_load(place):
    wrk = place.load()
    for number in range(11000, 11010):
        seqshare("replace", place.share, "--size", f"{number // 10}K", "--json", "--from", "-", input=document(number))
        until(lambda number=number: (place.ask() or {}).get("n") == number, "the new share")
    wrk.terminate()
    wrk.wait()
    until(lambda: _all_are(place, 11009), "all workers have followed")
    pathlib.Path(place.share).unlink()
    place.all_say(11009)
    seqshare("create", place.share, "--size", "1M", "--mode", "644", "--json", "--from", "-", input=document(12000))
    until(lambda: _all_are(place, 12000), "all workers have followed")


def _all_are(place, number):
    return all((place.ask() or {}).get("n") == number for _ in range(3 * WORKERS))


def a_share_that_the_workers_may_not_read(place):
    if os.getuid() != 0:
        return
    seqshare("rm", place.share)
    seqshare("create", place.share, "--size", "1M", "--mode", "600", "--json", "--from", "-", input=document(13000))
    until(lambda: place.ask() and place.lines("give the file a mode that lets"), "the log says so")
    place.all_say(12000)
    kill_all(place)
    place.all_say(12000)
    os.chmod(place.share, 0o644)
    until(lambda: _all_are(place, 13000), "all workers have followed")
    assert place.lines("the share is there again")


def a_file_that_is_cut(place):
    wrk = place.load()
    whole = pathlib.Path(place.share).read_bytes()
    with open(place.share, "r+b") as file:
        for size in (0, 100, 4096, 4200) * 10:
            file.truncate(size)
            place.all_say(13000, 2)
            file.seek(0)
            file.write(whole)
            file.flush()
    wrk.terminate()
    wrk.wait()
    place.all_say(13000)


def nobody_died(place):
    assert not place.lines("SIGBUS") and not place.lines("SIGSEGV") and not place.lines("SIGABRT"), place.log()
    assert not place.lines("a mixture"), place.log()
    assert place.statuses() <= {"200", "499", "500", "502"}, place.statuses()


def main():
    if not FPM or not shutil.which("nginx") or not shutil.which("wrk"):
        sys.exit("php-fpm, nginx or wrk is missing")
    place = Place(os.path.abspath(sys.argv[1]))
    try:
        seqshare("create", place.share, "--size", "1M", "--mode", "644", "--json", "--from", "-", input=document(1))
        place.start()
        for step in (starts_with_wrong_lines, changes_under_load, workers_end_and_are_killed, fatal_errors_leave_nothing,
                     a_bad_value, nothing_is_inherited_by_programs, replaced_under_load, a_share_that_the_workers_may_not_read, a_file_that_is_cut,
                     nobody_died):  # fmt: skip
            print(step.__name__, f"{time.monotonic() - START:.1f} s", flush=True)
            step(place)
    except BaseException:
        print(place.log()[-13000:])
        raise
    finally:
        place.stop()


START = time.monotonic()
if __name__ == "__main__":
    main()

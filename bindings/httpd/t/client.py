#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that look at each answer. All values of an answer follow from the number in its document: 7 times that
is the limit, odd numbers have the flag, and so on. So an answer that mixes versions shows.

    client.py check  PORT SECONDS VERSIONS  ask for so long, and until there have been so many versions, and ten
                                            times as many answers; the last line says what was seen
    client.py put    PORT FIRST COUNT [END] put documents, and see each one in the next answer; more until END is there
    client.py count  PORT COUNT             add 1 to the number, COUNT times, if nobody else was faster
    client.py slow   PORT OTHER             put a document slowly, while OTHER is put: one request, one version
    client.py half   PORT NUMBER COMMAND    put a document, of which half is there when COMMAND runs
    client.py chunks PORT BYTES             put so many bytes without saying how many there will be
    client.py all    PORT NUMBER SERVER     ask until every child of SERVER has answered, each with that number
"""
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time

PATIENCE = 60
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LOST = (ConnectionError, http.client.HTTPException, TimeoutError, socket.timeout)


def document(number):
    return json.dumps({"number": number, "limit": 7 * number, "flag": number % 2 == 1, "text": f"Text {number}",
                       "padding": [number] * 300})


class Server:
    """One connection, made again if it breaks."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def connected(self):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            self.connection.connect()
        return self.connection

    def ask(self, method, path, body=None, headers=None):
        try:
            self.connected().request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            answer.text = answer.read().decode()
        except LOST:
            self.connection.close()
            self.connection = None
            raise
        if answer.will_close:
            self.connection.close()
            self.connection = None
        return answer


def number_of(answer):
    """The number, if all that the answer says is about it; else None."""
    number = int(answer.headers["X-Early"])
    good = (
        answer.headers["X-Late"] == str(number)
        and answer.headers["X-Limit"] == str(7 * number)
        and answer.headers["X-Ahead"] in ("(null)", str(number))
        and answer.headers["X-Text"] == f"Text {number}"
        and (answer.headers["X-Flag"] == "on") == (number % 2 == 1)
    )
    if answer.headers.get_content_type() == "text/html" and answer.text.startswith(tuple("0123456789")):
        good = good and answer.text.split() == [str(number), str(7 * number), "Text", str(number)]
    return number if good else None


def version_of(answer):
    return int(answer.headers["X-Version"])


def check(port, seconds, wanted):
    server = Server(port)
    seen = {"answers": 0, "mixed": 0, "older": 0, "wrong": 0, "lost": 0}
    versions, pages, connection, newest = set(), 0, None, 0
    end = time.monotonic() + seconds
    paths = {"/index.html": 200, "/page.shtml": 200, "/redirected": 403}
    while time.monotonic() < end or (
            min(len(versions), seen["answers"] // 10) < wanted and time.monotonic() < end + PATIENCE):
        for path, status in paths.items():
            try:
                answer = server.ask("GET", path)
            except LOST:  # its child was killed
                seen["lost"] += 1
                continue
            seen["answers"] += 1
            pages += answer.text.startswith(tuple("0123456789"))
            if answer.status != status:
                seen["wrong"] += 1
            elif number_of(answer) is None:
                seen["mixed"] += 1
            else:
                # A connection stays with its child.
                known = connection is not None and server.connection is connection
                seen["older"] += known and version_of(answer) < newest
                connection, newest = server.connection, version_of(answer)
                versions.add(newest)
    seen["versions"], seen["pages"] = len(versions), pages
    print(json.dumps(seen))
    return 0


def put(port, first, count, end=None):
    """"older": answers that were asked for after a document had been put, and did not know it yet."""
    server = Server(port)
    done = lost = older = 0
    while done < count or (end and not os.path.exists(end)):
        number = first + done
        try:
            answer = server.ask("PUT", "/document", document(number))
            if answer.status != 204:
                print(f"PUT was answered {answer.status}: {answer.text}")
                return 1
            version = int(re.match(r'"([0-9]+)-', answer.headers["ETag"]).group(1))
            done += 1
            older += version_of(server.ask("GET", "/index.html")) < version
        except LOST:
            lost += 1
            if lost > 1000:
                print("nobody answers")
                return 1
            time.sleep(0.05)
        time.sleep(0.005)
    print(json.dumps({"put": done, "older": older, "lost": lost}))
    return 0


def count(port, times):
    server = Server(port)
    done = stale = 0
    while done < times:
        answer = server.ask("GET", "/document")
        changed = document(json.loads(answer.text)["number"] + 1)
        answer = server.ask("PUT", "/document", changed, {"If-Match": answer.headers["ETag"]})
        if answer.status == 204:
            done += 1
        elif answer.status == 412:
            stale += 1
        else:
            print(f"PUT was answered {answer.status}: {answer.text}")
            return 1
    print(json.dumps({"done": done, "stale": stale}))
    return 0


def slow(port, other):
    server, mine = Server(port), document(other + 1).encode()
    before = server.ask("GET", "/index.html")
    connection = server.connected()
    connection.putrequest("PUT", "/document")
    connection.putheader("Content-Length", str(len(mine)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    begun = connection.sock.recv(len(CONTINUE)) == CONTINUE  # its body is waited for
    another = Server(port).ask("PUT", "/document", document(other))
    connection.send(mine)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    after = server.ask("GET", "/index.html")
    print(before.headers["X-Early"], another.status, answer.status, number_of(answer), number_of(after))
    good = (begun and another.status == 204 and answer.status == 204 and version_of(answer) == version_of(before)
            and number_of(answer) == int(before.headers["X-Early"]) and number_of(after) == other + 1)
    return 0 if good else 1


def half(port, number, command):
    body = document(number).encode()
    connection = Server(port).connected()
    connection.putrequest("PUT", "/document")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    if connection.sock.recv(len(CONTINUE)) != CONTINUE:
        return 1
    connection.send(body[: len(body) // 2])
    subprocess.run(["sh", "-ec", command], check=True)
    connection.send(body[len(body) // 2 :])
    print(connection.getresponse().status)
    return 0


def chunks(port, size):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as stream:
        stream.sendall(b"PUT /document HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(0, size, 0x1000):
                stream.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
            stream.sendall(b"0\r\n\r\n")
        except ConnectionError:
            pass
        answer = http.client.HTTPResponse(stream)
        answer.begin()
        print(answer.status)
    return 0


def children_of(server):
    return set(subprocess.run(["pgrep", "-P", str(server)], capture_output=True, text=True).stdout.split())


def all_say(port, number, parent):
    """Which child gets a connection is not ours to choose. What it says of itself on the same one tells which it was."""
    answered, end = set(), time.monotonic() + PATIENCE
    while not answered or not children_of(parent) <= answered:
        if time.monotonic() > end:
            print(f"only {answered} of {children_of(parent)} have answered")
            return 1
        server = Server(port)
        try:
            got = server.ask("GET", "/index.html").headers["X-Late"]
            connection = server.connection
            child = str(json.loads(server.ask("GET", "/status").text)["this_process"]["pid"])
        except LOST:  # the child ended
            time.sleep(0.05)
            continue
        if server.connection is connection:
            answered.add(child)
            connection.close()
        if got != str(number):
            print(f"wanted: {number}\ngot:    {got} from {child}")
            return 1
    return 0


def main():
    commands = {"check": check, "put": put, "count": count, "slow": slow, "half": half, "chunks": chunks, "all": all_say}
    return commands[sys.argv[1]](*(int(one) if one.isdigit() else one for one in sys.argv[2:]))


sys.exit(main())

# SPDX-License-Identifier: MIT
"""The source HTTP(S), and what else may answer in etcd's place: one function for each thing that must hold."""
import gzip
import http.server
import os
import socket
import socketserver
import ssl
import struct
import threading
import time

from kit import Failure, Source, main
from etcd import authority, certificate, no_secret_in, secret


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A server whose answer is a function of the test's own; it remembers the requests."""

    daemon_threads = True

    def __init__(self, answer, tls=None):
        server = self
        self.answer, self.seen = answer, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.seen.append((self.path, dict(self.headers)))
                try:
                    server.answer(self)
                except (ConnectionError, ssl.SSLError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass


def send(handler, status, body=b"", **headers):
    handler.send_response(status)
    for name, value in {"content_length": len(body), **headers}.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def document(body, etag=None):
    """An answer with an ETag, and 304 where the ETag is known."""

    def answer(handler):
        if etag and handler.headers.get("if-none-match") == etag:
            send(handler, 304, etag=etag, content_length=None)
        else:
            send(handler, 200, body, etag=etag)

    return answer


def source_of(path, server, where="/x.json", name=None, **keys):
    if name:
        path = os.path.join(path, name)
        os.mkdir(path)
    return Source(path, f"http://127.0.0.1:{server.port}{where}", **{"form": "json", "interval": "1s", **keys})


def documents(path):
    """the document, its changes, 304, the same ETag with another body, none, and there again"""
    server = Server(document(b'{"a":1}', '"one"'))
    source = source_of(path, server)
    source.expect(r'has =\{"a":1\} ')
    source.expect("proven")
    if server.seen[-1][1].get("if-none-match") != '"one"':
        raise Failure("the ETag was not sent")
    server.answer = document(b'{"a":2}', 'W/"two"')
    source.expect(r'has =\{"a":2\} ')
    server.answer = lambda handler: send(handler, 200, b'{"a":3}', etag='W/"two"')
    source.expect(r'has =\{"a":3\} ')
    source.expect("proven")
    for status in (404, 410, 204):
        server.answer = lambda handler, status=status: send(handler, status, content_length=0 if status != 204 else None)
        source.expect(r"has \(0\)")
        source.expect("proven")
        server.answer = document(b'{"a":4}')
        source.expect(r'has =\{"a":4\} ')
    server.answer = lambda handler: send(handler, 200)
    source.expect(r"has \(0\)")
    source.never("away|refused")


def redirects(path):
    """redirects: five to the same place are followed; a sixth, another port and another scheme are not"""

    def chain(last):
        def answer(handler):
            n = int(handler.path.split("/")[-1] or 0) if handler.path != "/x.json" else 0
            if n == last:
                send(handler, 200, b"1")
            else:
                send(handler, 302, location=f"/hop/{n + 1}")

        return answer

    server = Server(chain(5))
    source_of(path, server, name="five").expect("has =1 ")
    server = Server(chain(6))
    source_of(path, server, name="six").expect("away .*more than 5 redirects")
    other = Server(document(b"2"))
    for name, place in (("port", f"http://127.0.0.1:{other.port}/x.json"), ("scheme", "https://127.0.0.1/x.json"),
                        ("host", "http://localhost/x.json"), ("file", "file:///etc/passwd")):
        server = Server(lambda handler, place=place: send(handler, 301, location=place))
        source_of(path, server, name=name, user="u", password_file=secret(path, "marked")).expect("away .*redirect to another")
    if other.seen:
        raise Failure("it went to another place")


def cut(path):
    """a body that is cut short, or that does not say how long it is, is not a body"""

    def short(handler):
        send(handler, 200, b'{"a":', content_length=100)
        handler.close_connection = True

    def chunk(handler):
        send(handler, 200, b"5\r\n{\"a\":\r\n", content_length=None, transfer_encoding="chunked")
        handler.close_connection = True

    def open_end(handler):
        send(handler, 200, b'{"a":1', content_length=None, connection="close")
        handler.close_connection = True

    for name, answer in (("short", short), ("chunk", chunk), ("open", open_end)):
        source = source_of(path, Server(answer), name=name)
        source.expect("away")
        source.never("listed")


def high_water(source):
    """The most memory that it had, in MiB."""
    with open(f"/proc/{source.process.child.pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


def bombs(path):
    """a body of a gigabyte, headers without end: refused in bounded memory; a packed body, which may be a bomb, too"""

    def gigabyte(handler):
        send(handler, 200, content_length=1 << 30)
        for _ in range(1 << 14):
            handler.wfile.write(b" " * (1 << 16))

    packed = gzip.compress(bytes(1 << 26))

    def endless(handler):
        send(handler, 200, content_length=None, transfer_encoding="chunked")
        while True:
            handler.wfile.write(b"10000\r\n" + b" " * (1 << 16) + b"\r\n")

    def headers(handler):
        handler.send_response(200)
        while True:
            handler.wfile.write(b"x-y: " + b"z" * 60000 + b"\r\n")

    cases = (("gigabyte", gigabyte, "refused"), ("endless", endless, "refused"), ("headers", headers, "away"),
             ("bomb", lambda handler: send(handler, 200, packed, content_encoding="gzip"), "away .*packed"),
             ("zstd", lambda handler: send(handler, 200, b"(\xb5/\xfd", content_encoding="zstd"), "away .*packed"))
    for name, answer, word in cases:
        source = source_of(path, Server(answer), name=name, max_size="64k")
        source.expect(word)
        source.never("listed")
        if high_water(source) > 100 and "SANITIZED" not in os.environ:
            raise Failure(f"{name}: it needed {high_water(source)} MiB")
        source.process.kill()


def statuses(path):
    """other answers are not a document: errors, a 304 that nobody asked for; Retry-After is kept, up to an hour"""
    for status in (500, 401, 403, 206, 300, 304):
        source = source_of(path, Server(lambda handler, status=status: send(handler, status, b"<html>secret-page</html>"
                                                                            if status != 304 else b"",
                                                                            content_length=0 if status == 304 else 24)),
                           name=str(status))
        source.expect(f"away 0 .*{status}")
        source.never("listed|secret-page")
    for said, kept in ((7200, 3600000), (120, 120000)):
        server = Server(lambda handler, said=said: send(handler, 503, retry_after=said))
        source_of(path, server, name=f"after{said}").expect(rf"away {kept} .*503")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        os.mkdir(f"{path}/refuses")
        Source(f"{path}/refuses", f"http://127.0.0.1:{silent.getsockname()[1]}/x", form="json").expect("away")


def slow(path):
    """an answer that comes byte by byte, or never: given up after 30 s"""

    def drip(handler):
        send(handler, 200, content_length=1000)
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.5)

    one = source_of(path, Server(drip), name="drip")
    two = source_of(path, Server(lambda handler: time.sleep(1000)), name="never")
    one.expect("away .*no whole answer within 30 s")
    two.expect("away .*no whole answer within 30 s")


def secrets(path):
    """user and password, and a token, reach the server, and no log"""
    server = Server(document(b"1"))
    source = source_of(path, server, name="basic", user="agent", password_file=secret(path, "marked-word"))
    source.expect("has =1")
    if not server.seen[0][1].get("Authorization", "").startswith("Basic "):
        raise Failure("no password came")
    no_secret_in(f"{path}/basic", "marked-word")
    source = source_of(path, server, name="bearer", token_file=secret(path, "marked-token"))
    source.expect("has =1")
    if server.seen[-1][1].get("authorization") != "Bearer marked-token":
        raise Failure("no token came")
    no_secret_in(f"{path}/bearer", "marked-token")


def proxies(path):
    """a proxy of the environment is used, and looks the name up itself; a secret over plain HTTP does not go there"""
    proxy, server = Server(document(b'"by the proxy"')), Server(document(b'"direct"'))
    os.environ["http_proxy"] = f"http://127.0.0.1:{proxy.port}"
    try:
        os.mkdir(f"{path}/proxy")
        Source(f"{path}/proxy", "http://nowhere.invalid:80/x", form="json").expect("by the proxy")
        if proxy.seen[0][0] != "http://nowhere.invalid/x" and proxy.seen[0][0] != "http://nowhere.invalid:80/x":
            raise Failure(f"the proxy was asked for {proxy.seen[0][0]}")
        source_of(path, server, name="direct", user="u", password_file=secret(path, "marked")).expect("direct")
        if len(proxy.seen) != 1:
            raise Failure("the secret went to the proxy")
    finally:
        del os.environ["http_proxy"]


def https(path):
    """over TLS: a document, also with a client's certificate; another CA, another name, an old TLS are refused"""
    authority(path, "ca")
    authority(path, "strangers")
    certificate(path, "ca", "server", "server", "IP:127.0.0.1")
    certificate(path, "ca", "agent", "agent", "DNS:agent")

    def context(**options):
        one = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        one.load_cert_chain(f"{path}/server.crt", f"{path}/server.key")
        one.load_verify_locations(f"{path}/ca.crt")
        for key, value in options.items():
            setattr(one, key, value)
        return one

    def ask(server, name, host="127.0.0.1", **keys):
        os.mkdir(f"{path}/{name}")
        return Source(f"{path}/{name}", f"https://{host}:{server.port}/x", form="json", **keys)

    server = Server(document(b"1"), context(verify_mode=ssl.CERT_REQUIRED))
    ask(server, "fine", tls_ca=f"{path}/ca.crt", tls_cert=f"{path}/agent.crt", tls_key=f"{path}/agent.key").expect("has =1")
    ask(server, "none", tls_ca=f"{path}/ca.crt").expect("away")
    server = Server(document(b"1"), context())
    for name, host, ca in (("ca", "127.0.0.1", f"{path}/strangers.crt"), ("host", "localhost", f"{path}/ca.crt")):
        source = ask(server, name, host=host, tls_ca=ca)
        source.expect("away .*(SSL|certificate|subject name)")
        source.never("listed")
    if server.seen:
        raise Failure("a request was sent to a stranger")
    old = context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    ask(Server(document(b"1"), old), "old", tls_ca=f"{path}/ca.crt").expect("away .*(SSL|TLS|protocol)")


# ---- what may stand where etcd was expected ----


class Raw(socketserver.ThreadingTCPServer):
    """A server that answers with a function on the bare connection."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, talk):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    talk(self.request)
                except OSError:
                    pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def frame(kind, flags, stream, payload=b""):
    """A frame of HTTP/2."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def headers(*pairs):
    """HPACK, the plainest way: literals that are not indexed and not packed."""
    return b"".join(b"\0" + bytes([len(n)]) + n.encode() + bytes([len(v)]) + v.encode() for n, v in pairs)


def http2(answers):
    """Answer the streams of a connection, one after the other, each with frames that a function makes of its number."""

    def exactly(connection, size):
        data = b""
        while len(data) < size:
            piece = connection.recv(size - len(data))
            if not piece:
                raise OSError
            data += piece
        return data

    def talk(connection):
        exactly(connection, 24)
        connection.sendall(frame(4, 0, 0))
        waiting = list(answers)
        answered = set()
        while True:
            head = exactly(connection, 9)
            exactly(connection, int.from_bytes(head[:3], "big"))
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            if kind == 4 and not flags & 1:
                connection.sendall(frame(4, 1, 0))
            if kind == 0 and stream not in answered and waiting:  # its message
                answered.add(stream)
                for piece in waiting.pop(0)(stream):
                    connection.sendall(piece)

    return talk


GRPC = headers((":status", "200"), ("content-type", "application/grpc"))


def grpc(*bodies, status="0", end=True):
    def answer(stream):
        yield frame(1, 4, stream, GRPC)
        for body in bodies:
            for at in range(0, len(body), 16000):
                yield frame(0, 0, stream, body[at:at + 16000])
        if end:
            yield frame(1, 5, stream, headers(("grpc-status", status)))

    return answer


def field(number, value):
    """A field of protobuf: a number or bytes."""
    def varint(n):
        out = b""
        while True:
            out += bytes([n & 127 | (128 if n > 127 else 0)])
            n >>= 7
            if not n:
                return out

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(body):
    return struct.pack(">BI", 0, len(body)) + body


HEADER = field(1, field(3, 5) + field(4, 2))  # revision 5, term 2


def listing(*kvs):
    return message(HEADER + b"".join(field(2, field(1, key) + field(3, revision) + field(5, value))
                                     for key, value, revision in kvs))


ONE = listing((b"/shop/a", b"1", 5))


def watch_of(*events, more=b""):
    return message(HEADER + b"".join(field(11, field(1, kind) + field(2, field(1, key) + field(3, revision) + field(5, b"v")))
                                     for kind, key, revision in events) + more)


CREATED = message(HEADER + field(3, 1))


def not_etcd(path):
    """where etcd was expected: HTTP/1, an error page, noise, an end, silence; each is said, and left"""

    def page(status, kind):
        def answer(stream):
            yield frame(1, 4, stream, headers((":status", status), ("content-type", kind)))
            yield frame(0, 1, stream, b"<html>marked-word</html>")

        return answer

    cases = {
        "http1": lambda c: (c.recv(100), c.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), c.recv(100)),
        "noise": lambda c: (c.recv(100), c.sendall(bytes(range(256)) * 40), c.recv(100)),
        "end": lambda c: c.recv(10),
        "page": http2([page("200", "text/html")]),
        "error": http2([page("502", "text/html")]),
        "redirect": http2([page("302", "application/grpc")]),
    }
    for name, talk in cases.items():
        os.mkdir(f"{path}/{name}")
        source = Source(f"{path}/{name}", f"etcd://127.0.0.1:{Raw(talk).port}/shop/")
        source.expect("away")
        source.expect("away")
        source.never("listed|marked-word")


def hostile_reads(path):
    """answers to a read that no etcd gives: each is said, none is taken, in bounded memory"""
    cases = {
        "compressed": grpc(struct.pack(">BI", 1, 4) + b"1234"),
        "long": grpc(struct.pack(">BI", 0, 0xFFFFFFFF) + b"1234", end=False),
        "cut": grpc(ONE[:-2]),
        "none": grpc(),
        "twice": grpc(ONE, ONE),
        "noise": grpc(message(bytes(range(256)))),
        "outside": grpc(listing((b"/elsewhere/a", b"1", 5))),
        "short": grpc(listing((b"/sh", b"1", 5))),
        "no_header": grpc(message(field(2, field(1, b"/shop/a") + field(3, 5)))),
        "no_revision": grpc(listing((b"/shop/a", b"1", 0))),
        "more": grpc(message(HEADER + field(3, 1))),
        "many": grpc(message(HEADER + field(2, b"") * 1500000)),
        "status": grpc(ONE, status="99999"),
    }
    for name, answer in cases.items():
        os.mkdir(f"{path}/{name}")
        source = Source(f"{path}/{name}", f"etcd://127.0.0.1:{Raw(http2([answer])).port}/shop/", max_size="64k")
        source.expect("away|refused")
        source.never("listed")
        if high_water(source) > 100 and "SANITIZED" not in os.environ:
            raise Failure(f"{name}: it needed {high_water(source)} MiB")
        source.process.kill()


def hostile_watch(path):
    """events that no etcd sends: each is said, none is taken, in bounded memory"""

    def endless(stream):
        yield frame(1, 4, stream, GRPC)
        body = message(HEADER + field(7, 1) + field(11, field(2, field(1, b"/shop/a") + field(3, 9) + field(5, b"v" * 15000))))
        while True:
            yield frame(0, 0, stream, body)

    cases = {
        "outside": (grpc(CREATED, watch_of((0, b"/elsewhere", 6)), end=False), "away"),
        "kind": (grpc(CREATED, watch_of((7, b"/shop/a", 6)), end=False), "away"),
        "order": (grpc(CREATED, watch_of((0, b"/shop/a", 9), (0, b"/shop/b", 6)), end=False), "away"),
        "noise": (grpc(CREATED, message(b"\xff" * 50), end=False), "away"),
        "cancel": (grpc(message(HEADER + field(3, 1) + field(4, 1) + field(6, b"marked-word \x1b[2J")), end=False), "away"),
        "ended": (grpc(CREATED, status="14"), "away"),
        "endless": (endless, "lost 0 more changes"),
        "old": (grpc(CREATED, watch_of((0, b"/shop/a", 4), (0, b"/shop/b", 3 + 1)), end=False), "contact"),
    }
    for name, (answer, word) in cases.items():
        os.mkdir(f"{path}/{name}")
        source = Source(f"{path}/{name}", f"etcd://127.0.0.1:{Raw(http2([grpc(ONE), answer])).port}/shop/", max_size="64k")
        source.expect(r"has a=1 \(1\)")
        source.expect(word)
        source.never("changed|marked-word")
        if high_water(source) > 100 and "SANITIZED" not in os.environ:
            raise Failure(f"{name}: it needed {high_water(source)} MiB")
        source.process.kill()


SCENARIOS = [slow, documents, redirects, cut, bombs, statuses, secrets, proxies, https, not_etcd, hostile_reads,
             hostile_watch]

if __name__ == "__main__":
    main({one.__name__: one for one in SCENARIOS})

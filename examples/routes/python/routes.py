# SPDX-License-Identifier: MIT
"""A table of routes by a codec of its own: each process makes an object of it once per version.

For the path that it is given, prints the server, and again whenever that changes.
"""
import sys
import time

import seqshare


class Routes(seqshare.Codec):
    name = "routes"

    def encode(self, routes):
        return "".join(f"{prefix} {server}\n" for prefix, server in routes).encode()

    def decode(self, data):
        pairs = [line.split() for line in data.decode().splitlines()]
        if not all(len(pair) == 2 for pair in pairs):
            raise ValueError("a line must have a prefix and a server")
        return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def server_of(path):
    return next((server for prefix, server in config.snapshot() if path.startswith(prefix)), "nobody")


config = seqshare.open("routes", write=False, codec=Routes())
last = None
while True:
    server = server_of(sys.argv[1])
    if server != last:
        print(server, flush=True)
    last = server
    time.sleep(0.1)  # here, a request arrives

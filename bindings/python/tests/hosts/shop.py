# SPDX-License-Identifier: MIT
"""The application that all servers run: WSGI as `application`, ASGI as `asynchronous`."""

import json
import os

import seqshare

config = seqshare.open(os.environ["SHOP_CONFIG"], write=False)


def _answer():
    document = config.snapshot()
    return json.dumps({"n": document["n"], "pid": os.getpid(), "list": len(document["list"])}).encode()


def application(environ, start_response):
    body = _answer()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


async def asynchronous(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = _answer()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})

# SPDX-License-Identifier: MIT
"""An ASGI application that does something at each change, without polling."""
import asyncio
import os

import seqshare

config = seqshare.open(os.environ.get("SHOP_CONFIG", "shop"), write=False)
greeting = b"light"


async def follow():
    global greeting
    async for _ in config.changes(since=0):
        greeting = b"dark" if config.snapshot()["flags"]["dark"] else b"light"


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        task = asyncio.create_task(follow())
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        task.cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": greeting})

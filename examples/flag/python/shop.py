# SPDX-License-Identifier: MIT
"""A WSGI application that looks at a flag on every request: for gunicorn, and for uWSGI."""
import os

import seqshare

config = seqshare.open(os.environ.get("SHOP_CONFIG", "shop"), write=False)


def application(environ, start_response):
    document = config.snapshot()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"dark" if document["flags"]["dark"] else b"light"]

# SPDX-License-Identifier: MIT
"""Python: the package seqshare."""

import json
import logging
import sys

from protocol import serve

import seqshare

logging.disable()
share = seqshare.open(sys.argv[1])


def publish(text):
    share.set(json.loads(text.decode()))  # of bytes, it would skip a byte order mark


def snapshot():
    return share.version, json.dumps(share.snapshot(mutable=True)).encode()


serve([], publish, snapshot)

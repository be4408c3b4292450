# SPDX-License-Identifier: MIT
"""What the fuzzer begins with: sound answers of etcd, a file each: seeds.py FOLDER."""
import os
import sys

os.environ.setdefault("FEED_WORK", "")
os.environ.setdefault("FEED_SOURCE", "")
from web import CREATED, HEADER, ONE, field, listing, message, watch_of  # pylint: disable=wrong-import-position

SEEDS = {
    "list": b"\0\x20" + ONE,
    "several": b"\0\x03" + listing((b"/shop/a", b"1", 3), (b"/shop/b", b"2", 7), (b"/shop/c", b"", 9)),
    "one": b"\2\xff" + listing((b"/shop/a", b"1", 3)),
    "watch": b"\1\x10" + CREATED + watch_of((0, b"/shop/a", 8), (1, b"/shop/b", 8)) + watch_of((0, b"/shop/c", 9)),
    "fragments": b"\1\x07" + watch_of((0, b"/shop/a", 8), more=field(7, 1)) + watch_of((0, b"/shop/b", 8)),
    "cancel": b"\1\x40" + message(HEADER + field(4, 1) + field(5, 12) + field(6, b"compacted")),
}

for name, data in SEEDS.items():
    with open(os.path.join(sys.argv[1], name), "wb") as out:
        out.write(data)

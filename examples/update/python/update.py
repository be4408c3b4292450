# SPDX-License-Identifier: MIT
"""Read, modify, write: sells PIECES, one by one. update.py [PIECES]"""
import sys

import seqshare

try:
    stock = seqshare.create("stock", 4096, value={"left": 1_000_000, "sold": 0})
except FileExistsError:
    stock = seqshare.open("stock")


def sell_one(document):
    document["left"] -= 1
    document["sold"] += 1


for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 0):
    stock.update(sell_one, timeout=60)
print("{left} left, {sold} sold".format(**stock.snapshot()))

# SPDX-License-Identifier: MIT
"""Shows the value of a share that a feed keeps, and how fresh it is: fresh.py NAME"""
import sys

import seqshare

config = seqshare.open(sys.argv[1], write=False, any_owner=True)
print(config.snapshot(mutable=True))
feed = config.feed()
if feed is None:
    print("no feed keeps it")
elif "stale" in feed.state:
    print(f"stale: for {config.age():.0f} s nobody has known whether the source still has it")
else:
    print("fresh")

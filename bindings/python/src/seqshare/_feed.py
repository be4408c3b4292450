# SPDX-License-Identifier: MIT
"""The state of a feed (seqshare/feed.h): how long ago a value was last known to be what its source has."""

import struct
import time
from typing import NamedTuple, Optional

FORMAT = "QQQqqIII3I"
NAME = "seqshare_feed_1"
WORDS = ("none", "stale", "refused", "held", "pinned", "drifted", "unkept", "unconfirmed")
SIZE = struct.calcsize(FORMAT)


class Feed(NamedTuple):
    """What `seqshare feed` says of a share that it keeps up to date."""

    age: Optional[float]  #: seconds since the value was last known to be the source's; None: never since boot
    state: frozenset  #: words of the feed's status; empty: live. "stale" also when the feed is dead
    version: int  #: of the share, when its value was last the feed's
    revision: int  #: the source's, of that value; 0: not known
    newest: int  #: seen at the source: refused and held ones too


def read(found):
    """From the type's fields, by this process's own clock."""
    version, revision, newest, current, _contact, bits, stale_ms = found[:7]
    age = None if current <= 0 else max(0, time.clock_gettime_ns(time.CLOCK_BOOTTIME) - current) / 1e9
    if age is None or age > stale_ms / 1000:
        bits |= 2
    state = frozenset(word for number, word in enumerate(WORDS) if bits >> number & 1)
    return Feed(age, state, version, revision, newest)

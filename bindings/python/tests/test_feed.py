# SPDX-License-Identifier: MIT
"""The state of a feed, as its status share has it.

Shows: FEED-9.
"""

import os
import time

import pytest

import seqshare
from seqshare import _feed


def _status(path, **members):
    fields = {"version": 3, "revision": 40, "newest": 42, "current": 0, "contact": 0, "bits": 0, "stale_ms": 30000, "pid": 1}
    fields.update(members)
    return seqshare.replace(path + ".feed", 64, type=_feed.FORMAT, type_name=_feed.NAME, value=(*fields.values(), 0, 0, 0))


def test_a_share_without_a_feed(path, share):
    with seqshare.create(path, 100, value=1) as named:
        assert named.feed() is None and named.age() < 3600
    share.set(1)
    assert share.feed() is None


def test_a_feed_that_lives_and_one_that_is_dead(path):
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with seqshare.create(path, 100, value=1) as share:
        _status(path, current=now, bits=4)
        feed = share.feed()
        assert feed.age < 30 and feed.state == {"refused"} and (feed.version, feed.revision, feed.newest) == (3, 40, 42)
        _status(path, current=max(1, now - 40 * 10**9))  # a dead agent writes nothing: the reader's clock tells
        assert share.feed().state == {"stale"} and share.age() >= min(40, now / 1e9 - 1)
        _status(path, current=0, bits=1)
        assert share.feed().age is None and share.feed().state == {"none", "stale"} and share.age() == float("inf")


def test_the_type_is_the_one_of_c():
    assert _feed.SIZE == 64


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_stranger_who_claims_to_be_the_feed(tmp_path):
    common = tmp_path / "common"
    common.mkdir()
    common.chmod(0o1777)
    path = str(common / "share")
    with seqshare.create(path, 100, value=1) as share:
        _status(path, current=1).close()
        os.chown(path + ".feed", 65534, 65534)
        assert share.feed() is None and share.age() < 3600

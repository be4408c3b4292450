# SPDX-License-Identifier: MIT
"""Typed shares: what C reads and writes with SEQSHARE_TYPE(limits, struct limits).

Shows: no promise of its own: what C reads with SEQSHARE_TYPE.
"""

import ctypes

import pytest

import seqshare


class Limits(ctypes.Structure):
    _fields_ = [("rate", ctypes.c_uint32), ("burst", ctypes.c_uint32)]


def test_a_structure(path):
    with seqshare.create(path, 100, type=Limits, type_name="limits", value=Limits(100, 20)) as share:
        mine = share.snapshot()
        assert (mine.rate, mine.burst) == (100, 20)
        mine.rate = 1
        assert share.snapshot().rate == 100 and share.snapshot(mutable=True).rate == 100
        assert share.read().tag == seqshare._codecs.tag_of("limits", 8)


def test_a_format(path):
    with seqshare.create(path, 100, type="II", type_name="limits", value=(100, 20)) as share:
        assert share.snapshot() == (100, 20) and share.snapshot(mutable=True) == [100, 20]
        with seqshare.open(path, type=Limits, type_name="limits") as other:
            assert other.snapshot().burst == 20


def test_another_type_is_an_error(path):
    with seqshare.create(path, 100, type="II", type_name="limits", value=(1, 2)):
        for kind, name in (("III", "limits"), ("II", "other")):
            with seqshare.open(path, type=kind, type_name=name) as other, pytest.raises(ValueError, match="type tag"):
                other.snapshot()


@pytest.mark.parametrize("bad", [{"type": int}, {"type": "II"}, {"type": "", "type_name": "x"}, {"type": "?!", "type_name": "x"}])
def test_bad_types(bad):
    with pytest.raises((TypeError, ValueError, __import__("struct").error)):
        seqshare.new(100, **bad)


def test_a_value_of_another_type_is_refused(path):
    with seqshare.new(100, type=Limits) as share, pytest.raises(TypeError):
        share.set((1, 2))
    with seqshare.new(100, type="II", type_name="x") as share, pytest.raises(Exception):
        share.set((1, "2"))

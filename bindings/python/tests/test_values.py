# SPDX-License-Identifier: MIT
"""What goes in comes out, and nobody can change what all share.

Shows: READ-1, WRITE-3, JSON-1, JSON-2.
"""

import json
import logging
import pickle
from types import MappingProxyType

import pytest

import seqshare
from seqshare import _seqshare

DOCUMENTS = [
    {}, [], "", 0, -1, 2**63, -(2**63), 2**64, 10**300, 1.5, -0.0, 1e308, 5e-324, True, False, None,
    {"": ""}, {"a": {"b": [1, [2, {"c": None}]]}}, "é\n\"\\\t\x01\u2028😀", ["\u0000"], {"ключ": "значение"},
]  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS, ids=repr)
def test_a_document_comes_back(share, document):
    share.set(document)
    assert share.snapshot(mutable=True) == document
    assert json.loads(share.get()) == document
    assert share.version == 1


def test_numbers_keep_their_kind(share):
    share.set_bytes(b"[1, 1.0, 1e2, -0, -0.0, 123456789012345678901]")
    snapshot = share.snapshot()
    assert [type(number) for number in snapshot] == [int, float, float, int, float, int]
    assert str(snapshot[4]) == "-0.0" and snapshot[5] == 123456789012345678901


def test_a_snapshot_is_made_once_a_version(share):
    share.set({"a": 1})
    first = share.snapshot()
    assert share.snapshot() is first
    share.set({"a": 1})
    assert share.snapshot() is not first
    assert share.stat()["decoded"] == 2


def test_a_snapshot_is_for_reading_only(share):
    share.set({"flags": {"dark": True}, "list": [1, {"a": 2}]})
    snapshot = share.snapshot()
    assert type(snapshot) is MappingProxyType and type(snapshot["flags"]) is MappingProxyType
    assert type(snapshot["list"]) is tuple and type(snapshot["list"][1]) is MappingProxyType
    for change in (
        lambda: snapshot.__setitem__("a", 1),
        lambda: snapshot["flags"].__setitem__("dark", False),
        lambda: snapshot["list"].append(1),
    ):
        with pytest.raises((TypeError, AttributeError)):
            change()


def test_a_mutable_copy_is_ones_own(share):
    share.set({"list": [1, {"a": 2}]})
    copy = share.snapshot(mutable=True)
    copy["list"][1]["a"] = 3
    copy["list"].append(4)
    assert share.snapshot(mutable=True) == {"list": [1, {"a": 2}]}
    assert type(copy) is dict and type(copy["list"]) is list


def test_a_snapshot_can_be_published_again(share):
    share.set({"list": [1, {"a": 2}]})
    share.set(share.snapshot())
    share.set({"inside": share.snapshot()})
    assert share.snapshot(mutable=True) == {"inside": {"list": [1, {"a": 2}]}}


def test_a_bad_value_is_told_once_and_the_last_good_one_stays(share, caplog):
    share.set({"good": 1})
    good = share.snapshot()
    share.set_bytes(b'{"bad": NaN}')
    with caplog.at_level(logging.WARNING, "seqshare"):
        assert [share.snapshot() for _ in range(300)] == [good] * 300
    assert len(caplog.records) == 1 and "version 2 is not used: not JSON" in caplog.text
    share.set({"good": 2})
    assert share.snapshot() == {"good": 2}
    assert (share.stat()["decoded"], share.stat()["failed"], share.stat()["failed_version"]) == (2, 1, 2)


def test_where_there_was_no_good_value_the_reason_is_raised(share):
    share.set_bytes(b"[1,")
    for _ in range(3):
        with pytest.raises(ValueError, match="version 1 is not used: not JSON"):
            share.snapshot()


@pytest.mark.parametrize("bad", [b"", b"[1,]", b'"\\ud800"', b'{"a\\u0000": 1}', b"1e999", b"\xff", b"[" * 513 + b"]" * 513])
def test_what_no_language_takes_is_not_taken(share, bad):
    assert _seqshare.check_json(bad)
    share.set_bytes(bad)
    with pytest.raises(ValueError):
        share.snapshot()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {1, 2}, object(), "\ud800", b"bytes", 10**400, {"a\0": 1}])
def test_what_has_no_form_in_json_is_not_published(share, bad):
    share.set(1)
    with pytest.raises((ValueError, TypeError)):
        share.set(bad)
    assert share.version == 1


def test_the_deepest_document(share):
    text = b"[" * 512 + b"]" * 512
    share.set_bytes(text)
    assert json.loads(text) == share.snapshot(mutable=True)
    share.set(share.snapshot())
    assert share.get() == text


def test_the_last_of_two_equal_names_counts(share):
    share.set_bytes(b'{"a": 1, "b": 2, "a": 3}')
    assert share.snapshot() == {"a": 3, "b": 2}


def test_tags_say_who_may_read(share):
    share.set({})
    assert share.read().tag == 0xD86FC7A3
    share.set_bytes(b"{}", _seqshare.tag("perl.JSON", 0))
    assert share.snapshot() == {}
    share.set_bytes(b"{}", _seqshare.tag("limits", 8))
    with pytest.raises(ValueError, match="type tag"):
        seqshare.attach(share.fileno()).snapshot()


def test_bytes(share):
    for data in (b"", b"\0", b"x" * 4096, b"y" * 4097, bytes(range(256)) * 4096):
        share.set_bytes(data)
        assert share.get() == data and share.read().data == data
    share.set_bytes(bytearray(b"array"))
    share.set_bytes(memoryview(b"view"))
    assert share.get() == b"view" and share.version == 7


def test_set_if(share):
    assert share.set_if(0, 1) == 1
    assert share.set_if(1, 2) == 2
    with pytest.raises(seqshare.StaleError) as stale:
        share.set_if(1, 3)
    assert stale.value.version == 2 and share.snapshot() == 2


def test_too_long(share):
    share.set("short")
    with pytest.raises(OSError, match="longer") as error:
        share.set("x" * (1 << 20))
    assert error.value.errno == 90 and share.snapshot() == "short"


def test_nothing_published(share):
    assert share.version == 0
    for ask in (share.snapshot, share.get, share.read, share.age):
        with pytest.raises(seqshare.NoValueError):
            ask()


def test_peek(share):
    share.set_bytes(b"value")
    with share.peek() as view:
        assert view.readonly and bytes(view) == b"value"
    with pytest.raises(ValueError):
        bytes(view)
    with pytest.raises(BlockingIOError, match="overtook"):
        with share.peek() as view:
            share.set_bytes(b"other")
            share.set_bytes(b"value")
    with share.peek() as view:
        share.close()
        assert bytes(view) == b"value"


def test_age_and_stat(share):
    share.set({})
    assert 0 <= share.age() < 3600
    stat = share.stat()
    assert stat["version"] == 1 and stat["capacity"] == 1 << 20 and stat["slots"] == 2 and stat["foreign"] == 0


def test_codecs(path):
    with seqshare.create(path, 1000, codec="raw") as raw:
        raw.set(b"bytes")
        assert raw.snapshot() == b"bytes" and type(raw.snapshot(mutable=True)) is bytearray
    with seqshare.open(path, codec="pickle") as share:
        with pytest.raises(ValueError, match="type tag"):
            share.snapshot()
        share.set({"set": {1, 2}})
        assert share.snapshot() == {"set": {1, 2}}
        with seqshare.open(path) as plain, pytest.raises(ValueError, match="type tag"):
            plain.snapshot()


def test_cbor(path):
    pytest.importorskip("cbor2")
    with seqshare.create(path, 1000, codec="cbor", value={"a": [1, b"x"]}) as share, seqshare.open(path) as reader:
        assert share.snapshot()["a"] == (1, b"x")
        assert reader.snapshot()["a"] == (1, b"x")


def test_a_codec_of_ones_own(path, caplog):
    class Lines(seqshare.Codec):
        name = "test.lines"

        def encode(self, value):
            return "\n".join(value).encode()

        def decode(self, data):
            if data == b"fault":
                raise RuntimeError("a decoder that raises")
            return tuple(data.decode().split("\n"))

    with seqshare.create(path, 1000, codec=Lines(), value=["a", "b"]) as share:
        assert share.snapshot() == ("a", "b")
        share.set_bytes(b"fault")
        assert share.snapshot() == ("a", "b") and "a decoder that raises" in caplog.text


def test_a_decoder_that_is_interrupted_is_asked_again(path, eventually):
    class Interrupted(seqshare.Codec):
        name = "test.interrupted"
        raises = [KeyboardInterrupt, MemoryError, RecursionError]

        def encode(self, value):
            return value

        def decode(self, data):
            if self.raises:
                raise self.raises.pop(0)()
            return data

    with seqshare.create(path, 1000, codec=Interrupted(), value=b"x") as share:
        with pytest.raises(KeyboardInterrupt):
            share.snapshot()
        eventually(lambda: _answers(share))
        assert not Interrupted.raises


def _answers(share):
    try:
        return share.snapshot() == b"x"
    except OSError:
        return False


def test_a_decoder_that_asks_for_itself(path):
    class Inner(seqshare.Codec):
        name = "test.inner"
        share = None
        found = []

        def encode(self, value):
            return value

        def decode(self, data):
            try:
                self.found.append(self.share.snapshot())
            except (OSError, ValueError) as error:
                self.found.append(error)
            with pytest.raises(ValueError):
                self.share.close()
            return data

    codec = Inner()
    with seqshare.create(path, 1000, codec=codec, value=b"1") as share:
        codec.share = share
        assert share.snapshot() == b"1"
        share.set(b"2")
        assert share.snapshot() == b"2" and codec.found[1] == b"1"


def test_pickling_a_share(path):
    with seqshare.create(path, 1000, value=1) as share:
        with pickle.loads(pickle.dumps(share)) as other:
            assert other.snapshot() == 1 and other.writable
    with seqshare.new(1000) as share, pytest.raises(TypeError, match="without a name"):
        pickle.dumps(share)

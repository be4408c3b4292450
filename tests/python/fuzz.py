# SPDX-License-Identifier: MIT
"""A fuzzer's values, types and calls: exceptions are fine, and crashes are not. What is decoded is what json decodes."""

import json
import logging
import sys

import atheris

with atheris.instrument_imports(include=["seqshare"]):
    import seqshare
    from seqshare import _seqshare

logging.disable()
share = seqshare.new(1 << 16)
EXPECTED = (TypeError, ValueError, OSError, OverflowError, RecursionError, AttributeError)
METHODS = [name for name in dir(share) if name not in ("close", "__class__", "wait", "_wait", "_lock", "lock", "drop_write", "changes")]


def value_of(data, depth=0):
    kind = data.ConsumeIntInRange(0, 9)
    if kind == 0:
        return data.ConsumeInt(10)
    if kind == 1:
        return data.ConsumeUnicode(20)
    if kind == 2:
        return data.ConsumeBytes(40)
    if kind == 3:
        return data.ConsumeFloat()
    if kind == 4 and depth < 5:
        return [value_of(data, depth + 1) for _ in range(data.ConsumeIntInRange(0, 3))]
    if kind == 5 and depth < 5:
        return {data.ConsumeUnicode(5): value_of(data, depth + 1) for _ in range(data.ConsumeIntInRange(0, 3))}
    return [None, True, object(), (), share][kind % 5]


def call_something(data):
    name = data.PickValueInList(METHODS)
    arguments = [value_of(data) for _ in range(data.ConsumeIntInRange(0, 3))]
    try:
        member = getattr(share, name)
        if callable(member):
            member(*arguments)
    except EXPECTED:
        pass


def decode(text):
    try:
        found = _seqshare.thaw(_seqshare.decode_json(text))
    except ValueError:
        assert _seqshare.check_json(text) is not None
        return
    assert _seqshare.check_json(text) is None
    assert repr(json.loads(text)) == repr(found)
    share.set_bytes(text)
    assert repr(share.snapshot(mutable=True)) == repr(found)


def one_input(data):
    decode(data)
    provider = atheris.FuzzedDataProvider(data)
    for _ in range(3):
        call_something(provider)


atheris.Setup(sys.argv, one_input)
atheris.Fuzz()

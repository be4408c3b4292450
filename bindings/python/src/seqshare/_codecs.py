# SPDX-License-Identifier: MIT
"""How values become objects and back. The type tag of a value says which codec made it."""

import copy
import ctypes
import json
import struct
from types import MappingProxyType

from . import _seqshare


class Codec:
    """A codec of your own: a name, from which its tag follows, encode and decode.

    `decode` gets the bytes of a value that has this tag, or none. What it returns is shared by everybody in
    this process until the next version: it should be read-only.
    """

    name = ""

    def encode(self, value):
        raise NotImplementedError

    def decode(self, data):
        raise NotImplementedError

    def copy(self, value):
        """What snapshot(mutable=True) gives: the caller's own, to be changed."""
        return copy.deepcopy(thaw(value))

    @property
    def tag(self):
        return tag_of(self.name)

    def accepts(self, tag):
        return tag in (0, self.tag)


def tag_of(name, size=0):
    return _seqshare.tag(name, size)


def freeze(value):
    """Dicts and lists, all the way down, as mappingproxy and tuple."""
    if isinstance(value, dict):
        return MappingProxyType({name: freeze(member) for name, member in value.items()})
    if isinstance(value, set):
        return frozenset(value)
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return tuple(freeze(member) for member in value)
    return value


def thaw(value):
    """The other way: a copy, of dicts and lists."""
    return _seqshare.thaw(value)


def _plain(value):
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class JSON(Codec):
    """The document that every language reads; the library's grammar checks it before it is published."""

    name = "json"
    tags = frozenset((0, tag_of("json"), tag_of("perl.JSON")))

    def encode(self, value):
        text = json.dumps(thaw(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        data = text.encode("utf-8")
        fault = _seqshare.check_json(data)
        if fault is not None:
            raise ValueError(f"not a JSON document: {fault}")
        return data

    def decode(self, data):
        return _seqshare.decode_json(data)

    def copy(self, value):
        return thaw(value)

    def accepts(self, tag):
        return tag in self.tags


class CBOR(Codec):
    """CBOR, by the package cbor2."""

    name = "cbor"
    tags = frozenset((0, tag_of("cbor"), tag_of("perl.CBOR")))

    def __init__(self):
        try:
            import cbor2
        except ImportError as error:
            raise ImportError("the codec cbor needs the package cbor2: pip install cbor2") from error
        self._cbor2 = cbor2

    def encode(self, value):
        return self._cbor2.dumps(thaw(value))

    def decode(self, data):
        return freeze(self._cbor2.loads(data))

    def accepts(self, tag):
        return tag in self.tags


class Pickle(Codec):
    """Python's own objects. A process that may write the share can run code in every reader: ask for it by name only."""

    name = "python.pickle"

    def encode(self, value):
        import pickle

        return pickle.dumps(value, protocol=5)

    def decode(self, data):
        import pickle

        return pickle.loads(data)

    def accepts(self, tag):
        return tag == self.tag  # never bytes of unknown origin


class Raw(Codec):
    """Bytes, as they are."""

    name = "raw"
    tag = 0

    def encode(self, value):
        if isinstance(value, str):
            raise TypeError("the codec raw takes bytes, not str: encode it")
        return bytes(memoryview(value))

    def decode(self, data):
        return data

    def copy(self, value):
        return bytearray(value)

    def accepts(self, tag):
        return True


def _has_pointers(kind):
    if issubclass(kind, ctypes.Array):
        return _has_pointers(kind._type_)
    if issubclass(kind, (ctypes.Structure, ctypes.Union)):
        fields = [field for part in kind.__mro__ for field in vars(part).get("_fields_", ())]
        return any(_has_pointers(field[1]) for field in fields)
    return not issubclass(kind, ctypes._SimpleCData) or kind._type_ in "zZPOX"


class Typed(Codec):
    """A ctypes.Structure, or a format of the module struct: what C reads and writes with SEQSHARE_TYPE."""

    def __init__(self, kind, name=None):
        if isinstance(kind, (str, bytes)):
            self._struct = struct.Struct(kind)
            self.size = self._struct.size
        elif isinstance(kind, type) and issubclass(kind, (ctypes.Structure, ctypes.Union)):
            if _has_pointers(kind):
                raise TypeError(f"{kind.__name__} has pointers, which mean nothing in another process")
            self._struct = None
            self.size = ctypes.sizeof(kind)
            name = name or kind.__name__
        else:
            raise TypeError("a type is a ctypes.Structure or a format of the module struct")
        if not name:
            raise TypeError("the type needs the name that C gives it: type_name=")
        if self.size == 0:
            raise TypeError("a type of no bytes cannot be shared")
        self.kind, self.name = kind, name

    @property
    def tag(self):
        return tag_of(self.name, self.size)

    def accepts(self, tag):
        return tag == self.tag

    def encode(self, value):
        if self._struct:
            return self._struct.pack(*value)
        if not isinstance(value, self.kind):
            raise TypeError(f"expected {self.kind.__name__}, not {type(value).__name__}")
        return bytes(value)

    def decode(self, data):
        if len(data) != self.size:
            raise ValueError(f"the value has {len(data)} bytes, and {self.name} has {self.size}")
        return self._struct.unpack(data) if self._struct else self.kind.from_buffer_copy(data)

    def copy(self, value):
        return list(value) if self._struct else self.kind.from_buffer_copy(value)


_NAMED = {"json": JSON, "cbor": CBOR, "pickle": Pickle, "raw": Raw}


def find(codec):
    """The codec of that name; or your own object, as it is."""
    if isinstance(codec, str):
        if codec not in _NAMED:
            raise ValueError(f"there is no codec {codec!r}: {', '.join(_NAMED)}, or a seqshare.Codec")
        return _NAMED[codec]()
    if not all(hasattr(codec, part) for part in ("name", "tag", "encode", "decode", "accepts", "copy")):
        raise TypeError("a codec is one of the names json, cbor, pickle, raw, or a seqshare.Codec")
    return codec


def name_of(codec):
    """What find takes: the name of a codec of ours, which can be pickled."""
    return next((name for name, kind in _NAMED.items() if type(codec) is kind), codec)


def by_tag(tag):
    """The codec of a value that another language may have made; None: not one that is read unasked."""
    if tag in CBOR.tags and tag != 0:
        return CBOR()
    return None

# SPDX-License-Identifier: MIT
"""Shares: what needs no speed. The rest is in C (ext/)."""

import errno
import logging
import os
from typing import NamedTuple

from . import _codecs, _feed, _seqshare
from ._changes import Changes

_log = logging.getLogger("seqshare")


class NoValueError(OSError):
    """Nothing has been published yet."""


class StaleError(OSError):
    """set_if: the current version is not the expected one: `version`."""

    version = 0


class Reading(NamedTuple):
    """All that one read found; it belongs to one version."""

    data: bytes
    version: int
    tag: int
    published: int  #: nanoseconds since 1970
    writer: int  #: process id, as its PID namespace numbers it


def _nanoseconds(timeout):
    if timeout is None:
        return -1
    if not timeout >= 0:
        raise ValueError("a timeout is a number of seconds from 0, or None")
    return int(min(timeout * 1_000_000_000, 2**62))


class Share(_seqshare.Share):
    """A share: one value, and its versions. Made by open, new, create, replace and attach.

    Every method may be called by several threads at once. A child of fork goes on with the share of its
    parent.
    """

    codec = None
    _View = _seqshare.View
    _label = "a share"
    _watcher = None
    _feed_share = None
    _any_owner = False

    # ---- read ----

    def read(self):
        """The newest value with its version, type tag, time and writer: a Reading."""
        return Reading(*self._read())

    def peek(self):
        """`with share.peek() as view`: a memoryview of the newest value where it lies, without a copy.

        The bytes may change while they are looked at. When the block ends, BlockingIOError says that a
        publisher overtook it, and that what was read must not be believed. What somebody keeps of the view
        stays readable, and changes.
        """
        return _Peek(self)

    def stat(self):
        """What can be seen from outside, without the lock, and how snapshot() fares: a dict."""
        return self._stat()

    def feed(self):
        """What `seqshare feed` says of this share: a Feed; None: no feed keeps it up to date."""
        if self.name is None:
            return None
        if self._feed_share is None:
            try:
                share = open(self.name + ".feed", write=False, type=_feed.FORMAT, type_name=_feed.NAME)
            except (FileNotFoundError, PermissionError):  # or a stranger's, whose word counts for nothing
                return None
            self._feed_share = share
        try:
            return _feed.read(self._feed_share.snapshot())
        except NoValueError:
            return None

    def age(self):
        """Seconds for which nobody has known that the value is the newest.

        With a feed: since the value was last known to be the source's; infinity: never since boot. Without one:
        since the version was published that snapshot() shows.
        """
        feed = self.feed()
        if feed is None:
            return self._age()
        return float("inf") if feed.age is None else feed.age

    # ---- write ----

    def set(self, value):
        """Publish a value: when this returns, every reader in every process finds it.

        A share with a name publishes in the region that the name has; without one, in its own.
        """
        self._set_bytes(self.codec.encode(value), self.codec.tag)

    def set_bytes(self, data, tag=0):
        """Publish bytes as they are. `tag`: their type; 0: untyped."""
        self._set_bytes(_bytes(data), tag)

    def set_if(self, version, value):
        """Publish only over that version (0: nothing published yet); the new version. StaleError otherwise."""
        error, stands = self._set_bytes_if(version, self.codec.encode(value), self.codec.tag)
        if error:
            failure = self._error(error)
            failure.version = stands
            raise failure
        return stands

    def update(self, function, timeout=None):
        """Read, modify and write under the lock.

        `function` gets a copy of the document (None: there is none yet). It changes it, or returns another
        one. What it raises goes on, and nothing is published. Returns what was published.
        """
        with self.lock(timeout) as held:
            document = held.document(None)
            result = function(document)
            if result is None:
                result = document
            held.set(result)
        return result

    def lock(self, timeout=None):
        """`with share.lock() as held`: the writer lock, for this thread. Readers never notice it.

        `timeout` in seconds; after it, TimeoutError. A thread that is killed with the lock loses it to the
        next one that asks: held.recovered is True then.
        """
        return Held(self, _nanoseconds(timeout))

    # ---- wait ----

    def wait(self, seen=None, timeout=None):
        """Sleep until the version differs from `seen` (None: from the newest one): the new version.

        None after `timeout` seconds. Other threads run meanwhile. In an event loop: see changes.
        """
        if seen is None:
            seen = self.version
        return self._wait(seen, _nanoseconds(timeout))

    def changes(self, since=None):
        """`for version in share.changes()`, or `async for`: each newest version, as it appears.

        Those between may be passed over. `since`: the version after which it begins; None: the
        newest one now. `async for` starts one thread for this share and process, which never keeps a program
        from ending.
        """
        return Changes(self, self.version if since is None else since)

    # ---- what the C half asks for ----

    def _decode(self, data, tag):
        if self.codec.accepts(tag):
            return self.codec.decode(data)
        other = _codecs.by_tag(tag) if type(self.codec) is _codecs.JSON else None
        if other is None:
            raise ValueError(f"its type tag is {tag:08x}, and not one that the codec {self.codec.name} reads")
        return other.decode(data)

    def _copy(self, value):
        return self.codec.copy(value)

    def _error(self, number):
        text = _seqshare.strerror(number)
        if number == errno.ENODATA:
            return NoValueError(number, text, self._label)
        if number == errno.ESTALE:
            return StaleError(number, text, self._label)
        return OSError(number, text, self._label)

    def _report(self, text):
        _log.warning("%s: %s; the last good document stays", self._label, text)

    # ---- Python's own manners ----

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def __repr__(self):
        return f"<seqshare.Share {self._label}{', closed' if self.closed else ''}>"

    def __reduce__(self):
        if self.name is None:
            raise TypeError("a share without a name cannot be pickled: fork inherits it, fileno() passes it on")
        if type(self.codec) is _codecs.Typed:
            how = {"type": self.codec.kind, "type_name": self.codec.name}
        else:
            how = {"codec": _codecs.name_of(self.codec)}
        return _open_again, (self.name, self.writable, {"any_owner": self._any_owner, **how})


def _open_again(name, write, how):
    return open(name, write=write, **how)


class _TypedShare(Share):
    """A snapshot of a type is the caller's own: ctypes has no read-only objects."""

    def snapshot(self, mutable=False):
        value = super().snapshot()
        return self.codec.copy(value) if mutable or not isinstance(value, tuple) else value


class Held:
    """The writer lock, between `with share.lock() as held` and the end of the block."""

    recovered = False  #: it was taken over from an owner that died

    def __init__(self, share, nanoseconds):
        self._share, self._nanoseconds, self._held = share, nanoseconds, False

    def __enter__(self):
        self.recovered = bool(self._share._lock(self._nanoseconds))
        self._held = True
        return self

    def __exit__(self, *unused):
        self._held = False
        self._share._unlock()

    def _require(self):
        if not self._held:
            raise ValueError("the lock is held only inside of the with block")
        return self._share

    def document(self, *default):
        """The newest document, the caller's own to change; `default`, if given, where there is none."""
        share = self._require()
        try:
            found = share.read()
        except NoValueError:
            if default:
                return default[0]
            raise
        return share._copy(share._decode(found.data, found.tag))

    def get(self):
        """The bytes of the newest value."""
        return self._require().get()

    def set(self, value):
        """Publish a value."""
        self._require().set(value)

    def set_bytes(self, data, tag=0):
        """Publish bytes as they are."""
        self._require().set_bytes(data, tag)


class _Peek:
    def __init__(self, share):
        self._share = share

    def __enter__(self):
        self._source = self._share._peek()
        self._view = memoryview(self._source)
        return self._view

    def __exit__(self, kind, *unused):
        valid = self._share._valid(self._source)
        try:
            self._view.release()
        except BufferError:  # somebody still uses it, and the memory stays until then
            pass
        del self._source, self._view
        if not valid and kind is None:
            raise BlockingIOError(errno.EAGAIN, "a publisher overtook this view: read again", self._share._label)


def _bytes(data):
    return data if isinstance(data, bytes) else bytes(memoryview(data))


_READ, _WRITE = 1, 2


def _make(how, name, *, write=None, any_owner=False, codec="json", type=None, type_name=None, size=0, slots=2,
          mode=0o600, flags=0, value=None, has_value=False, data=None, fd=-1):  # fmt: skip
    if type is not None:
        codec = _codecs.Typed(type, type_name)
    else:
        codec = _codecs.find(codec)
    share = (_TypedShare if isinstance(codec, _codecs.Typed) else Share)()
    share.codec, share._any_owner = codec, any_owner
    share._label = os.fsdecode(name) if name is not None else "a share without a name"
    tag = 0
    if has_value:
        data, tag = codec.encode(value), codec.tag
    wanted = 0 if write is None else _WRITE if write else _READ
    path = None if name is None else os.fsencode(name)
    in_python = builtin_type(codec) is not _codecs.JSON
    share._set_up(how, path, wanted, any_owner, in_python, size, slots, mode, flags, data, tag, fd)
    return share


builtin_type = type
_UNSET = object()


def open(name, *, write=None, any_owner=False, codec="json", type=None, type_name=None):  # noqa: A001
    """Open a named share: `seqshare.NAME` in /dev/shm, or a path.

    write: True: or fail; False: read-only; None: for writing if this user may. any_owner: trust a region
    that neither root nor this user owns. codec: "json", "cbor", "pickle", "raw", or a seqshare.Codec.
    type: a ctypes.Structure or a format of the module struct, with the name that C's SEQSHARE_TYPE has
    (type_name; a structure's own name otherwise).
    """
    return _make("open", name, write=write, any_owner=any_owner, codec=codec, type=type, type_name=type_name)


def new(size, *, slots=2, codec="json", type=None, type_name=None):
    """An anonymous share: children of fork inherit it. `size`: the most bytes that a value may have; it costs nothing."""
    return _make("new", None, size=size, slots=slots, codec=codec, type=type, type_name=type_name)


def create(name, size, *, mode=0o600, value=_UNSET, codec="json", type=None, type_name=None):
    """Make a named share: with that value if one is given, and exactly that mode. FileExistsError: there is one."""
    return _make("create", name, size=size, mode=mode, codec=codec, type=type, type_name=type_name,
                 value=value, has_value=value is not _UNSET)  # fmt: skip


def replace(name, size, *, mode=0o600, value=_UNSET, keep_mode=False, lose_owner=False, codec="json", type=None,
            type_name=None):  # fmt: skip
    """Take a name over in one step, with its value and version, or with another value; or make it."""
    return _make("replace", name, size=size, mode=mode, flags=(1 if keep_mode else 0) | (2 if lose_owner else 0),
                 codec=codec, type=type, type_name=type_name, value=value,
                 has_value=value is not _UNSET)  # fmt: skip


def attach(fd, *, write=None, any_owner=False, codec="json", type=None, type_name=None):
    """A share by a descriptor of its region, which stays the caller's."""
    return _make("attach", None, fd=fd, write=write, any_owner=any_owner, codec=codec, type=type,
                 type_name=type_name)  # fmt: skip


def unlink(name):
    """Remove a name. Shares that are open go on as they are."""
    number = _seqshare.unlink(os.fsencode(name))
    if number:
        raise OSError(number, _seqshare.strerror(number), os.fsdecode(name))

# SPDX-License-Identifier: MIT
"""Share.changes: for loops that wait in their own thread, and event loops that must not."""

import asyncio
import os
import threading
import time
import weakref


class Changes:
    """An iterator of versions, and an asynchronous one. It ends when the share is closed."""

    def __init__(self, share, seen):
        self._share, self._seen = share, seen
        self._moves = share._moves()

    def __iter__(self):
        return self

    def __next__(self):
        try:
            while not self._is_news():
                self._share._wait(self._seen, -1)
        except ValueError:
            if self._share.closed:
                raise StopIteration from None
            raise
        return self._seen

    def _is_news(self):
        """The versions of a region that took the name over may begin again: a move is news, too."""
        version, moves = self._share.version, self._share._moves()
        if version == 0 or (version, moves) == (self._seen, self._moves):
            return False
        self._seen, self._moves = version, moves
        return True

    def __aiter__(self):
        return self

    async def __anext__(self):
        loop = asyncio.get_running_loop()
        while True:
            if self._share.closed:
                raise StopAsyncIteration
            news = loop.create_future()
            watcher = _watcher_of(self._share)
            watcher.add(loop, news)
            try:
                if self._is_news():  # after the registration: nothing between is missed
                    return self._seen
                await news
            except ValueError:
                if not self._share.closed:
                    raise  # else the loop ends above
            finally:
                watcher.remove(news)


_making = threading.Lock()


def _make_anew():
    """In a child of fork: another thread may have held it, which the child has not."""
    global _making
    _making = threading.Lock()


os.register_at_fork(after_in_child=_make_anew)


def _watcher_of(share):
    """The one thread that waits for this share in this process."""
    with _making:
        watcher = share._watcher
        if watcher is None or watcher.process != os.getpid() or not watcher.begin_or_go_on():
            watcher = share._watcher = _Watcher(share)
            watcher.start()
        return watcher


class _Watcher(threading.Thread):
    """Sleeps in the library half a second at a time. It ends with its share, or a moment after the last listener."""

    def __init__(self, share):
        super().__init__(name="seqshare", daemon=True)
        self.process = os.getpid()
        self._share = weakref.ref(share)
        self._lock = threading.Lock()
        self._listeners = {}
        self._is_ending = False
        self._idle = 0

    def begin_or_go_on(self):
        with self._lock:
            self._idle = 0
            return not self._is_ending and self.is_alive()

    def add(self, loop, news):
        with self._lock:
            self._listeners[news] = loop

    def remove(self, news):
        with self._lock:
            self._listeners.pop(news, None)

    def run(self):
        seen = None
        while True:
            share = self._share()
            if share is None or share.closed:
                break
            try:
                if seen is None:
                    seen = share.version
                version = share._wait(seen, 500_000_000)
            except (OSError, ValueError):
                if share.closed:
                    break
                version = None
                time.sleep(0.5)  # no busy loop, whatever it is
            del share  # between two waits the share may go
            if version is not None:
                seen = version
                self._tell()
            elif self._nobody_listens():
                return
        with self._lock:
            self._is_ending = True
        self._tell()  # they find that the share is closed

    def _nobody_listens(self):
        with self._lock:
            self._idle = 0 if self._listeners else self._idle + 1
            self._is_ending = self._idle > 10
            return self._is_ending

    def _tell(self):
        with self._lock:
            listeners = list(self._listeners.items())
        for news, loop in listeners:
            try:
                loop.call_soon_threadsafe(_wake, news)
            except RuntimeError:  # that event loop has ended
                self.remove(news)


def _wake(news):
    if not news.done():
        news.set_result(None)

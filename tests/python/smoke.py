# SPDX-License-Identifier: MIT
"""The Python extension in a few seconds, without pip: a document, a change by another process, a killed lock holder."""

import os
import signal

import seqshare

share = seqshare.new(1 << 20)
share.set({"flags": {"dark": False}, "list": [1, 2.5, None]})
assert share.snapshot()["list"] == (1, 2.5, None)
if os.fork() == 0:
    share.update(lambda document: {**document, "flags": {"dark": True}})
    share._lock(-1)
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
assert share.snapshot()["flags"]["dark"] is True and share.version == 2
with share.lock() as held:
    assert held.recovered
print("ok")

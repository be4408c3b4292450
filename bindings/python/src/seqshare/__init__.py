# SPDX-License-Identifier: MIT
"""Share hot configuration between processes: a look at a flag on every request costs some ten nanoseconds.

    import seqshare

    config = seqshare.open("shop")                 # before or after fork
    if config.snapshot()["flags"]["dark"]:         # decoded once per version, read-only
        ...
    with config.lock() as held:                    # read, modify, write
        document = held.document()
        document["flags"]["dark"] = False
        held.set(document)

Readers take no lock and write nothing to shared memory; a process that is killed harms nobody. The
command `seqshare`, Apache httpd, Perl, C and others see the same share.

open(), new(), create(), replace() and attach() give a Share. Errors are OSError with the errno of the
library: FileNotFoundError, PermissionError, TimeoutError, and below NoValueError and StaleError.
"""

from ._codecs import Codec
from ._feed import Feed
from ._share import Held, NoValueError, Reading, Share, StaleError
from ._share import attach, create, new, open, replace, unlink  # noqa: A004

__all__ = [
    "Codec", "Feed", "Held", "NoValueError", "Reading", "Share", "StaleError",
    "attach", "create", "new", "open", "replace", "unlink",
]  # fmt: skip

__version__ = "0.1.0"

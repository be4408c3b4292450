# SPDX-License-Identifier: MIT
"""The line protocol, for adapters that are written in Python."""

import sys


def serve(lacks, publish, snapshot):
    """publish(text) raises to refuse; snapshot() gives (version, text), or raises."""
    print("ready", *lacks, flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        try:
            if word == "publish":
                publish(bytes.fromhex(rest[0]) if rest else b"")
                answer = "ok"
            else:
                version, text = snapshot()
                answer = f"ok {version} {text.hex()}"
        except Exception as error:
            reason = str(error).replace("\n", " ") or type(error).__name__
            answer = f"{'refused' if word == 'publish' else 'none'} {reason}"
        print(answer, flush=True)

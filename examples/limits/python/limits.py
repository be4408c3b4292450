# SPDX-License-Identifier: MIT
"""Limits as a struct that C and C++ read too. With two numbers it publishes them, without any it shows them."""
import ctypes
import sys

import seqshare


class limits(ctypes.Structure):  # in C: struct limits, with SEQSHARE_TYPE(limits, struct limits)
    _fields_ = [("requests_per_second", ctypes.c_uint32), ("burst", ctypes.c_uint32)]


def publish(value):
    try:
        seqshare.create("limits", ctypes.sizeof(limits), mode=0o644, type=limits, value=value)
    except FileExistsError:
        seqshare.open("limits", type=limits).set(value)


if len(sys.argv) == 3:
    publish(limits(*map(int, sys.argv[1:])))
now = seqshare.open("limits", write=False, type=limits).snapshot()
print(f"{now.requests_per_second} a second, burst {now.burst}")

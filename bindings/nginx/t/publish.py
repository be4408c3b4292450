#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Publishes documents fast, through the library itself: each follows from its number, as client.py expects.

    publish.py LIBRARY SHARE FIRST COUNT [EVERY]    one about each millisecond; of EVERY so many, one is malformed
"""
import ctypes
import sys
import time



def document(number):
    return b'{"number":%d,"limit":%d,"flag":%s,"text":"Text %d","padding":[%s]}' % (
        number, 7 * number, b"true" if number % 2 else b"false", number, b",".join([b"%d" % number] * 300))


def main():
    library, share = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
    first, count, every = (int(one) for one in (sys.argv[3:] + ["0"])[:3])
    if library.seqshare_open(ctypes.byref(share), sys.argv[2].encode(), 2) != 0:
        sys.exit("cannot open the share")
    for number in range(first, first + count):
        text = b'{"number":' if every and number % every == 0 else document(number)
        if library.seqshare_set(share, text, ctypes.c_size_t(len(text))) != 0:
            sys.exit("cannot publish")
        time.sleep(0.001)


main()

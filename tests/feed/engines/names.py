# SPDX-License-Identifier: MIT
"""A name server: every name has the address 127.0.0.1. It says nothing as long as a file is there: names.py FILE."""
import os
import socket
import struct
import sys


def answer(question):
    """To a question of type A the address; to others that there is none."""
    end = question.index(b"\0", 12) + 5
    is_address = question[end - 4:end - 2] == b"\0\1"
    head = question[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if is_address else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + bytes([127, 0, 0, 1])
    return head + question[12:end] + (record if is_address else b"")


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        question, peer = server.recvfrom(512)
        if not os.path.exists(sys.argv[1]):
            server.sendto(answer(question), peer)


main()

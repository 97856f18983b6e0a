#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A name server with bad manners, over UDP and TCP port 53; for the test of httpd --resolve.

usage: name_server.py ADDRESS    prints "ready", then the address that each PTR question is about

What it answers depends on the last number of the address in 10.9.0.0/24; 2001:db8::1 is well.example as well.
"""
import socket
import struct
import sys
import threading

LABEL = b"a" * 63
ANSWERS = {  # last number: labels of the name
    1: [b"well", b"example"],
    2: [b"<img src=x onerror=alert(1)>"],
    3: ["\u202egpj".encode(), b"example"],
    4: [LABEL, LABEL, LABEL, b"a" * 61],  # 255 bytes on the wire: the longest there is
    5: [b"10", b"0", b"0", b"1"],
    6: [b'quote"', b"example"],
    7: [b"claim", b"example"],  # which leads elsewhere
    12: [b"large", b"example"],
}
WRONG_ID, SILENT, NO_NAME, TRUNCATED, GARBAGE, REFUSED = 8, 9, 10, 12, 13, 14
FORWARD = {b"well.example": "10.9.0.1", b"claim.example": "10.9.0.1", b"large.example": "10.9.0.12"}
PTR, A, AAAA = 12, 1, 28


def wire(labels):
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def question_of(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    kind, = struct.unpack_from("!H", message, at + 1)
    return labels, kind, message[12:at + 5]


def reply(message, question, records=(), flags=0x8180, number=None):
    number = message[:2] if number is None else number
    head = number + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
    return head + question + b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
                                      for kind, data in records)


def answer_ptr(message, labels, question, tcp):
    if labels[0] != b"1" and len(labels) == 34 or len(labels) not in (6, 34):
        return reply(message, question, flags=0x8183)
    last = int(labels[0])
    print("10.9.0.%d" % last if len(labels) == 6 else "2001:db8::%d" % last, flush=True)
    if last == SILENT:
        return None
    if last == NO_NAME:
        return reply(message, question, flags=0x8183)
    if last == REFUSED:
        return reply(message, question, flags=0x8185)
    if last == GARBAGE:
        return message[:2] + b"\x81\x80" + b"\xff" * 40
    if last == WRONG_ID:
        return reply(message, question, [(PTR, wire([b"wrong", b"example"]))], number=bytes(x ^ 0x55 for x in message[:2]))
    if last == TRUNCATED and not tcp:
        return reply(message, question, flags=0x8380)
    return reply(message, question, [(PTR, wire(ANSWERS[last]))])


def answer(message, tcp):
    labels, kind, question = question_of(message)
    if kind == PTR:
        return answer_ptr(message, labels, question, tcp)
    name = b".".join(labels).lower()
    if kind == A and name in FORWARD:
        return reply(message, question, [(A, socket.inet_aton(FORWARD[name]))])
    if kind == AAAA and name == b"well.example":
        return reply(message, question, [(AAAA, socket.inet_pton(socket.AF_INET6, "2001:db8::1"))])
    return reply(message, question, flags=0x8183)


def serve_tcp(listener):
    while True:
        client, _ = listener.accept()
        with client:
            size = client.recv(2, socket.MSG_WAITALL)
            if len(size) == 2:
                out = answer(client.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL), True)
                client.sendall(struct.pack("!H", len(out)) + out)


def main():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((sys.argv[1], 53))
    tcp = socket.create_server((sys.argv[1], 53))
    threading.Thread(target=serve_tcp, args=(tcp,), daemon=True).start()
    print("ready", flush=True)
    while True:
        message, peer = udp.recvfrom(2048)
        out = answer(message, False)
        if out:
            udp.sendto(out, peer)


main()

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Receives that wait as the probe is attached, one a process; says what their calls returned, as movers does.

usage: waiters.py ENDS    ENDS: seen, or unseen where the kernel does not show the ends of such calls (KERNELS.md)

Prints "ready" to stderr when all wait, and goes on when stdin ends. A second receive of each follows, which every kernel
shows. Over loopback.
"""
import json
import os
import socket
import sys

FIRST, SECOND = b"f" * 5000, b"s" * 700
# Name: family, address, type, the call's number on x86-64.
READ, RECVFROM = "0", "45"
WAYS = {
    "TCP recv": (socket.AF_INET, "127.0.0.1", socket.SOCK_STREAM, RECVFROM),
    "TCP read": (socket.AF_INET6, "::1", socket.SOCK_STREAM, READ),
    "UDP recv": (socket.AF_INET, "127.0.0.1", socket.SOCK_DGRAM, RECVFROM),
    "UDP read": (socket.AF_INET6, "::1", socket.SOCK_DGRAM, READ),
}


def pair(family, address, kind):
    """The receiver's socket and the sender's, connected."""
    receiver, sender = socket.socket(family, kind), socket.socket(family, kind)
    receiver.bind((address, 0))
    if kind == socket.SOCK_STREAM:
        receiver.listen()
        sender.connect(receiver.getsockname())
        return receiver.accept()[0], sender
    sender.bind((address, 0))
    sender.connect(receiver.getsockname())
    receiver.connect(sender.getsockname())
    return receiver, sender


def receive(sock, call):
    return len(sock.recv(65536) if call == RECVFROM else os.read(sock.fileno(), 65536))


def waiter(name, ends, sock, call, pipe):
    """Receives twice; says what the probe is to say of it."""
    with open("/proc/self/comm", "w", encoding="utf-8") as f:
        f.write(f"w {name}")
    first = receive(sock, call)
    os.write(pipe, b".")
    second = receive(sock, call)
    seen = ends == "seen"
    stream = sock.type == socket.SOCK_STREAM
    print(json.dumps({
        "way": name, "place": "lo", "pid": os.getpid(), "command": f"w {name}", "uid": os.getuid(),
        "ip_version": 4 if sock.family == socket.AF_INET else 6, "proto": name[:3],
        "remote_ip": sock.getpeername()[0], "remote_port": sock.getpeername()[1], "tx_bytes": 0,
        "rx_bytes": (first if seen or stream else 0) + second, "tx_calls": 0, "rx_calls": 1 + seen}), flush=True)


def until_waiting(pid, call):
    while True:
        with open(f"/proc/{pid}/syscall", encoding="utf-8") as f:
            if f.read().split()[0] == call:
                return


def main():
    children, senders, pipes = [], [], []
    for name, (family, address, kind, call) in WAYS.items():
        receiver, sender = pair(family, address, kind)
        done = os.pipe()
        pid = os.fork()
        if not pid:
            waiter(name, sys.argv[1], receiver, call, done[1])
            os._exit(0)
        until_waiting(pid, call)
        children.append(pid)
        senders.append(sender)
        pipes.append(done[0])
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.read()
    for sender, pipe in zip(senders, pipes):
        sender.sendall(FIRST)
        os.read(pipe, 1)
        sender.sendall(SECOND)
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)


sys.exit(main())

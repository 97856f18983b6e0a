#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Processes that send to themselves and receive as fast as they can, all at once: says what their calls returned.

usage: crowd.py PROCESSES ROUNDS    Prints a line for each process, as movers does. UDP, over loopback.
"""
import json
import os
import socket
import sys


def talk(rounds):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        ip, port = sock.getsockname()
        sock.connect((ip, port))
        sent = received = 0
        for size in range(1, rounds + 1):
            sent += sock.send(b"x" * size)
            received += len(sock.recv(65536))
        with open("/proc/self/comm", encoding="utf-8") as f:
            command = f.read().strip()
    os.write(1, json.dumps({
        "way": "crowd", "place": "lo", "pid": os.getpid(), "command": command, "uid": os.getuid(), "ip_version": 4,
        "proto": "UDP", "remote_ip": ip, "remote_port": port, "tx_bytes": sent, "rx_bytes": received,
        "tx_calls": rounds, "rx_calls": rounds}).encode() + b"\n")


def main():
    pids = []
    for _ in range(int(sys.argv[1])):
        pids.append(os.fork())
        if not pids[-1]:
            talk(int(sys.argv[2]))
            os._exit(0)
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids)


sys.exit(main())

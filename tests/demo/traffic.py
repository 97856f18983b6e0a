#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mixed traffic for the demo: bulk TCP, short TCP connections, UDP, and DNS-like questions, IPv4 and IPv6.

usage: traffic.py serve            prints "ready" once it listens
       traffic.py send ADDRESS...
"""
import os
import random
import selectors
import socket
import struct
import sys
import threading
import time

BULK, SHORT, STREAM, DNS = 5201, 8080, 4500, 53
BULK_BYTES_PER_S = 12_000_000


def serve_connection(conn):
    """Bulk is swallowed; a short request gets its answer."""
    with conn:
        while data := conn.recv(1 << 16):
            if data.startswith(b"GET "):
                conn.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(random.randrange(200, 20000)))
                return


def accept_loop(listener):
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve_connection, args=(conn,), daemon=True).start()


def serve():
    selector = selectors.DefaultSelector()
    for port in (BULK, SHORT):
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
        threading.Thread(target=accept_loop, args=(listener,), daemon=True).start()
    for port in (STREAM, DNS):
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", port))
        selector.register(s, selectors.EVENT_READ, port)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            data, peer = key.fileobj.recvfrom(2048)
            if key.data == DNS:
                key.fileobj.sendto(data + bytes(64), peer)


def bulk(address):
    chunk = bytes(1 << 16)
    with socket.create_connection((address, BULK)) as s:
        began, sent = time.monotonic(), 0
        while True:
            s.sendall(chunk)
            sent += len(chunk)
            ahead = sent / BULK_BYTES_PER_S - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)


def short(address):
    while True:
        with socket.create_connection((address, SHORT)) as s:
            s.sendall(b"GET /%d HTTP/1.0\r\n\r\n" % random.randrange(1000))
            while s.recv(1 << 16):
                pass
        time.sleep(random.uniform(0, 0.02))


def stream(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        while True:
            s.sendto(bytes(random.randrange(60, 1200)), (address, STREAM))
            time.sleep(0.001)


def ask(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            question = struct.pack("!6H", random.getrandbits(16), 0x0100, 1, 0, 0, 0) + b"\5jopil\4test\0\0\1\0\1"
            s.sendto(question, (address, DNS))
            try:
                s.recv(2048)
            except socket.timeout:
                pass
        time.sleep(random.uniform(0, 0.05))


def keep_on(work, address):
    while True:
        try:
            work(address)
        except OSError:
            time.sleep(0.1)  # the other side is going or coming


def main():
    if sys.argv[1:2] == ["serve"]:
        serve()
    elif sys.argv[1:2] == ["send"] and len(sys.argv) > 2:
        for address in sys.argv[2:]:
            for work in (bulk, short, stream, ask):
                threading.Thread(target=keep_on, args=(work, address), daemon=True).start()
        threading.Event().wait()
    else:
        sys.exit(__doc__)


try:
    main()
except KeyboardInterrupt:
    os._exit(0)

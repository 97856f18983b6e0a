#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Event stream and WebSocket clients of httpd, half of them stalled: do the others get every snapshot?

usage: [DURATION=4] [CLIENTS=100] [RATE=10] [SNAPSHOT_BYTES=40000] httpd_clients.py [BUILD]

Starts BUILD/bin/httpd (else $BIN/httpd), feeds it RATE snapshots a second for DURATION seconds, and prints
figures. A new snapshot is fed when its time has come and no reading client is more than LATE_MAX behind, so
that a slow machine makes the test longer, not wrong. Exit 1, with the reason, unless

- every reading client, also those that read only now and then, got every snapshot, whole and in order;
- stalled clients, once they read again, find whole frames only, in order, and the last snapshot at the end;
- what they did not get was counted, and told to each of them;
- the memory of httpd did not grow after the first second.
"""
import base64
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time

DURATION_S = float(os.environ.get("DURATION", 4))
CLIENTS = int(os.environ.get("CLIENTS", 100))
RATE = float(os.environ.get("RATE", 10))
SNAPSHOT_BYTES = int(os.environ.get("SNAPSHOT_BYTES", 40000))
LATE_MAX = 3  # snapshots; httpd remembers 8
DOZE_EVERY = 3  # a dozing client reads at every third snapshot
GROWTH_MAX_KB = 2048
PATIENCE_S = 60  # without any progress: something hangs
WARM_UP_S = 1.0
SMALL_BUFFER = 4096


class Failure(Exception):
    pass


def expect(good, what):
    if not good:
        raise Failure(what)


def snapshot(seq):
    pad = chr(ord("a") + seq % 26) * SNAPSHOT_BYTES
    return b'{"type":"snapshot","seq":%d,"interval_ms":60000,"pad":"%s","end":%d}' % (seq, pad.encode(), seq)


class Client:
    """Reads frames and checks that each is a whole snapshot."""

    def __init__(self, port, kind, stalled=False, dozing=False):
        self.kind, self.stalled, self.dozing = kind, stalled, dozing
        self.seen = []
        self.told = 0  # lost, as it was told
        self.data = bytearray()  # as received
        self.text = bytearray()  # of the event stream, its chunks joined; of a message, so far
        self.s = socket.socket()
        if stalled:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self.s.settimeout(PATIENCE_S)
        self.s.connect(("127.0.0.1", port))
        fields = ["GET /events HTTP/1.1"] if kind == "sse" else [
            "GET /ws HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        self.s.sendall(("\r\n".join(fields + ["Host: localhost"]) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.data:
            self.receive()
        head, _, rest = bytes(self.data).partition(b"\r\n\r\n")
        expect(head.split()[1] in (b"200", b"101"), f"{kind}: {head[:60]}")
        self.data = bytearray(rest)
        self.s.setblocking(False)

    def receive(self):
        chunk = self.s.recv(1 << 20)
        expect(chunk, f"{self.kind}: httpd closed the connection")
        self.data += chunk

    def read(self):
        """All there is now; how many snapshots came."""
        before = len(self.seen)
        while True:
            try:
                self.receive()
            except BlockingIOError:
                break
            self.take_events() if self.kind == "sse" else self.take_frames()
        return len(self.seen) - before

    def take_events(self):
        while (end := self.data.find(b"\r\n")) >= 0:
            length = int(self.data[:end], 16)
            expect(length > 0, "sse: the stream ended")
            if len(self.data) < end + 2 + length + 2:
                break
            self.text += self.data[end + 2:end + 2 + length]
            expect(self.data[end + 2 + length:end + 4 + length] == b"\r\n", "sse: a chunk is torn")
            del self.data[:end + 4 + length]
        while (end := self.text.find(b"\n\n")) >= 0:
            event = bytes(self.text[:end])
            del self.text[:end + 2]
            if event.startswith(b":"):
                continue
            lines = event.split(b"\n")
            if lines[0].startswith(b"retry: "):
                continue
            if lines[0] == b"event: lost":
                self.take_lost(lines[1][len(b"data: "):])
                continue
            expect(len(lines) == 3 and lines[1] == b"event: snapshot", f"sse: {event[:80]}")
            self.take_snapshot(lines[2][len(b"data: "):])

    def take_frames(self):
        while len(self.data) >= 2:
            length, head = self.data[1], 2
            if length == 126:
                length, head = int.from_bytes(self.data[2:4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(self.data[2:10], "big"), 10
            if len(self.data) < head + length:
                break
            first = self.data[0]
            payload = bytes(self.data[head:head + length])
            del self.data[:head + length]
            expect(first in (0x81, 0x01, 0x00, 0x80, 0x89), f"websocket: a frame begins with {first:#x}")
            if first == 0x89:
                continue
            self.text += payload
            if first & 0x80:
                text = bytes(self.text)
                self.text.clear()
                self.take_lost(text) if text.startswith(b'{"type":"lost"') else self.take_snapshot(text)

    def take_lost(self, text):
        self.told += json.loads(text)["frames"]

    def take_snapshot(self, text):
        number = re.match(rb'{"type":"snapshot","seq":(\d+),', text)
        expect(number, f"{self.kind}: {text[:80]}")
        seq = int(number.group(1))
        expect(text == snapshot(seq), f"{self.kind}: snapshot {seq} is torn")
        expect(not self.seen or seq > self.seen[-1], f"{self.kind}: {seq} after {self.seen[-1:]}")
        self.seen.append(seq)

    def last(self):
        return self.seen[-1] if self.seen else 0


class Server:
    def __init__(self, program):
        argv = [program, "--listen", "127.0.0.1:0"] + (["--user", "nobody"] if os.geteuid() == 0 else [])
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stderr.readline().decode()
        expect("listening on" in line, line)
        self.port = int(line.rsplit(":", 1)[1])

    def feed(self, seq):
        self.process.stdin.write(snapshot(seq) + b"\n")
        self.process.stdin.flush()

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stats(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as s:
            s.sendall(b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := s.recv(1 << 20):
                answer += chunk
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])["httpd"]

    def stop(self):
        self.process.terminate()
        said = self.process.communicate(timeout=PATIENCE_S)[1].decode()
        expect(self.process.returncode == 0, f"httpd: exit {self.process.returncode}: {said}")


def run(server, clients):
    """Feeds and reads until every reading client has the last snapshot; number fed, memory at the warm-up."""
    selector = selectors.DefaultSelector()
    reading = [c for c in clients if not c.stalled]
    for c in reading:
        if not c.dozing:
            selector.register(c.s, selectors.EVENT_READ, c)
    began = progress = time.monotonic()
    fed, warm_kb = 0, None
    while True:
        now = time.monotonic()
        slowest = min(c.last() for c in reading)
        if now - began >= DURATION_S and slowest == fed:
            return fed, warm_kb, now - began
        expect(now - progress < PATIENCE_S, f"no progress: {fed} fed, the slowest has {slowest}")
        due = began + fed / RATE
        if now >= due and now - began < DURATION_S and fed - slowest <= LATE_MAX:
            fed += 1
            server.feed(fed)
            progress = now
        if warm_kb is None and now - began >= min(WARM_UP_S, DURATION_S / 2):
            warm_kb = server.rss_kb()
        for key, _ in selector.select(max(0.0, min(due - now, 0.05))):
            if key.data.read():
                progress = time.monotonic()
        for c in reading:
            if c.dozing and (fed - c.last() >= DOZE_EVERY or now - began >= DURATION_S):
                c.read()


def drain(clients, last):
    """Stalled clients read again: they end up at the last snapshot."""
    selector = selectors.DefaultSelector()
    left = {c for c in clients if c.last() < last}
    for c in left:
        selector.register(c.s, selectors.EVENT_READ, c)
    while left:
        ready = selector.select(PATIENCE_S)
        expect(ready, f"{len(left)} stalled clients never get the last snapshot")
        for key, _ in ready:
            key.data.read()
            if key.data.last() == last:
                selector.unregister(key.data.s)
                left.discard(key.data)


def check(server):
    clients = []
    for i in range(CLIENTS):
        stalled = i % 2 == 1
        clients.append(Client(server.port, "sse" if i % 4 < 2 else "ws", stalled, not stalled and i % 10 == 0))
    reading = [c for c in clients if not c.stalled]
    stalled = [c for c in clients if c.stalled]
    fed, warm_kb, seconds = run(server, clients)
    end_kb, cpu_s, stats = server.rss_kb(), server.cpu_s(), server.stats()
    print(f"{fed} snapshots of {len(snapshot(1))} bytes in {seconds:.1f} s; httpd used {cpu_s:.2f} s of a CPU")
    for kind in ("sse", "ws"):
        counts = [len(c.seen) for c in reading if c.kind == kind]
        print(f"{kind}: {len(counts)} reading clients got {min(counts)} to {max(counts)} of {fed}")
    print(f"memory: {warm_kb} kB after the first second, {end_kb} kB at the end")
    print(f"frames_sent {stats['frames_sent']}, frames_lost {stats['frames_lost']}, clients {stats['clients']}")
    expect(all(c.seen == list(range(1, fed + 1)) for c in reading), "a reading client lost a snapshot")
    expect(stats["frames_lost"] > 0, "nobody stalled: give a longer DURATION or larger SNAPSHOT_BYTES")
    expect(end_kb - warm_kb <= GROWTH_MAX_KB, f"httpd grew by {end_kb - warm_kb} kB")
    drain(stalled, fed)
    got, lost = sum(len(c.seen) for c in stalled), server.stats()["frames_lost"]
    print(f"stalled: {len(stalled)} clients, read at the end: {got} whole frames, {lost} counted as lost")
    expect(got + lost == len(stalled) * fed, "what the stalled clients did not get is not what was counted")
    expect(all(len(c.seen) + c.told == fed for c in clients), "a client was not told what it has lost")
    for c in clients:
        c.s.close()


def main():
    build = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else None
    server = Server(os.path.join(build, "bin") + "/httpd" if build else os.environ["BIN"] + "/httpd")
    try:
        check(server)
        server.stop()
    except Failure as failure:
        server.process.kill()
        sys.exit(f"httpd_clients: {failure}")


if __name__ == "__main__":
    main()

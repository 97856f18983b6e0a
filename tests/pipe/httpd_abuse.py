#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that an ill-meaning client can send to httpd, at once with legitimate clients that check every answer.

usage: httpd_abuse.py PORT PID [TOKEN]
[IDLE=600] [ROUNDS=1]: silent connections, and how often all of it is done. With TOKEN: guesses of it, nothing else.
Exit 1, with the reason, unless every attack got the answer that it must get, every legitimate one was right, memory
stayed within bounds and the hits of the limits were counted.
"""
import contextlib
import json
import os
import re
import resource
import socket
import sys
import threading

import httpd_client as client

IDLE = int(os.environ.get("IDLE", 600))
ROUNDS = int(os.environ.get("ROUNDS", 1))
SLOW = 100
GUESSES = 200
RSS_MAX_KB = 128 * 1024 + 80 * IDLE  # beyond the start; a connection has 32 KiB and what ASan puts around it
REFUSED, CLOSED = "400 or the end", "closed without an answer"
FLOWS = "/api/flows?limit=10000"


def ask(port, path, *fields, method="GET", host=None, body=b""):
    """(status, body) of one request."""
    with client.connect(port) as s:
        s.sendall(client.request_text(path, "Connection: close", *fields, method=method, host=host, port=port) + body)
        head, _, rest = client.read_all(s).partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


class Legitimate(threading.Thread):
    """Asks, without a pause, and looks at every answer."""

    def __init__(self, port, *fields):
        super().__init__(daemon=True)
        self.port, self.fields = port, fields
        self.wanted = ask(port, FLOWS, *fields)
        assert self.wanted[0] == 200, self.wanted
        self.answers, self.wrong, self.stopping = 0, None, threading.Event()

    def run(self):
        while not self.stopping.is_set() and not self.wrong:
            try:
                got = ask(self.port, FLOWS, *self.fields)
                self.answers += 1
            except (OSError, IndexError, ValueError) as error:
                got = repr(error)
            if got != self.wanted:
                self.wrong = f"after {self.answers} right answers: {got!r:.300}"

    def finish(self):
        self.stopping.set()
        self.join(60)
        assert not self.wrong, f"a legitimate client: {self.wrong}"
        assert self.answers, "a legitimate client got no answer"


# ---- requests whose end two parsers may see differently -------------------------

def smuggled(port):
    """A second request hides behind each: if it is answered, it got through."""
    head = b"POST /health HTTP/1.1\r\nHost: localhost\r\n"
    hidden = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n"
    for name, fields, body in (
        ("CL.TE", b"Content-Length: 6\r\n" + chunked, b"0\r\n\r\n"),
        ("TE.CL", chunked + b"Content-Length: 3\r\n", b"0\r\n\r\n"),
        ("two TE", chunked + chunked, b"0\r\n\r\n"),
        ("TE list", b"Transfer-Encoding: identity, chunked\r\n", b"0\r\n\r\n"),
        ("TE with a parameter", b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n"),
        ("TE xchunked", b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
        ("TE quoted", b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
        ("TE with a vertical tab", b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
        ("TE with a space before the colon", b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
        ("TE folded", b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
        ("TE behind a bare LF", b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        ("TE behind a bare CR", b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        ("two CL", b"Content-Length: 0\r\nContent-Length: 44\r\n", b""),
        ("CL list", b"Content-Length: 0, 44\r\n", b""),
        ("CL signed", b"Content-Length: +0\r\n", b""),
        ("CL negative", b"Content-Length: -1\r\n", b""),
        ("CL hexadecimal", b"Content-Length: 0x0\r\n", b""),
        ("CL with a space inside", b"Content-Length: 0 44\r\n", b""),
        ("CL empty", b"Content-Length:\r\n", b""),
        ("CL beyond 64 bits", b"Content-Length: 18446744073709551616\r\n", b""),
        ("zero in a field", b"X: a\0b\r\n", b""),
        ("two Hosts", b"Host: evil.example\r\n", b""),
        ("chunk with an extension", chunked, b"1;x=y\r\na\r\n0\r\n\r\n"),
        ("chunk of a giant size", chunked, b"ffffffffffffffffff\r\na\r\n0\r\n\r\n"),
        ("chunk of a negative size", chunked, b"-1\r\na\r\n0\r\n\r\n"),
    ):
        with client.connect(port) as s:
            with contextlib.suppress(OSError):
                s.sendall(head + fields + b"\r\n" + body + hidden)
                s.shutdown(socket.SHUT_WR)
            answer = client.read_all(s)
        statuses = [int(x) for x in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
        assert statuses == [] or min(statuses) >= 400, f"{name}: {statuses}"
        assert b"/smuggled" not in answer, f"{name}: the hidden request was answered: {answer[-400:]}"


# ---- other sites, other names, other paths ---------------------------------------

def foreign(port):
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    own = f"http://{client.HOST}:{port}"
    rows = [("/ws", (*upgrade, f"Origin: {origin}"), None, 403)
            for origin in ("http://evil.example", "null", "", own + "0", own + ".evil.example")]
    rows += [("/ws", (*upgrade, f"Sec-Fetch-Site: {site}"), None, 403) for site in ("cross-site", "same-site", "x")]
    rows += [(path, (f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {dest}"), None, 403)
             for path in ("/api/flows", "/api/stats", "/events", "/metrics", "/")
             for site in ("cross-site", "same-site")
             for mode, dest in (("no-cors", "image"), ("cors", "empty"), ("no-cors", "script"), ("navigate", "iframe"),
                                ("navigate", "object"))]
    rows += [("/api/flows", ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"), None, 403)]
    rows += [(path, (), host, 421) for path in ("/", "/api/flows", "/events", "/ws", "/health")
             for host in ("evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", "127.0.0.1.evil.example", "localhost:x")]
    rows += [(path, (), None, 404) for path in ("/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fetc/passwd",
                                                "//etc/passwd", "/js/../../etc/passwd", "/.git/config", "/api/../../x")]
    rows += [("/%00", (), None, 400), ("/api/flows?x=%ff", (), None, 400), ("/%c0%ae%c0%ae/x", (), None, 400),
             ("/api/flows?" + "&".join(f"p{i}=1" for i in range(100)), (), None, 400),
             # More than libmicrohttpd has memory for in a connection: it hangs up.
             ("/api/flows?" + "&".join(f"p{i}=1" for i in range(500)), (), None, REFUSED),
             ("/api/flows?proto=" + "a" * 7000, (), None, 400), ("/?" + "a" * 9000, (), None, 414)]
    for path, fields, host, status in rows:
        # An upgrade says what happens to the connection itself.
        with client.connect(port) as s:
            s.sendall(client.request_text(path, *fields, host=host, port=port))
            try:
                got = client.Stream(s).head()[0]
            except EOFError:
                got = CLOSED
        assert got == status or (status == REFUSED and got in (400, CLOSED)), f"{path:.60} {fields} Host {host}: {got}, not {status}"


# ---- many connections ---------------------------------------------------------------

def slow(port):
    """Headers that never end, a byte at a time."""
    connections = [client.connect(port) for _ in range(SLOW)]
    for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaa":
        for s in connections:
            s.sendall(bytes([byte]))
    return connections


def idle(port):
    """Silent ones; beyond what there is room for, the oldest is closed."""
    return [client.connect(port) for _ in range(IDLE)]


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1))


def limits(port, *fields):
    status, body = ask(port, "/api/stats", *fields)
    assert status == 200, status
    return {name: row["hits"] for name, row in json.loads(body)["httpd"]["limits"].items()}


def abuse(port, pid):
    before_kb, hits = rss_kb(pid), limits(port)
    legitimate = [Legitimate(port) for _ in range(2)]
    for thread in legitimate:
        thread.start()
    for _ in range(ROUNDS):
        silent = slow(port) + idle(port)
        smuggled(port)
        client.case_abuse(port)
        foreign(port)
        client.case_violations(port)
        client.case_handshakes(port)
        for s in silent:
            s.close()
    for thread in legitimate:
        thread.finish()
    after, grown_kb = limits(port), rss_kb(pid) - before_kb
    counted = {name: after[name] - hits[name] for name in after if after[name] > hits[name]}
    print(f"{sum(t.answers for t in legitimate)} right answers; memory grew by {grown_kb} kB; hits {counted}")
    # What each round makes sure of: case_abuse() has one body, foreign() and it a target each, case_violations() three messages.
    for name, times in (("body_bytes", 1), ("target_bytes", 2), ("header_bytes", 1), ("message_bytes", 3)):
        assert counted.get(name, 0) >= times * ROUNDS, f"{name}: {counted.get(name, 0)} hits"
    assert grown_kb < RSS_MAX_KB, f"memory grew by {grown_kb} kB"


def guess(port, token):
    right = f"Authorization: Bearer {token}"
    legitimate = Legitimate(port, right)
    hits = limits(port, right)["token_guesses"]
    legitimate.start()
    seen = {}
    for i in range(GUESSES):
        wrong = f"{token[:-4]}{i:04x}"
        if wrong == token:
            continue
        if i % 2:
            body = json.dumps({"token": wrong}).encode()
            status, _ = ask(port, "/api/session", "Content-Type: application/json", f"Content-Length: {len(body)}",
                            method="POST", body=body)
        else:
            status, _ = ask(port, FLOWS, f"Authorization: Bearer {wrong}")
        seen[status] = seen.get(status, 0) + 1
    legitimate.finish()
    print(f"guesses: {seen}; {legitimate.answers} right answers")
    assert set(seen) <= {401, 429} and seen.get(429, 0) > 0, seen
    assert limits(port, right)["token_guesses"] - hits == seen[429], "hits"


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < IDLE + SLOW + 100:
        sys.exit(f"httpd_abuse: {hard} descriptors are not enough for {IDLE} connections (ulimit -Hn)")
    port, pid = int(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) > 3:
        guess(port, sys.argv[3])
    else:
        abuse(port, pid)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Talks to httpd byte by byte: event streams, WebSocket, and requests that no decent client sends.

usage: httpd_client.py PORT CASE [ARGUMENT...]; exit 0 = as it should be, else the difference on stderr.
The cases are the functions below whose name begins with case_; where FEED is an argument, it is the
descriptor of httpd's input, which is closed at the end.
"""
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import sys
import time

HOST = "127.0.0.1"
TIMEOUT_S = 20  # no test waits for it: a server that does not answer is a failure
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
REFUSED = "an error or the end"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FRAME_MAX = 65536


def connect(port, tls=False):
    s = socket.create_connection((HOST, port), timeout=TIMEOUT_S)
    if not tls:
        return s
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(s)


def read_all(s):
    """Until the server closes; a reset after the answer is an end too."""
    data = b""
    try:
        while chunk := s.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def request_text(path, *fields, method="GET", host=None, port=0):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'{HOST}:{port}'}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Stream:
    """A reader of lines and lengths over a socket."""

    def __init__(self, s):
        self.s = s
        self.data = b""

    def more(self):
        chunk = self.s.recv(65536)
        if not chunk:
            raise EOFError("the server closed the connection")
        self.data += chunk

    def line(self):
        while b"\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\n", 1)
        return line.rstrip(b"\r").decode()

    def take(self, n):
        while len(self.data) < n:
            self.more()
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def head(self):
        status = int(self.line().split()[1])
        fields = {}
        while line := self.line():
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        return status, fields


class Events:
    """An event stream, its chunks joined."""

    def __init__(self, port, *fields, topics=None, tls=False):
        self.stream = Stream(connect(port, tls))
        self.stream.s.sendall(request_text(path_of("/events", topics), *fields, port=port))
        self.status, self.fields = self.stream.head()
        assert self.status == 200, self.status
        assert self.fields["content-type"] == "text/event-stream", self.fields
        assert self.fields["transfer-encoding"] == "chunked", self.fields
        self.text = ""

    def event(self):
        """The next event as a dict of its fields; comments, and what is no event, are passed over."""
        while True:
            while "\n\n" not in self.text:
                length = int(self.stream.line(), 16)
                if not length:
                    raise EOFError("end of the stream")
                self.text += self.stream.take(length).decode()
                self.stream.line()
            block, self.text = self.text.split("\n\n", 1)
            event = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in event:
                return event

    def json(self):
        return json.loads(self.event()["data"])

    def take(self, *wanted):
        """The next events are these: "flows 3" is the topic and seq, for others it is their type alone."""
        for i, what in enumerate(wanted):
            equal(summary(json.loads(self.event()["data"])), what, f"event {i} of {wanted}")


def summary(message):
    seq = message.get("seq", message.get("frames"))
    return message["type"] if seq is None else f"{message['type']} {seq}"


def path_of(path, topics):
    return path if topics is None else f"{path}?topics={topics}"


class WebSocket:
    def __init__(self, port, *fields, topics=None, tls=False, extra=b""):
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream = Stream(connect(port, tls))
        self.s = self.stream.s
        self.part = None  # of a message, so far
        self.s.sendall(request_text(path_of("/ws", topics), "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                                    "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *fields,
                                    port=port) + extra)
        self.status, self.fields = self.stream.head()
        if self.status == 101:
            accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            assert self.fields["sec-websocket-accept"] == accept, self.fields

    def frame(self):
        """(final, opcode, payload) of the next frame; the server's are not masked and of bounded size."""
        first, second = self.stream.take(2)
        assert not first & 0x70 and not second & 0x80, (first, second)
        length, head = second, 2
        if second == 126:
            length, head = struct.unpack(">H", self.stream.take(2))[0], 4
            assert length >= 126
        assert second != 127 and head + length <= FRAME_MAX, second
        return bool(first & 0x80), first & 0x0F, self.stream.take(length)

    def message(self):
        """(opcode, payload) of the next control frame or whole message."""
        while True:
            final, opcode, payload = self.frame()
            if opcode >= CLOSE:
                assert final and len(payload) <= 125, (final, opcode, len(payload))
                return opcode, payload
            assert (opcode == 0) == (self.part is not None), "a message begins inside another one"
            # All but the last are full: no more frames than it takes.
            assert final or len(payload) + 4 == FRAME_MAX, len(payload)
            self.part = (self.part or b"") + payload
            if final:
                whole, self.part = self.part, None
                return TEXT, whole

    def expect(self, opcode):
        """The next message of that kind."""
        while True:
            got, payload = self.message()
            if got == opcode:
                return payload
            assert got != CLOSE, f"closed with {payload!r}"

    def json(self):
        return json.loads(self.expect(TEXT))

    def take(self, *wanted):
        """The next messages are these, as Events.take() has it."""
        for i, what in enumerate(wanted):
            equal(summary(self.json()), what, f"message {i} of {wanted}")

    def say(self, message):
        self.s.sendall(masked(TEXT, message if isinstance(message, bytes) else json.dumps(message).encode()))

    def close_code(self):
        """Reads to the close frame; its code, 0 if it has none."""
        while (got := self.message())[0] != CLOSE:
            pass
        payload = got[1]
        return struct.unpack(">H", payload[:2])[0] if payload else 0

    def at_end(self):
        try:
            return not self.stream.data and not self.s.recv(1)
        except ConnectionResetError:
            return True


def masked(opcode, payload, fin=True, mask=b"\x37\xfa\x21\x3d"):
    head = bytes([(0x80 if fin else 0) | opcode])
    n = len(payload)
    if n < 126:
        head += bytes([0x80 | n])
    elif n < 65536:
        head += struct.pack(">BH", 0xFE, n)
    else:
        head += struct.pack(">BQ", 0xFF, n)
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


# ---- streams ------------------------------------------------------------------

def case_wait(port, seq):
    """Returns when the snapshot with that number has been published."""
    events = Events(port)
    while json.loads(events.event()["data"]).get("seq", 0) < int(seq):
        pass


def case_wait_stale(port):
    events = Events(port)
    while events.event()["event"] != "status":
        pass


def case_events(port, feed):
    """The last snapshot at once, each new one, and the status at the end of the input."""
    with open(int(feed), "w") as pipe:
        print('{"type":"snapshot","seq":1,"x":"\\u00fc"}', file=pipe, flush=True)
        case_wait(port, 1)
        events = Events(port)
        first = events.event()
        equal(first["event"], "snapshot", "first event")
        equal(re.sub("^[0-9a-f]+-", "", first["id"]), "1-snapshot", "its id")
        equal(json.loads(first["data"])["x"], "\u00fc", "its data")
        for seq in range(2, 30):
            print('{"type":"snapshot","seq":%d,"pad":"%s"}' % (seq, "p" * 3000 * seq), file=pipe, flush=True)
            event = events.event()
            snapshot = json.loads(event["data"])
            equal((snapshot["seq"], len(snapshot["pad"])), (seq, 3000 * seq), "snapshot")
    equal(events.event(), {"event": "status", "data": '{"type":"status","stale":true}'}, "status")
    late = Events(port)
    late.take("snapshot 29", "status")
    # Who takes no chunks gets the same, and so does who wants the connection closed.
    host = f"Host: {HOST}:{port}\r\n"
    old = Stream(connect(port))
    old.s.sendall(f"GET /events HTTP/1.0\r\n{host}\r\n".encode())
    status, fields = old.head()
    equal((status, fields.get("transfer-encoding")), (200, None), "answer to HTTP/1.0")
    lines = [old.line() for _ in range(8)]
    equal(lines[:2] + lines[3:4], ["retry: 2000", "", "event: snapshot"], "its first lines")
    equal(json.loads(lines[4].removeprefix("data: ")), snapshot, "its snapshot")
    equal(lines[6:], ["event: status", 'data: {"type":"status","stale":true}'], "its last lines")
    Events(port, "Connection: close").take("snapshot 29", "status")


def streams(port):
    """How many event streams the server has."""
    asked = Stream(connect(port))
    asked.s.sendall(request_text("/api/stats", "Connection: close", port=port))
    _, fields = asked.head()
    return json.loads(asked.take(int(fields["content-length"])))["httpd"]["clients"]["sse"]


def case_leave(port, feed):
    """Who leaves is noticed without a message; who only sends no more is still served."""
    with open(int(feed), "w") as pipe:
        print('{"type":"snapshot","seq":1}', file=pipe, flush=True)
        case_wait(port, 1)
        gone, finished = Events(port), Events(port)
        for events in gone, finished:
            events.take("snapshot 1")
        finished.stream.s.shutdown(socket.SHUT_WR)
        gone.stream.s.close()
        while streams(port) > 1:
            pass
        print('{"type":"snapshot","seq":2}', file=pipe, flush=True)
        finished.take("snapshot 2")


def case_websocket(port, feed):
    with open(int(feed), "w") as pipe:
        print('{"type":"snapshot","seq":1}', file=pipe, flush=True)
        case_wait(port, 1)
        ws = WebSocket(port)
        equal(ws.status, 101, "status")
        equal(ws.json()["seq"], 1, "first snapshot")
        for size in (10, 200, 65000, 70000, 131000, 700000):
            print('{"type":"snapshot","seq":%d,"pad":"%s"}' % (size, "p" * size), file=pipe, flush=True)
            snapshot = ws.json()
            equal((snapshot["seq"], len(snapshot["pad"])), (size, size), "snapshot")
    equal(json.loads(ws.expect(TEXT)), {"type": "status", "stale": True}, "status")


def case_ping(port):
    ws = WebSocket(port)
    for payload in (b"", b"hello", b"x" * 125):
        ws.s.sendall(masked(PING, payload))
        equal(ws.expect(PONG), payload, "pong")
    # A message, also in pieces with a ping in between; pongs that nobody asked for.
    ws = WebSocket(port, topics="")
    ws.s.sendall(masked(PONG, b"unasked") + masked(TEXT, b'{"unsubscribe":[]}') +
                 masked(TEXT, b'{"unsub', fin=False) + masked(PING, b"mid") + masked(0, b"", fin=False) +
                 masked(0, b'scribe":[]}') + masked(PONG, b"unasked"))
    got = [ws.message() for _ in range(3)]
    assert (PONG, b"mid") in got, got
    equal([json.loads(text) for opcode, text in got if opcode == TEXT],
          [{"type": "subscribed", "topics": []}] * 2, "answers")
    # One byte at a time.
    for byte in masked(PING, b"slow"):
        ws.s.sendall(bytes([byte]))
    equal(ws.expect(PONG), b"slow", "pong")
    # Sent before the answer to the handshake was seen.
    early = WebSocket(port, extra=masked(PING, b"early"))
    equal(early.expect(PONG), b"early", "pong")


def case_no_pong(port):
    """Who answers pings stays; who does not is told to leave after the third. Event streams get comments."""
    silent, lively = WebSocket(port), WebSocket(port)
    events = Stream(connect(port))
    events.s.sendall(request_text("/events", port=port))
    for wanted in (PING, PING, PING, CLOSE):
        opcode, payload = silent.message()
        equal(opcode, wanted, "frame")
        if wanted == PING:
            lively.s.sendall(masked(PONG, lively.expect(PING)))
    equal(payload, struct.pack(">H", 1008), "close code")
    lively.s.sendall(masked(PONG, lively.expect(PING)) + masked(PING, b"here"))
    equal(lively.expect(PONG), b"here", "pong")
    while events.line() != ": still here":
        pass


def case_close(port):
    for payload, code in ((b"", 0), (struct.pack(">H", 1000), 1000), (struct.pack(">H", 1001) + b"bye", 1001),
                          (struct.pack(">H", 4999), 4999)):
        ws = WebSocket(port)
        ws.s.sendall(masked(CLOSE, payload))
        equal(ws.close_code(), code, "close code")
        assert ws.at_end(), "the server hangs up"
    ws = WebSocket(port)
    ws.s.close()  # without a word


def case_violations(port):
    big = 5000
    for name, data, code in (
        ("not masked", b"\x81\x02hi", 1002),
        ("reserved bit", b"\xc1\x80\0\0\0\0", 1002),
        ("reserved opcode", masked(3, b""), 1002),
        ("fragmented ping", masked(PING, b"", fin=False), 1002),
        ("long ping", masked(PING, b"x" * 126), 1002),
        ("continuation of nothing", masked(0, b"x"), 1002),
        ("text inside a text", masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
        ("binary", masked(BINARY, b"x"), 1003),
        ("bad UTF-8", masked(TEXT, b"\xc0\x80"), 1007),
        ("bad UTF-8 in pieces", masked(TEXT, b"\xf0\x9f", fin=False) + masked(0, b"x"), 1007),
        ("too big", masked(TEXT, b"x" * big), 1009),
        ("too big in pieces", masked(TEXT, b"x" * 4000, fin=False) + masked(0, b"x" * 1000), 1009),
        ("giant announced", b"\x81\xff\x7f" + b"\xff" * 7, 1009),
        ("bad close code", masked(CLOSE, struct.pack(">H", 1005)), 1002),
        ("half a close code", masked(CLOSE, b"\x03"), 1002),
        ("bad close reason", masked(CLOSE, b"\x03\xe8\xff"), 1007),
    ):
        ws = WebSocket(port)
        ws.s.sendall(data)
        equal(ws.close_code(), code, name)
        # Whatever comes now is thrown away; our close ends it.
        ws.s.sendall(masked(TEXT, b"x" * 100))
        ws.s.shutdown(socket.SHUT_WR)
        assert ws.at_end(), f"{name}: the server hangs up"


def case_rules(port):
    """RFC 6455, rule by rule: what must be refused, each with its code, and what must be taken."""
    def close_of(data):
        ws = WebSocket(port, topics="")
        ws.s.sendall(data)
        return ws.close_code()

    hello = masked(TEXT, b"hello")
    for first in [0x80 | bit | TEXT for bit in (0x40, 0x20, 0x10, 0x70)] + [0x80 | PING | 0x40] + \
            [0x80 | opcode for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)]:
        equal(close_of(bytes([first]) + hello[1:]), 1002, f"5.2: first byte {first:#x}")
    for length, what in ((b"\xfe\x00\x05", "16 bits for 5"), (b"\xff" + bytes(7) + b"\x05", "64 bits for 5"),
                         (b"\xff\x00\x00\x00\x00\x00\x00\xff\xff", "64 bits for 65535"),
                         (b"\xff\x80" + bytes(7), "the top bit")):
        equal(close_of(b"\x81" + length + bytes(9)), 1002, f"5.2: {what}")
    for opcode in (CLOSE, PING, PONG):
        equal(close_of(masked(opcode, b"", fin=False)), 1002, f"5.5: {opcode} in fragments")
        equal(close_of(masked(opcode, b"\x03\xe8" + b"x" * 124)), 1002, f"5.5: {opcode} of 126 bytes")
        equal(close_of(bytes([0x80 | opcode, 0])), 1002, f"5.1: {opcode} without a mask")
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        equal(close_of(masked(CLOSE, struct.pack(">H", code))), 1002, f"7.4: code {code}")
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        equal(close_of(masked(CLOSE, struct.pack(">H", code) + "tsch\u00fcss".encode())), code, "5.5.1: the same code")
    for text in (b"\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5",
                 b"ok\xce", b"\xf0\x9f\x98", b"\xff"):
        equal(close_of(masked(TEXT, text)), 1007, f"8.1: {text!r}")
        equal(close_of(masked(TEXT, text[:1], fin=False) + masked(0, text[1:])), 1007, f"8.1: {text!r} in fragments")
        equal(close_of(masked(CLOSE, b"\x03\xe8" + text)), 1007, f"8.1: reason {text!r}")
    for data, what in ((masked(0, b"x"), "of nothing"), (hello + masked(0, b"x"), "after a whole message"),
                       (masked(TEXT, b"a", fin=False) + masked(0, b"b") + masked(0, b"c"), "after the end"),
                       (masked(TEXT, b"a", fin=False) + hello, "another message"),
                       (masked(TEXT, b"a", fin=False) + masked(BINARY, b"b"), "another kind")):
        equal(close_of(data), 1002, f"5.4: {what}")
    equal(close_of(masked(BINARY, b"", fin=False)), 1003, "5.6: binary in fragments")
    # Section 5.5.1: what comes after a close is not answered.
    equal(close_of(masked(CLOSE, b"") + masked(PING, b"late") + hello), 0, "after a close")

    ws = WebSocket(port, topics="")
    said = '{"subscribe":["\u00fc\u20ac\U0001f600"]}'.encode()
    for cut in range(1, len(said)):
        ws.s.sendall(masked(TEXT, said[:cut], fin=False) + masked(0, b"", fin=False) + masked(PING, b"") +
                     masked(0, said[cut:]))
        got = [ws.message(), ws.message()]
        assert (PONG, b"") in got, f"5.4: cut at {cut}: {got}"
    ws = WebSocket(port, topics="")
    for size in (0, 1, 125, 126, 127, 128, 4095, 4096):
        ws.s.sendall(masked(TEXT, b" " * size, mask=bytes(4)))
        equal(ws.json()["type"], "problem", f"5.2: a message of {size}")
    said = json.dumps({"subscribe": ["drops"]}).encode()
    for byte in masked(TEXT, said):
        ws.s.sendall(bytes([byte]))
    equal(ws.json()["topics"], ["drops"], "byte by byte")
    ws.s.sendall(b"".join(masked(TEXT, said[i:i + 1], fin=i + 1 == len(said)) if not i else
                          masked(0, said[i:i + 1], fin=i + 1 == len(said)) for i in range(len(said))))
    equal(ws.json()["topics"], ["drops"], "a frame for each byte")


def put(pipe, seq, **members):
    message = {"type": "snapshot", "seq": seq, "timestamp": 1763704001000 + seq, "interval_ms": 60000, "final": False}
    print(json.dumps(message | members), file=pipe, flush=True)


ALL = {"totals": {"packets": 1}, "flows": [1], "flow_table": {}, "packets": [2], "packets_left_out": 3,
       "processes": [4], "remotes": [], "process_protocols": [], "unowned": None, "process_table": {},
       "remote_table": {}, "connections": [5], "connection_table": {}, "connects": [], "connects_left_out": 0,
       "drops": [6], "drop_flows": [], "drops_unspecified": {}, "latency": [7], "latency_table": {}, "losses": {}}
TOPICS = {"stats": ("totals", "losses"), "flows": ("flows", "flow_table"), "packets": ("packets", "packets_left_out"),
          "processes": ("processes", "remotes", "process_protocols", "unowned", "process_table", "remote_table"),
          "connections": ("connections", "connection_table", "connects", "connects_left_out"),
          "drops": ("drops", "drop_flows", "drops_unspecified"), "latency": ("latency", "latency_table")}


def case_topics(port, feed):
    """Each topic carries its members, all of them together are the snapshot; in the order of the table."""
    with open(int(feed), "w") as pipe:
        put(pipe, 1, **ALL)
        case_wait(port, 1)
        names = ",".join(reversed(TOPICS))
        events, ws = Events(port, topics=names), WebSocket(port, topics=names)
        for seq in (1, 2):
            head = {"seq": seq, "timestamp": 1763704001000 + seq, "interval_ms": 60000, "final": False}
            for name, members in TOPICS.items():
                wanted = {"type": name} | head | {key: ALL[key] for key in members}
                event = events.event()
                equal((event["event"], json.loads(event["data"])), (name, wanted), f"event of {name}")
                equal(ws.json(), wanted, f"message of {name}")
            if seq == 1:
                put(pipe, 2, **ALL)
        one = Events(port, topics="drops&topics=flows")
        one.take("flows 2", "drops 2")
    one.take("status")
    events.take("status")
    ws.take("status")


def case_topics_refused(port):
    """What is no topic is answered 400, with those that there are; an event stream wants one at least."""
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    for path, fields, status in (
        ("/events?topics=flow", [], 400), ("/events?topics=", [], 400), ("/events?topics=flows,", [], 400),
        ("/events?topics=flows&topics=Stats", [], 400), ("/events?topics=%22%1b", [], 400),
        ("/events?topics=stats,flows", [], 200), ("/events?other=1", [], 200),
        ("/ws?topics=flow", upgrade, 400), ("/ws?topics=", upgrade, 101), ("/ws?topics=flows", upgrade, 101),
    ):
        stream = Stream(connect(port))
        stream.s.sendall(request_text(path, *fields, port=port))
        got, head = stream.head()
        equal(got, status, path)
        if status == 400:
            equal(head["content-type"], "application/problem+json", path)
            detail = json.loads(stream.take(int(head["content-length"])))["detail"]
            assert detail.startswith("topics: ") and all(name in detail for name in TOPICS), detail
        stream.s.close()


def case_subscribe(port, feed):
    """Topics come and go; what is new comes at once, and nothing twice."""
    with open(int(feed), "w") as pipe:
        put(pipe, 1, **ALL)
        case_wait(port, 1)
        ws = WebSocket(port, topics="")
        ws.say({"subscribe": ["packets", "flows"]})
        equal(ws.json(), {"type": "subscribed", "topics": ["flows", "packets"]}, "answer")
        ws.take("flows 1", "packets 1")
        put(pipe, 2)
        ws.take("flows 2", "packets 2")
        ws.say({"subscribe": ["flows", "stats"]})
        equal(ws.json(), {"type": "subscribed", "topics": ["stats", "flows", "packets"]}, "answer")
        ws.take("stats 2")
        ws.say({"unsubscribe": ["flows", "packets", "drops"], "subscribe": ["latency"]})
        equal(ws.json(), {"type": "subscribed", "topics": ["stats", "latency"]}, "answer")
        ws.take("latency 2")
        put(pipe, 3)
        ws.take("stats 3", "latency 3")
        ws.say({"unsubscribe": ["stats", "latency"]})
        equal(ws.json(), {"type": "subscribed", "topics": []}, "answer")
        put(pipe, 4)
        case_wait(port, 4)
        ws.say({"subscribe": ["snapshot"]})
        ws.take("subscribed", "snapshot 4")
        # Many at once, in one packet: each is answered, in order.
        ws.s.sendall(b"".join(masked(TEXT, json.dumps({verb: ["drops"]}).encode())
                              for _ in range(200) for verb in ("subscribe", "unsubscribe")))
        answers = [message for message in (ws.json() for _ in range(400)) if message["type"] == "subscribed"]
    while len(answers) < 400:
        message = ws.json()
        if message["type"] == "subscribed":
            answers.append(message)
    equal([len(answer["topics"]) for answer in answers], [2, 1] * 200, "answers")


def case_packets(port, feed):
    """Packets: by the clock at most 200 a second in each stream; shown and left out are all there were."""
    streams = []
    for kind in (Events, WebSocket):
        for topics in ("packets", "snapshot", "flows,packets"):
            streams.append([kind(port, topics=topics), 0, 0])
    began = time.monotonic()
    with open(int(feed), "w") as pipe:
        for seq in range(1, 301):
            put(pipe, seq, interval_ms=10, packets=[{"length": seq}] * 50, packets_left_out=seq)
            for stream in streams:
                while "packets" not in (message := stream[0].json()):
                    pass
                equal(message["seq"], seq, "seq")
                stream[1] += len(message["packets"])
                stream[2] += message["packets_left_out"]
    seconds = time.monotonic() - began
    for _, shown, left_out in streams:
        equal(shown + left_out, 300 * 50 + sum(range(1, 301)), "shown and left out")
        # What a bucket holds to begin with, and what a message may take in advance.
        assert 0 < shown <= 200 * seconds + 250, f"{shown} in {seconds} s"


def case_late(port, feed):
    """Clients that stop in the middle of messages that nobody else wants any more are closed; others are not."""
    kinds = [WebSocket, Events, WebSocket, Events]
    with open(int(feed), "w") as pipe:
        reader = WebSocket(port, topics="stats")
        late = []
        # Each at another snapshot of 30 MB, of which the feed remembers two.
        for seq, kind in enumerate(kinds, 1):
            put(pipe, seq, flows=["f" * 30000000])
            reader.take(f"stats {seq}")
            late.append(kind(port))
        for seq in range(len(kinds) + 1, len(kinds) + 4):
            put(pipe, seq, flows=["f" * 30000000])
            reader.take(f"stats {seq}")
        put(pipe, seq + 1)
        reader.take(f"stats {seq + 1}")
        whole = 0
        for client in late:
            try:
                client.json()
                whole += 1
            except (EOFError, ConnectionResetError):
                pass
        assert whole == 2, f"{whole} are served to the end"
        reader.s.sendall(masked(PING, b"here"))
        equal(reader.expect(PONG), b"here", "pong")


def case_problems(port):
    """What is not understood is told, changes nothing, and is suffered a hundred times."""
    ws = WebSocket(port, topics="flows")
    ws.take("flows 1")
    said = [b"", b"hello", b"[]", b"{}", b"7", b"null", b'{"subscribe":"flows"}', b'{"subscribe":["flow"]}',
            b'{"subscribe":[7]}', b'{"subscribe":["drops"],"x":1}', b'{"subscribe":["drops","\\u0000"]}',
            b'{"subscribe":["drops"],"subscribe":["drops"]}', b'{"subscribe":["drops"]', b"[" * 4000,
            b'{"unsubscribe":{"0":"flows"}}', b'{"subscribe":[["drops"]]}', b'{"SUBSCRIBE":["drops"]}']
    for i in range(100):
        ws.say(said[i % len(said)])
        problem = ws.json()
        equal(sorted(problem), ["detail", "title", "type"], f"answer to {said[i % len(said)]!r}")
        equal(problem["type"], "problem", "its type")
    ws.say({"subscribe": []})
    equal(ws.json(), {"type": "subscribed", "topics": ["flows"]}, "nothing was changed")
    ws.say(b"hello")
    equal(ws.close_code(), 1008, "close code")


def case_between_fragments(port, feed):
    """A pong does not wait for the end of a large message; answers do."""
    with open(int(feed), "w") as pipe:
        ws = WebSocket(port, topics="")
        put(pipe, 1, flows=["f" * 30000000])
        case_wait(port, 1)
        ws.say({"subscribe": ["flows"]})
        ws.take("subscribed")
        final, opcode, payload = ws.frame()
        equal((final, opcode), (False, TEXT), "the first fragment")
        size = len(payload)
        ws.s.sendall(masked(PING, b"now") + masked(TEXT, b'{"subscribe":["stats"]}'))
        ponged_at = None
        while not final:
            final, opcode, payload = ws.frame()
            if opcode == PONG:
                equal(payload, b"now", "pong")
                ponged_at, final = size, False
                continue
            equal(opcode, 0, "a fragment")
            size += len(payload)
        assert ponged_at and ponged_at < size, f"pong at {ponged_at} of {size}"
        ws.take("subscribed", "stats 1")
        # Closed in the middle of a message.
        ws.say({"unsubscribe": ["flows"]})
        ws.say({"subscribe": ["flows"]})
        ws.take("subscribed", "subscribed")
        equal(ws.frame()[:2], (False, TEXT), "the first fragment")
        ws.s.sendall(masked(CLOSE, struct.pack(">H", 1000)))
        while (frame := ws.frame())[1] == 0:
            assert not frame[0], "the close comes before the end"
        equal(frame, (True, CLOSE, struct.pack(">H", 1000)), "close")
        assert ws.at_end()


def case_resume(port, feed):
    """Last-Event-ID: what is remembered after it, exactly once, in order; what is forgotten is counted."""
    with open(int(feed), "w") as pipe:
        put(pipe, 1, **ALL)
        case_wait(port, 1)
        events = Events(port, topics="stats,flows")
        equal(events.event()["event"], "stats", "event")
        flows = events.event()["id"]
        put(pipe, 2)
        stats = events.event()["id"]
        events.stream.s.close()
        for seq in range(3, 7):
            put(pipe, seq)
        case_wait(port, 6)
        rest = [f"{topic} {seq}" for seq in range(3, 7) for topic in ("stats", "flows")]
        for last, wanted in ((flows, ["stats 2", "flows 2"] + rest), (stats, ["flows 2"] + rest)):
            again = Events(port, f"Last-Event-ID: {last}", topics="stats,flows")
            again.take(*wanted)
        for seq in range(7, 30):
            put(pipe, seq)
            again.take(f"stats {seq}", f"flows {seq}")
        # Forgotten: flows 2, both of 3 to 28.
        late = Events(port, f"Last-Event-ID: {stats}", topics="stats,flows")
        late.take("lost 53", "stats 29", "flows 29")
        other = Events(port, "Last-Event-ID: 123-29-stats", topics="stats,flows")
        lost = other.event()
        equal((lost["event"], json.loads(lost["data"])), ("lost", {"type": "lost", "frames": None}), "another run's")
        other.take("stats 29", "flows 29")
        odd = Events(port, "Last-Event-ID: 29", topics="stats")
        odd.take("stats 29")
        # Up to date: the next is the next.
        last = Events(port, topics="stats").event()["id"]
        now = Events(port, f"Last-Event-ID: {last}", topics="stats")
        put(pipe, 30)
        now.take("stats 30")
        text = Stream(connect(port))
        text.s.sendall(request_text("/events", port=port))
        text.head()
        text.line()
        equal(text.line(), "retry: 2000", "the first line")


def case_handshakes(port):
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    good = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key]
    for name, fields, status in (
        ("plain GET", [], 426),
        ("no Connection", [f for f in good if not f.startswith("Connection")], 426),
        ("old version", [f.replace("13", "8") for f in good], 426),
        ("no key", good[:3], 400),
        ("bad key", good[:3] + ["Sec-WebSocket-Key: short"], 400),
        ("foreign origin", good + ["Origin: http://evil.example"], 403),
        ("null origin", good + ["Origin: null"], 403),
        ("own origin", good + [f"Origin: http://{HOST}:{port}"], 101),
        ("other letters", ["upgrade: WebSocket", "connection: keep-alive, UPGRADE"] + good[2:], 101),
    ):
        stream = Stream(connect(port))
        stream.s.sendall(request_text("/ws", *fields, port=port))
        got, headers = stream.head()
        equal(got, status, name)
        if status == 426:
            equal(headers["sec-websocket-version"], "13", name)
            equal(headers["upgrade"], "websocket", name)
        stream.s.close()


def case_goodbye(port, pid):
    """SIGTERM: WebSocket clients get 1001, event streams end; a client that does not read holds up nobody."""
    ws, events, stalled = WebSocket(port), Events(port), WebSocket(port)
    os.kill(int(pid), 15)
    equal(ws.close_code(), 1001, "close code")
    ws.s.sendall(masked(CLOSE, struct.pack(">H", 1001)))
    assert ws.at_end()
    try:
        while True:
            events.event()
    except EOFError as end:
        equal(str(end), "end of the stream", "the last chunk")
    stalled.s.close()


def case_tls(port, feed):
    """Event streams; WebSocket too where the library can (from libmicrohttpd 1.0)."""
    with open(int(feed), "w") as pipe:
        print('{"type":"snapshot","seq":1,"pad":"%s"}' % ("p" * 300000), file=pipe, flush=True)
        events, ws = Events(port, tls=True), WebSocket(port, tls=True)
        events.take("snapshot 1")
        if ws.status != 501:
            equal(ws.json()["seq"], 1, "snapshot")
        print('{"type":"snapshot","seq":2}', file=pipe, flush=True)
        events.take("snapshot 2")
        if ws.status == 501:
            return
        equal(ws.json()["seq"], 2, "snapshot")
        ws.s.sendall(masked(PING, b"tls") + masked(CLOSE, struct.pack(">H", 1000)))
        equal(ws.expect(PONG), b"tls", "pong")
        equal(ws.close_code(), 1000, "close code")


# ---- requests -----------------------------------------------------------------

def case_abuse(port):
    named = f"Host: {HOST}:{port}\r\n".encode()
    host = named + b"Connection: close\r\n"
    get = b"GET /health HTTP/1.1\r\n"
    wrong = []
    for name, data, status in (
        ("plain", get + host + b"\r\n", 200),
        ("HTTP/1.0", b"GET /health HTTP/1.0\r\n" + host + b"\r\n", 200),
        ("HTTP/1.0 without Host", b"GET /health HTTP/1.0\r\n\r\n", 400),
        ("no Host", get + b"Connection: close\r\n\r\n", 400),
        ("two Hosts", get + host + named + b"\r\n", 400),
        ("two different Hosts", get + host + b"Host: evil.example\r\n\r\n", 400),
        ("empty Host", get + b"Host:\r\nConnection: close\r\n\r\n", 421),
        ("absolute form", b"GET http://localhost/health HTTP/1.1\r\n" + host + b"\r\n", 200),
        ("absolute form of another", b"GET http://evil.example/health HTTP/1.1\r\n" + host + b"\r\n", 421),
        ("length and encoding", b"POST /health HTTP/1.1\r\n" + host +
         b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("two lengths", b"POST /health HTTP/1.1\r\n" + host +
         b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
        ("two equal lengths", b"POST /health HTTP/1.1\r\n" + host +
         b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
        ("list of lengths", b"POST /health HTTP/1.1\r\n" + host + b"Content-Length: 4, 4\r\n\r\nabcd", 400),
        ("signed length", b"POST /health HTTP/1.1\r\n" + host + b"Content-Length: +4\r\n\r\nabcd", 400),
        ("other encoding", get + host + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        ("two encodings", get + host + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("hidden encoding", get + host + b"Transfer-Encoding: xchunked\r\n\r\n", 400),
        ("space before the colon", get + host + b"Content-Length : 4\r\n\r\n", 400),
        ("bare LF everywhere", b"GET /health HTTP/1.1\n" + host.replace(b"\r", b"") + b"\n", 400),
        ("bare LF in the request line", b"GET /health HTTP/1.1\n" + host + b"\r\n", 400),
        ("bare LF in a field", get + b"X: y\n" + host + b"\r\n", 400),
        ("smuggled by a bare LF", get + b"X: y\nTransfer-Encoding: chunked\r\n" + host + b"\r\n", 400),
        ("folded line", get + b"X: y\r\n z\r\n" + host + b"\r\n", 400),
        ("folded Host", get + b"Host: localhost\r\n evil.example\r\n\r\n", 400),
        ("zero in the target", b"GET /health\0x HTTP/1.1\r\n" + host + b"\r\n", REFUSED),
        ("zero and a version", b"GET /health\0HTTP/1.1 HTTP/1.1\r\n" + host + b"\r\n", REFUSED),
        ("encoded zero", b"GET /health%00x HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("zero in a field", get + host + b"X: a\0b\r\n\r\n", 400),
        ("space in the target", b"GET /health x HTTP/1.1\r\n" + host + b"\r\n", REFUSED),
        ("bytes in the target", b"GET /h\xc3\xa9 HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("no target", b"GET HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("asterisk", b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("relative path", b"GET health HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("dots", b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n", 404),
        ("encoded dots", b"GET /%2e%2e/etc/passwd HTTP/1.1\r\n" + host + b"\r\n", 404),
        ("bad escape", b"GET /%zz HTTP/1.1\r\n" + host + b"\r\n", 400),
        ("long target", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
        ("long field", get + host + b"X: " + b"a" * 17000 + b"\r\n\r\n", 431),
        ("endless field", get + host + b"X: " + b"a" * 40000 + b"\r\n\r\n", 431),
        ("many fields", get + host + b"X: y\r\n" * 3000 + b"\r\n", 431),
        ("body too large", b"POST /health HTTP/1.1\r\n" + host + b"Content-Length: 4097\r\n\r\n", 413),
        ("body far too large", b"POST /health HTTP/1.1\r\n" + host +
         b"Content-Length: 99999999999999999999999\r\n\r\n", 413),
        ("chunked body", b"POST /health HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n", 411),
        ("small body", b"POST /health HTTP/1.1\r\n" + host + b"Content-Length: 4\r\n\r\nabcd", 405),
        ("body of a GET", get + host + b"Content-Length: 4\r\n\r\nabcd", 200),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED),
        ("HTTP/9", b"GET /health HTTP/9.9\r\n" + host + b"\r\n", REFUSED),
        ("noise", bytes(range(256)) * 4 + b"\r\n\r\n", REFUSED),
        ("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n", REFUSED),
    ):
        s = connect(port)
        try:
            s.sendall(data)
        except OSError:
            pass  # refused before all was sent
        answer = read_all(s)
        # libmicrohttpd 0.9.75 says what it refuses itself twice; another status would be another request.
        got = {int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)}
        if got != {status} and not (status == REFUSED and (not got or min(got) >= 400)):
            wrong.append(f"{name}: {got or 'closed'}, not {status}")
    assert not wrong, "; ".join(wrong)
    case_alive(port)


def case_alive(port):
    stream = Stream(connect(port))
    stream.s.sendall(request_text("/health", port=port))
    equal(stream.head()[0], 200, "health")


def case_pieces(port):
    """A request that comes byte by byte, with a large header; then a second on the same connection."""
    s = connect(port)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    fields = [f"X-Number-{i}: {'v' * 90}" for i in range(60)]
    for byte in request_text("/health", *fields, port=port):
        s.sendall(bytes([byte]))
    stream = Stream(s)
    for _ in range(3):
        status, head = stream.head()
        equal(status, 200, "health")
        stream.take(int(head["content-length"]))
        s.sendall(request_text("/health", port=port))


def case_pipelined(port):
    s = connect(port)
    s.sendall(request_text("/health", port=port) * 50 + request_text("/nothing", "Connection: close", port=port))
    answer = read_all(s)
    equal(answer.count(b"HTTP/1.1 200"), 50, "answers")
    equal(answer.count(b"HTTP/1.1 404"), 1, "answers")


def case_idle_make_room(port, limit):
    """More connections than there are places, all silent: who asks is served all the same."""
    idle = [connect(port) for _ in range(3 * int(limit))]
    for _ in range(20):
        case_alive(port)
    ended = 0
    for s in idle:
        s.settimeout(0)
        try:
            ended += s.recv(1) == b""
        except BlockingIOError:
            pass
    assert ended >= 2 * int(limit), f"{ended} of {len(idle)} ended"


def case_per_address(port, limit):
    kept = [connect(port) for _ in range(int(limit))]
    for s in kept:
        s.sendall(request_text("/health", port=port))
        equal(Stream(s).head()[0], 200, "within the limit")
    extra = connect(port)
    equal(read_all(extra), b"", "one too many is closed without an answer")
    kept[0].close()


def main():
    name = sys.argv[2].replace("-", "_")
    globals()[f"case_{name}"](int(sys.argv[1]), *sys.argv[3:])


if __name__ == "__main__":
    main()

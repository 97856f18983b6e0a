#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lines that nobody should send, each between two good ones.

usage: hostile_lines.py lines|snapshots BYTES EXPECTED

Writes them to stdout, one of them so many bytes long, and to the file EXPECTED how many lines of which kind there are:
{"good":24,"bad_json":13,"wrong_type":9,"too_long":2,"for_recorder":9,"for_top":1}. `lines` are what a reader writes, a good one a packet and a process
each; `snapshots` are the aggregator's. Of a bad line, the kind is what aggregator counts it as; recorder looks at no packet,
top at nothing that does not say that it is a snapshot.
"""
import json
import sys

PIECE = b"x" * (1 << 20)
DEEP = 100000


def packet(**other):
    line = {"type": "packet", "timestamp": 1763704000000.5, "ifname": "eth0", "direction": "ingress", "cpu": 0,
            "ip_version": 4, "proto": "TCP", "src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "src_port": 50000, "dst_port": 443,
            "length": 60, "payload_length": 0, "tcp_flags": "S", "icmp_type": None, "icmp_code": None, "ttl": 64,
            "vlan": None, "fragment": False, "malformed": False}
    return json.dumps({**line, **other}).encode()


def process():
    return json.dumps({"type": "process", "timestamp": 1763704000000.5, "pid": 7, "command": "curl", "uid": 0,
                       "ip_version": 4, "proto": "TCP", "remote_ip": "10.0.0.2", "remote_port": 443, "tx_bytes": 1000,
                       "rx_bytes": 1, "tx_calls": 1, "rx_calls": 1}).encode()


def counters(**row):
    row = {"direction": "ingress", "proto": "TCP", "packets": 1, "bytes": 60, "unattributed": 0, "unattributed_bytes": 0, **row}
    return json.dumps({"type": "counters", "timestamp": 1763704000000.5, "ifname": "eth1", "packets": 1, "bytes": 60,
                       "ingress_packets": 1, "ingress_bytes": 60, "egress_packets": 0, "egress_bytes": 0,
                       "packet_lines": 1, "folded": 0, "unattributed": 0, "unattributed_bytes": 0, "malformed": 0,
                       "ring_full": 0, "protocols": [row], "cpus": [{"cpu": 0, "packets": 1, "bytes": 60}],
                       "more": False}).encode()


def snapshot(seq, **other):
    return json.dumps({"type": "snapshot", "schema": 1, "timestamp": 1763704000000 + seq, "seq": seq, "interval_ms": 1000,
                       "final": False, "host": "web1", "hosts": ["web1"], "totals": {"packets": seq}, **other}).encode()


def nested(depth, start):
    return start + b',"x":' + b"[" * depth + b"]" * depth + b"}"


def bad_of_both(good):
    """Of a good line as an object, so that only one thing is wrong with each."""
    start = good[:-1]
    yield "bad_json", nested(30000, start)
    yield "bad_json", good.replace(b'"length": 60', b'"length": 1e999').replace(b'"seq": 9000', b'"seq": 1e999')
    yield "bad_json", start + b',"x":"\x00"}'
    yield "bad_json", start + b"}\x00"
    yield "bad_json", start + b',"x":"\xff"}'
    yield "bad_json", start + b',"x":"\xed\xa0\x80"}'  # a surrogate as UTF-8
    yield "bad_json", start + b',"x":"\\ud800"}'
    yield "bad_json", start + b',"x":"\\udc00\\ud800"}'
    yield "bad_json", start
    yield "bad_json", b"\x00" * 100
    yield "bad_json", b"\xef\xbb\xbf" + good
    yield "bad_json", good.replace(b'"', b"'")
    yield "bad_json", good + good
    yield "wrong_type", start + b',"host":"a","type":"hello"}' if b'"type": "packet"' in good else start + b',"seq":1}'


def bad_of_lines():
    good = packet()
    yield from bad_of_both(good)
    yield "too_long", nested(DEEP, good[:-1])
    yield "wrong_type", good[:-1] + b',"length":60}'
    yield "wrong_type", packet(length=-1)
    yield "wrong_type", packet(length=1 << 63)
    yield "wrong_type", packet(cpu=-1)
    yield "wrong_type", counters(packets=-1)
    yield "wrong_type", counters(bytes=1e300)
    yield "wrong_type", counters(bytes=1 << 60)
    yield "wrong_type", counters()[:-1] + b',"more":false}'


def bad_of_snapshots():
    yield from bad_of_both(snapshot(9000))
    yield "bad_json", nested(DEEP, snapshot(9000)[:-1])


def put(*pieces):
    for piece in pieces:
        sys.stdout.buffer.write(piece)


def put_long(size, start):
    """Inside a text, that the end of the line closes: it is JSON."""
    put(start, b',"x":"')
    for _ in range(0, size, len(PIECE)):
        put(PIECE)
    put(b'"}\n')


def main():
    kind, size, expected = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    counts = {"good": 0, "bad_json": 0, "wrong_type": 0, "too_long": 0, "for_recorder": 1, "for_top": 1}

    def put_good(end=b"\n"):
        counts["good"] += 1
        put(*((packet(), end, process(), end) if kind == "lines" else (snapshot(counts["good"]), end)))

    put_good()
    for what, line in (bad_of_lines if kind == "lines" else bad_of_snapshots)():
        put(line, b"\n")
        counts[what] += 1
        counts["for_recorder"] += what == "too_long" or not line.startswith(b'{"type": "packet"')
        counts["for_top"] += b'"snapshot"' in line
        put_good(b"\r\n" if counts["good"] % 2 else b"\n")
    put_long(size, packet()[:-1] if kind == "lines" else snapshot(9000)[:-1])
    counts["too_long"] += 1
    put_good()
    put(b"\n\n" + process() if kind == "lines" else b"\n\n" + snapshot(counts["good"] + 1))
    with open(expected, "w", encoding="ascii") as f:
        json.dump(counts, f)
    sys.stdout.buffer.flush()


main()

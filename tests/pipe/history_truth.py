#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lines as a reader writes them, and whether /api/history says of them what they say.

usage: history_truth.py lines TRUTH.json >lines
       history_truth.py check TRUTH.json [--top] <answer of /api/history
With --top, snapshots did not show every row: those shown are part of the truth, and others are the rest.
"""
import json
import random
import sys

T0 = 1763704000000
LINES = 60000
PROCESSES = 60
BOUNDS = [31, 63, 127, 1023, 8191, 131071]  # upper bounds of buckets


def add(table, key, *values):
    row = table.setdefault(key, [0] * len(values))
    for i, value in enumerate(values):
        row[i] += value


def packet(truth, rng, when):
    proto = rng.choice(["TCP", "UDP", "GRE"])
    direction = rng.choice(["ingress", "egress"])
    length = rng.randrange(60, 1515)
    add(truth["rates"], direction, length, 1)
    add(truth["protocols"], proto, length, 1)
    return {"type": "packet", "timestamp": when, "ifname": "eth0", "direction": direction, "cpu": 0, "ip_version": 4,
            "proto": proto, "src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "src_port": 1 if proto != "GRE" else None,
            "dst_port": 2 if proto != "GRE" else None, "length": length, "payload_length": 0,
            "tcp_flags": "A" if proto == "TCP" else None, "icmp_type": None, "icmp_code": None, "ttl": 64,
            "vlan": None, "fragment": False, "malformed": False}


def process(truth, rng, when):
    pid = rng.randrange(1, PROCESSES + 1)
    remote = f"10.1.0.{rng.randrange(1, PROCESSES + 1)}"
    moved = [rng.randrange(100000), rng.randrange(100000), rng.randrange(9), rng.randrange(9)]
    add(truth["processes"], str(pid), *moved)
    add(truth["remotes"], remote, *moved[:2])
    return {"type": "process", "timestamp": when, "pid": pid, "command": f"p{pid}", "uid": 0, "ip_version": 4,
            "proto": "TCP", "remote_ip": remote, "remote_port": 443,
            **dict(zip(("tx_bytes", "rx_bytes", "tx_calls", "rx_calls"), moved))}


def drop(truth, rng, when):
    reason, code = rng.choice([("NO_SOCKET", 3), ("NETFILTER_DROP", 8), ("NOT_SPECIFIED", 2)])
    count = rng.randrange(1, 5)
    add(truth["drops"], reason, count)
    return {"type": "drop", "timestamp": when, "ifname": "eth0", "netns": 1, "ip_version": 4, "proto": "UDP",
            "src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "src_port": 1, "dst_port": 9, "reason": reason,
            "reason_code": code, "location": "f", "count": count, "bytes": count * 100}


def connection(truth, rng, when):
    event = rng.choice(["connect", "accept", "close", "failed"])
    add(truth["connections"], event, 1)
    reason = {"close": "local", "failed": "refused"}.get(event)
    return {"type": "connection", "timestamp": when, "event": event, "reason": reason, "existing": False, "pid": 1,
            "command": "p1", "uid": 0, "cgroup": "/a", "cgroup_id": 1, "netns": 1,
            "direction": "ingress" if event == "accept" else "egress", "ip_version": 4, "proto": "TCP",
            "src_ip": "10.0.0.1", "src_port": rng.randrange(1, 65536), "dst_ip": "10.0.0.2", "dst_port": 443,
            "service": "https", "duration_ms": None if event in ("connect", "accept") else 1.0, "bytes_sent": 0,
            "bytes_received": 0, "rtt_us": None, "rtt_min_us": None, "retransmits": 0}


def latency(truth, rng, when):
    bound, count = rng.choice(BOUNDS), rng.randrange(1, 100)
    add(truth["latency"], str(bound), count)
    return {"type": "latency", "timestamp": when, "name": "tcp_rtt", "unit": "us", "network": None, "count": count,
            "buckets": [[bound, count]]}


def write_lines(path):
    rng = random.Random(4)
    truth = {name: {} for name in ("rates", "protocols", "processes", "remotes", "drops", "connections", "latency")}
    kinds = [packet] * 6 + [process] * 4 + [drop, connection, latency]
    print(json.dumps({"type": "hello", "schema": 1, "tool": "reader", "version": "0", "host": "web1", "timestamp": T0}))
    for i in range(LINES):
        print(json.dumps(rng.choice(kinds)(truth, rng, T0 + i / 10), separators=(",", ":")))
    with open(path, "w", encoding="utf-8") as f:
        json.dump(truth, f)


def total(series):
    return sum(value for value in series if value is not None)


def percentile(counts, percent):
    """The nearest rank, as an upper bound."""
    rank = -(-sum(counts.values()) * percent // 100)
    for bound in sorted(counts):
        rank -= counts[bound]
        if rank <= 0:
            return bound
    raise AssertionError("no samples")


def check_rows(answer, name, keys, truth, of, top):
    other = answer[f"{name}_other"]
    rows = {str(row[of]): [row[key] for key in keys] for row in answer[name]}
    for i, key in enumerate(keys):
        shown = sum(row[i] for row in rows.values())
        assert shown + other[key] == sum(row[i] for row in truth.values()), (name, key)
        assert all(row[i] <= truth[id][i] for id, row in rows.items()), (name, key)
    if top:
        assert rows and other[keys[0]] > 0, name
    else:
        assert rows == truth and not any(other.values()), name


def check(path, top):
    with open(path, encoding="utf-8") as f:
        truth = json.load(f)
    answer = json.load(sys.stdin)
    for direction, (length, packets) in truth["rates"].items():
        assert total(answer["rates"][f"{direction}_bytes"]) == length, direction
        assert total(answer["rates"][f"{direction}_packets"]) == packets, direction
    sums = {proto: [total(row["bytes"]), total(row["packets"])] for proto, row in answer["protocols"].items()}
    assert sums == truth["protocols"], sums
    names = {"connect": "connects", "accept": "accepts", "close": "closed", "failed": "failed"}
    for event, (count,) in truth["connections"].items():
        assert total(answer["connections"][names[event]]) == count, event
    drops = {reason: [total(series)] for reason, series in answer["drops"].items()}
    assert sum(row[0] for row in drops.values()) == sum(row[0] for row in truth["drops"].values()), drops
    assert top or drops == truth["drops"], drops
    check_rows(answer, "processes", ("tx_bytes", "rx_bytes", "tx_calls", "rx_calls"), truth["processes"], "pid", top)
    check_rows(answer, "remotes", ("tx_bytes", "rx_bytes"), truth["remotes"], "remote_ip", top)
    counts = {int(bound): count for bound, (count,) in truth["latency"].items()}
    whole = answer["latency"]["range"]
    assert whole["count"] == sum(counts.values()) == total(answer["latency"]["count"]), whole
    for name, percent in (("p50", 50), ("p95", 95), ("p99", 99), ("max", 100)):
        assert whole[name] == percentile(counts, percent), (name, whole)
    buckets = {}
    for pairs in answer["latency"]["buckets"]:
        for bound, count in pairs or []:
            buckets[bound] = buckets.get(bound, 0) + count
    assert buckets == counts, buckets


if sys.argv[1] == "lines":
    write_lines(sys.argv[2])
else:
    check(sys.argv[2], "--top" in sys.argv)

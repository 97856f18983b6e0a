#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lines of days of a busy host for recorder, and what they add up to.

recorder_lines.py --begin UNIX --hours N --step S --processes P --remotes R --rows K [--seed N] --sums FILE

Each step of S seconds has K process lines of P processes with R remotes, a port line, a
latency line, counters and drop_counters that go on. FILE gets the sums by hour (who asks can put
days together as the time zone has them), as JSON.
"""
import argparse
import collections
import json
import random
import sys


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("begin", 1763000000), ("step", 300), ("processes", 200), ("remotes", 2000),
                          ("rows", 200), ("seed", 1), ("hours", 24)):
        p.add_argument("--" + name, type=int, default=default)
    p.add_argument("--sums", required=True)
    return p.parse_args()


def remote(n):
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" if n % 10 else f"2001:db8::{n + 1:x}"


def emit(**line):
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")


def main():
    o = options()
    rng = random.Random(o.seed)
    protocols = ("TCP", "UDP")
    traffic = collections.Counter()    # (hour, process, remote, protocol, "tx" or "rx")
    others = collections.Counter()
    packets = drops = 0
    emit(type="hello", schema=1, tool="reader", version="0.1.0", host="web1", timestamp=o.begin * 1000)
    for t in range(o.begin, o.begin + o.hours * 3600, o.step):
        hour, ms = t - t % 3600, t * 1000
        for _ in range(o.rows):
            n = min(int(rng.expovariate(8 / o.processes)), o.processes - 1)
            ip, proto = remote(rng.randrange(o.remotes)), protocols[n % 2]
            tx, rx = rng.randrange(100000), rng.randrange(1000000)
            emit(type="process", timestamp=ms, pid=100 + n, command=f"proc{n}", uid=n % 7,
                 ip_version=6 if ":" in ip else 4, proto=proto, remote_ip=ip, remote_port=443,
                 tx_bytes=tx, rx_bytes=rx, tx_calls=1, rx_calls=2)
            traffic[hour, f"proc{n}", ip, proto, "tx"] += tx
            traffic[hour, f"proc{n}", ip, proto, "rx"] += rx
        port, size, upper = rng.choice((22, 53, 80, 443)), rng.randrange(1000), 1 << rng.randrange(4, 20)
        emit(type="port", timestamp=ms, host="web1", proto="TCP", port=port, packets=2, bytes=size)
        others[hour, "port", port] += size
        emit(type="latency", timestamp=ms, name="tcp_rtt", unit="us", network=None, count=3,
             buckets=[[upper, 3]])
        others[hour, "latency", upper] += 3
        more = rng.randrange(50)
        if t > o.begin:    # the first is where counting begins
            others[hour, "interface", "eth0"] += more * 100
            others[hour, "drop", "NO_SOCKET"] += more
        packets += more
        drops += more
        emit(type="counters", timestamp=ms, ifname="eth0", packets=packets, bytes=packets * 100,
             ingress_packets=packets, ingress_bytes=packets * 100, egress_packets=0, egress_bytes=0,
             packet_lines=0, folded=packets, unattributed=0, unattributed_bytes=0, malformed=0, ring_full=0,
             protocols=[dict(direction="ingress", proto="TCP", packets=packets, bytes=packets * 100,
                             unattributed=0, unattributed_bytes=0)],
             cpus=[dict(cpu=0, packets=packets, bytes=packets * 100)], more=False)
        emit(type="drop_counters", timestamp=ms,
             drops=[dict(reason="NO_SOCKET", reason_code=3, proto="UDP", packets=drops, bytes=drops * 70)],
             more=False)
    with open(o.sums, "w", encoding="utf-8") as f:
        json.dump({"traffic": [list(k) + [v] for k, v in traffic.items()],
                   "others": [list(k) + [v] for k, v in others.items()]}, f)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lines of days of a busy host for recorder, and what they add up to.

recorder_lines.py --begin UNIX --hours N --step S --processes P --remotes R --rows K [--flows F] [--seed N] --sums FILE

Each step of S seconds has K process lines of P processes with R remotes, F flows that ended, a port
line, a latency line, counters and drop_counters that go on. FILE gets the sums by hour (who asks can
put days together as the time zone has them), as JSON.
"""
import argparse
import collections
import json
import random
import sys


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("begin", 1763000000), ("step", 300), ("processes", 200), ("remotes", 2000),
                          ("rows", 200), ("flows", 0), ("seed", 1), ("hours", 24)):
        p.add_argument("--" + name, type=int, default=default)
    p.add_argument("--sums", required=True)
    return p.parse_args()


def remote(n):
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" if n % 10 else f"2001:db8::{n + 1:x}"


def line(**members):
    return json.dumps(members, separators=(",", ":")) + "\n"


class Sums:
    """What was said, by the hour."""

    def __init__(self):
        self.traffic = collections.Counter()    # (hour, process, remote, protocol, "tx" or "rx")
        self.others = collections.Counter()     # (hour, what, key)

    def add(self, t, command, ip, proto, tx, rx):
        self.traffic[t - t % 3600, command, ip, proto, "tx"] += tx
        self.traffic[t - t % 3600, command, ip, proto, "rx"] += rx

    def add_other(self, t, what, key, value):
        self.others[t - t % 3600, what, key] += value

    def add_flow(self, t, command, ip, sent, received):
        pass


def process_lines(o, rng, t, sums, commands, remotes):
    for _ in range(o.rows):
        n = min(int(rng.expovariate(8 / o.processes)), o.processes - 1)
        command, ip, proto = commands[n], remotes[rng.randrange(o.remotes)], ("TCP", "UDP")[n % 2]
        tx, rx = rng.randrange(100000), rng.randrange(1000000)
        sums.add(t, command, ip, proto, tx, rx)
        yield (f'{{"type":"process","timestamp":{t}000.000,"pid":{100 + n},"command":"{command}","uid":{n % 7},'
               f'"ip_version":{6 if ":" in ip else 4},"proto":"{proto}","remote_ip":"{ip}","remote_port":443,'
               f'"tx_bytes":{tx},"rx_bytes":{rx},"tx_calls":1,"rx_calls":2}}\n')


def flow_lines(o, rng, t, sums):
    for _ in range(o.flows):
        n, ip = rng.randrange(o.processes), remote(rng.randrange(o.remotes))
        sent, received = rng.randrange(10 ** 9), rng.randrange(10 ** 9)
        sums.add_flow(t, f"proc{n}", ip, sent, received)
        yield line(type="flow_total", host="web1", ifname="eth0", proto="TCP", src_ip="10.99.0.1",
                   src_port=40000 + n, dst_ip=ip, dst_port=443, vlan=None, src_packets=sent // 1000,
                   src_bytes=sent, dst_packets=received // 1000, dst_bytes=received, first=(t - 9) * 1000,
                   last=t * 1000, state="closed", pid=100 + n, command=f"proc{n}", rtt_us=900, retransmits=0,
                   drops=0)


def lines(o, sums):
    """All of them; sums is told what is in them."""
    rng = random.Random(o.seed)
    commands, remotes = [f"proc{n}" for n in range(o.processes)], [remote(n) for n in range(o.remotes)]
    packets = drops = 0
    yield line(type="hello", schema=1, tool="reader", version="0.1.0", host="web1", timestamp=o.begin * 1000)
    for t in range(o.begin, o.begin + o.hours * 3600, o.step):
        ms = t * 1000
        yield from process_lines(o, rng, t, sums, commands, remotes)
        yield from flow_lines(o, rng, t, sums)
        port, size, upper = rng.choice((22, 53, 80, 443)), rng.randrange(1000), 1 << rng.randrange(4, 20)
        yield line(type="port", timestamp=ms, host="web1", proto="TCP", port=port, packets=2, bytes=size)
        sums.add_other(t, "port", port, size)
        yield line(type="latency", timestamp=ms, name="tcp_rtt", unit="us", network=None, count=3,
                   buckets=[[upper, 3]])
        sums.add_other(t, "latency", upper, 3)
        more = rng.randrange(50)
        if t > o.begin:    # the first is where counting begins
            sums.add_other(t, "interface", "eth0", more * 100)
            sums.add_other(t, "drop", "NO_SOCKET", more)
        packets += more
        drops += more
        yield line(type="counters", timestamp=ms, ifname="eth0", packets=packets, bytes=packets * 100,
                   ingress_packets=packets, ingress_bytes=packets * 100, egress_packets=0, egress_bytes=0,
                   packet_lines=0, folded=packets, unattributed=0, unattributed_bytes=0, malformed=0, ring_full=0,
                   protocols=[dict(direction="ingress", proto="TCP", packets=packets, bytes=packets * 100,
                                   unattributed=0, unattributed_bytes=0)],
                   cpus=[dict(cpu=0, packets=packets, bytes=packets * 100)], more=False)
        yield line(type="drop_counters", timestamp=ms,
                   drops=[dict(reason="NO_SOCKET", reason_code=3, proto="UDP", packets=drops, bytes=drops * 70)],
                   more=False)


def main():
    o, sums = options(), Sums()
    sys.stdout.writelines(lines(o, sums))
    with open(o.sums, "w", encoding="utf-8") as f:
        json.dump({"traffic": [list(k) + [v] for k, v in sums.traffic.items()],
                   "others": [list(k) + [v] for k, v in sums.others.items()]}, f)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Snapshots as the aggregator writes them: made up, but every figure follows from seq and --rows.

Row n of processes receives n * 8000 * seq bits a second and sends half of that; flow n carries n * 1000 * seq.
"""
import argparse
import json

T0 = 1763704000000.0
NASTY = ["\x1b[2J\x1b[31mred", "a\u202egnp.exe", "\u200bzero", "漢字漢字", "tab\there", "nul\x00byte", "\U0001f600 smile",
         "e\u0301", "back\\slash"]


def ip(n):
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def process(n, seq, command):
    rate = {"tx_bps": n * 4000 * seq, "rx_bps": n * 8000 * seq}
    moved = {"tx_bytes": n * 500 * seq, "rx_bytes": n * 1000 * seq}
    return {"host": "web1", "pid": 1000 + n, "command": command, "uid": n % 7, **moved, **rate, "connections": n % 5,
            "first": T0, "last": T0 + seq * 1000,
            "remotes": [{"remote_ip": ip(n), "remote_port": 443, "proto": "TCP", **moved, **rate}], "protocols": []}


def flow(n, seq, command):
    return {"host": "web1", "ifname": "eth0", "vlan": None, "ip_version": 4, "proto": "TCP" if n % 3 else "UDP",
            "src_ip": "192.0.2.1", "src_port": 40000 + n % 20000, "dst_ip": ip(n), "dst_port": 443,
            "src_direction": "egress", "packets": n * seq, "bytes": n * 125 * seq, "src_packets": n, "src_bytes": n,
            "dst_packets": 0, "dst_bytes": 0, "first": T0, "last": T0, "state": "established", "tcp_flags_src": "SA",
            "tcp_flags_dst": "SA", "icmp_type": None, "icmp_code": None, "fragment": False, "pid": 1000 + n,
            "command": command, "rtt_us": n * 100, "retransmits": 0, "drops": 0, "bps": n * 1000 * seq, "pps": n * seq}


def connection(n, seq, command):
    return {"host": "web1", "state": "open" if n % 4 else "failed", "reason": None if n % 4 else "refused",
            "existing": False, "pid": 1000 + n, "command": command, "uid": 0, "cgroup": "/", "cgroup_id": 1, "netns": 1,
            "direction": "egress", "ip_version": 4, "proto": "TCP", "src_ip": "192.0.2.1", "src_port": 40000 + n % 20000,
            "dst_ip": ip(n), "dst_port": 443, "service": "https", "started": T0, "ended": None, "duration_ms": n * 1000,
            "bytes_sent": n, "bytes_received": n, "rtt_us": None, "rtt_min_us": None, "retransmits": 0}


def snapshot(seq, rows, flows, nasty):
    names = [NASTY[n % len(NASTY)] if nasty else f"prog{n}" for n in range(max(rows, flows) + 1)]
    some = range(1, rows + 1)
    rate = {"ingress_pps": 100 * seq, "ingress_bps": 8000000 * seq, "egress_pps": 50 * seq, "egress_bps": 4000000 * seq}
    seconds = [None] * 10 + [n * 10000 for n in range(290)]
    return {
        "type": "snapshot", "schema": 1, "timestamp": T0 + seq * 1000, "seq": seq, "interval_ms": 1000, "final": False,
        "host": "web1", "hosts": ["web1"],
        "totals": {"packets": 150 * seq, "bytes": 15000, "ingress_packets": 100, "ingress_bytes": 2000000 * seq,
                   "egress_packets": 50, "egress_bytes": 1000000 * seq},
        "rates": {"pps": 150, "bps": 12000000, **rate},
        "interval": {"failed": 2, "drops": 3},
        "interfaces": [{"host": "web1", "ifname": f"eth{n}", "packets": 1, "bytes": 1, "ingress_packets": 1,
                        "ingress_bytes": 1000, "egress_packets": 1, "egress_bytes": 500, **rate, "packet_lines": 1,
                        "folded": 0, "unattributed": 0, "malformed": 0, "ring_full": 0} for n in range(3)],
        "protocols": [{"proto": p, "packets": 9, "bytes": 900, "pps": 9, "bps": 7200} for p in ("TCP", "UDP", "ARP")],
        "cpus": [{"host": "web1", "cpu": n, "packets": n, "bytes": n * 100, "pps": n, "bps": n * 800} for n in range(4)],
        "flows": [flow(n, seq, names[n]) for n in range(1, flows + 1)], "flow_table": {"active": flows},
        "history": {"interval_ms": 1000, "start": T0, "ingress_bytes": seconds, "egress_bytes": seconds,
                    "ingress_packets": [], "egress_packets": []},
        "processes": [process(n, seq, names[n]) for n in some],
        "remotes": [{"host": "web1", "remote_ip": ip(n), "tx_bytes": n, "rx_bytes": n, "tx_bps": n * 4000 * seq,
                     "rx_bps": n * 8000 * seq, "processes": 1, "connections": 1} for n in some],
        "connections": [connection(n, seq, names[n]) for n in some], "connection_table": {"open": rows},
        "drops": [{"host": "web1", "reason": r, "reason_code": 1, "proto": "UDP", "packets": 7 * seq, "bytes": 70,
                   "pps": 7, "interval_packets": 7} for r in ("NO_SOCKET", "NETFILTER_DROP")],
        "drop_flows": [{"host": "web1", "ifname": "eth0", "netns": 1, "ip_version": 4, "proto": "UDP", "src_ip": ip(9),
                        "src_port": 9, "dst_ip": ip(10), "dst_port": 10, "reason": "NO_SOCKET", "reason_code": 1,
                        "location": "udp_rcv", "packets": 7, "bytes": 70, "recent": 7, "last": T0}],
        "latency": [{"host": "web1", "name": "tcp_rtt", "unit": "us", "network": n, "count": 10, "p50": 950,
                     "p95": 12300, "p99": 999000, "max": 1200000, "total_count": 10, "buckets": []}
                    for n in (None, "10.0.0.0/24")],
        "losses": {"unattributed": 0, "ring_full": seq - 1},
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=30)
    parser.add_argument("--flows", type=int, help="as many flows, if not as many as other rows")
    parser.add_argument("--nasty", action="store_true", help="names that nobody wants in a terminal")
    parser.add_argument("seq", type=int, nargs="*", default=[1])
    args = parser.parse_args()
    for seq in args.seq:
        print(json.dumps(snapshot(seq, args.rows, args.flows or args.rows, args.nasty), separators=(",", ":")))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py TRUTH.json < `aggregator --flows`: exit 0 if every conversation has the same packets and bytes each way.

Ports count for TCP, UDP and SCTP only; VLAN ids and ICMP types divide flows here, not in the truth: added up.
"""
import collections
import ipaddress
import json
import sys

NAMES = {"ICMP": 1, "IGMP": 2, "IPIP": 4, "TCP": 6, "UDP": 17, "DCCP": 33, "IPv6": 41, "GRE": 47, "ESP": 50,
         "AH": 51, "ICMPv6": 58, "EIGRP": 88, "OSPF": 89, "PIM": 103, "VRRP": 112, "SCTP": 132, "UDPLite": 136}
WITH_PORTS = (6, 17, 132)
L2 = ("eth", "mpls", "pppoe")


def key(proto, src, sport, dst, dport):
    ends = [ipaddress.ip_address(end).compressed for end in (src, dst)]
    if proto not in WITH_PORTS:
        sport = dport = 0
    return proto, ends[0], sport or 0, ends[1], dport or 0


def add(table, k, packets, size):
    if packets:
        table[k][0] += packets
        table[k][1] += size


def wanted(truth):
    table = collections.defaultdict(lambda: [0, 0])
    for f in truth["flows"]:
        if f["l2"] in L2:
            a, b = (f["a_ip"], f["a_port"]), (f["b_ip"], f["b_port"])
            add(table, key(f["proto"], *a, *b), f["packets_ab"], f["bytes_ab"])
            add(table, key(f["proto"], *b, *a), f["packets_ba"], f["bytes_ba"])
    for f in truth["frag_nonfirst"]:
        if f["l2"] in L2:
            add(table, key(f["proto"], f["src_ip"], 0, f["dst_ip"], 0), f["packets"], f["bytes"])
    return table


def found(lines):
    table = collections.defaultdict(lambda: [0, 0])
    for line in lines:
        f = json.loads(line)
        proto = NAMES[f["proto"]] if f["proto"] in NAMES else int(f["proto"])
        a, b = (f["src_ip"], f["src_port"]), (f["dst_ip"], f["dst_port"])
        add(table, key(proto, *a, *b), f["src_packets"], f["src_bytes"])
        add(table, key(proto, *b, *a), f["dst_packets"], f["dst_bytes"])
    return table


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        want = wanted(json.load(f))
    got = found(sys.stdin)
    differences = [k for k in sorted(set(want) | set(got)) if want.get(k) != got.get(k)]
    for k in differences[:20]:
        print(*k, "want", want.get(k), "got", got.get(k))
    sys.exit(bool(differences))


main()

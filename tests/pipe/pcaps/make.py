#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make.py DIR: writes small captures of our own, and what is in them, without reading any parser.

DIR/NAME.pcap and DIR/truth/NAME.json, in every format and link type that `reader --pcap` reads, and some that
it must refuse. A truth file has "flows" (l2, proto, a_ip, a_port, b_ip, b_port, packets_ab, bytes_ab, packets_ba,
bytes_ba) and "frag_nonfirst" (l2, proto, src_ip, dst_ip, packets, bytes), and "frames" and "bytes" of all of it.
"""
import ipaddress
import json
import os
import struct
import sys

A4, B4 = "10.1.2.3", "192.0.2.200"
A6, B6 = "2001:db8::1", "fe80::200:5eff:fe00:5301"
START = 1700000000
ETHERNET, RAW, COOKED, COOKED2, NULL, LOOP, IPV4, IPV6, WIFI = 1, 101, 113, 276, 0, 108, 228, 229, 105


def packed(address):
    return ipaddress.ip_address(address).packed


def ip4(proto, payload, src=A4, dst=B4, options=b"", fragment=0, total=None, ihl=None):
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total
    return (struct.pack(">BBHHHBBH", 0x40 | ihl, 0, total, 1, fragment, 64, proto, 0) + packed(src) +
            packed(dst) + options + payload)


def ip6(proto, payload, src=A6, dst=B6, length=None):
    return struct.pack(">IHBB", 0x60000000, len(payload) if length is None else length, proto, 64) + \
        packed(src) + packed(dst) + payload


def tcp(sport, dport, flags=0x10, payload=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 2, 0x50, flags, 1000, 0, 0) + payload


def udp(sport, dport, payload=b"x" * 20):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def extension(following, body=b"\x01\x04\0\0\0\0"):
    return bytes([following, (len(body) + 2) // 8 - 1]) + body


class Packet:
    """The bytes from the IP header on (or of a frame that is not IP) and what a reader must say of them."""

    def __init__(self, data, flow=None, ethertype=None, fragment=False, egress=False):
        self.data, self.flow, self.fragment, self.egress = data, flow, fragment, egress
        self.ethertype = ethertype or (0x86dd if data[0] >> 4 == 6 else 0x0800)
        self.l2 = "eth"
        self.ethernet = struct.pack(">H", self.ethertype) + data

    def tagged(self, *tags):
        self.ethernet = b"".join(struct.pack(">HH", *tag) for tag in tags) + self.ethernet
        return self

    def labelled(self, *labels):
        stack = b"".join(struct.pack(">I", label << 12 | (i == len(labels) - 1) << 8 | 64)
                         for i, label in enumerate(labels))
        self.ethernet, self.l2 = b"\x88\x47" + stack + self.data, "mpls"
        return self

    def in_session(self):
        protocol = b"\0\x57" if self.ethertype == 0x86dd else b"\0\x21"
        self.ethernet = b"\x88\x64\x11\0\0\7" + struct.pack(">H", len(self.data) + 2) + protocol + self.data
        self.l2 = "pppoe"
        return self


def four(proto, sport, dport, src=A4, dst=B4):
    return proto, src, sport, dst, dport


def packets():
    """Plain ones first: they fit every link type."""
    back = dict(src=B4, dst=A4)
    back6 = dict(src=B6, dst=A6)
    yield Packet(ip4(6, tcp(50000, 443, 2)), four(6, 50000, 443))
    yield Packet(ip4(6, tcp(443, 50000, 0x12), **back), four(6, 443, 50000, B4, A4), egress=True)
    yield Packet(ip4(6, tcp(50000, 443, 0x18, b"y" * 700)), four(6, 50000, 443))
    yield Packet(ip4(17, udp(5353, 53)), four(17, 5353, 53))
    yield Packet(ip4(17, udp(53, 5353), **back), four(17, 53, 5353, B4, A4), egress=True)
    yield Packet(ip4(1, b"\x08\0\0\0" + bytes(60)), four(1, 0, 0))
    yield Packet(ip4(1, b"\x03\x01\0\0" + bytes(4) + ip4(6, tcp(1, 2)), **back), four(1, 0, 0, B4, A4), egress=True)
    yield Packet(ip4(132, struct.pack(">HHII", 2905, 2906, 7, 8) + bytes(16)), four(132, 2905, 2906))
    for proto in (2, 4, 41, 47, 50, 51, 89, 103, 112, 253):
        yield Packet(ip4(proto, bytes(24)), four(proto, 0, 0))
    yield Packet(ip4(17, udp(7, 9), options=b"\x01" * 40), four(17, 7, 9))
    yield Packet(ip4(17, udp(7, 9, bytes(100)), fragment=0x2000), four(17, 7, 9))
    yield Packet(ip4(17, bytes(64), fragment=0x000d), four(17, 0, 0), fragment=True)
    yield Packet(ip4(17, b"\0\7\0"), four(17, 0, 0))          # too short for ports, whatever pads it
    yield Packet(ip4(6, tcp(50000, 443), total=0), four(6, 50000, 443))     # segmentation offload
    yield Packet(ip6(6, tcp(50000, 443, 2), A6, B6), four(6, 50000, 443, A6, B6))
    yield Packet(ip6(6, tcp(443, 50000), **back6), four(6, 443, 50000, B6, A6), egress=True)
    yield Packet(ip6(58, b"\x87\0" + bytes(22)), four(58, 0, 0, A6, B6))
    yield Packet(ip6(59, b""), four(59, 0, 0, A6, B6))
    chain = extension(60) + extension(43) + extension(44) + struct.pack(">BBHI", 51, 0, 1, 9) + b"\x11\x02" + bytes(14)
    yield Packet(ip6(0, chain + udp(5000, 6000)), four(17, 5000, 6000, A6, B6))
    yield Packet(ip6(44, struct.pack(">BBHI", 17, 0, 0x0100, 9) + bytes(40)), four(17, 0, 0, A6, B6), fragment=True)
    yield Packet(ip6(6, tcp(1, 2), length=0), four(6, 0, 0, A6, B6))        # nothing follows, it says
    yield Packet(ip4(6, tcp(1, 2), ihl=4))                                  # no flow from here on
    yield Packet(ip4(6, tcp(1, 2), ihl=15))
    yield Packet(ip4(6, tcp(1, 2), total=19))
    yield Packet(ip4(6, tcp(1, 2))[:19])
    yield Packet(ip6(6, b"")[:39])


def ethernet_packets():
    yield from packets()
    tags = [(0x88a8, 1000), (0x8100, 2), (0x9100, 3), (0x8100, 4)]
    for n in range(1, 5):
        yield Packet(ip4(17, udp(100 + n, 53)), four(17, 100 + n, 53)).tagged(*tags[-n:])
    yield Packet(ip6(17, udp(100, 53)), four(17, 100, 53, A6, B6)).tagged((0x8100, 0x6000 | 5))
    yield Packet(ip4(6, tcp(200, 80)), four(6, 200, 80)).labelled(16)
    yield Packet(ip6(6, tcp(200, 80)), four(6, 200, 80, A6, B6)).labelled(17, 18, 3)
    yield Packet(ip4(17, udp(300, 53)), four(17, 300, 53)).in_session()
    yield Packet(ip6(17, udp(300, 53)), four(17, 300, 53, A6, B6)).in_session().tagged((0x8100, 9))
    yield Packet(bytes(28), ethertype=0x0806)
    yield Packet(bytes(46), ethertype=0x88cc)
    yield Packet(b"\x42\x42\x03" + bytes(43), ethertype=0x0026)
    yield Packet(bytes(46), ethertype=0x88b5)
    yield Packet(b"\x60" + bytes(38))                                       # IPv6's ethertype, half a header
    yield Packet(ip6(6, tcp(1, 2)), ethertype=0x0800)                       # the wrong version


def frame(link, p):
    """A packet as a frame of the link type; None if it cannot be one."""
    mac = b"\2\0\0\0\0\2\2\0\0\0\0\1"
    version = p.data[0] >> 4 if p.data else 0
    family = {4: 2, 6: 30}.get(version)
    if link == ETHERNET:
        return mac + p.ethernet
    if p.ethernet != struct.pack(">H", p.ethertype) + p.data or p.ethertype not in (0x0800, 0x86dd):
        return None
    if link in (NULL, LOOP):
        return family and struct.pack("<I" if link == NULL else ">I", family) + p.data
    if link == COOKED:
        return struct.pack(">HHH8sH", 4 if p.egress else 0, 1, 6, mac, p.ethertype) + p.data
    if link == COOKED2:
        return struct.pack(">HHIHBB8s", p.ethertype, 0, 3, 1, 4 if p.egress else 0, 6, mac) + p.data
    wanted = {IPV4: (4,), IPV6: (6,)}.get(link, (4, 6))
    return p.data if version in wanted else None


def write_pcap(path, link, frames, order="<", nano=False, snap=0):
    with open(path, "wb") as f:
        f.write(struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link))
        for i, data in enumerate(frames):
            kept = data[:snap] if snap else data
            fraction = 123456000 + i * 1000
            f.write(struct.pack(order + "IIII", START + i, fraction if nano else fraction // 1000, len(kept), len(data)) + kept)


def block(order, kind, body):
    length = 12 + len(body)
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def write_pcapng(path, frames, egress, order="<"):
    with open(path, "wb") as f:
        f.write(block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1)))
        for name in (b"eth0", b"wlan0", None):
            options = option(order, 9, b"\x09") + (option(order, 2, name) if name else b"") + bytes(4)
            f.write(block(order, 1, struct.pack(order + "HHI", ETHERNET, 0, 262144) + options))
        for i, data in enumerate(frames):
            stamp = (START + i) * 10**9 + 123456000 + i * 1000
            options = option(order, 2, struct.pack(order + "I", 2 if egress[i] else 1)) + bytes(4)
            head = struct.pack(order + "IIIII", i % 3, stamp >> 32, stamp & 0xffffffff, len(data), len(data))
            f.write(block(order, 6, head + data + bytes(-len(data) % 4) + options))


def truth(name, chosen, frames, count=None):
    """What is in the first `count` frames."""
    pairs = list(zip(chosen, frames))[:count]
    flows, fragments = {}, {}
    for p, data in pairs:
        if not p.flow:
            continue
        proto, src, sport, dst, dport = p.flow
        if p.fragment:
            row = fragments.setdefault((p.l2, proto, src, dst), [0, 0])
            row[0] += 1
            row[1] += len(data)
            continue
        forward = (src, sport) <= (dst, dport)
        key = (p.l2, proto) + ((src, sport, dst, dport) if forward else (dst, dport, src, sport))
        row = flows.setdefault(key, [0, 0, 0, 0])
        row[0 if forward else 2] += 1
        row[1 if forward else 3] += len(data)
    names = ("l2", "proto", "a_ip", "a_port", "b_ip", "b_port", "packets_ab", "bytes_ab", "packets_ba", "bytes_ba")
    return {"file": name, "frames": len(pairs), "bytes": sum(len(d) for _, d in pairs),
            "flows": [dict(zip(names, k + tuple(v))) for k, v in flows.items()],
            "frag_nonfirst": [dict(zip(("l2", "proto", "src_ip", "dst_ip", "packets", "bytes"), k + tuple(v)))
                              for k, v in fragments.items()]}


def main():
    out = sys.argv[1]
    os.makedirs(os.path.join(out, "truth"), exist_ok=True)

    def capture(name, link, write, count=None, source=packets):
        pairs = [(p, frame(link, p)) for p in source()]
        chosen, frames = zip(*[(p, f) for p, f in pairs if f])
        write(os.path.join(out, name + ".pcap"), chosen, frames)
        with open(os.path.join(out, "truth", name + ".json"), "w", encoding="utf-8") as f:
            json.dump(truth(name + ".pcap", chosen, frames, count), f)

    def classic(link, **how):
        return lambda path, chosen, frames: write_pcap(path, link, frames, **how)

    def ng(order):
        return lambda path, chosen, frames: write_pcapng(path, frames, [p.egress for p in chosen], order)

    def cut(path, chosen, frames):
        write_pcap(path, ETHERNET, frames[:10])
        os.truncate(path, os.path.getsize(path) - 3)

    ethernet = dict(link=ETHERNET, source=ethernet_packets)
    capture("micro", write=classic(ETHERNET), **ethernet)
    capture("micro_big", write=classic(ETHERNET, order=">"), **ethernet)
    capture("nano", write=classic(ETHERNET, nano=True), **ethernet)
    capture("nano_big", write=classic(ETHERNET, nano=True, order=">"), **ethernet)
    capture("ng", write=ng("<"), **ethernet)
    capture("ng_big", write=ng(">"), **ethernet)
    for name, link in (("raw", RAW), ("cooked", COOKED), ("cooked2", COOKED2), ("null", NULL), ("loop", LOOP),
                       ("ipv4", IPV4), ("ipv6", IPV6)):
        capture(name, link, classic(link))
    capture("cut", ETHERNET, cut, count=9)
    capture("empty", ETHERNET, classic(ETHERNET), source=lambda: iter([Packet(b"\x45")]), count=0)
    write_pcap(os.path.join(out, "empty.pcap"), ETHERNET, [])
    # Not to be read as truth: refused, or cut by the snap length.
    write_pcap(os.path.join(out, "snap.cap"), ETHERNET, [frame(ETHERNET, p) for p in packets()], snap=40)
    write_pcap(os.path.join(out, "wifi.cap"), WIFI, [bytes(40)])
    with open(os.path.join(out, "garbage.cap"), "wb") as f:
        f.write(b"this is no capture" * 10)
    with open(os.path.join(out, "micro.pcap"), "rb") as f, open(os.path.join(out, "head.cap"), "wb") as g:
        g.write(f.read(20))


main()

# SPDX-License-Identifier: MIT
"""Capture files to read: so many packets of ten thousand flows between so many hosts, TCP and UDP."""
import os
import random
import struct

FLOWS = 10000
SEQUENCE_AT = 14 + 20 + 4


def make_flow(rng, number, hosts):
    """A frame of it: 80 bytes TCP, three of four, or 68 UDP."""
    a, z = rng.randrange(hosts), rng.randrange(hosts)
    if number % 4:
        body = struct.pack("!HHIIBBHHH", 1024 + number % 50000, 443, 0, 0, 0x50, 0x10, 512, 0, 0)
    else:
        body = struct.pack("!HHHH", 1024 + number % 50000, 53, 34, 0)
    body += bytes(26)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(body), 0, 0, 64, 6 if number % 4 else 17, 0,
                     0x0A000000 + a, 0x0A010000 + z)
    return bytearray(b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + body)


def write_capture(path, packets, hosts):
    """100 000 packets a second by their stamps, the next packet of any flow."""
    rng = random.Random(1)
    flows = [make_flow(rng, number, hosts) for number in range(FLOWS)]
    with open(path, "wb", buffering=1 << 20) as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(packets):
            number = int(rng.random() * FLOWS)
            frame = flows[number]
            if number % 4:
                struct.pack_into("!I", frame, SEQUENCE_AT, i)
            f.write(struct.pack("<IIII", 1700000000 + i // 100000, i % 100000 * 10, len(frame), len(frame)))
            f.write(frame)


def capture(b, packets, hosts):
    """Its path; made once a run."""
    path = os.path.join(b.work, f"{packets}-{hosts}.pcap")
    if not os.path.exists(path):
        write_capture(path, packets, hosts)
    return path

# SPDX-License-Identifier: MIT
"""What draining the folded flows takes, and what it does to packets that come meanwhile."""
import os
import re
import subprocess

from lib.net import Attached, Process, Veth, used_s
from .live import READER_CPU, inject, interface

FLOWS = 100_000
BATCH = 4096  # more gain nothing
OPTIONS = ["--probe", "packet", "--hook", "xdp", "--packet-lines", "0", "--max-flows", "131072"]


def drain_once(b, attached):
    """(ms of the swap, ms of reading and deleting, ms on a CPU of the whole process, rows)"""
    with Process([b.bin("reader"), "--pin-dir", attached.pins, "--once", "--verbose", "--types", "flow"], cpu=READER_CPU,
                 stderr=subprocess.PIPE, text=True) as reader:
        said = reader.child.stderr.read()
        used = used_s(reader.wait())
    found = re.search(r"swapped folded maps in ([\d.]+) ms\n(?:.*\n)*?.*drained (\d+) rows in ([\d.]+) ms", said)
    if not found:
        return 0.0, 0.0, used * 1000, 0
    return float(found.group(1)), float(found.group(3)), used * 1000, int(found.group(2))


def bare_drain(b):
    """ms on a CPU of taking as many rows out of a per-CPU hash, and nothing more."""
    done = b.lines(["taskset", "-c", str(READER_CPU), b.tool("empty"), str(FLOWS), str(BATCH)])[0]
    if done["rows"] != FLOWS:
        raise RuntimeError(f"{done['rows']} flows were in the map")
    return done["cpu_ms"]


def drain_rows(b):
    wall, cpu, swap, rows, bare = [], [], [], [], []
    with Veth() as veth, Attached(b, veth, OPTIONS) as attached:
        drain_once(b, attached)
        for _ in range(b.rounds):
            start_up = drain_once(b, attached)[2]
            inject(b, attached, 0, FLOWS)
            swapped, read, used, count = drain_once(b, attached)
            wall.append(swapped + read)
            swap.append(swapped)
            cpu.append(used - start_up)
            rows.append(count)
            bare.append(bare_drain(b))
    b.exact("drain of 100 000 flows: flow lines", rows, [FLOWS] * len(rows), "lines", "flows sent")
    b.limit("drain of 100 000 flows: swap, reading, lines", wall, "ms", 60, "lower")
    b.plain("drain of 100 000 flows: of it the swap, an RCU grace period", swap, "ms")
    b.limit("drain of 100 000 flows: CPU of the reader", cpu, "ms", 40, "lower", "without its start")
    b.row("drain of 100 000 flows: CPU of the reader", cpu, bare, "ms", "the kernel's batches out of a per-CPU hash, without a line", None, "lower")


def folded_packets(path):
    """The sum of all flow lines."""
    with open(path, "rb") as f:
        return sum(int(n) for n in re.findall(rb'"packets":(\d+)', f.read()))


def path_rows(b):
    """As fast as it goes on one CPU, while a reader on the other drains ten times a second."""
    seconds, alone, drained, sent, seen = 0.5 if b.quick else 2, [], [], [], []
    for _ in range(b.rounds):
        with Veth() as veth, Attached(b, veth, OPTIONS) as attached:
            inject(b, attached, 0.2, FLOWS)
            alone.append(inject(b, attached, seconds, FLOWS)["ns"])
            before = interface(attached)["packets"]
            path = os.path.join(b.work, "drained.ndjson")
            with open(path, "wb") as f, Process([b.bin("reader"), "--pin-dir", attached.pins, "--interval", "0.1", "--types",
                                                 "flow"], cpu=READER_CPU, ready=True, stdout=f) as reader:
                done = inject(b, attached, seconds, FLOWS)
                reader.end()
            drained.append(done["ns"])
            sent.append(before + done["sent"])
            seen.append(folded_packets(path))
            os.remove(path)
    b.row("a packet while 100 000 flows are drained ten times a second", drained, alone, "ns/packet", "nobody drains", None,
          "lower")
    b.exact("packets meanwhile: in flow lines", seen, sent, "packets", "sent")


ROWS = (drain_rows, path_rows)

# SPDX-License-Identifier: MIT
"""How cost grows: with packets a second, flows, CPUs, interfaces, clients. Not in the quick run."""
import os
import shutil
import statistics
import subprocess
import time

from lib.net import Attached, Process, Veth, rss_bytes
from lib.table import unless_quick
from .lines import emit
from .live import FOLDED, LINES, READER_CPU, Ours, inject, interface, pump, until_quiet
from .serve import SERVE

FLOWS = 10000
LINES_READ = 2_000_000


def program_curves(b):
    """The packet program by test runs: tests/bench/curve."""
    flows, rates = [], []
    for point in b.lines([b.tool("curve"), str(rounds(b))]):
        if point["curve"] == "flows":
            flows.append((point["x"], point))
        else:
            rates.append((round(statistics.median(point["reached"])), point))
    b.curve("program-flows", "The packet program, folding", "flows", "ns a packet",
            {"test runs, an empty program subtracted": [(x, p["ns"]) for x, p in flows]})
    b.curve("program-rate", "The packet program at a pace, folding 10 000 flows", "packets a second", "% of a core",
            {"packet program": [(x, p["cpu_percent"]) for x, p in rates]}, "xy")


def pipeline_point(b, options, rate, seconds):
    """(packets a second reached, % of a core of reader and aggregator, % of packets that became lines)"""
    with Veth() as veth, Ours(b, veth, options, "xdp") as ours:
        before = ours.reader.cpu_s() + ours.aggregator.cpu_s()
        began = time.monotonic()
        sent = inject(b, ours.attached, seconds, FLOWS, rate)
        until_quiet(ours.reader)
        until_quiet(ours.aggregator)
        used = ours.reader.cpu_s() + ours.aggregator.cpu_s() - before
        lines = interface(ours.attached)["packet_lines"]
        return sent["pps"], used / (time.monotonic() - began) * 100, lines / sent["sent"] * 100


def rate_curves(b):
    """reader | aggregator on one core, while packets come by test runs on the other."""
    modes = (("--packet-lines 0", FOLDED), ("--packet-lines 10000, the default", []), ("--packet-lines all", LINES))
    cpu, share = {name: [] for name, _ in modes}, {name: [] for name, _ in modes}
    for rate in (1000, 10_000, 100_000, 1_000_000, 10_000_000):
        for name, options in modes:
            found = [pipeline_point(b, options, rate, 1) for _ in range(rounds(b))]
            reached = round(statistics.median(f[0] for f in found))
            cpu[name].append((reached, [f[1] for f in found]))
            share[name].append((reached, [f[2] for f in found]))
    b.curve("pipeline-rate", "CPU of reader and aggregator together", "packets a second", "% of a core", cpu, "xy")
    b.curve("lines-rate", "What becomes a line of its own", "packets a second", "% of packets", share)


def rounds(b):
    return min(3, b.rounds)


def flow_curves(b):
    """The aggregator over packet lines of so many flows."""
    cost, memory = [], []
    for flows in (1, 10, 100, 1000, 10_000, 100_000, 1_000_000):
        path = emit(b, LINES_READ, flows)
        used, held = [], []
        for _ in range(rounds(b)):
            with Process([b.bin("aggregator"), "--max-flows", "1100000", "--interval", "3600"],
                         stdin=subprocess.PIPE) as aggregator:
                with open(path, "rb") as f:
                    shutil.copyfileobj(f, aggregator.child.stdin, 1 << 16)
                aggregator.child.stdin.flush()
                until_quiet(aggregator)
                used.append(aggregator.cpu_s() / LINES_READ * 1e9)
                held.append(rss_bytes(aggregator.pid) / 1e6)
        cost.append((flows, used))
        memory.append((flows, held))
        os.remove(path)
    b.curve("aggregator-flows", "What a packet line costs the aggregator", "flows", "ns of CPU a packet line", {"packet lines of our reader": cost})
    b.curve("aggregator-memory", "Memory of the aggregator", "flows", "MB of memory", {"packet lines of our reader": memory}, "xy")


def cpu_curves(b):
    """All CPUs at once, each as fast as it goes."""
    fold = []
    for cpus in range(1, min(os.cpu_count(), 64) + 1):
        found = []
        for _ in range(rounds(b)):
            with Veth() as veth, Attached(b, veth, ["--probe", "packet", "--hook", "xdp", *FOLDED]) as attached:
                inject(b, attached, 0.1, FLOWS, 0, cpus)
                found.append(inject(b, attached, 1, FLOWS, 0, cpus)["pps"] / 1e6)
        fold.append((cpus, found))
    b.curve("cpus", "The packet program on several CPUs at once", "CPUs", "million packets a second",
            {"folding 10 000 flows": fold}, "")


def interface_curves(b):
    """So many interfaces attached; the sender goes through them in turn."""
    rate, idle, memory = [], [], []
    for count in (1, 4, 16, 64):
        names = [f"peer{i}" for i in range(count)]
        kept, quiet, held = [], [], []
        for _ in range(rounds(b)):
            with Veth(count) as veth:
                senders = [f"bench{i}" for i in range(count)]
                alone = pump(b, veth, 1, 0, FLOWS, senders)["pps"]
                with Attached(b, veth, ["--probe", "packet", "--hook", "tc", *FOLDED], names) as attached, \
                        Process([b.bin("reader"), "--pin-dir", attached.pins], cpu=READER_CPU, ready=True) as reader:
                    kept.append(pump(b, veth, 1, 0, FLOWS, senders)["pps"] / alone * 100)
                    before = reader.cpu_s()
                    time.sleep(2)
                    quiet.append((reader.cpu_s() - before) / 2 * 100)
                    held.append(rss_bytes(reader.pid) / 1e6)
        rate.append((count, kept))
        idle.append((count, quiet))
        memory.append((count, held))
    b.curve("interfaces", "The sender's rate over so many interfaces in turn, folding at TC", "interfaces",
            "% of the rate with nothing attached", {"64-byte packets": rate})
    b.curve("interfaces-idle", "CPU of the reader without packets", "interfaces", "% of a core", {"interval 1 s": idle})
    b.curve("interfaces-memory", "Memory of the reader", "interfaces", "MB of memory", {"of the process": memory})


def client_curves(b):
    """A snapshot of 100 kB a second to so many clients of the feed."""
    points = b.lines([SERVE, "clients", "--build", b.build, "--rounds", str(rounds(b)), "--seconds", "2"])
    b.curve("clients", "CPU of httpd, a snapshot of 100 kB a second", "clients", "ms of CPU a snapshot",
            {"server-sent events": [(p["clients"], p["cpu_ms"]) for p in points]}, "xy")
    b.curve("clients-memory", "Memory of httpd, a snapshot of 100 kB a second", "clients", "MB of memory",
            {"server-sent events": [(p["clients"], p["memory_mb"]) for p in points]})


ROWS = tuple(map(unless_quick, (program_curves, rate_curves, flow_curves, cpu_curves, interface_curves, client_curves)))

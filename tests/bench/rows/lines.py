# SPDX-License-Identifier: MIT
"""Records to lines, lines to flow tables, on one core: tests/bench/lines, parse and instructions tell more of it."""
import os
import shutil
import subprocess
import time

from lib.net import Process, rss_bytes

INSTRUCTIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "instructions")


def rows(b):
    if shutil.which("valgrind"):
        b.adopt([INSTRUCTIONS, b.build])
    else:
        b.miss("instructions a line", "valgrind is not installed: make bench-deps")
    b.adopt([b.tool("lines"), str(b.rounds)])
    b.adopt([b.tool("parse"), str(b.rounds)])


PIECE = 1 << 16
FLOWS = 1_000_000


def emit(b, lines, flows):
    """A file of so many packet lines as our reader writes them."""
    path = os.path.join(b.work, f"{lines}-{flows}.ndjson")
    if not os.path.exists(path):
        with open(path, "wb") as f:
            subprocess.run([b.tool("lines"), "--emit", str(lines), str(flows)], check=True, stdout=f)
    return path


def computed_s(pid):
    """Time on a CPU, to the nanosecond, of a process of one thread."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e9


def longest_stop(b, path, turns):
    """(the longest time in seconds that a piece of 64 KiB waited, the most that aggregator computed meanwhile, bytes of
    memory) once the table is full."""
    with Process([b.bin("aggregator"), "--max-flows", str(FLOWS * 2)], stdin=subprocess.PIPE, bufsize=0) as aggregator, \
            open(path, "rb", buffering=0) as lines:
        fd, longest, busiest = aggregator.child.stdin.fileno(), 0.0, 0.0
        for turn in range(turns):
            lines.seek(0)
            while piece := lines.read(PIECE):
                began, before = time.monotonic(), computed_s(aggregator.pid)
                while piece:
                    piece = piece[os.write(fd, piece):]
                if turn:
                    longest = max(longest, time.monotonic() - began)
                    busiest = max(busiest, computed_s(aggregator.pid) - before)
        return longest, busiest, rss_bytes(aggregator.pid)


def stop_rows(b):
    """The whole aggregator, as fast as it takes lines, a snapshot a second meanwhile."""
    path = emit(b, 2 * FLOWS, FLOWS)
    found = [longest_stop(b, path, 2 if b.quick else 4) for _ in range(1 if b.quick else b.rounds)]
    b.limit("aggregator, 1 000 000 flows: the longest that 64 KiB of lines waited", [x * 1000 for x, _, _ in found], "ms", 100,
            "lower")
    b.plain("aggregator, 1 000 000 flows: the most that it computed while some waited", [x * 1000 for _, x, _ in found], "ms",
            "the rest is for a CPU")
    b.plain("aggregator, 1 000 000 flows: memory", [x / 1e6 for _, _, x in found], "MB")


ROWS = (rows, stop_rows)

# SPDX-License-Identifier: MIT
"""How old news are: from a packet sent to its line in jq, to the snapshot that a client of the feed gets, and to the
flow on the page in a browser."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

from lib.net import Attached, Process, Veth
from lib.pipeline import Feed, Pipeline
from lib.table import unless_quick
from .live import pump

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKER = os.path.join(HERE, "lib/ticker.py")
FIRST = 20000


def ticks(veth, count, gap_s):
    """{port: when it was sent}"""
    out = subprocess.run(veth.inside("a", sys.executable, TICKER, "10.79.0.2", str(FIRST), str(count), str(gap_s)),
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    return {int(port): float(at) for port, at in (line.split() for line in out.splitlines())}


def say(b, what, found, limit_ms):
    """found: of each round the delays in seconds."""
    cuts = [statistics.quantiles(delays, n=100, method="inclusive") for delays in found]
    b.plain(f"{what}: p50", [c[49] * 1000 for c in cuts], "ms", f"{len(found[0])} packets a round")
    b.limit(f"{what}: p99", [c[98] * 1000 for c in cuts], "ms", limit_ms, "lower")


def delays(sent, seen):
    if missing := set(sent) - set(seen):
        raise RuntimeError(f"{len(missing)} of {len(sent)} packets were not seen: {sorted(missing)[:5]} ...")
    return [seen[port] - sent[port] for port in sent]


def background(b, veth, rate, seconds):
    """Other packets meanwhile, by a sender of its own."""
    thread = threading.Thread(target=lambda: pump(b, veth, seconds, rate, 1000))
    thread.start()
    return thread


def line_round(b, count, gap_s, rate):
    """Through reader | jq, as someone would."""
    with Veth() as veth, Attached(b, veth, ["--probe", "packet", "--packet-lines", "all"]) as attached:
        out, lines = os.pipe()
        with Process(["jq", "--unbuffered", f"select(.src_port >= {FIRST} and .dst_port == 9).src_port"], stdin=out,
                     stdout=subprocess.PIPE) as jq:
            os.close(out)
            with Process([b.bin("reader"), "--pin-dir", attached.pins, "--types", "packet"], ready=True, stdout=lines):
                os.close(lines)
                seen = {}

                def listen():
                    for port in jq.child.stdout:
                        seen.setdefault(int(port), time.time())
                        if len(seen) == count:
                            return
                ear = threading.Thread(target=listen, daemon=True)
                ear.start()
                noise = background(b, veth, rate, count * gap_s * 1.2) if rate else None
                sent = ticks(veth, count, gap_s)
                ear.join(10)
                if noise:
                    noise.join()
        return delays(sent, seen)


def line_rows(b):
    if not shutil.which("jq"):
        b.miss("a packet to its line in jq", "jq is not installed: make bench-deps")
        return
    count = 50 if b.quick else 200
    for what, rate in (("otherwise idle", 0), ("among 5 000 others a second", 5000)):
        found = [line_round(b, count, 0.02, rate) for _ in range(b.rounds)]
        say(b, f"a packet to its line in jq, {what}", found, 120)


def feed_round(b, count, gap_s):
    """To a client of server-sent events."""
    with Veth() as veth, Attached(b, veth, ["--probe", "packet"]) as attached, \
            Pipeline(b, attached, ["--top", "1000"]) as pipeline, Feed(pipeline.port, "flows") as feed:
        seen = {}

        def listen():
            for message in feed.messages():
                now = time.time()
                for port in re.findall(rb'"src_port":(2\d{4}),', message):
                    seen.setdefault(int(port), now)
                if len(seen) >= count:
                    return
        ear = threading.Thread(target=listen, daemon=True)
        ear.start()
        sent = ticks(veth, count, gap_s)
        ear.join(10)
        return delays(sent, seen)


def feed_rows(b):
    count = 30 if b.quick else 100
    say(b, "a packet to the feed, interval 1 s", [feed_round(b, count, 0.05) for _ in range(b.rounds)], 1200)


def page_round(b, count, gap_s):
    """To the table of flows on the page, painted."""
    with Veth() as veth, Attached(b, veth, ["--probe", "packet"]) as attached, Pipeline(b, attached) as pipeline:
        with Process(["node", os.path.join(HERE, "latency.mjs"), f"http://127.0.0.1:{pipeline.port}/", str(count)],
                     nobody=False, stdout=subprocess.PIPE) as page:
            lines = iter(page.child.stdout.readline, b"")
            if next(lines, b"") != b"ready\n":
                raise RuntimeError("the page does not show flows")
            seen = {}

            def listen():
                for line in lines:
                    port, at = line.split()
                    seen.setdefault(int(port), float(at) / 1000)
            ear = threading.Thread(target=listen, daemon=True)
            ear.start()
            sent = ticks(veth, count, gap_s)
            ear.join(10)
        return delays(sent, seen)


@unless_quick
def page_rows(b):
    if not shutil.which("node") or not shutil.which("chromium"):
        b.miss("a packet to the page", "node and chromium are not installed: make bench-deps")
        return
    found = [page_round(b, 60, 0.15) for _ in range(min(b.rounds, 3))]
    say(b, "a packet to its flow on the page, interval 1 s", found, 1200)


ROWS = (line_rows, feed_rows, page_rows)

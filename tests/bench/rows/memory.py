# SPDX-License-Identifier: MIT
"""Memory of the whole pipeline: of its processes (what they hold alone, and their share of the rest), and of the
kernel's maps and rings. Idle, and with flows that all were seen within a second."""
import json
import os
import re
import subprocess

from lib.net import Attached, Veth, rss_bytes
from lib.pipeline import Feed, Pipeline
from .live import inject

MB = 1e6


def kernel_bytes(pins):
    """What the pinned maps take."""
    total = 0
    for name in os.listdir(pins):
        path = os.path.join(pins, name)
        if os.path.isdir(path):
            continue
        done = subprocess.run(["bpftool", "-j", "map", "show", "pinned", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        if not done.returncode:
            total += json.loads(done.stdout)["bytes_memlock"]
    return total


def wait_for_flows(port, flows):
    if not flows:
        return
    with Feed(port, "flows") as feed:
        for message in feed.messages():
            found = re.search(rb'"flow_table":\{"active":(\d+)', message)
            if found and int(found.group(1)) >= flows:
                return


def measure(b, flows, max_flows):
    """Bytes: (of the processes, of the kernel's maps)"""
    limit = ["--max-flows", str(max_flows)] if max_flows else []
    with Veth() as veth, Attached(b, veth, ["--hook", "xdp", "--packet-lines", "0", *limit]) as attached, \
            Pipeline(b, attached, limit) as pipeline:
        if flows:
            inject(b, attached, 0, flows)
        wait_for_flows(pipeline.port, flows)
        return [rss_bytes(p.pid) for p in pipeline.processes()], kernel_bytes(attached.pins)


def rows(b):
    rounds = 1 if b.quick else min(3, b.rounds)
    cases = (("idle", 0, 0), ("10 000 flows", 10000, 0), ("1 000 000 flows", 1_000_000, 1_000_000))
    for what, flows, max_flows in cases[:2] if b.quick else cases:
        found = [measure(b, flows, max_flows) for _ in range(rounds)]
        b.plain(f"memory, {what}: reader, aggregator and httpd", [sum(x) / MB for x, _ in found], "MB",
                " + ".join(f"{x / MB:.1f}" for x in found[0][0]))
        b.plain(f"memory, {what}: maps and rings of the kernel", [x / MB for _, x in found], "MB")


ROWS = (rows,)

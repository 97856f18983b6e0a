#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A month of a busy host through recorder, and every question to report about it: sums, sizes, times.

report_month.py BIN [--days N] [--keep FILE]

A generator says 200 processes, 2 000 remotes and what they moved, with a change of clocks within. Every slot of
every tier, and every answer, has to be the generator's own sum: exit 1 if one is not. How large the database is
and how long each question takes (the median of 7, warm) is shown beside what is aimed at, and not judged.
"""
import argparse
import collections
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import recorder_lines
import report_check
from report_check import HOUR, Truth, check

ZONE = "Europe/Berlin"
BEGIN = 1741561200      # 2025-03-10 there; New York had changed its clocks the day before, Berlin did on the 30th
GRAIN = 300
AIM_MS, FAST_MS = 500, 200
ROUNDS = 7
TIERS = ("raw", "minutes", "hours", "days")
FORMATS = ("table", "json", "ndjson", "csv", "prom")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("bin")
    p.add_argument("--days", type=int, default=30)
    p.add_argument("--keep", help="where to leave the database")
    return p.parse_args()


def load(recorder, path, days, truth):
    """Returns lines and seconds."""
    o = argparse.Namespace(begin=BEGIN, hours=days * 24 - 1, step=GRAIN, processes=200, remotes=2000, rows=200,
                           flows=20, seed=1)
    began, n = time.monotonic(), 0
    with subprocess.Popen([recorder, "--wait", "--db", path], env={**os.environ, "TZ": ZONE}, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as p:
        for line in recorder_lines.lines(o, truth):
            p.stdin.write(line)
            n += 1
    if p.returncode:
        sys.exit(f"recorder: exit {p.returncode}")
    return n, time.monotonic() - began


# ---- size --------------------------------------------------------------------


def show_sizes(db, days):
    sizes = collections.Counter()
    for name, size in db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
        tier = [t for t in TIERS if f"_{t}" in name]
        sizes[tier[0] if tier else "flow" if name.startswith("flow") else "names, slots"] += size
    print(f"\n{'kept':14}{'MB':>8}{'days':>8}{'MB a day':>10}")
    for what in (*TIERS, "flow", "names, slots"):
        tier = TIERS.index(what) if what in TIERS else None
        kept = db.execute("SELECT sum(end - begin) / 86400.0 FROM slot WHERE tier=?", (tier,)).fetchone()[0] \
            if tier is not None else 7 if what == "flow" else None
        a_day = f"{sizes[what] / 1e6 / kept:10.2f}" if kept else ""
        print(f"{what:14}{sizes[what] / 1e6:8.2f}{f'{kept:8.2f}' if kept else '':8}{a_day}")
    whole = sum(sizes.values()) / 1e6
    print(f"{'all':14}{whole:8.2f}{days:8.2f}{whole / days:10.2f}")


# ---- sums --------------------------------------------------------------------


def check_tiers(db, t):
    """Each slot of each tier, as the tables have it, by process."""
    for number, tier in enumerate(TIERS):
        slots = list(db.execute("SELECT begin, end FROM slot WHERE tier=?", (number,)))
        have = collections.defaultdict(dict)
        for slot, command, tx, rx in db.execute(
                f"SELECT slot, p.command, sum(tx_bytes), sum(rx_bytes) FROM traffic_{tier} JOIN process p "
                "ON p.id=process GROUP BY slot, process"):
            have[slot][command] = [tx, rx]
        for begin, end in slots:
            # What is in a slot of 10 s is in the first of a step.
            want = t.moved(begin - begin % GRAIN, max(end, begin - begin % GRAIN + GRAIN), "command")
            check(f"{tier} {begin}-{end}", have[begin], want if begin % GRAIN == 0 else {})
        print(f"{tier}: {len(slots)} slots compared")


def check_flows(t, zone):
    end = t.end
    rows = report_check.ask(zone, end - 48 * HOUR, end, "flows", "-n", 100, labels=(
        "proto", "src_ip", "src_port", "dst_ip", "dst_port", "command", "pid", "first_ms", "ifname", "host", "vlan",
        "state", "last_ms"))
    check("flows", [row["bytes"] for row in rows],
          sorted((flow[1] for flow in t.flows if flow[0] >= end - 48 * HOUR), reverse=True)[:100])


def covered(t, zone, begin, end):
    """What a range becomes: within the month, and of whole hours where nothing finer is kept."""
    newest = t.end - GRAIN
    begin, end = max(begin, t.begin), min(end, t.end)
    if begin < newest - 48 * HOUR:
        begin -= begin % HOUR
    if end < newest - 48 * HOUR:
        end += -end % HOUR
    answer = json.loads(report_check.report(zone, "top", "-n", 1, "--from", begin, "--to", end, "--format", "json"))
    # The last slot of all is one of 10 s.
    check(f"{zone} covered", [answer["covered_from"], answer["covered_to"]], [begin, min(end, newest + 10)])
    return begin, end


def check_answers(t):
    """Across the ends of tiers, days of 23 and 24 hours, and beyond both ends."""
    end = t.end
    for zone in report_check.ZONES:
        changed = 1743289200    # 30 March in Berlin, of 23 hours
        for begin, to in ((t.begin, end), (t.begin - 9000 * HOUR, end + 900 * HOUR), (changed, changed + 23 * HOUR),
                          (changed - 5 * HOUR, changed + 49 * HOUR), (t.begin + 11 * HOUR, end - 7 * HOUR),
                          (end - 90 * HOUR - GRAIN, end), (end - 50 * HOUR, end - 46 * HOUR),
                          (end - 47 * HOUR - 5 * GRAIN, end - HOUR - 7 * GRAIN), (end - 30 * HOUR, end - 2 * GRAIN),
                          (changed - 5 * HOUR + 3 * GRAIN, changed + 60 * HOUR + GRAIN),
                          (end - 2 * HOUR, end - GRAIN)):
            report_check.check_lists(t, zone, begin, to, covered(t, zone, begin, to))
        start = list(report_check.days(zone, t.begin - 24 * HOUR, end))[0]
        report_check.check_history(t, zone, start, end)
        report_check.check_export(t, zone, end - 100 * HOUR, end - 3 * HOUR)
        check_flows(t, zone)
    print(f"answers compared in {', '.join(report_check.ZONES)}")


# ---- times -------------------------------------------------------------------


def questions(t):
    """(words, range, note); of all verbs, and all that they can be asked by."""
    month, end = (t.begin, t.end), t.end
    odd = (t.begin + 5 * GRAIN, end - 7 * GRAIN)
    some = {"": [], " of a process": ["--process", "proc1"], " of an address": ["--ip", "10.0.0.17"],
            " of a small network": ["--ip", "10.0.0.0/28"], " of half of all": ["--ip", "10.0.0.0/22"],
            " of most": ["--ip", "10.0.0.0/8"],
            " of a protocol": ["--proto", "UDP"]}
    for by in ("process", "remote", "protocol", "port", "flow"):
        for filters in some.values():
            if by != "port" or filters[:1] not in (["--process"], ["--ip"]):
                yield ["top", "--by", by, *filters], month
    for step in ("1d", "6h", "1h"):
        for filters in some.values():
            yield ["history", "--step", step, *filters], month
    yield ["history", "--step", "5min"], (end - 47 * HOUR, end)
    yield ["history", "--step", "5min", "--process", "proc1"], (end - 47 * HOUR, end)
    for verb in ("protocols", "drops", "latency", "flows"):
        yield [verb], month
    for filters in some.values():
        yield ["remotes", "-n", "0", *filters], month
    for by in ("process", "remote", "protocol"):
        yield ["top", "--by", by], odd
        yield ["top", "--by", by], (end - 24 * HOUR, end)
        yield ["top", "--by", by], (end - 2 * HOUR, end)
    for form in FORMATS[1:]:
        yield ["top", "--by", "remote", "-n", "0", "--format", form], month
        yield ["history", "--step", "1h", "--format", form], month
    for by in ("interface", "protocol", "port", "drop", "latency", "flow"):
        yield ["export", "--by", by, "--format", "csv"], month
    yield ["export", "--by", "traffic", "--format", "csv"], (end - 2 * HOUR, end)
    yield ["export", "--by", "traffic", "-n", "1000", "--format", "ndjson"], month


def seconds(words, begin, end):
    """By the clock, and of CPU: the same whatever else the machine does."""
    argv = [report_check.REPORT, "--db", report_check.DATABASE, *words, "--from", str(begin), "--to", str(end)]
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env={**os.environ, "TZ": ZONE}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def show_times(t):
    print(f"\n{'median ms':>9}{'least':>7}{'CPU':>6}  question (aim: below {AIM_MS}, for a page below {FAST_MS})")
    rows = []
    for words, (begin, end) in questions(t):
        times, cpu = zip(*(seconds(words, begin, end) for _ in range(ROUNDS)))
        rows.append((statistics.median(times) * 1000, min(times) * 1000, statistics.median(cpu) * 1000,
                     f"{' '.join(words)}, {(end - begin) / 86400:.1f} days"))
    for median, least, cpu, words in sorted(rows, reverse=True):
        print(f"{median:9.0f}{least:7.0f}{cpu:6.0f}  {words}")
    print(f"{len(rows)} questions: {sum(r[0] >= AIM_MS for r in rows)} not below {AIM_MS} ms, "
          f"{sum(r[0] >= FAST_MS for r in rows)} not below {FAST_MS} ms")
    took, _ = seconds(["export", "--format", "csv"], t.begin, t.end)
    print(f"all rows of the month as csv: {took:.1f} s")


def main():
    o, t = options(), Truth(GRAIN)
    with tempfile.TemporaryDirectory() as folder:
        path = o.keep or os.path.join(folder, "flows.db")
        n, took = load(os.path.join(o.bin, "recorder"), path, o.days, t)
        print(f"{o.days} days, {n} lines through recorder in {took:.0f} s", flush=True)
        report_check.use(os.path.join(o.bin, "report"), path, (ZONE, "America/New_York"))
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        check_tiers(db, t)
        check_answers(t)
        status = report_check.verdict()
        show_sizes(db, o.days)
        show_times(t)
    return status


if __name__ == "__main__":
    sys.exit(main())

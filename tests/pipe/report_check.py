#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares every answer of report with the sums of recorder_lines.py. Exit 1 if any differs.

report_check.py REPORT DATABASE SUMS ZONE...

Each question is asked in each time zone, over ranges that are cut in and beside days; what is asked in
json is asked in the other exact formats as well, which have to say the same.
"""
import collections
import csv
import datetime
import io
import itertools
import json
import os
import re
import subprocess
import sys
import zoneinfo

REPORT, DATABASE, SUMS, *ZONES = sys.argv[1:]
HOUR = 3600
LINE = re.compile(r'^jopil_report_(\w+?)(?:\{(.*)\})? (-?\d+)(?: (-?\d+))?$')
bad = asked = 0


def check(what, have, want):
    global bad
    if have != want:
        bad += 1
        print(f"{what}: differs:\n  have {str(have)[:600]}\n  want {str(want)[:600]}")


def report(zone, *args):
    global asked
    asked += 1
    return subprocess.run([REPORT, "--db", DATABASE, *map(str, args)], env={**os.environ, "TZ": zone},
                          stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")


def same_in_all_formats(zone, args, rows, labels):
    """ndjson, csv and prom against the rows of json."""
    lines = [json.loads(line) for line in report(zone, *args, "--format", "ndjson").splitlines()]
    check(f"{args} ndjson head", lines[0]["type"], "report")
    check(f"{args} ndjson", [{k: v for k, v in line.items() if k != "type"} for line in lines[1:]], rows)
    table = list(csv.DictReader(io.StringIO(report(zone, *args, "--format", "csv"), newline="")))
    check(f"{args} csv", table, [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows])
    have = collections.Counter()
    for line in report(zone, *args, "--format", "prom").splitlines():
        if not line.startswith("#"):
            name, _, value, _ = LINE.match(line).groups()
            have[name] += int(value)
    verb = args[0]
    want = collections.Counter({f"{verb}_{k}": sum(row[k] or 0 for row in rows) for k in (rows[0] if rows else ())
                                if k not in labels and k not in ("begin", "end") and any(r[k] is not None for r in rows)})
    check(f"{args} prom", dict(have), dict(want))


def ask(zone, begin, end, *args, labels=()):
    args = (*args, "--from", begin, "--to", end)
    answer = json.loads(report(zone, *args, "--format", "json"))
    check(f"{args} from", (answer["from"], answer["to"]), (begin, end))
    if zone == ZONES[0]:
        same_in_all_formats(zone, args, answer["rows"], labels)
    return answer["rows"]


class Truth:
    def __init__(self):
        with open(SUMS, encoding="utf-8") as f:
            said = json.load(f)
        self.traffic = [tuple(row) for row in said["traffic"]]
        self.others = [tuple(row) for row in said["others"]]
        self.begin = min(row[0] for row in self.traffic)
        self.end = max(row[0] for row in self.traffic) + HOUR

    def moved(self, begin, end, place, wanted=lambda row: True):
        """{key: [tx, rx]} of what is wanted, place() giving the key of a row."""
        sums = collections.defaultdict(lambda: [0, 0])
        for row in self.traffic:
            if begin <= row[0] < end and wanted(row):
                sums[place(row)][row[4] == "rx"] += row[5]
        return dict(sums)

    def other(self, begin, end, what):
        sums = collections.Counter()
        for hour, kind, key, value in self.others:
            if begin <= hour < end and kind == what:
                sums[key] += value
        return {key: value for key, value in sums.items() if value}


def by_bytes(sums):
    return sorted((tx + rx for tx, rx in sums.values()), reverse=True)


def check_moved(what, rows, label, want):
    check(what, {row[label]: [row["tx_bytes"], row["rx_bytes"]] for row in rows}, want)
    check(f"{what}, order", [row["bytes"] for row in rows], by_bytes(want))


def upper(us):
    """Of the bucket of common/latency_buckets.h."""
    octave = max(us.bit_length() - 6, 0)
    return us if us < 32 else ((us >> octave) + 1 << octave) - 1


def percentile(counts, percent):
    total, seen = sum(counts.values()), 0
    for us in sorted(counts):
        seen += counts[us]
        if seen * 100 >= total * percent:
            return upper(us)
    return None


def check_lists(t, zone, begin, end):
    what = f"{zone} {begin}-{end}"
    check_moved(f"{what} processes", ask(zone, begin, end, "top", "-n", 0, labels=("command", "uid", "host")),
                "command", t.moved(begin, end, lambda r: r[1]))
    check_moved(f"{what} remotes", ask(zone, begin, end, "remotes", "-n", 0, labels=("remote_ip",)),
                "remote_ip", t.moved(begin, end, lambda r: r[2]))
    check_moved(f"{what} protocols", ask(zone, begin, end, "top", "--by", "protocol", labels=("proto",)),
                "proto", t.moved(begin, end, lambda r: r[3]))
    check_moved(f"{what} remotes of proc1", ask(zone, begin, end, "top", "--by", "remote", "--process", "proc1", "-n", 0,
                                               labels=("remote_ip",)),
                "remote_ip", t.moved(begin, end, lambda r: r[2], lambda r: r[1] == "proc1"))
    check_moved(f"{what} within", ask(zone, begin, end, "top", "--ip", "10.0.0.16/28", "--proto", "udp", "-n", 0,
                                     labels=("command", "uid", "host")), "command",
                t.moved(begin, end, lambda r: r[1], lambda r: r[3] == "UDP" and r[2] in
                        [f"10.0.0.{n}" for n in range(16, 32)]))
    rows = ask(zone, begin, end, "top", "-n", 3, labels=("command", "uid", "host"))
    check(f"{what} -n 3", [row["bytes"] for row in rows], by_bytes(t.moved(begin, end, lambda r: r[1]))[:3])
    rows = ask(zone, begin, end, "top", "--by", "port", labels=("proto", "port", "host"))
    check(f"{what} ports", {row["port"]: row["bytes"] for row in rows}, t.other(begin, end, "port"))
    rows = ask(zone, begin, end, "drops", labels=("reason", "proto", "host"))
    check(f"{what} drops", {row["reason"]: row["packets"] for row in rows if row["packets"]},
          t.other(begin, end, "drop"))
    check(f"{what} drops' bytes", [row["bytes"] for row in rows], [row["packets"] * 70 for row in rows])
    rows = ask(zone, begin, end, "protocols", labels=("proto", "host"))
    check(f"{what} wire", sum(row["ingress_bytes"] for row in rows), t.other(begin, end, "interface").get("eth0", 0))
    rows = ask(zone, begin, end, "latency", labels=("host", "name", "unit"))
    counts = t.other(begin, end, "latency")
    check(f"{what} latency", [[row[k] for k in ("count", "p50", "p90", "p95", "p99", "max")] for row in rows],
          [[sum(counts.values()), *(percentile(counts, p) for p in (50, 90, 95, 99, 100))]] if counts else [])


def days(zone, begin, end):
    """Midnights that days begin at, and the end: the calendar's own."""
    tz = zoneinfo.ZoneInfo(zone)
    day = datetime.datetime.fromtimestamp(begin, tz).date()
    while (at := int(datetime.datetime(day.year, day.month, day.day, tzinfo=tz).timestamp())) < end:
        yield at
        day += datetime.timedelta(days=1)
    yield end


def check_history(t, zone, begin, end):
    for step, cuts in (("1d", list(days(zone, begin, end))), ("1h", [*range(begin, end, HOUR), end])):
        if any(cut % HOUR for cut in cuts[:-1]) or datetime.datetime.fromtimestamp(begin, zoneinfo.ZoneInfo(zone)).minute:
            continue    # hours of the sums are not that zone's; export adds up there all the same
        rows = json.loads(report(zone, "history", "--step", step, "--from", begin, "--to", end, "--format", "json"))["rows"]
        check(f"{zone} {step} steps", [(row["begin"], row["end"]) for row in rows], list(itertools.pairwise(cuts)))
        check(f"{zone} {step} history", [row["ingress_bytes"] for row in rows],
              [t.other(a, b, "interface").get("eth0", 0) if b > t.begin and a < t.end else None
               for a, b in itertools.pairwise(cuts)])
        rows = json.loads(report(zone, "history", "--step", step, "--process", "proc0", "--from", begin, "--to", end,
                                 "--format", "json"))["rows"]
        check(f"{zone} {step} history of proc0", [row["rx_bytes"] for row in rows],
              [t.moved(a, b, lambda r: 0, lambda r: r[1] == "proc0").get(0, [0, 0])[1]
               if b > t.begin and a < t.end else None for a, b in itertools.pairwise(cuts)])


def check_export(t, zone, begin, end):
    rows = ask(zone, begin, end, "export", labels=("command", "uid", "host", "remote_ip", "proto"))
    sums = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        sums[row["command"], row["remote_ip"], row["proto"]][0] += row["tx_bytes"]
        sums[row["command"], row["remote_ip"], row["proto"]][1] += row["rx_bytes"]
    check(f"{zone} export", dict(sums), t.moved(begin, end, lambda r: r[1:4]))
    for by, value, kind in (("interface", "ingress_bytes", "interface"), ("protocol", "ingress_bytes", "interface"),
                            ("port", "bytes", "port"), ("drop", "packets", "drop"), ("latency", "count", "latency")):
        labels = ("ifname", "host", "proto", "port", "reason", "name", "unit", "upper")
        rows = ask(zone, begin, end, "export", "--by", by, labels=labels)
        check(f"{zone} export {by}", sum(row[value] for row in rows), sum(t.other(begin, end, kind).values()))


def main():
    t = Truth()
    for zone in ZONES:
        midnight = list(days(zone, t.begin, t.end))[1]
        midnight -= midnight % HOUR    # of a zone with half hours: the sums cannot be cut there
        for begin, end in ((t.begin, t.end), (midnight, midnight + 24 * HOUR), (t.begin + 5 * HOUR, t.end - 7 * HOUR),
                           (midnight - HOUR, midnight + HOUR), (t.begin - 9000 * HOUR, t.end + 900 * HOUR)):
            check_lists(t, zone, begin, end)
        start = list(days(zone, t.begin - 24 * HOUR, t.end))[0]
        check_history(t, zone, start, t.end)
        check_export(t, zone, t.begin + 2 * HOUR, t.end - HOUR)
    print(f"{asked} questions, {bad} answers differ")
    return 1 if bad or not asked else 0


sys.exit(main())

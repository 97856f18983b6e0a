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
import functools
import io
import ipaddress
import itertools
import json
import os
import re
import subprocess
import sys
import zoneinfo

REPORT, DATABASE, ZONES = None, None, ()
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


@functools.cache
def is_within(network, ip):
    return ipaddress.ip_address(ip) in ipaddress.ip_network(network)


KEYS = {"command": lambda row: row[0], "ip": lambda row: row[1], "proto": lambda row: row[2],
        "all": lambda row: row[:3], None: lambda row: None}


class Truth:
    """What the generator said, by slots of `grain` seconds; ranges begin and end at such."""

    def __init__(self, grain=HOUR):
        self.grain, self.rows, self.others, self.flows = grain, {}, {}, []
        self.cells = {}     # what was asked: {(seconds, begin): sums}

    def add(self, t, command, ip, proto, tx, rx):
        self.rows.setdefault(t - t % self.grain, []).append((command, ip, proto, tx, rx))

    def add_other(self, t, what, key, value):
        self.others.setdefault(t - t % self.grain, collections.Counter())[what, key] += value

    def add_flow(self, t, command, ip, sent, received):
        self.flows.append((t, sent + received, command, ip))

    @classmethod
    def of(cls, path):
        """Of the file that recorder_lines.py has written."""
        t = cls()
        with open(path, encoding="utf-8") as f:
            said = json.load(f)
        for hour, command, ip, proto, way, value in said["traffic"]:
            t.add(hour, command, ip, proto, value if way == "tx" else 0, value if way == "rx" else 0)
        for hour, what, key, value in said["others"]:
            t.add_other(hour, what, key, value)
        return t

    @functools.cached_property
    def begin(self):
        return min(self.rows)

    @functools.cached_property
    def end(self):
        return max(self.rows) + self.grain

    def cell(self, seconds, begin, by, only):
        """Of one slot; remembered."""
        cells = self.cells.setdefault((by, only), {})
        if (seconds, begin) in cells:
            return cells[seconds, begin]
        sums, key = collections.defaultdict(lambda: [0, 0]), KEYS[by]
        command, network, proto = only
        for t in range(begin, begin + seconds, self.grain):
            for row in self.rows.get(t, ()):
                if command not in (None, row[0]) or proto not in (None, row[2]) or \
                        network and not is_within(network, row[1]):
                    continue
                pair = sums[key(row)]
                pair[0] += row[3]
                pair[1] += row[4]
        cells[seconds, begin] = sums
        return sums

    def moved(self, begin, end, by, command=None, network=None, proto=None):
        """{key: [tx, rx]} of what is wanted, by one of KEYS."""
        sums = collections.defaultdict(lambda: [0, 0])
        at = max(begin, self.begin)
        while at < min(end, self.end):
            seconds = HOUR if at % HOUR == 0 and at + HOUR <= end else self.grain
            for key, (tx, rx) in self.cell(seconds, at, by, (command, network, proto)).items():
                pair = sums[key]
                pair[0] += tx
                pair[1] += rx
            at += seconds
        return dict(sums)

    def other(self, begin, end, what):
        sums = collections.Counter()
        for t in range(max(begin, self.begin), min(end, self.end), self.grain):
            for (kind, key), value in self.others.get(t, {}).items():
                if kind == what:
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


def check_lists(t, zone, begin, end, covered=None):
    """covered: what the answers hold, where that is more than was asked for."""
    low, high = covered or (begin, end)
    what = f"{zone} {begin}-{end}"
    check_moved(f"{what} processes", ask(zone, begin, end, "top", "-n", 0, labels=("command", "uid", "host")),
                "command", t.moved(low, high, "command"))
    check_moved(f"{what} remotes", ask(zone, begin, end, "remotes", "-n", 0, labels=("remote_ip",)),
                "remote_ip", t.moved(low, high, "ip"))
    check_moved(f"{what} protocols", ask(zone, begin, end, "top", "--by", "protocol", labels=("proto",)),
                "proto", t.moved(low, high, "proto"))
    check_moved(f"{what} remotes of proc1", ask(zone, begin, end, "top", "--by", "remote", "--process", "proc1", "-n", 0,
                                               labels=("remote_ip",)),
                "remote_ip", t.moved(low, high, "ip", command="proc1"))
    check_moved(f"{what} within", ask(zone, begin, end, "top", "--ip", "10.0.0.16/28", "--proto", "udp", "-n", 0,
                                     labels=("command", "uid", "host")), "command",
                t.moved(low, high, "command", network="10.0.0.16/28", proto="UDP"))
    check_moved(f"{what} with most", ask(zone, begin, end, "top", "--ip", "10.0.0.0/8", "-n", 0,
                                        labels=("command", "uid", "host")), "command",
                t.moved(low, high, "command", network="10.0.0.0/8"))
    rows = ask(zone, begin, end, "top", "-n", 3, labels=("command", "uid", "host"))
    check(f"{what} -n 3", [row["bytes"] for row in rows], by_bytes(t.moved(low, high, "command"))[:3])
    rows = ask(zone, begin, end, "top", "--by", "port", labels=("proto", "port", "host"))
    check(f"{what} ports", {row["port"]: row["bytes"] for row in rows}, t.other(low, high, "port"))
    rows = ask(zone, begin, end, "drops", labels=("reason", "proto", "host"))
    check(f"{what} drops", {row["reason"]: row["packets"] for row in rows if row["packets"]},
          t.other(low, high, "drop"))
    check(f"{what} drops' bytes", [row["bytes"] for row in rows], [row["packets"] * 70 for row in rows])
    rows = ask(zone, begin, end, "protocols", labels=("proto", "host"))
    check(f"{what} wire", sum(row["ingress_bytes"] for row in rows), t.other(low, high, "interface").get("eth0", 0))
    rows = ask(zone, begin, end, "latency", labels=("host", "name", "unit"))
    counts = t.other(low, high, "latency")
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
        if any(cut % t.grain for cut in cuts[:-1]) or datetime.datetime.fromtimestamp(begin, zoneinfo.ZoneInfo(zone)).minute:
            continue    # hours of the sums are not that zone's; export adds up there all the same
        rows = json.loads(report(zone, "history", "--step", step, "--from", begin, "--to", end, "--format", "json"))["rows"]
        check(f"{zone} {step} steps", [(row["begin"], row["end"]) for row in rows], list(itertools.pairwise(cuts)))
        check(f"{zone} {step} history", [row["ingress_bytes"] for row in rows],
              [t.other(a, b, "interface").get("eth0", 0) if b > t.begin and a < t.end else None
               for a, b in itertools.pairwise(cuts)])
        rows = json.loads(report(zone, "history", "--step", step, "--process", "proc0", "--from", begin, "--to", end,
                                 "--format", "json"))["rows"]
        check(f"{zone} {step} history of proc0", [row["rx_bytes"] for row in rows],
              [t.moved(a, b, None, command="proc0").get(None, [0, 0])[1]
               if b > t.begin and a < t.end else None for a, b in itertools.pairwise(cuts)])


def check_export(t, zone, begin, end):
    rows = ask(zone, begin, end, "export", labels=("command", "uid", "host", "remote_ip", "proto"))
    sums = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        sums[row["command"], row["remote_ip"], row["proto"]][0] += row["tx_bytes"]
        sums[row["command"], row["remote_ip"], row["proto"]][1] += row["rx_bytes"]
    check(f"{zone} export", dict(sums), t.moved(begin, end, "all"))
    for by, value, kind in (("interface", "ingress_bytes", "interface"), ("protocol", "ingress_bytes", "interface"),
                            ("port", "bytes", "port"), ("drop", "packets", "drop"), ("latency", "count", "latency")):
        labels = ("ifname", "host", "proto", "port", "reason", "name", "unit", "upper")
        rows = ask(zone, begin, end, "export", "--by", by, labels=labels)
        check(f"{zone} export {by}", sum(row[value] for row in rows), sum(t.other(begin, end, kind).values()))


def check_all(t):
    for zone in ZONES:
        midnight = list(days(zone, t.begin, t.end))[1]
        midnight -= midnight % HOUR    # of a zone with half hours: the sums cannot be cut there
        for begin, end in ((t.begin, t.end), (midnight, midnight + 24 * HOUR), (t.begin + 5 * HOUR, t.end - 7 * HOUR),
                           (midnight - HOUR, midnight + HOUR), (t.begin - 9000 * HOUR, t.end + 900 * HOUR)):
            check_lists(t, zone, begin, end)
        start = list(days(zone, t.begin - 24 * HOUR, t.end))[0]
        check_history(t, zone, start, t.end)
        check_export(t, zone, t.begin + 2 * HOUR, t.end - HOUR)


def verdict():
    print(f"{asked} questions, {bad} answers differ")
    return 1 if bad or not asked else 0


def use(program, database, zones):
    """What is asked of what."""
    global REPORT, DATABASE, ZONES
    REPORT, DATABASE, ZONES = program, database, zones


def main():
    use(sys.argv[1], sys.argv[2], sys.argv[4:])
    check_all(Truth.of(sys.argv[3]))
    return verdict()


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""Rows, curves and what could not be measured: their arithmetic, the table, the JSON."""
import functools
import json
import os
import platform
import statistics
import subprocess
import sys
import time


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


MET = {
    "lower": lambda ratios, target: statistics.median(ratios) <= target,
    "higher": lambda ratios, target: statistics.median(ratios) >= target,
    "equal": lambda ratios, target: all(r == target for r in ratios),
}
SIGNS = {"lower": "<=", "higher": ">=", "equal": "="}


def make_row(what, ours, other, unit, against, target, better, theme="", note=None):
    """ours, other: what was measured in turn. better: which ratio ours / other is: "lower", "higher", or "equal" where it
    must be one each time; target: of that ratio, or None. The ratio is the median of those of the pairs, as the machine's
    pace drifts. other None: beside nothing."""
    if not ours or other is not None and len(ours) != len(other):
        raise ValueError(f"{what}: {ours} beside {other}")
    if better not in MET:
        raise ValueError(f"{what}: better is '{better}'")
    ratios = None if other is None else [a / b for a, b in zip(ours, other)]
    met = None if target is None else MET[better](ratios, target)
    row = dict(theme=theme, what=what, unit=unit, against=against, target=target, better=better, met=met, note=note)
    for name, values in (("ours", ours), ("other", other), ("ratio", ratios)):
        found = spread(values) if values else dict.fromkeys(("median", "min", "max"))
        row.update({name: found["median"], name + "_min": found["min"], name + "_max": found["max"]})
    return row


class Bench:
    """Where rows go, and what they need to come about."""

    def __init__(self, build, rounds, quick, work):
        self.build, self.rounds, self.quick, self.work = build, rounds, quick, work
        self.theme, self.rows, self.curves, self.absent = "", [], [], []
        self.began = time.monotonic()

    def bin(self, name):
        return os.path.join(self.build, "bin", name)

    def tool(self, name):
        """A program of tests/bench, or with a slash of another folder of tests."""
        return os.path.join(self.build, "tests", name if "/" in name else "bench/" + name)

    def say(self, text):
        print(f"bench: {time.monotonic() - self.began:5.0f} s  {text}", file=sys.stderr, flush=True)

    def row(self, what, ours, other, unit, against, target, better, note=None):
        row = make_row(what, list(ours), list(other), unit, against, target, better, self.theme, note)
        self.rows.append(row)
        self.say(f"{what}: {human(row['ours'])} {unit}, {row['ratio']:.3g} of {against}")

    def limit(self, what, ours, unit, limit, better, note=None):
        """A row beside a number that was set for it."""
        self.row(what, ours, [limit] * len(ours), unit, f"{human(limit)} {unit}", 1, better, note)

    def exact(self, what, ours, other, unit, against):
        """A row of counts that must be the same."""
        self.row(what, ours, other, unit, against, 1, "equal")

    def plain(self, what, ours, unit, note=None):
        """A row beside nothing: a figure worth knowing."""
        row = make_row(what, list(ours), None, unit, "", None, "lower", self.theme, note)
        self.rows.append(row)
        self.say(f"{what}: {human(row['ours'])} {unit}")

    def miss(self, what, why):
        """What could not be measured here stays in the table, with the reason."""
        self.absent.append(dict(theme=self.theme, what=what, why=why))
        self.say(f"{what}: {why}")

    def curve(self, name, title, x, y, series, log="x"):
        """series: {name: [(x, [measured values])]}."""
        points = {key: [dict(x=at, **spread(values)) for at, values in line] for key, line in series.items()}
        self.curves.append(dict(name=name, title=title, x=x, y=y, log=log, series=points))
        self.say(f"curve {name}: " + "; ".join(
            f"{key} " + " ".join(f"{human(p['x'])}:{human(p['median'])}" for p in line) for key, line in points.items()))

    def lines(self, argv, **kw):
        """The JSON lines of a program."""
        out = subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **kw).stdout
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def adopt(self, argv, **kw):
        """The rows that a program of tests/bench prints: the arguments of row(), as JSON lines."""
        for line in self.lines(argv, **kw):
            self.row(**line)


def unless_quick(measure):
    """For what takes too long for a quick run."""
    @functools.wraps(measure)
    def measure_or_not(b):
        if not b.quick:
            measure(b)
    return measure_or_not


def human(value):
    if value is None:
        return ""
    for limit, unit, scale in ((1e9, "G", 1e9), (1e6, "M", 1e6), (1e4, "k", 1e3)):
        if abs(value) >= limit:
            return f"{value / scale:.3g}{unit}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return dict(cpu=models[0] if models else platform.machine(), cpus=os.cpu_count(), memory_bytes=memory,
                kernel=platform.release(), load=os.getloadavg()[0], when=time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()))


def table(rows, absent):
    """The one table, a theme after the other."""
    head = f"{'what':74} {'ours':>7} {'min':>7} {'max':>7} {'other':>7} {'ratio':>6} {'target':>7}  {'':4} against (unit)"
    out, theme = [head], None
    for r in rows:
        if r["theme"] != theme:
            theme = r["theme"]
            out.append(f"-- {theme}")
        sign = "" if r["target"] is None else SIGNS[r["better"]] + f"{r['target']:g}"
        met = {None: "", True: "met", False: "MISS"}[r["met"]]
        ratio = "" if r["ratio"] is None else f"{r['ratio']:.2f}"
        out.append(f"{r['what']:74} {human(r['ours']):>7} {human(r['ours_min']):>7} {human(r['ours_max']):>7} "
                   f"{human(r['other']):>7} {ratio:>6} {sign:>7}  {met:4} {r['against']} ({r['unit']})"
                   + (f"; {r['note']}" if r["note"] else ""))
    for a in absent:
        out.append(f"not measured: {a['theme']}: {a['what']}: {a['why']}")
    missed = sum(r["met"] is False for r in rows)
    out.append(f"{len(rows)} rows, {sum(r['met'] is True for r in rows)} targets met, {missed} missed, {len(absent)} not measured")
    return "\n".join(out)


def dump(b, path):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(dict(machine=machine(), quick=b.quick, rounds=b.rounds, rows=b.rows, curves=b.curves, absent=b.absent),
                  f, indent=1)

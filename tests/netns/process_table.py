#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what the reader says about processes against what their own calls returned, to the byte.

usage: process_table.py EXPECTED LINES    EXPECTED: from movers; a table of ways and places goes to stdout, what
differs to stderr. Exit 1 if anything differs: a figure, a name, a line that should not be there.
"""
import json
import sys

FIGURES = ("tx_bytes", "rx_bytes", "tx_calls", "rx_calls")
KEY = ("pid", "command", "uid", "ip_version", "proto", "remote_ip", "remote_port")


def lines(path, wanted=None):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if wanted is None or wanted in line:
                yield json.loads(line)


def sums_by_pid(path, pids):
    sums = {}
    for line in lines(path, '"type":"process"'):
        if line["pid"] in pids:
            row = sums.setdefault(line["pid"], {}).setdefault(tuple(line[k] for k in KEY), dict.fromkeys(FIGURES, 0))
            for figure in FIGURES:
                row[figure] += line[figure]
    return sums


def added_up(expected):
    """Several connections to one remote are one row."""
    sums = {}
    for e in expected:
        row = sums.setdefault(tuple(e[k] for k in KEY), dict.fromkeys(FIGURES, 0))
        for figure in FIGURES:
            row[figure] = None if e[figure] is None else row[figure] + e[figure]
    return sums


def differences(expected, rows):
    """expected: all of a pid's rows by their own account; rows: by the reader's."""
    rows = dict(rows)
    for key, own in added_up(expected).items():
        row = rows.pop(key, dict.fromkeys(FIGURES, 0))
        for figure in FIGURES:
            if own[figure] is not None and own[figure] != row[figure]:
                yield f"{figure} {row[figure]}, not {own[figure]}"
    for key, row in rows.items():
        yield "also " + ", ".join(f"{k} {v}" for k, v in list(zip(KEY, key))[1:] + list(row.items()))


def main():
    expected, skipped, ways, places, cells, bad = {}, {}, [], [], {}, 0
    for e in lines(sys.argv[1]):
        ways += [] if e["way"] in ways else [e["way"]]
        places += [] if e["place"] in places else [e["place"]]
        if "skipped" in e:
            skipped[e["way"], e["place"]] = e["skipped"]
        else:
            expected.setdefault(e["pid"], []).append(e)
    sums = sums_by_pid(sys.argv[2], expected)
    for pid, own in expected.items():
        cell = cells.setdefault((own[0]["way"], own[0]["place"]), [0, 0])
        wrong = list(differences(own, sums.get(pid, {})))
        cell[0] += not wrong
        cell[1] += 1
        bad += bool(wrong)
        for what in wrong[:5]:
            print(f"{own[0]['way']}, {own[0]['place']}, {own[0]['command']}: {what}", file=sys.stderr)
    print(f"{'processes exact, of all':42}" + "".join(f"{p:>12}" for p in places))
    for way in ways:
        print(f"{way:42}" + "".join(
            f"{'%d/%d' % tuple(cells[way, p]) if (way, p) in cells else '-':>12}" for p in places))
    for (way, _), why in {(w, why): why for (w, _), why in skipped.items()}.items():
        print(f"{way}, not everywhere: {why}")
    return 1 if bad or not expected else 0


sys.exit(main())

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what report says of processes, remotes and protocols against what their own calls returned, to the byte.

usage: report_table.py EXPECTED PROCESS REMOTE PROTOCOL    EXPECTED: from movers and connector; the others: answers of
report top --by ... in json. A table goes to stdout. Exit 1 if a figure differs, or a row is missing or too many.
"""
import json
import sys

FIGURES = ("tx_bytes", "rx_bytes", "tx_calls", "rx_calls")
KEYS = {"process": ("command", "uid"), "remote": ("remote_ip",), "protocol": ("proto",)}


def expected(path, key):
    """{key: sums}; a figure that the caller could not know is None."""
    sums = {}
    with open(path, encoding="utf-8") as f:
        for e in map(json.loads, f):
            if "skipped" in e or "tx_bytes" not in e:
                continue
            row = sums.setdefault(tuple(e[k] for k in key), dict.fromkeys(FIGURES, 0))
            for figure in FIGURES:
                row[figure] = None if row[figure] is None or e.get(figure) is None else row[figure] + e[figure]
    return sums


def main():
    bad = 0
    for (what, key), path in zip(KEYS.items(), sys.argv[2:]):
        want = expected(sys.argv[1], key)
        with open(path, encoding="utf-8") as f:
            rows = {tuple(row[k] for k in key): row for row in json.load(f)["rows"]}
        differ = [k for k in want.keys() | rows.keys() if k not in want or k not in rows or any(
            want[k][f] is not None and want[k][f] != rows[k][f] for f in FIGURES)]
        bad += len(differ) + (not want)
        known = sum(row[f] is not None for row in want.values() for f in FIGURES)
        print(f"{what}: {len(want)} rows, {known} figures, {sum(r['tx_bytes'] for r in want.values())} bytes sent, "
              f"{len(differ)} differ")
        for k in differ:
            print(f"  {k}: {[rows[k][f] for f in FIGURES] if k in rows else None}, not {want.get(k)}")
    return 1 if bad else 0


sys.exit(main())

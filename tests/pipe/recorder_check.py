#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares every tier of a recorder's database with the sums of recorder_lines.py. Exit 1 if they differ.

recorder_check.py DATABASE SUMS
"""
import collections
import json
import sqlite3
import sys

TIERS = {"raw": 0, "minutes": 1, "hours": 2, "days": 3}
QUERIES = {
    "traffic": """SELECT slot, p.command, r.ip, q.name, {value} FROM traffic_{tier}
        JOIN process p ON p.id = process JOIN remote r ON r.id = remote JOIN protocol q ON q.id = protocol""",
    "port": "SELECT slot, 'port', port, bytes FROM ports_{tier}",
    "latency": "SELECT slot, 'latency', upper, count FROM latency_{tier}",
    "interface": """SELECT slot, 'interface', i.name, ingress_bytes FROM interface_totals_{tier}
        JOIN interface i ON i.id = interface""",
    "drop": "SELECT slot, 'drop', r.name, packets FROM drops_{tier} JOIN reason r ON r.id = reason",
}
SUMMARIES = {"process": ("hours", "days"), "remote": ("days",)}
MOVED = "tx_bytes rx_bytes tx_calls rx_calls connections failed".split()


def rows(db, tier):
    """Rows as the generator has them, by slot of the tier."""
    for name, column in (("tx", "tx_bytes"), ("rx", "rx_bytes")):
        for slot, *key, value in db.execute(QUERIES["traffic"].format(tier=tier, value=column)):
            yield slot, (*key, name), value
    for what in ("port", "latency", "interface", "drop"):
        for slot, *key, value in db.execute(QUERIES[what].format(tier=tier)):
            yield slot, tuple(key), value


def summaries_differ(db, key, tier):
    """Rows of a summary that are not what its fact adds up to, and the other way round."""
    said = f"SELECT slot, {key}, protocol, {', '.join(MOVED)} FROM traffic_by_{key}_{tier}"
    sums = f"SELECT slot, {key}, protocol, {', '.join(f'sum({v})' for v in MOVED)} FROM traffic_{tier} GROUP BY 1, 2, 3"
    return list(db.execute(f"{said} EXCEPT {sums}")) + list(db.execute(f"{sums} EXCEPT {said}"))


def main():
    db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    with open(sys.argv[2], encoding="utf-8") as f:
        said = json.load(f)
    bad = 0
    for tier, number in TIERS.items():
        slots = sorted(db.execute("SELECT begin, end FROM slot WHERE tier = ?", (number,)))
        # What is finer than an hour is compared by the hour, a day by its own hours.
        place = {h: (h if tier != "days" else next(b for b, e in slots if b <= h < e))
                 for h in {row[0] for row in said["traffic"] + said["others"]}}
        want, have = collections.Counter(), collections.Counter()
        for hour, *key, value in said["traffic"] + said["others"]:
            want[(place[hour], *key)] += value
        for slot, key, value in rows(db, tier):
            have[(slot if tier == "days" else slot - slot % 3600, *key)] += value
        differ = [k for k in want.keys() | have.keys() if want[k] != have[k]]
        bad += len(differ)
        print(f"{tier}: {len(slots)} slots, {len(want)} sums, {len(differ)} differ", differ[:3])
    for key, tiers in SUMMARIES.items():
        for tier in tiers:
            differ = summaries_differ(db, key, tier)
            bad += len(differ)
            print(f"{tier} by {key}: {len(differ)} differ", differ[:3])
    return 1 if bad else 0


sys.exit(main())

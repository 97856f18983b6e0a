#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what the reader says about drops against how many packets were sent to be dropped, by 5-tuple and reason.

usage: drop_table.py EXPECTED LINES NETNS IFNAME    EXPECTED: from droppers; NETNS, IFNAME: where they were dropped. A
table of ways and places goes to stdout, what differs to stderr. Exit 1 if a count, a reason, an interface differs, or a
place in the kernel is missing.
"""
import json
import os
import sys

# What older kernels say instead; asked only of those that tests/kernels runs.
OLDER = {"IP_LOCALNET": "NOT_SPECIFIED"} if "JOPIL_KERNEL" in os.environ else {}
TUPLE = ("proto", "src_ip", "src_port", "dst_ip", "dst_port")


def lines(path, wanted):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if wanted in line:
                yield json.loads(line)


def differences(e, said, ifname):
    reasons = {}
    for line in said:
        reasons[line["reason"]] = reasons.get(line["reason"], 0) + line["count"]
        if line["ifname"] != ifname:
            yield f"on {line['ifname']}"
        if not line["location"]:
            yield "nowhere in the kernel"
    older = OLDER.get(e["reason"])
    if reasons not in ({e["reason"]: e["count"]}, {older: e["count"]}):
        yield f"{reasons}, not {e['reason']} {e['count']}"


def main():
    netns, ifname = int(sys.argv[3]), sys.argv[4]
    found, rows, places, bad = {}, {}, [], 0
    for line in lines(sys.argv[2], '"type":"drop"'):
        if line["netns"] == netns:
            found.setdefault(tuple(line[k] for k in TUPLE), []).append(line)
    for e in lines(sys.argv[1], '"reason"'):
        said = found.get(tuple(e[k] for k in TUPLE), [])
        row = rows.setdefault((e["way"], e["reason"]), {"location": set()})
        counts = row.setdefault(e["place"], [0, 0])
        places += [] if e["place"] in places else [e["place"]]
        counts[0] += sum(line["count"] for line in said if line["reason"] == e["reason"])
        counts[1] += e["count"]
        row["location"] |= {line["location"] for line in said}
        for what in list(differences(e, said, ifname))[:3]:
            bad += 1
            if bad <= 20:
                print(f"{e['way']}, {e['place']}: {what}", file=sys.stderr)
    print(f"{'drops, of all':26}{'':18}" + "".join(f"{p:>12}" for p in places))
    for (way, reason), row in rows.items():
        print(f"{way:26}{reason:18}" + "".join(f"{'%d/%d' % tuple(row[p]) if p in row else '-':>12}" for p in places) +
              "  " + " ".join(sorted(filter(None, row["location"]))))
    return 1 if bad or not rows else 0


sys.exit(main())

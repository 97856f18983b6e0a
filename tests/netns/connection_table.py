#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what the reader says about connections against what both ends know of them.

usage: connection_table.py EXPECTED LINES [SS...]    EXPECTED: from connector; SS: `ss -tinOH` of both namespaces, taken
while the connections were open. A table of ways and places goes to stdout, what differs to stderr. Exit 1 if anything
differs: an event, a reason, a name, a byte, a duration that is not above 0.
"""
import json
import re
import sys

KEY = ("netns", "direction", "proto", "src_ip", "src_port", "dst_ip", "dst_port")
SAME = ("pid", "command", "uid", "cgroup", "ip_version")
ENDS = ("close", "failed")


def lines(path, wanted):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("{") and wanted in line:
                yield json.loads(line)


def key_of(line):
    return tuple(line[k] for k in KEY)


def by_connection(path):
    found = {}
    for line in lines(path, '"type":"connection"'):
        found.setdefault(key_of(line), []).append(line)
    return found


def word(line):
    if line["existing"]:
        return "existing"
    return line["event"] + (f" {line['reason']}" if line["reason"] else "")


def end_differences(e, line):
    """Of the last line. What was open before has no beginning, so no duration that could be known."""
    for name in ("bytes_sent", "bytes_received"):
        if line[name] != e[name]:
            yield f"{name} {line[name]}, not {e[name]}"
    if not (line["duration_ms"] or 0) > 0 and "existing" not in e["events"]:
        yield f"duration_ms {line['duration_ms']}"
    moved = e["bytes_sent"] + e["bytes_received"]
    if moved and not (line["rtt_us"] or 0) >= (line["rtt_min_us"] or 0) > 0 and not line["rtt_us"]:
        yield f"rtt_us {line['rtt_us']}, rtt_min_us {line['rtt_min_us']}"


def differences(e, said):
    events = [word(line) for line in said]
    if events != e["events"]:
        yield f"events {events}, not {e['events']}"
    for line in said:
        for name in SAME:
            if line[name] != e[name]:
                yield f"{name} {line[name]}, not {e[name]}, in {line['event']}"
    if said and said[-1]["event"] in ENDS:
        yield from end_differences(e, said[-1])


def ss_rows(path):
    """By both addresses, local first, as (bytes sent without retransmissions, bytes received, least RTT in us)."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            local, remote = re.findall(r"(\S+:\d+) +(\S+:\d+)", line)[0]
            figure = {k: float(v) for k, v in re.findall(r"\b([a-z_]+):([0-9.]+)", line)}
            yield (local, remote), (figure.get("bytes_sent", 0) - figure.get("bytes_retrans", 0),
                                    figure.get("bytes_received", 0), figure.get("minrtt", 0) * 1000)


def ss_name(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def ss_differences(path, found):
    rows, compared = dict(ss_rows(path)), 0
    for said in found.values():
        end = said[-1]
        src, dst = ss_name(end["src_ip"], end["src_port"]), ss_name(end["dst_ip"], end["dst_port"])
        row = rows.get((src, dst) if end["direction"] == "egress" else (dst, src))
        if row is None or end["event"] not in ENDS:
            continue
        compared += 1
        if (end["bytes_sent"], end["bytes_received"]) != row[:2] or end["rtt_min_us"] > row[2] + 1:
            yield f"ss: {row}, line: {end}"
    if compared != len(rows) or not rows:
        yield f"ss has {len(rows)} connections, {compared} of them have an end"


def main():
    found, cells, ways, places, bad = by_connection(sys.argv[2]), {}, [], [], 0
    mine = {}
    for e in lines(sys.argv[1], '"events"'):
        ways += [] if e["way"] in ways else [e["way"]]
        places += [] if e["place"] in places else [e["place"]]
        cell = cells.setdefault((e["way"], e["place"]), [0, 0])
        mine[key_of(e)] = found.get(key_of(e), [])
        wrong = list(differences(e, mine[key_of(e)]))
        cell[0] += not wrong
        cell[1] += 1
        bad += bool(wrong)
        for what in wrong[:5] if bad <= 20 else []:
            print(f"{e['way']}, {e['place']}, {e['direction']}: {what}", file=sys.stderr)
    print(f"{'ends of connections as they were, of all':42}" + "".join(f"{p:>12}" for p in places))
    for way in ways:
        print(f"{way:42}" + "".join(
            f"{'%d/%d' % tuple(cells[way, p]) if (way, p) in cells else '-':>12}" for p in places))
    for path in sys.argv[3:]:
        for what in list(ss_differences(path, mine))[:5]:
            print(what, file=sys.stderr)
            bad += 1
    return 1 if bad or not cells else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""parse.py LINES: each line on stdin is strict UTF-8 and JSON, an object, without a key that comes twice, at most 4096
bytes unless it is a snapshot; and there are that many. Prints how many of each type."""
import collections
import json
import sys


def once(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key comes twice")
    return value


types = collections.Counter()
for number, line in enumerate(sys.stdin.buffer, 1):
    try:
        value = json.loads(line.decode("utf-8", "strict"), object_pairs_hook=once)
        assert line.endswith(b"\n") and (len(line) <= 4096 or value["type"] == "snapshot"), "too long, or torn"
        value = json.dumps(value, ensure_ascii=False).encode("utf-8", "strict")  # no lone surrogates
        types[json.loads(value)["type"]] += 1
    except (ValueError, AssertionError, KeyError, TypeError) as e:
        sys.exit(f"line {number}: {e}: {line[:300]!r}")
if sum(types.values()) != int(sys.argv[1]):
    sys.exit(f"{sum(types.values())} lines, not {sys.argv[1]}")
print(json.dumps(types))

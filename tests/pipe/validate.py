#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds each line on stdin against docs/events.schema.json. Exit 1, with the reason, at the first that differs."""
import json
import os
import sys

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "../../docs/events.schema.json"), encoding="utf-8") as f:
    SCHEMAS = {s["title"]: jsonschema.Draft202012Validator(s) for s in json.load(f)["oneOf"]}
n = 0
for n, line in enumerate(sys.stdin, 1):
    value = json.loads(line)
    error = jsonschema.exceptions.best_match(SCHEMAS[value["type"]].iter_errors(value))
    if error:
        sys.exit(f"line {n}: {error.json_path}: {error.message[:300]}")
print(f"{n} lines follow the schema")
sys.exit(0 if n else 1)

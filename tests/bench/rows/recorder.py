# SPDX-License-Identifier: MIT
"""Row updates a second that the recorder writes, beside bare upserts by SQLite."""
import os
import re
import sqlite3
import subprocess
import sys
import time

from lib.net import used_s, Process

MAKE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "pipe/recorder_lines.py")


def make_lines(b, hours):
    path = os.path.join(b.work, "recorder.ndjson")
    with open(path, "wb") as f:
        subprocess.run([sys.executable, MAKE, "--hours", str(hours), "--rows", "1000", "--processes", "200",
                        "--remotes", "5000", "--sums", os.devnull], check=True, stdout=f)
    return path


def record(b, lines, database):
    """(row updates, seconds on a CPU, seconds)"""
    began = time.monotonic()
    with open(lines, "rb") as f, Process([b.bin("recorder"), "--db", database, "--verbose"], nobody=False, stdin=f,
                                         stderr=subprocess.PIPE, text=True) as process:
        said = process.child.stderr.read()
        used = used_s(process.wait())
        if process.child.returncode:
            raise RuntimeError(f"recorder: {said[-300:]}")
    return sum(map(int, re.findall(r"(\d+) rows in this transaction", said))), used, time.monotonic() - began


def upsert(database, count):
    """Bare SQLite: so many upserts of four integers to a table of as many keys as make sense, in one transaction a 100 000."""
    db = sqlite3.connect(database, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                     "CREATE TABLE t (slot INTEGER, process INTEGER, remote INTEGER, bytes INTEGER, calls INTEGER, "
                     "PRIMARY KEY (slot, process, remote)) STRICT, WITHOUT ROWID")
    sql = "INSERT INTO t VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET bytes=bytes+excluded.bytes, calls=calls+excluded.calls"
    began = time.process_time()
    for start in range(0, count, 100_000):
        db.execute("BEGIN")
        db.executemany(sql, ((i // 50_000, i % 200, i * 7919 % 5000, i, 1) for i in range(start, min(count, start + 100_000))))
        db.execute("COMMIT")
    took = time.process_time() - began
    db.close()
    return took


def rows(b):
    lines = make_lines(b, 3 if b.quick else 12)
    ours, floor, wall = [], [], []
    for i in range(b.rounds):
        updates, used, took = record(b, lines, os.path.join(b.work, f"{i}.db"))
        ours.append(updates / used)
        wall.append(updates / took)
        floor.append(updates / upsert(os.path.join(b.work, f"{i}-bare.db"), updates))
    b.row("recorder: row updates", ours, floor, "rows/CPU s", "bare upserts by SQLite, from Python", None, "higher")
    b.plain("recorder: row updates", wall, "rows/s")


ROWS = (rows,)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills recorder at random moments under load, and takes its power away. Exit 1 if anything but the open interval is lost.

recorder_kill.py RECORDER DATABASE ROUNDS

Each round begins where the last one ended, feeds lines as fast as they are taken, and ends with SIGKILL after a
random number of them. Before that, the files are copied at one moment, the write-ahead log behind the last commit
cut and torn at random: what a power cut may leave. Then both databases are whole, all tiers say the same, and what
recorder said was committed is in there.
"""
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time

RECORDER, DATABASE, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
LINES_MAX = 300000      # of a round: several transactions
COPY = DATABASE + ".copy"
SAID = re.compile(rb"(\d+) lines so far")
TIERS = ("traffic_raw", "traffic_minutes", "traffic_hours", "traffic_days", "traffic_by_process_hours",
         "traffic_by_process_days", "traffic_by_remote_days")


def chunk():
    """A thousand lines of now, each one byte sent."""
    now = int(time.time())
    return b"".join(
        b'{"type":"process","timestamp":%d000.000,"pid":7,"command":"proc%d","uid":0,"ip_version":4,"proto":"TCP",'
        b'"remote_ip":"10.0.%d.%d","remote_port":443,"tx_bytes":1,"rx_bytes":2,"tx_calls":1,"rx_calls":1}\n'
        % (now, n % 50, n // 250, n % 250) for n in range(1000))


class Run:
    def __init__(self):
        self.process = subprocess.Popen(
            [RECORDER, "--verbose", "--db", DATABASE, "--interval", "0.1"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.fed, self.said, self.commits, self.at = 0, 0, 0, time.monotonic()
        self.threads = [threading.Thread(target=f) for f in (self.feed, self.listen)]
        for thread in self.threads:
            thread.start()

    def feed(self):
        lines = chunk()
        try:
            while True:
                self.fed += 1000
                self.process.stdin.write(lines)
        except BrokenPipeError:
            pass

    def listen(self):
        for line in self.process.stderr:
            if m := SAID.search(line):
                self.said, self.commits, self.at = int(m[1]), self.commits + 1, time.monotonic()

    def read_lines(self, n):
        while n > 0:
            n -= os.read(self.process.stdout.fileno(), 65536).count(b"\n")

    def kill(self):
        """Returns the seconds since it said last that something was committed."""
        self.process.kill()
        since = time.monotonic() - self.at
        self.process.wait()
        for thread in self.threads:
            thread.join()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return since


def last_commit(wal):
    """Where the last transaction ends in a write-ahead log (sqlite.org/fileformat2.html#walformat)."""
    if len(wal) < 32:
        return len(wal)
    page, end = struct.unpack(">I", wal[8:12])[0], 32
    for at in range(32, len(wal) - page - 23, page + 24):
        if wal[at + 8:at + 16] != wal[16:24]:
            break   # of an earlier use of the file
        if wal[at + 4:at + 8] != b"\0\0\0\0":
            end = at + 24 + page
    return end


def cut_power(run, rng):
    os.kill(run.process.pid, signal.SIGSTOP)
    said = run.said
    shutil.copyfile(DATABASE, COPY)
    shutil.copyfile(DATABASE + "-wal", COPY + "-wal")
    os.kill(run.process.pid, signal.SIGCONT)
    with open(COPY + "-wal", "r+b") as f:
        wal = f.read()
        end = rng.randint(last_commit(wal), len(wal))
        f.truncate(end)
        torn = min(end - last_commit(wal), 512)
        f.seek(end - torn)
        f.write(rng.randbytes(torn))
    return said


def look(path):
    """What is wrong with it, and bytes sent by its tiers."""
    db = sqlite3.connect(path)
    ok = [row[0] for row in db.execute("PRAGMA integrity_check")]
    ok += [str(row) for row in db.execute("PRAGMA foreign_key_check")]
    sums = {db.execute(f"SELECT coalesce(sum(tx_bytes), 0) FROM {t}").fetchone()[0] for t in TIERS}
    db.close()
    return ("" if ok == ["ok"] else f"{ok[:3]}") + ("" if len(sums) == 1 else f" tiers differ: {sums}"), max(sums)


def main():
    rng, bad, before, commits, longest, most = random.Random(), 0, 0, 0, 0, 0
    subprocess.run([RECORDER, "--db", DATABASE], stdin=subprocess.DEVNULL, check=True)
    for number in range(ROUNDS):
        run = Run()
        first = rng.randrange(1, LINES_MAX)
        run.read_lines(first)
        said = cut_power(run, rng)
        run.read_lines(rng.randrange(1, LINES_MAX) - first)
        longest = max(longest, run.kill())
        for what, path, least in (("power cut", COPY, said), ("kill", DATABASE, run.said)):
            wrong, kept = look(path)
            if wrong or not before + least <= kept <= before + run.fed:
                bad += 1
                print(f"round {number}, {what}: {wrong} kept {kept - before} lines, committed {least}, fed {run.fed}")
        most, before, commits = max(most, before + run.fed - kept), kept, commits + run.commits
    print(f"{ROUNDS} kills and {ROUNDS} power cuts, {commits} transactions, {before} lines kept; "
          f"{longest * 1000:.0f} ms since the last commit at most; {bad} databases are not as they should be")
    return 1 if bad or not commits else 0


sys.exit(main())

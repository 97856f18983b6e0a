#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills one stage of the pipeline at random moments under load, starts it again, and holds all sums against each other.

usage: kills.py reader|aggregator|recorder|httpd KILLS [SEED]; see pipeline.py for the environment

Every second time it is killed as it starts, else once it passes lines again: nothing may hang. At the end

- the totals that httpd serves, and those of the recorder's database, are the interface's, to the packet;
- the host has one name in both;
- numbered lines that are missing were in the process that was killed: a pipe's worth a kill at most, and none if it
  was the reader or httpd, which do not pass them on;
- packets in lines are the totals but for one write a killed reader, and torn lines are one a kill at most.

Prints the figures; exit 1 if one is not as it should be.
"""
import random
import socket
import subprocess
import sys
import threading

import pipeline

LINE_BYTES = len(pipeline.numbered(100000))
WRITE_LINES = 65536 // 200 + 1  # of one write of the reader: packet lines are no shorter
MOMENT_S = 0.25


def kill_again_and_again(pipe, stage, kills, rng):
    for n in range(kills):
        if n % 2:
            pipe.wait_ready(stage)
            pipe.wait_flow()
        threading.Event().wait(rng.uniform(0, MOMENT_S))
        pipe.kill(stage)
        pipe.spawn(stage)
    pipe.wait_ready(stage)
    pipe.wait_flow()


class Verdict:
    def __init__(self):
        self.bad = False

    def check(self, what, good):
        self.bad |= not good
        print(f"{'  ' if good else '!!'} {what}")


def judge(verdict, pipe, stage, kills, stats):
    tap, accounting, losses = pipe.tap, stats["accounting"], stats["losses"]
    packets = pipeline.interface_packets() - pipe.packets_before
    kept_packets = pipe.ask("SELECT sum(ingress_packets) FROM interface_totals_days")
    kept_lines = pipe.ask("SELECT sum(tx_bytes) FROM traffic_days")
    whole = pipe.ask("PRAGMA integrity_check")
    in_lines = accounting["packet_lines"] + accounting["flow_packets"] + accounting["unattributed"]
    missing, passes_on = pipe.feeder.fed - tap.seen, stage in ("aggregator", "recorder")
    total = stats["totals"]["ingress_packets"]
    verdict.check(f"packets: sent {pipe.blaster.sent}, interface {packets}, httpd {total}, database {kept_packets}, {whole}",
                  pipe.blaster.sent == packets == total == kept_packets and whole == "ok")
    # A recorder or aggregator that is started anew has missed the hello that says so.
    hosts = [pipe.ask("SELECT group_concat(name) FROM host"), ",".join(stats["hosts"])]
    verdict.check(f"host: {hosts[0]} in the database, {hosts[1]} in httpd", hosts == [socket.gethostname()] * 2)
    verdict.check(f"numbered lines: {pipe.feeder.fed}, missing {missing}, at most {max(tap.gaps, default=0)} in one piece, "
                  f"out of order {tap.disorder}",
                  not tap.disorder and len(tap.gaps) <= kills * passes_on and missing == sum(tap.gaps) and
                  max(tap.gaps, default=0) * LINE_BYTES <= pipeline.PIPE_BYTES)
    verdict.check(f"torn lines: {len(tap.bad)} came out, {losses['bad_lines']} came into the last aggregator",
                  len(tap.bad) <= kills * passes_on and losses["bad_lines"] <= kills * (stage == "reader"))
    verdict.check(f"database: {kept_lines} of {tap.seen} numbered lines",
                  stage == "recorder" and kept_lines <= pipe.feeder.fed or kept_lines == tap.seen)
    if stage != "aggregator":
        verdict.check(f"packets in lines: {in_lines} of {total}, {in_lines - total:+d}",
                      abs(in_lines - total) <= kills * WRITE_LINES * (stage == "reader"))


def main():
    stage, kills = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
    pipe, verdict = pipeline.Pipeline(), Verdict()
    print(f"{stage}: {kills} kills, seed {seed}")
    try:
        pipe.start()
        kill_again_and_again(pipe, stage, kills, random.Random(seed))
        judge(verdict, pipe, stage, kills, pipe.end())
    except (pipeline.Hang, OSError, subprocess.SubprocessError) as e:
        verdict.check(e, False)
    finally:
        pipe.stop()
    return int(verdict.bad)


sys.exit(main())

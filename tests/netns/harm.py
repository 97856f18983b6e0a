#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does harm to the pipeline of pipeline.py under load, and holds all sums against each other.

usage: harm.py HARM AMOUNT [SEED]

  killed-reader, killed-aggregator, killed-recorder, killed-httpd
        AMOUNT times at a random moment, every second time as it starts, else once it passes lines again
  full  recorder takes nothing for AMOUNT seconds, once all pipes before it are full
  away  nobody reads recorder's FIFO, for AMOUNT seconds longer than it waits for that
  clock it is set forward, set back, and the machine sleeps, AMOUNT times
  disk  it takes one write of fifty no more, until recorder has failed AMOUNT times, and then all
  calls one system call of some is interrupted, would block, or does a part; so AMOUNT numbered lines go through

Nothing may hang, and at the end

- the totals that httpd serves, and those of the recorder's database, are the interface's, to the packet;
- the host has one name in both;
- numbered lines that are missing were in the process that was killed: a pipe's worth a kill at most, and none if it
  was the reader or httpd, which do not pass them on; or they were left out, and counted;
- packets in lines are the totals but for one write a killed reader, and torn lines are one a kill at most.

Prints the figures; exit 1 if one is not as it should be.
"""
import json
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pipeline

LINE_BYTES = len(pipeline.numbered(100000, 0))
WRITE_LINES = 65536 // 200 + 1  # of one write of the reader: packet lines are no shorter
MOMENT_S = 0.25
HOUR = 3600


def killed(stage):
    def kill_again_and_again(pipe, times, rng):
        for n in range(times):
            if n % 2:
                pipe.wait_ready(stage)
                pipe.wait_flow()
            threading.Event().wait(rng.uniform(0, MOMENT_S))
            pipe.kill(stage)
            pipe.spawn(stage)
        pipe.wait_ready(stage)
    return kill_again_and_again


def full(pipe, seconds, _rng):
    recorder = pipe.running["recorder"]
    recorder.send_signal(signal.SIGSTOP)
    for name in ("snapshots", "lines"):
        pipeline.wait_for(f"{name} to be full", lambda: not select.select([], [pipe.held[name]], [], 0)[1])
    threading.Event().wait(seconds)
    recorder.send_signal(signal.SIGCONT)


def away(pipe, seconds, _rng):
    httpd = pipe.running["httpd"]
    httpd.send_signal(signal.SIGSTOP)
    pipeline.wait_for("recorder to go on alone", lambda: "nobody takes the lines" in pipe.said())
    threading.Event().wait(seconds)
    httpd.send_signal(signal.SIGCONT)
    pipeline.wait_for("recorder to pass lines again", lambda: "lines are taken again" in pipe.said())


def is_now(unix_s):
    return abs(unix_s - time.time()) < HOUR / 2


def clock(pipe, times, _rng):
    for _ in range(times):
        for realtime_s, boottime_s in ((3 * HOUR, 0), (-3 * HOUR, 0), (HOUR, HOUR), (0, 0)):
            pipe.control(realtime_s, boottime_s)
            pipe.wait_flow()
            # What is shown is of the time that it is now, and so is the last second of the graph.
            pipeline.wait_for(f"a snapshot {realtime_s} s ahead", lambda: (s := pipe.stats()) and
                              is_now(s["timestamp"] / 1000 - realtime_s))
            pipeline.wait_for("a graph that goes on", lambda: is_now(pipe.tap.history_s - realtime_s))


def disk(pipe, times, _rng):
    pipe.control(0, 0)
    for n in range(times):
        pipeline.wait_for("recorder to fail", lambda: pipe.said().count("what comes meanwhile is kept") > n)
        pipeline.wait_for("recorder to go on", lambda: pipe.said().count(f"writes to '{pipe.database}' again") > n)
    pipe.control(0, 0, True)


def calls(pipe, lines, _rng):
    pipeline.wait_for("so many lines", lambda: pipe.tap.seen >= lines)
    pipe.wait_flow()
    pipe.control(0, 0, True)


HARMS = {"full": full, "away": away, "clock": clock, "disk": disk, "calls": calls}
CALLS = {"disk": ("nospace", 50), "calls": ("eintr,again,short", 4)}
HARMS.update({f"killed-{stage}": killed(stage) for stage in pipeline.STAGES})


class Verdict:
    def __init__(self):
        self.bad = False

    def check(self, what, good):
        self.bad |= not good
        print(f"{'  ' if good else '!!'} {what}")


def judge_packets(verdict, pipe, stats, slack):
    packets = pipeline.interface_packets() - pipe.packets_before
    recorded = pipe.ask("SELECT sum(ingress_packets) FROM interface_totals_days")
    whole = pipe.ask("PRAGMA integrity_check")
    accounting, total = stats["accounting"], stats["totals"]["ingress_packets"]
    in_lines = accounting["packet_lines"] + accounting["flow_packets"] + accounting["unattributed"]
    verdict.check(f"packets: sent {pipe.blaster.sent}, interface {packets}, httpd {total}, database {recorded}, {whole}",
                  pipe.blaster.sent == packets == total == recorded and whole == "ok")
    if slack is not None:
        verdict.check(f"packets in lines: {in_lines} of {total}, {in_lines - total:+d}", abs(in_lines - total) <= slack)


def judge_lines(verdict, pipe, stats, harm, kills):
    """The kills are of a stage that passes lines on."""
    tap, left_out = pipe.tap, pipe.tap.left_out
    recorded = pipe.ask("SELECT sum(tx_bytes) FROM traffic_days")
    missing, largest = pipe.feeder.fed - tap.seen, max(tap.gaps, default=0)
    verdict.check(f"numbered lines: {pipe.feeder.fed}, missing {missing} in {len(tap.gaps)} pieces, at most {largest} in one; "
                  f"out of order {tap.disorder}; lines left out {left_out}",
                  not tap.disorder and missing == sum(tap.gaps) and
                  (missing <= left_out if left_out else
                   len(tap.gaps) <= kills and largest * LINE_BYTES <= pipeline.PIPE_BYTES))
    verdict.check(f"database: {recorded} numbered lines, {tap.seen} came out",
                  harm == "killed-recorder" or recorded == (pipe.feeder.fed if left_out else tap.seen))
    verdict.check(f"torn lines: {len(tap.bad)} came out, {stats['losses']['bad_lines']} came into the last aggregator",
                  len(tap.bad) <= kills + (left_out > 0))
    # A recorder or aggregator that is started anew has missed the hello that says so.
    hosts = [pipe.ask("SELECT group_concat(name) FROM host"), ",".join(stats["hosts"])]
    verdict.check(f"host: {hosts[0]} in the database, {hosts[1]} in httpd", hosts == [socket.gethostname()] * 2)


def judge(verdict, pipe, harm, amount, stats):
    reader_kills = amount if harm == "killed-reader" else 0
    passing_kills = amount if harm in ("killed-aggregator", "killed-recorder") else 0
    judge_packets(verdict, pipe, stats, None if harm == "killed-aggregator" else reader_kills * WRITE_LINES)
    judge_lines(verdict, pipe, stats, harm, passing_kills)
    verdict.check(f"losses: {json.dumps({k: v for k, v in stats['losses'].items() if v})}",
                  stats["losses"]["bad_lines"] <= reader_kills)


def main():
    harm, amount = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
    pipe, verdict = pipeline.Pipeline(*CALLS.get(harm, ("", 1)), seed), Verdict()
    print(f"{harm} {amount}, seed {seed}")
    try:
        # A database cannot be made where there is no room.
        pipe.control(0, 0, harm == "disk")
        pipe.start()
        HARMS[harm](pipe, amount, random.Random(seed))
        pipe.wait_flow()
        judge(verdict, pipe, harm, amount, pipe.end())
    except (pipeline.Hang, OSError, subprocess.SubprocessError) as e:
        verdict.check(f"{type(e).__name__}: {e}", False)
    finally:
        pipe.stop()
    return int(verdict.bad)


sys.exit(main())

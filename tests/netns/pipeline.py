# SPDX-License-Identifier: MIT
"""The whole pipeline on real traffic, for tests that do it harm: stages joined by FIFOs that are held open, as systemd does.

    blast -> veth -> reader -> lines -> aggregator -> snapshots -> recorder -> recorded -> tap -> tapped -> httpd
                      numbered lines ->

Beside the reader's, numbered lines go through the pipe: what of them comes to the tap says what was lost, and where. The
names of things come from lib.bash by the environment: BIN, BUILD, WORK, PIN_DIR, NETNS_A, VETH_A, NETNS_B, VETH_B; and INTERPOSE_SO, which is tests/interpose.c.
"""
import fcntl
import json
import os
import re
import select
import sqlite3
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

PIPE_BYTES = 1 << 20
PATIENCE_S = 120    # of a hang: far above what a busy machine takes
INTERVAL = "0.2"
TRANSACTION = "0.1"
NUMBERED = re.compile(rb'^{"type":"process","timestamp":\d+\.000,"pid":(\d+),"command":"numbered",.*"rx_calls":1}$')
CHUNK_LINES = 15    # of less than PIPE_BUF bytes together: never torn by another writer
PIPES = ("lines", "snapshots", "recorded", "tapped")
STAGES = ("reader", "aggregator", "recorder", "httpd")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
          "--no-new-privs"]


class Hang(Exception):
    """Something that must come did not."""


def wait_for(what, condition):
    """Asks again and again; Event().wait() only lets others run meanwhile."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise Hang(f"waited {PATIENCE_S} s for {what}")
        threading.Event().wait(0.002)
    return value


def numbered(number, ahead_s):
    return (f'{{"type":"process","timestamp":{int(time.time()) + ahead_s}000.000,"pid":{number},"command":"numbered","uid":0,'
            '"ip_version":4,"proto":"TCP","remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":1,"rx_bytes":0,'
            '"tx_calls":1,"rx_calls":1}\n').encode()


def interface_packets():
    """What came in, as B's interface counts it."""
    name = f"/sys/class/net/{os.environ['VETH_B']}/statistics/rx_packets"
    return int(subprocess.run(["nsenter", f"--net=/run/netns/{os.environ['NETNS_B']}", "unshare", "--mount", "sh", "-c",
                               f"mount -t sysfs sysfs /sys && cat {name}"], stdout=subprocess.PIPE, check=True).stdout)


class Tap(threading.Thread):
    """Takes what recorder passes on, looks at it, and hands it to httpd."""

    def __init__(self, source, sink):
        super().__init__(daemon=True)
        self.source, self.sink = source, sink
        self.last = -1          # number seen last
        self.seen = 0
        self.gaps = []          # numbers that are missing, in one piece each
        self.disorder = 0
        self.counters = 0
        self.history_s = 0      # the newest second of the last minutes
        self.left_out = 0       # as the last line of recorder's own says
        self.bad = []

    def run(self):
        rest = b""
        while chunk := os.read(self.source, PIPE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.take(line)
            while chunk:
                chunk = chunk[os.write(self.sink, chunk):]
        os.close(self.sink)

    def take(self, line):
        if match := NUMBERED.match(line):
            self.number(int(match[1]))
        elif not line:
            pass
        elif not (line.startswith(b'{"type":"') and line.endswith(b"}")):
            self.bad.append(line)
        elif line.startswith(b'{"type":"counters"'):
            self.counters += 1
        elif line.startswith(b'{"type":"snapshot"'):
            history = json.loads(line)["history"]
            self.history_s = history["start"] / 1000 + len(history["ingress_packets"])
        elif line.startswith(b'{"type":"recorder"'):
            self.left_out = json.loads(line)["lines_left_out"]

    def number(self, number):
        self.seen += 1
        if number <= self.last:
            self.disorder += 1
            return
        if number > self.last + 1:
            self.gaps.append(number - self.last - 1)
        self.last = number


class Feeder(threading.Thread):
    """Writes numbered lines beside the reader, some thousands a second."""

    def __init__(self, fd):
        super().__init__(daemon=True)
        self.fd, self.fed, self.enough = fd, 0, threading.Event()
        self.ahead_s = 0

    def run(self):
        while not self.enough.wait(0.002):
            os.write(self.fd, b"".join(numbered(self.fed + i, self.ahead_s) for i in range(CHUNK_LINES)))
            self.fed += CHUNK_LINES
        os.close(self.fd)


class Blaster(threading.Thread):
    """Packets from A to B, in bursts, and how many."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sent, self.enough = 0, threading.Event()

    def run(self):
        argv = ["nsenter", f"--net=/run/netns/{os.environ['NETNS_A']}", os.environ["BUILD"] + "/tests/netns/blast",
                os.environ["VETH_A"], "5000", "100", "1000", "mix"]
        while not self.enough.wait(0.01):
            self.sent += int(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.split()[1])


class Pipeline:
    """Its system calls come to what interpose says, one of rate: kinds of tests/interpose.c."""

    def __init__(self, interpose, rate, seed):
        self.work, self.binaries = os.environ["WORK"], os.environ["BIN"]
        self.errors = open(self.work + "/stderr", "w+b")
        self.database = self.work + "/state/flows.db"
        os.mkdir(self.work + "/state")
        os.chown(self.work + "/state", 65534, 65534)
        self.running, self.held, self.port, self.packets_before = {}, {}, None, 0
        self.control_file = open(self.work + "/control", "w+b")
        self.interpose = interpose
        self.prefix = ["env", f"INTERPOSE_RATE={rate}", f"INTERPOSE_SEED={seed}", f"INTERPOSE_CONTROL={self.control_file.name}",
                       f"LD_PRELOAD={os.environ['INTERPOSE_SO']}"]
        for name in PIPES:
            os.mkfifo(self.path(name), 0o600)
            self.held[name] = os.open(self.path(name), os.O_RDWR)
            fcntl.fcntl(self.held[name], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.tap = Tap(os.open(self.path("recorded"), os.O_RDONLY), os.open(self.path("tapped"), os.O_WRONLY))
        self.feeder = Feeder(os.open(self.path("lines"), os.O_WRONLY))
        self.blaster = Blaster()
        self.tap.start()

    def control(self, realtime_s, boottime_s, is_calm=False):
        """What time it is, and whether system calls do as they should."""
        self.control_file.seek(0)
        self.control_file.write(struct.pack("=qqq", realtime_s, boottime_s, is_calm))
        self.control_file.flush()
        self.feeder.ahead_s = realtime_s

    def path(self, name):
        return f"{self.work}/{name}"

    def command(self, name):
        """(argv, stdin, stdout)"""
        # The reader shares its FIFO: what it writes is whole, as the kernel keeps it where there is room (pipe(7)).
        kinds = self.interpose.replace("short", "") if name == "reader" else self.interpose
        own = self.prefix + [f"INTERPOSE={kinds}", f"{self.binaries}/{name}", "--ready-fd", "9"]
        return {
            "reader": (["nsenter", f"--net=/run/netns/{os.environ['NETNS_B']}"] + NOBODY + own +
                       ["--pin-dir", os.environ["PIN_DIR"], "--interval", INTERVAL], None, "lines"),
            "aggregator": (NOBODY + own + ["--interval", INTERVAL], "lines", "snapshots"),
            "recorder": (NOBODY + own + ["--db", self.database, "--interval", TRANSACTION], "snapshots", "recorded"),
            "httpd": (NOBODY + own + ["--listen", "127.0.0.1:0"], "tapped", None),
        }[name]

    def spawn(self, name):
        """Starts a stage; does not wait until it is ready."""
        argv, source, sink = self.command(name)
        ready, ready_there = os.pipe()
        files = [os.open(self.path(source) if source else "/dev/null", os.O_RDONLY),
                 os.open(self.path(sink) if sink else "/dev/null", os.O_WRONLY)]
        # Descriptor 9 is the one that says when it is ready.
        process = subprocess.Popen(["bash", "-c", f'exec 9>&{ready_there} {ready_there}>&-; exec "$@"', name] + argv,
                                   stdin=files[0], stdout=files[1], stderr=self.errors, pass_fds=[ready_there])
        for fd in files + [ready_there]:
            os.close(fd)
        self.running[name] = process
        process.ready = ready
        return process

    def wait_ready(self, name):
        process = self.running[name]
        readable, _, _ = select.select([process.ready], [], [], PATIENCE_S)
        if not readable or not os.read(process.ready, 1):
            raise Hang(f"{name} is not ready (exit status {process.poll()}): {self.said()}")
        if name == "httpd":
            self.port = re.findall(r"listening on \S*:(\d+)\n", self.said())[-1]

    def start(self):
        for name in reversed(STAGES):
            self.spawn(name)
            self.wait_ready(name)
        wait_for("the first counters", lambda: self.tap.counters)
        self.packets_before = interface_packets()
        self.feeder.start()
        self.blaster.start()
        # Before its first transaction the recorder has no count to go on from.
        wait_for("the first transaction", lambda: self.ask("SELECT count(*) FROM interface_totals_days"))

    def ask(self, question):
        """One value out of the database."""
        db = sqlite3.connect(self.database)
        value = db.execute(question).fetchone()[0]
        db.close()
        return value

    def said(self):
        with open(self.work + "/stderr", encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self, name):
        process = self.running[name]
        if process.poll() is not None:
            raise Hang(f"{name} has ended by itself with status {process.returncode}: {self.said()}")
        process.kill()
        process.wait()
        os.close(process.ready)

    def wait_flow(self):
        """A line that is fed from now on comes out at the other end."""
        number = self.feeder.fed
        wait_for(f"number {number} to come through; the last one was {self.tap.last}", lambda: self.tap.last >= number)

    def stats(self):
        """The newest snapshot; None: httpd has not got any yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/stats", timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            if e.code != 503:
                raise
            return None

    def end(self):
        """From the first stage to the last, as at the end of input; the last snapshot, served."""
        for thread in (self.blaster, self.feeder):
            thread.enough.set()
            thread.join()
        self.running["reader"].terminate()
        for name, after in (("reader", "lines"), ("aggregator", "snapshots"), ("recorder", "recorded")):
            if status := self.running[name].wait(PATIENCE_S):
                raise Hang(f"{name} ended with status {status}: {self.said()}")
            os.close(self.held[after])
        self.tap.join(PATIENCE_S)
        os.close(self.held["tapped"])
        return wait_for("the last snapshot", lambda: (s := self.stats()) and s["final"] and s)

    def stop(self):
        """Whatever still runs."""
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
            process.wait()

# SPDX-License-Identifier: MIT
"""Packets over a veth, as they come: what is followed, and what following them costs the sender."""
import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import time

from lib.net import Attached, Process, Veth, user_s

FLOWS = 10000
BUFFER = 16 << 20   # of those who capture; as large as a ring of ours
SENDER_CPU, READER_CPU = 0, os.cpu_count() - 1
FOLDED, LINES = ["--packet-lines", "0"], ["--packet-lines", "all"]


def until_quiet(process, at_least=0.1):
    """Waits until it has worked off what it has got."""
    time.sleep(at_least)
    while True:
        before = process.cpu_s()
        time.sleep(0.1)
        if process.cpu_s() - before < 0.002:
            return


def interface(attached):
    return attached.totals()["interfaces"][0]


# ---- who follows: each is a block, whose followed() tells how many packets it has seen --------------------------------

class Nobody:
    name = "nothing attached"

    def __init__(self, b, veth):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def followed(self):
        return None


class Ours:
    """reader | aggregator, on the other CPU."""

    def __init__(self, b, veth, options, hook="tc"):
        self.b = b
        self.attached = Attached(b, veth, ["--probe", "packet", "--hook", hook, *options])
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack:
            self.stack.enter_context(self.attached)
            feed, lines = os.pipe()
            self.aggregator = Process([self.b.bin("aggregator")], cpu=READER_CPU, stdin=feed)
            os.close(feed)
            self.stack.enter_context(self.aggregator)
            self.reader = Process([self.b.bin("reader"), "--pin-dir", self.attached.pins], cpu=READER_CPU, ready=True,
                                  stdout=lines)
            os.close(lines)
            self.stack.enter_context(self.reader)
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *why):
        self.stack.__exit__(*why)

    def followed(self):
        """All in the totals and nothing without a flow: what came in one or the other way."""
        found = interface(self.attached)
        return found["ingress_packets"] - found["unattributed"]


class Ours0(Ours):
    name = "ours, folding"

    def __init__(self, b, veth):
        super().__init__(b, veth, FOLDED)


class OursAll(Ours):
    name = "ours, a line a packet"

    def __init__(self, b, veth):
        super().__init__(b, veth, LINES)


class Tool:
    """A program that is told to end, and says then what it has seen."""

    def __init__(self, b, veth):
        self.argv = veth.inside("b", *[word.replace("DIR", b.work) for word in self.argv])

    def __enter__(self):
        self.process = Process(self.argv, nobody=False, cpu=READER_CPU, stderr=subprocess.PIPE, text=True)
        self.started()
        return self

    def started(self):
        """It says when it listens."""
        for line in self.process.child.stderr:
            if "listening on" in line:
                return
        raise RuntimeError(f"{self.name} did not start")

    def followed(self):
        until_quiet(self.process, CAPTURE_BLOCK_S)
        self.process.end(signal.SIGINT)
        return int(re.search(self.said, self.process.child.stderr.read()).group(1))

    def __exit__(self, *why):
        self.process.__exit__(*why)


class TcpdumpWrite(Tool):
    name, package = "tcpdump -w /dev/null", "tcpdump"
    argv = ["tcpdump", "-nn", "-i", "peer0", "-B", str(BUFFER >> 10), "-w", "/dev/null"]
    said = r"(\d+) packets captured"


class TcpdumpText(Tool):
    name, package = "tcpdump text", "tcpdump"
    argv = ["tcpdump", "-nn", "-i", "peer0", "-B", str(BUFFER >> 10)]
    said = r"(\d+) packets captured"


class Softflowd(Tool):
    name, package = "softflowd", "softflowd"
    argv = ["softflowd", "-d", "-i", "peer0", "-B", str(BUFFER), "-m", "100000", "-p", "DIR/softflowd.pid",
            "-c", "DIR/softflowd.ctl", "-n", "10.79.0.1:9"]

    def __init__(self, b, veth):
        super().__init__(b, veth)
        self.control = ["softflowctl", "-c", b.work + "/softflowd.ctl", "statistics"]

    def started(self):
        while subprocess.run(self.control, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            if self.process.child.poll() is not None:
                raise RuntimeError("softflowd did not start")
            time.sleep(0.02)

    def followed(self):
        until_quiet(self.process, CAPTURE_BLOCK_S)
        out = subprocess.run(self.control, stdout=subprocess.PIPE, check=True, text=True).stdout
        received, dropped = (int(re.search(f"Packets {what} by libpcap: (\\d+)", out).group(1)) for what in ("received", "dropped"))
        return received - dropped


class Xdpdump(Tool):
    name, package = "xdpdump -w /dev/null", "xdp-tools"
    argv = ["xdpdump", "-i", "peer0", "--load-xdp-program", "--load-xdp-mode", "skb", "-w", "/dev/null"]
    said = r"(\d+) packets captured"


CAPTURE_BLOCK_S = 1.1  # libpcap hands over a part of its buffer after a second

PEERS = (TcpdumpWrite, TcpdumpText, Softflowd, Xdpdump)


# ---- senders ---------------------------------------------------------------------------------------------------------

def pump(b, veth, seconds, rate=0, flows=FLOWS, interfaces=("bench0",)):
    return b.lines(["taskset", "-c", str(SENDER_CPU), *veth.inside("a", b.tool("pump"), "-r", str(rate), str(seconds),
                                                                   str(flows), *interfaces)])[0]


def inject(b, attached, seconds, flows, rate=0, cpus=1):
    """Test runs of the program that counts what comes in at the first interface."""
    program = interface(attached)["ingress"]["program_id"]
    return b.lines([b.tool("inject"), str(program), str(seconds), str(flows), str(rate), str(cpus)])[0]


def watched(b, follower, seconds, rate=0):
    """(the sender's packets a second, packets sent, packets followed, packets a second of the sender's CPU time)"""
    with Veth() as veth, follower(b, veth) as one:
        done = pump(b, veth, seconds, rate)
        return done["pps"], done["sent"], one.followed(), done["sent"] / done["cpu_s"]


def without_loss(b, follower, seconds, most):
    """The highest rate at which it follows every packet; to an eighth of an octave."""
    low, high = 0.0, most
    rate = most
    for _ in range(6):
        pps, sent, seen, _ = watched(b, follower, seconds, rate)
        if seen >= sent:
            low = pps
            if rate == most:
                break
        else:
            high = rate
        rate = (low + high) / 2
    return low


def usable(b, peer):
    """Whether it runs here at all."""
    what = f"followed live: {peer.name}"
    if not shutil.which(peer.argv[0]):
        b.miss(what, f"{peer.argv[0]} of Debian's {peer.package} is not installed: make bench-deps")
        return False
    try:
        with Veth() as veth, peer(b, veth) as one:
            pump(b, veth, 0.05, 1000)
            if one.followed():
                return True
            b.miss(what, "sees no packet")
    except (RuntimeError, AttributeError, OSError, subprocess.SubprocessError) as e:
        b.miss(what, f"does not run here: {e}")
    return False


def follow_rows(b):
    seconds = 0.5 if b.quick else 1.5
    peers = [peer for peer in PEERS if usable(b, peer)]
    everyone = [Nobody, Ours0, OursAll, *peers]
    rates, cpu_rates = {one: [] for one in everyone}, {one: [] for one in everyone}
    sent, seen = {Ours0: [], OursAll: []}, {Ours0: [], OursAll: []}
    for i in range(b.rounds):
        for one in everyone if i % 2 else reversed(everyone):
            pps, count, followed, by_cpu = watched(b, one, seconds)
            rates[one].append(pps)
            cpu_rates[one].append(by_cpu)
            if one in sent:
                sent[one].append(count)
                seen[one].append(followed)
    for one in sent:
        b.exact(f"followed live, as fast as it is sent: {one.name}", seen[one], sent[one], "packets", "sent")
    b.row("the sender's rate, folding 10 000 flows at TC", rates[Ours0], rates[Nobody], "packets/s", Nobody.name, 0.8,
          "higher")
    b.row("the same by its time on a CPU", cpu_rates[Ours0], cpu_rates[Nobody], "packets/CPU s", Nobody.name, None, "higher")
    for peer in peers:
        b.row("the sender's rate, folding 10 000 flows at TC", rates[Ours0], rates[peer], "packets/s", f"with {peer.name}",
              1, "higher")
    b.row("the sender's rate, a line a packet at TC", rates[OursAll], rates[Nobody], "packets/s", Nobody.name, None, "higher")
    if not b.quick:
        search_rows(b, peers, rates[Ours0], max(rates[Nobody]))


def search_rows(b, peers, ours, most):
    """Where each peer begins to lose packets."""
    seconds = 1
    for peer in peers:
        rate = without_loss(b, peer, seconds, most)
        if not rate:
            b.miss(f"followed without loss: {peer.name}", "lost packets at each rate that was tried")
            continue
        b.row("followed without loss", [statistics.median(ours)], [rate], "packets/s", peer.name, 1, "higher",
              "ours at the sender's limit")


def frames_rows(b):
    """Live XDP frames over a veth, native XDP where they arrive."""
    count = 1_000_000 if b.quick else 10_000_000
    found = {"empty": [], "fold": [], "lines": []}
    counted = {"fold": [], "lines": []}

    def send(veth, *more):
        return b.lines(["taskset", "-c", str(SENDER_CPU), b.tool("frames"), veth.path("a"), "bench0", veth.path("b"),
                        "peer0", str(count), str(FLOWS), *more])[0]
    for _ in range(b.rounds):
        with Veth() as veth:
            sent = send(veth, "empty")
            found["empty"].append(sent["received"] / sent["seconds"])
        for name, options in (("fold", FOLDED), ("lines", LINES)):
            with Veth() as veth, Ours(b, veth, options, "xdp") as ours:
                sent = send(veth)
                found[name].append(sent["received"] / sent["seconds"])
                counted[name].append((ours.followed(), sent["received"]))
    for name, what, target in (("fold", "totals and folding", 0.6), ("lines", "a line a packet", 0.4)):
        b.row(f"live XDP frames, {what}", found[name], found["empty"], "packets/s", "an empty program", target, "higher")
        b.exact(f"live XDP frames, {what}: counted", [x for x, _ in counted[name]], [x for _, x in counted[name]],
                "packets", "arrived")


def pipe_rows(b):
    """reader | aggregator on one core, at two million lines a second."""
    seconds, lines, sent, cost, reached = 1 if b.quick else 3, [], [], [], []
    for _ in range(b.rounds):
        with Veth() as veth, Ours(b, veth, LINES, "xdp") as ours:
            done = inject(b, ours.attached, seconds, FLOWS, 2_000_000)
            until_quiet(ours.reader)
            sent.append(done["sent"])
            reached.append(done["pps"])
            lines.append(interface(ours.attached)["packet_lines"])
            users = user_s(ours.reader.end()), user_s(ours.aggregator.wait())
            cost.append(sum(users) / lines[-1] * 1e9)
    b.row("the whole pipe on one core: packets that come", reached, [2e6] * len(reached), "packets/s", "2 M packets/s", 0.98,
          "higher", "by test runs on the other core")
    b.exact("the whole pipe on one core, 2 M packets/s: lines", lines, sent, "lines", "packets: none was folded")
    b.limit("the whole pipe on one core: user CPU of reader and aggregator", cost, "ns/line", 140, "lower")


def idle_rows(b):
    seconds = 1 if b.quick else 3
    for what, rate, limit in (("idle", 0, 0.5), ("10 000 packets/s", 10000, 3)):
        reader, aggregator = [], []
        for _ in range(b.rounds):
            with Veth() as veth, Ours(b, veth, []) as ours:
                before = ours.reader.cpu_s(), ours.aggregator.cpu_s()
                if rate:
                    pump(b, veth, seconds, rate, 1000)
                else:
                    time.sleep(seconds)
                after = ours.reader.cpu_s(), ours.aggregator.cpu_s()
                reader.append((after[0] - before[0]) / seconds * 100)
                aggregator.append((after[1] - before[1]) / seconds * 100)
        b.limit(f"CPU of the reader, {what}", reader, "% of a core", limit, "lower")
        b.plain(f"CPU of the aggregator, {what}", aggregator, "% of a core")


ROWS = (frames_rows, pipe_rows, idle_rows, follow_rows)

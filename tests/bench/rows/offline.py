# SPDX-License-Identifier: MIT
"""A capture to flows, and to lines, beside what people use instead: whole processes, packets a second."""
import os
import shutil
import statistics
import subprocess
import time

from lib.captures import capture

# Without a network but loopback, where softflowd exports to nobody.
ALONE = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def ours_flows(b, path):
    return ["bash", "-c", 'set -o pipefail; "$0" --pcap "$2" --packet-lines 0 | "$1" --flows', b.bin("reader"),
            b.bin("aggregator"), path]


def ours_lines(b, path):
    return [b.bin("reader"), "--pcap", path]


# name: (package, what runs, packets of the million that it gets, hosts). DIR is a fresh directory.
FLOW_PEERS = (
    ("softflowd", "softflowd", ["softflowd", "-d", "-r", "FILE", "-p", "DIR/pid", "-c", "none", "-m", "1000000",
                                "-n", "127.0.0.1:9"], 1),
    ("nfpcapd", "nfdump", ["nfpcapd", "-r", "FILE", "-l", "DIR"], 1),
    ("argus", "argus-server", ["argus", "-r", "FILE", "-w", "DIR/out"], 1),
    ("tshark -z conv", "tshark", ["tshark", "-n", "-q", "-r", "FILE", "-z", "conv,tcp", "-z", "conv,udp"], 10),
    ("tcpdump -w, reads only", "tcpdump", ["tcpdump", "-r", "FILE", "-w", "/dev/null"], 1),
)
# The last: what our lines are to be of it, at 128 and at 10 000 hosts.
LINE_PEERS = (
    ("tcpdump text", "tcpdump", ["tcpdump", "-nn", "-r", "FILE"], 1, {128: 5, 10000: 30}),
    ("tshark -T ek", "tshark", ["tshark", "-n", "-r", "FILE", "-T", "ek"], 50, {128: 200}),
)


def rate(b, argv, path, packets):
    """Packets a second of one run."""
    folder = os.path.join(b.work, "out")
    os.makedirs(folder)
    os.chmod(folder, 0o777)
    argv = [word.replace("FILE", path).replace("DIR", folder) for word in argv]
    try:
        began = time.monotonic()
        subprocess.run([*ALONE, *argv], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return packets / (time.monotonic() - began)
    finally:
        shutil.rmtree(folder)


def in_turn(b, ours, peer, hosts, packets, part):
    """Rates of both, one after the other; a slow peer gets a part of the packets."""
    whole, cut = capture(b, packets, hosts), capture(b, packets // part, hosts)
    found = ([], [])
    for i in range(b.rounds):
        for which in (0, 1) if i % 2 else (1, 0):
            found[which].append(rate(b, ours(b, whole), whole, packets) if which == 0 else
                                rate(b, peer, cut, packets // part))
    return found


def compare(b, what, name, package, argv, *rest):
    if not shutil.which(argv[0]):
        b.miss(f"{what} beside {name}", f"{argv[0]} of Debian's {package} is not installed: make bench-deps")
        return None
    try:
        return in_turn(b, *rest)
    except subprocess.CalledProcessError as e:
        b.miss(f"{what} beside {name}", f"ended with {e.returncode}: {' '.join(e.cmd[len(ALONE):])}")
        return None


def flow_rows(b):
    for hosts in (128, 10000):
        what = f"capture to flows, {hosts} hosts"
        found = {}
        for name, package, argv, part in FLOW_PEERS:
            if (got := compare(b, what, name, package, argv, ours_flows, argv, hosts, packets(b), part)):
                found[name] = got
        rivals = [name for name in found if "reads only" not in name]
        fastest = max(rivals, key=lambda name: statistics.median(found[name][1]), default=None)
        for name, (ours, other) in found.items():
            b.row(what, ours, other, "packets/s", name, 2 if name == fastest else None, "higher",
                  "the fastest of them" if name == fastest else None)


def line_rows(b):
    for hosts in (128, 10000):
        for name, package, argv, part, targets in LINE_PEERS:
            what = f"capture to lines, {hosts} hosts"
            if hosts not in targets:
                continue
            if (got := compare(b, what, name, package, argv, ours_lines, argv, hosts, packets(b), part)):
                b.row(what, *got, "packets/s", name, targets[hosts], "higher")


def packets(b):
    return 100_000 if b.quick else 1_000_000


ROWS = (flow_rows, line_rows)

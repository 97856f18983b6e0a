# SPDX-License-Identifier: MIT
"""What all probes cost those who use the network: throughput and request rate over a veth, off and on in turn."""
import json
import resource
import subprocess

from lib.net import Attached, Process, Veth

TARGET = 0.9


def iperf(b, net, seconds, *options):
    server = subprocess.Popen(net.inside("b", "iperf3", "-s", "-1", "--forceflush"), stdout=subprocess.PIPE, text=True)
    try:
        for line in server.stdout:
            if "listening" in line:
                break
        out = subprocess.run(net.inside("a", "iperf3", "-c", "10.79.0.2", "-t", str(max(1, round(seconds))), "-J", *options),
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        end = json.loads(out)["end"]["sum_received"]
        return end["bits_per_second"], 8 * end["bytes"]
    except BaseException:
        server.kill()
        raise
    finally:
        server.communicate()


def tool(b, net, name, *options):
    return b.lines([b.tool("netns/" + name), net.path("a"), net.path("b"), "10.79.0.2", *map(str, options)])[0]


def requests(b, net, seconds, clients):
    done = tool(b, net, "requests", clients, seconds)
    return done["requests_per_second"], done["requests"]


def connections(b, net, _seconds):
    done = tool(b, net, "flood", 200, 100)
    return done["connections_per_second"], done["connections"]


LOADS = (
    ("iperf3, one connection", "bit/s", iperf),
    ("iperf3, eight connections", "bit/s", lambda b, n, s: iperf(b, n, s, "-P", "8")),
    ("requests of 64 bytes and answers, one connection", "requests/s", lambda b, n, s: requests(b, n, s, 1)),
    ("requests of 64 bytes and answers, eight connections", "requests/s", lambda b, n, s: requests(b, n, s, 8)),
    ("short connections, one after the other", "connections/s", connections),
)


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_load(b, net, load, seconds):
    """(done in a second, done in a second of CPU)"""
    before = cpu_s()
    rate, amount = load(b, net, seconds)
    return rate, amount / (cpu_s() - before)


def measure(b, load, seconds, options, interfaces):
    """Both, each round, which goes first changes: ([with the probes], [without])."""
    with Veth() as net:
        on, off = [], []
        load(b, net, 1)
        for i in range(b.rounds):
            for probed in (i % 2 == 0, i % 2 != 0):
                if not probed:
                    off.append(run_load(b, net, load, seconds))
                    continue
                with Attached(b, net, options, interfaces) as attached, \
                        Process([b.bin("reader"), "--pin-dir", attached.pins], ready=True):
                    on.append(run_load(b, net, load, seconds))
        return on, off


def rows(b):
    for name, unit, load in LOADS[::2] if b.quick else LOADS:
        on, off = measure(b, load, 1 if b.quick else 2, [], ["peer0"])
        b.row(f"all probes: {name}", [x[0] for x in on], [x[0] for x in off], unit, "nothing attached", TARGET, "higher")


ROWS = (rows,)

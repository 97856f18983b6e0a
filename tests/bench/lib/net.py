# SPDX-License-Identifier: MIT
"""Namespaces, attached programs and processes of a measurement; each is gone at the end of its block, also on ^C."""
import contextlib
import itertools
import json
import os
import signal
import subprocess
import time

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
count = itertools.count()


def quietly(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Veth:
    """Two namespaces, a and b, and `pairs` veths from bench0 to peer0, bench1 to peer1 and so on. 10.79.N.1 and .2."""

    def __init__(self, pairs=1):
        self.tag, self.pairs = f"jopil-bench-{os.getpid()}-{next(count)}", pairs

    def path(self, side):
        return f"/run/netns/{self.tag}-{side}"

    def inside(self, side, *argv):
        return ["nsenter", f"--net={self.path(side)}", *argv]

    def set_up(self):
        for side in "ab":
            subprocess.run(["ip", "netns", "add", f"{self.tag}-{side}"], check=True)
            quietly(*self.inside(side, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                                 "net.ipv6.conf.default.disable_ipv6=1"))
            quietly(*self.inside(side, "ip", "link", "set", "lo", "up"))
        for i in range(self.pairs):
            quietly("ip", "link", "add", f"bench{i}", "netns", f"{self.tag}-a", "type", "veth",
                    "peer", "name", f"peer{i}", "netns", f"{self.tag}-b")
            for side, name, host in (("a", f"bench{i}", 1), ("b", f"peer{i}", 2)):
                quietly(*self.inside(side, "ip", "addr", "add", f"10.79.{i}.{host}/24", "dev", name))
                quietly(*self.inside(side, "ip", "link", "set", name, "up"))

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for side in "ab":
            if os.path.exists(self.path(side)):
                subprocess.run(["ip", "netns", "delete", f"{self.tag}-{side}"], check=False)


class Attached:
    """Programs of ours at interfaces of side b, or without any only the probes of the host."""

    def __init__(self, b, veth, options, interfaces=("peer0",)):
        self.pins = f"/sys/fs/bpf/jopil-bench-{os.getpid()}-{next(count)}"
        loader = [b.bin("loader"), "--pin-dir", self.pins]
        self.loader = veth.inside("b", *loader) if veth else loader
        self.options = ["--group", "nogroup", *options, *interfaces]

    def __enter__(self):
        try:
            quietly(*self.loader, *self.options)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if os.path.exists(self.pins):
            subprocess.run([*self.loader, "--detach"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def totals(self):
        """What has been counted: packets, packet lines, folded, unattributed, ring_full, ..., of all interfaces."""
        out = subprocess.run([*self.loader, "--status", "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out)


class Process:
    """A child in a session of its own, as ^C is not to reach it before us; what it used is known when it has ended."""

    def __init__(self, argv, nobody=True, cpu=None, ready=False, **kw):
        argv = [*(NOBODY if nobody else []), *argv]
        if cpu is not None:
            argv = ["taskset", "-c", str(cpu), *argv]
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.DEVNULL)
        self.usage = None
        told = None
        if ready:
            hear, told = os.pipe()
            argv += ["--ready-fd", str(told)]
            kw["pass_fds"] = [told]
        try:
            self.child = subprocess.Popen(argv, start_new_session=True, **kw)
        finally:
            if ready:
                os.close(told)
        self.pid = self.child.pid
        if ready:
            got = os.read(hear, 1)
            os.close(hear)
            if not got:
                self.end(signal.SIGKILL)
                raise RuntimeError(f"{argv} did not start")

    def end(self, number=signal.SIGTERM, patience_s=30):
        """Ends it, and tells its resource usage."""
        if self.usage is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            until = time.monotonic() + patience_s
            while True:
                pid, status, usage = os.wait4(self.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > until:
                    os.kill(self.pid, signal.SIGKILL)
                    pid, status, usage = os.wait4(self.pid, 0)
                    break
                time.sleep(0.005)
            self.child.returncode = os.waitstatus_to_exitcode(status)
            self.usage = usage
        return self.usage

    def wait(self):
        """Waits for its own end."""
        if self.usage is None:
            _, status, self.usage = os.wait4(self.pid, 0)
            self.child.returncode = os.waitstatus_to_exitcode(status)
        return self.usage

    def cpu_s(self):
        return cpu_s(self.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def cpu_s(pid):
    """Seconds on a CPU of all its threads up to now."""
    used = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
            used += int(f.read().split()[0])
    return used / 1e9


def rss_bytes(pid, field="Pss"):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise ValueError(field)


def user_s(usage):
    return usage.ru_utime


def used_s(usage):
    return usage.ru_utime + usage.ru_stime

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a running program do what an attacker inside of it would: system calls, put into it by ptrace.

usage: inject.py all|one|history|blocked|fetch|screen|watchdog PROGRAM [OPTION...]; starts PROGRAM with --ready-fd, passes it stdin, waits until it is ready and waits
for more, and prints for each call what came of it: `done`, an error's name, or `stopped` where the sandbox stops it. Calls that
are stopped are not carried out, and the program is let go on; SIGTERM ends it, and its exit status is this one's. With
`one` the signal that stops the first call gets to the program. With `history` it is httpd's process that reads the
database, which may open files, but not one that everybody may read.

The others are for programs that say nothing when they are ready: what all processes say of their sandbox is waited for, and
that there is no capability and no way to one. `blocked`: its stdout takes nothing. `fetch`: the process that it starts to ask the
server of --connect, which is added. `screen`: on a terminal of its own; `watchdog`: the process that it starts there.
x86-64 only.
"""
import ctypes
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
POKE, CONT, SINGLESTEP, GETREGS, SETREGS, ATTACH, DETACH = 4, 7, 9, 12, 13, 16, 17
REGS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
        "fs_base gs_base ds es fs gs").split()
AT_FDCWD = -100
FORK = 57


class Regs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGS]


def ptrace(request, pid, address=None, data=None):
    if libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


class Victim:
    """A stopped process; call() makes it do a system call."""

    def __init__(self, pid):
        self.pid = pid
        ptrace(ATTACH, pid)
        os.waitpid(pid, 0)
        self.kept = Regs()
        ptrace(GETREGS, pid, None, ctypes.byref(self.kept))
        # It waits in a system call: the instruction is right behind it.
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(self.kept.rip - 2)
            assert memory.read(2) == b"\x0f\x05", "it is not in a system call"

    def put(self, data):
        """Bytes in its memory, below the stack."""
        address = (self.kept.rsp - 4096) & ~7
        data += b"\0" * (8 - len(data) % 8)
        for i in range(0, len(data), 8):
            ptrace(POKE, self.pid, address + i, int.from_bytes(data[i:i + 8], "little"))
        return address

    def enter(self, how, number, *arguments):
        regs = Regs.from_buffer_copy(self.kept)
        regs.rip -= 2
        regs.rax, regs.orig_rax = number, ctypes.c_ulonglong(-1).value
        for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), arguments):
            setattr(regs, name, ctypes.c_ulonglong(value).value)
        ptrace(SETREGS, self.pid, None, ctypes.byref(regs))
        ptrace(how, self.pid)
        return os.waitpid(self.pid, 0)[1]

    def call(self, number, *arguments):
        """What came of it."""
        result = self.result(number, *arguments)
        return result if isinstance(result, str) else errno.errorcode[-result] if result < 0 else "done"

    def result(self, number, *arguments):
        """The same: a number where there is one, of an error below 0."""
        status = self.enter(SINGLESTEP, number, *arguments)
        if not os.WIFSTOPPED(status):
            return f"ended with {status:#x}"
        if os.WSTOPSIG(status) == signal.SIGSYS:
            # The step itself is told after the signal, which is not passed on.
            ptrace(SINGLESTEP, self.pid)
            os.waitpid(self.pid, 0)
            return "stopped"
        regs = Regs()
        ptrace(GETREGS, self.pid, None, ctypes.byref(regs))
        result = ctypes.c_longlong(regs.rax).value
        return result if result > -4096 else 0

    def deliver(self, number):
        """A call whose signal is not kept from it."""
        self.enter(CONT, number)
        ptrace(DETACH, self.pid, None, signal.SIGSYS)

    def let_go(self):
        ptrace(SETREGS, self.pid, None, ctypes.byref(self.kept))
        ptrace(DETACH, self.pid)


def attacks(victim):
    """(name, result): what would be worth having, and cannot be had."""
    how = (0).to_bytes(24, "little")
    for name, number, data, arguments in (
        ("execve", 59, b"/bin/sh\0", lambda at: (at, 0, 0)),
        ("open", 2, b"/etc/shadow\0", lambda at: (at, os.O_RDONLY)),
        ("openat", 257, b"/etc/shadow\0", lambda at: (AT_FDCWD, at, os.O_RDONLY)),
        ("openat2", 437, how + b"/etc/shadow\0", lambda at: (AT_FDCWD, at + 24, at, 24)),
        ("creat", 85, b"/tmp/jopil-was-here\0", lambda at: (at, 0o644)),
        ("unlink", 87, b"/tmp/jopil-was-here\0", lambda at: (at,)),
        ("rename", 82, b"/a\0", lambda at: (at, at)),
        ("socket", 41, b"", lambda at: (socket.AF_INET, socket.SOCK_STREAM, 0)),
        ("socketpair", 53, b"", lambda at: (socket.AF_UNIX, socket.SOCK_STREAM, 0, at)),
        ("connect", 42, b"\2\0\0\x50\x7f\0\0\1" + b"\0" * 8, lambda at: (0, at, 16)),
        ("bind", 49, b"\2\0\0\0\x7f\0\0\1" + b"\0" * 8, lambda at: (0, at, 16)),
        ("fork", FORK, b"", lambda at: ()),
        ("clone", 56, b"", lambda at: (signal.SIGCHLD, 0, 0, 0, 0)),
        ("ptrace", 101, b"", lambda at: (ATTACH, 1, 0, 0)),
        ("kill", 62, b"", lambda at: (os.getpid(), 0)),
        ("setuid", 105, b"", lambda at: (0,)),
        ("bpf-map-create", 321, b"\0" * 128, lambda at: (0, at, 128)),
        ("bpf-program-load", 321, b"\0" * 128, lambda at: (5, at, 128)),
        ("bpf-link-detach", 321, b"\0" * 128, lambda at: (34, at, 128)),
        ("io_uring_setup", 425, b"\0" * 128, lambda at: (1, at)),
        ("unshare", 272, b"", lambda at: (0x10000000,)),
        ("mount", 165, b"/\0", lambda at: (at, at, at, 0, 0)),
        ("memfd_create", 319, b"x\0", lambda at: (at, 0)),
        ("mmap-exec", 9, b"", lambda at: (0, 4096, 7, 0x22, -1, 0)),
        ("mprotect-exec", 10, b"", lambda at: (at & ~4095, 4096, 7)),
        ("seccomp", 317, b"", lambda at: (0, 0, 0)),
    ):
        yield name, victim.call(number, *arguments(victim.put(data or b"\0")))


def wait_until_idle(pid):
    """In a system call, and asleep there."""
    while True:
        with open(f"/proc/{pid}/stat") as stat:
            state = stat.read().rpartition(")")[2].split()[0]
        with open(f"/proc/{pid}/syscall") as call:
            if state == "S" and not call.read().startswith(("running", "-1")):
                return


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


def reader_of(pid):
    """The process that reads the database: the child of a child, once it waits for questions."""
    while True:
        for keeper in children(pid):
            for worker in children(keeper):
                with open(f"/proc/{worker}/syscall", encoding="ascii") as f:
                    if f.read().startswith("45 "):    # recvfrom
                        return worker


def is_confined(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        rows = dict(line.rstrip("\n").partition(":\t")[::2] for line in f)
    return (rows["Seccomp"].strip() == "2" and rows["NoNewPrivs"].strip() == "1" and
            not any(int(rows[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Amb")))


def wait_until(what, good):
    until = time.monotonic() + 30
    while not good():
        if time.monotonic() > until:
            sys.exit(f"inject: not {what}")


def start_ready():
    ready, ready_here = os.pipe()
    program = subprocess.Popen(sys.argv[2:] + ["--ready-fd", str(ready_here)], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, pass_fds=[ready_here])
    os.close(ready_here)
    program.stdin.write(sys.stdin.buffer.read())
    program.stdin.flush()
    if not os.read(ready, 1):
        sys.exit(f"inject: {sys.argv[2]} is not ready")
    return program


def start_blocked():
    """Its stdout is a full pipe; what is in there is read when it is let go."""
    out, full = os.pipe()
    os.set_blocking(full, False)
    try:
        while True:
            os.write(full, b"\n" * 4096)
    except BlockingIOError:
        os.set_blocking(full, True)
    program = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=full)
    os.close(full)
    program.stdin.write(sys.stdin.buffer.read())
    program.stdin.flush()
    program.drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(out, 65536), b"")], daemon=True)
    return program


def start_fetch():
    listener = socket.create_server(("127.0.0.1", 0))
    program = subprocess.Popen(sys.argv[2:] + ["--connect", f"http://127.0.0.1:{listener.getsockname()[1]}"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    program.listener = listener
    listener.accept()[0].detach()
    return program


def start_on_terminal():
    program_end, terminal = os.openpty()
    program = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0), env=dict(os.environ, TERM="xterm"))
    os.close(terminal)
    program.terminal = program_end
    return program


def itself(program):
    return program.pid


def only_child(program):
    wait_until("a process of its own", lambda: children(program.pid))
    return children(program.pid)[0]


def connections(victim):
    """Of a process that may connect, but to one port."""
    to = victim.put(b"\2\0\0\1\x7f\0\0\1" + b"\0" * 8)
    yield "connect-elsewhere", victim.call(42, victim.result(41, socket.AF_INET, socket.SOCK_STREAM, 0), to, 16)
    yield "socket-datagram", victim.call(41, socket.AF_INET, socket.SOCK_DGRAM, 0)
    yield "socket-unix", victim.call(41, socket.AF_UNIX, socket.SOCK_STREAM, 0)


def readable(victim):
    yield "openat-readable", victim.call(257, AT_FDCWD, victim.put(b"/etc/passwd\0"), os.O_RDONLY)


def nothing(_victim):
    return ()


# How it is started, which process it is, and what is tried beside; whether to wait for its sandbox.
MODES = {
    "all": (start_ready, itself, nothing, False),
    "one": (start_ready, itself, nothing, False),
    "history": (start_ready, lambda program: reader_of(program.pid), readable, False),
    "blocked": (start_blocked, itself, readable, True),
    "fetch": (start_fetch, only_child, connections, True),
    "screen": (start_on_terminal, itself, nothing, True),
    "watchdog": (start_on_terminal, only_child, nothing, True),
}


def main():
    start, which, others, is_silent = MODES[sys.argv[1]]
    program = start()
    pid = which(program)
    if is_silent:
        wait_until("confined", lambda: is_confined(pid))
    wait_until_idle(pid)
    victim = Victim(pid)
    if sys.argv[1] == "one":
        victim.deliver(FORK)
    else:
        for tries in (attacks, others):
            for name, result in tries(victim):
                print(name, result, flush=True)
        victim.let_go()
        if hasattr(program, "drain"):
            program.drain.start()
            program.stdin.close()
        else:
            program.terminate()
    sys.exit(program.wait(timeout=20))


if __name__ == "__main__":
    main()

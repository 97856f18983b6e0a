#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a running program do what an attacker inside of it would: system calls, put into it by ptrace.

usage: inject.py all|one|history PROGRAM [OPTION...]; starts PROGRAM with --ready-fd, passes it stdin, waits until it is ready and waits
for more, and prints for each call what came of it: `done`, an error's name, or `stopped` where the sandbox stops it. Calls that
are stopped are not carried out, and the program is let go on; SIGTERM ends it, and its exit status is this one's. With
`one` the signal that stops the first call gets to the program. With `history` it is httpd's process that reads the
database, which may open files, but not one that everybody may read. x86-64 only.
"""
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys

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
        return errno.errorcode[-result] if -4096 < result < 0 else "done"

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


def main():
    ready, ready_here = os.pipe()
    program = subprocess.Popen(sys.argv[2:] + ["--ready-fd", str(ready_here)], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, pass_fds=[ready_here])
    os.close(ready_here)
    program.stdin.write(sys.stdin.buffer.read())
    program.stdin.flush()
    if not os.read(ready, 1):
        sys.exit(f"inject: {sys.argv[2]} is not ready")
    wait_until_idle(program.pid)
    is_history = sys.argv[1] == "history"
    victim = Victim(reader_of(program.pid) if is_history else program.pid)
    if sys.argv[1] == "one":
        victim.deliver(FORK)
    else:
        for name, result in attacks(victim):
            print(name, result, flush=True)
        if is_history:
            print("openat-readable", victim.call(257, AT_FDCWD, victim.put(b"/etc/passwd\0"), os.O_RDONLY))
        victim.let_go()
        program.terminate()
    sys.exit(program.wait(timeout=20))


if __name__ == "__main__":
    main()

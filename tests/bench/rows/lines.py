# SPDX-License-Identifier: MIT
"""Records to lines, lines to flow tables, on one core: tests/bench/lines, parse and instructions tell more of it."""
import os
import shutil

INSTRUCTIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "instructions")


def rows(b):
    if shutil.which("valgrind"):
        b.adopt([INSTRUCTIONS, b.build])
    else:
        b.miss("instructions a line", "valgrind is not installed: make bench-deps")
    b.adopt([b.tool("lines"), str(b.rounds)])
    b.adopt([b.tool("parse"), str(b.rounds)])


ROWS = (rows,)

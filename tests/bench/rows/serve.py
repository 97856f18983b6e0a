# SPDX-License-Identifier: MIT
"""httpd beside nginx, and its feed to 500 clients beside a bare send loop: tests/bench/serve tells more of it."""
import os

SERVE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "serve")


def rows(b):
    b.adopt([SERVE, "--json", "--build", b.build, "--rounds", str(b.rounds), "--seconds", "1" if b.quick else "2"])


ROWS = (rows,)

# SPDX-License-Identifier: MIT
"""The page in a real browser: measured values beside the limits that were set for them."""
import os
import shutil

from lib.table import unless_quick

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "browser.mjs")


@unless_quick
def rows(b):
    if not shutil.which("node") or not shutil.which("chromium"):
        b.miss("the page in Chromium", "node and chromium are not installed: make bench-deps")
        return
    for r in b.lines(["node", SCRIPT, str(b.rounds)], env={**os.environ, "BIN": os.path.join(b.build, "bin")}):
        if r["limit"]:
            b.limit(r["what"], r["values"], r["unit"], r["limit"], "lower")
        else:
            b.plain(r["what"], r["values"], r["unit"])


ROWS = (rows,)

# SPDX-License-Identifier: MIT
"""The packet program by BPF_PROG_TEST_RUN, an empty program subtracted: tests/bench/probe tells more of it."""
import statistics


def rows(b):
    for r in b.lines([b.tool("probe"), str(b.rounds)]):
        what = f"packet program: {r['what']}"
        if r["target_of"] == "ours":
            b.limit(what, r["ours"], r["unit"], r["target"], "lower",
                    f"without the {statistics.median(r['other']):.0f} of an empty program")
        else:
            b.row(what, r["ours"], r["other"], r["unit"], r["against"], r["target"], "lower")


ROWS = (rows,)

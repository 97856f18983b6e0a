# SPDX-License-Identifier: MIT
"""The rows of make bench, one file a theme, each with its ROWS: functions that measure, in the order of the table."""
from . import browser, curves, drain, host, latency, lines, live, memory, offline, packet, recorder, serve

THEMES = {
    "packet": packet.ROWS,
    "lines": lines.ROWS,
    "drain": drain.ROWS,
    "live": live.ROWS,
    "offline": offline.ROWS,
    "host": host.ROWS,
    "serve": serve.ROWS,
    "latency": latency.ROWS,
    "memory": memory.ROWS,
    "recorder": recorder.ROWS,
    "browser": browser.ROWS,
    "curves": curves.ROWS,
}

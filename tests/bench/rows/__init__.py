# SPDX-License-Identifier: MIT
"""The rows of make bench, one file a theme. THEMES: what runs, in the order of the table."""
from . import browser, host, lines, offline, packet, serve

THEMES = {
    "packet": packet.rows,
    "lines": lines.rows,
    "offline": offline.rows,
    "host": host.rows,
    "serve": serve.rows,
    "browser": browser.rows,
}

# SPDX-License-Identifier: MIT
"""ticker.py ADDRESS FIRST_PORT COUNT MEAN_GAP_S: a UDP packet from a port of its own each, at random gaps; prints the port and
the time, CLOCK_REALTIME, right before it was sent."""
import random
import socket
import sys
import time

address, first, count, gap = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
dice = random.Random(first)
for port in range(first, first + count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", port))
        time.sleep(dice.uniform(0, 2 * gap))
        now = time.time()
        s.sendto(b"x" * 18, (address, 9))
    print(port, now, flush=True)

# SPDX-License-Identifier: MIT
"""reader | aggregator | httpd over what is attached, and a listener to its feed."""
import contextlib
import os
import socket
import subprocess

from lib.net import Process


class Pipeline:
    """All three, as nobody. With web False the snapshots go nowhere."""

    def __init__(self, b, attached, aggregator=(), web=True):
        self.b, self.attached, self.options, self.web = b, attached, aggregator, web
        self.stack = contextlib.ExitStack()
        self.port = None

    def start_httpd(self, stdin):
        self.httpd = self.stack.enter_context(Process([self.b.bin("httpd"), "--listen", "127.0.0.1:0"], ready=True,
                                                      stdin=stdin, stderr=subprocess.PIPE))
        self.port = int(self.httpd.child.stderr.readline().rsplit(b":", 1)[1])

    def __enter__(self):
        with self.stack:
            out, snapshots = os.pipe()
            feed, lines = os.pipe()
            if self.web:
                self.start_httpd(out)
            self.aggregator = self.stack.enter_context(Process(
                [self.b.bin("aggregator"), *self.options], stdin=feed, stdout=snapshots if self.web else subprocess.DEVNULL))
            self.reader = self.stack.enter_context(Process([self.b.bin("reader"), "--pin-dir", self.attached.pins],
                                                           ready=True, stdout=lines))
            for fd in (out, snapshots, feed, lines):
                os.close(fd)
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *why):
        self.stack.__exit__(*why)

    def processes(self):
        return [self.reader, self.aggregator] + ([self.httpd] if self.web else [])


class Feed:
    """A client of /events: pieces of it, as they come."""

    def __init__(self, port, topics):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(f"GET /events?topics={topics} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())

    def messages(self):
        """Each message, whole."""
        data = b""
        while more := self.socket.recv(1 << 20):
            data += more
            *whole, data = data.split(b"\n\n")
            yield from whole

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

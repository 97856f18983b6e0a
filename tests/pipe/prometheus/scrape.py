#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real Prometheus scrapes a real httpd, which a real aggregator feeds with real lines.

usage: scrape.py SCRATCH_DIRECTORY; $BIN is where the programs are. Exit 0: the sums in Prometheus are those of the
snapshot, every query of the dashboard and of the rules has an answer; else the difference on stderr.

Nothing sleeps: httpd's event stream, one event a snapshot, is the clock by which Prometheus is asked again.
"""
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[2]
BIN = pathlib.Path(os.environ["BIN"])
TOKEN = "0123456789abcdef-of-a-test"
DEADLINE_S = 120  # far above what it takes: a hang is a failure
BATCHES = 6  # of lines, a few scrapes apart: rates need two samples
MANY = 100  # names of processes: more than have a series

began = time.monotonic()
started = []  # processes, to be ended whatever happens


def fail(text):
    sys.exit(f"scrape.py: {text}")


def equal(got, expected, what):
    if got != expected:
        fail(f"{what}: {got}, not {expected}")


# ---- lines ----------------------------------------------------------------------------------------------------------

class Host:
    """A machine that talks: its lines, cumulative where they are."""

    def __init__(self, name):
        self.name = name
        self.n = 0

    def batch(self, now_ms):
        self.n += 1
        n, t = self.n, round(now_ms, 3)
        flow = {"ip_version": 4, "proto": "TCP", "src_ip": "10.0.0.1", "dst_ip": "10.0.0.2"}
        counters = {"packets": 30 * n, "bytes": 3300 * n, "ingress_packets": 10 * n, "ingress_bytes": 1100 * n,
                    "egress_packets": 20 * n, "egress_bytes": 2200 * n, "packet_lines": 0, "folded": 30 * n,
                    "unattributed": n, "unattributed_bytes": 100 * n, "malformed": n, "ring_full": n}
        protocols = [{"direction": d, "proto": p, "packets": k * n, "bytes": b * n, "unattributed": 0,
                      "unattributed_bytes": 0}
                     for d, p, k, b in (("ingress", "TCP", 9, 1000), ("ingress", "ARP", 1, 100), ("egress", "TCP", 20, 2200))]
        yield {"type": "hello", "schema": 1, "tool": "reader", "version": "0.1.0", "host": self.name, "timestamp": t}
        for direction, packets, size in (("ingress", 9, 1000), ("egress", 20, 2200)):
            yield {"type": "flow", "timestamp": t, "ifname": "eth0", "direction": direction, **flow, "src_port": 40000,
                   "dst_port": 443, "icmp_type": None, "icmp_code": None, "vlan": None, "fragment": False,
                   "packets": packets, "bytes": size, "tcp_flags": "A", "first": t, "last": t}
        yield {"type": "counters", "timestamp": t, "ifname": "eth0", **counters, "protocols": protocols,
               "cpus": [{"cpu": 0, "packets": 10 * n, "bytes": 1100 * n}, {"cpu": 1, "packets": 20 * n, "bytes": 2200 * n}],
               "more": False}
        yield from self.processes(t, n)
        yield from self.connections(t, n)
        yield from self.drops(t, n)
        yield {"type": "latency", "timestamp": t, "name": "tcp_rtt", "unit": "us", "network": None, "count": 9,
               "buckets": [[31, 1], [831, 2], [863, 5], [2031615, 1]]}
        yield {"type": "probe", "timestamp": t, "probe": "latency", "counters": {"samples": 9 * n, "unattributed": n}}
        yield {"type": "hello", "schema": 1}  # of a wrong type: a loss

    def processes(self, t, n):
        for i in range(MANY):
            yield {"type": "process", "timestamp": t, "pid": 100 + i, "command": f"p{i + n * 7}", "uid": 7, "ip_version": 4,
                   "proto": "TCP", "remote_ip": f"10.1.{i}.{n}", "remote_port": 443, "tx_bytes": 10 + i, "rx_bytes": 1000 * (i + 1),
                   "tx_calls": 1, "rx_calls": 2}
        yield {"type": "process", "timestamp": t, "pid": 7, "command": 'a "b" \\ é', "uid": 0, "ip_version": 4, "proto": "UDP",
               "remote_ip": None, "remote_port": None, "tx_bytes": 2 ** 40, "rx_bytes": 3, "tx_calls": 1, "rx_calls": 1}
        yield {"type": "probe", "timestamp": t, "probe": "process",
               "counters": {"tx_bytes": 1, "rx_bytes": 1, "unattributed_tx_bytes": 7 * n, "unattributed_rx_bytes": 8 * n}}

    @staticmethod
    def connections(t, n):
        def event(name, reason, port, direction="egress"):
            return {"type": "connection", "timestamp": t, "event": name, "reason": reason, "existing": False, "pid": 7,
                    "command": "curl", "uid": 0, "cgroup": "/x", "cgroup_id": 1, "netns": 1, "direction": direction,
                    "ip_version": 4, "proto": "TCP", "src_ip": "10.0.0.1", "src_port": port, "dst_ip": "10.0.0.2",
                    "dst_port": 443, "service": "https", "duration_ms": None if name == "connect" else 1.0, "bytes_sent": 1,
                    "bytes_received": 1, "rtt_us": 100, "rtt_min_us": 90, "retransmits": 0}
        base = 10000 + n * 10
        yield event("connect", None, base)
        yield event("accept", None, base + 1, "ingress")
        yield event("connect", None, base + 2)
        yield event("close", "local", base + 2)
        yield event("connect", None, base + 3)
        yield event("failed", "refused", base + 3)
        yield {"type": "probe", "timestamp": t, "probe": "connection", "counters": {"ring_full": n}}

    @staticmethod
    def drops(t, n):
        yield {"type": "drop_counters", "timestamp": t, "more": False, "drops": [
            {"reason": "NO_SOCKET", "reason_code": 3, "proto": "UDP", "packets": 50 * n, "bytes": 5000 * n},
            {"reason": "NOT_SPECIFIED", "reason_code": 2, "proto": None, "packets": 4 * n, "bytes": 40 * n}]}
        yield {"type": "probe", "timestamp": t, "probe": "drop",
               "counters": {"packets": 54 * n, "unattributed": n, "ring_full": n, "totals_full": n}}


# ---- processes ------------------------------------------------------------------------------------------------------

def start(argv, **options):
    process = subprocess.Popen(argv, **options)
    started.append(process)
    return process


class Pipeline:
    """aggregator | httpd; its lines go to .input."""

    def __init__(self, scratch, *options):
        self.err = scratch / f"httpd{len(options)}.err"
        ready, told = os.pipe()
        user = ["--user", "nobody"] if os.geteuid() == 0 else []
        self.aggregator = start([BIN / "aggregator", "--interval", "0.2", "--types", "snapshot", "--top", "1000"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with open(self.err, "wb") as err:
            self.httpd = start([BIN / "httpd", "--listen", "127.0.0.1:0", "--ready-fd", str(told), *user, *options],
                               stdin=self.aggregator.stdout, stderr=err, pass_fds=[told])
        self.aggregator.stdout.close()
        os.close(told)
        os.read(ready, 1)
        os.close(ready)
        self.address = re.search(r"listening on https?://(\S+)", self.err.read_text()).group(1)
        self.input = self.aggregator.stdin

    def say(self, lines):
        for line in lines:
            self.input.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self.input.flush()

    def end(self):
        self.input.close()
        equal(self.aggregator.wait(30), 0, "exit of aggregator")
        self.httpd.send_signal(signal.SIGTERM)
        equal(self.httpd.wait(30), 0, f"exit of httpd ({self.err.read_text()})")


class Snapshots:
    """The event stream: each next() waits for one snapshot."""

    def __init__(self, address):
        self.stream = urllib.request.urlopen(f"http://{address}/events", timeout=30)

    def next(self):
        if time.monotonic() - began > DEADLINE_S:
            fail("it takes too long")
        while True:
            line = self.stream.readline()
            if not line:
                fail("the event stream has ended")
            if line.startswith(b'data: {"type":"snapshot"'):
                return json.loads(line[len("data: "):])


class Prometheus:
    def __init__(self, scratch, config):
        (scratch / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self.process = start(
            ["prometheus", f"--config.file={scratch}/prometheus.yml", f"--storage.tsdb.path={scratch}/tsdb",
             "--web.listen-address=127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.url = None
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if m := re.search(r'msg="Listening on" address=(\S+)', line):
                self.url = f"http://{m.group(1)}"
            if "Server is ready to receive web requests" in line:
                break
        else:
            fail("Prometheus does not start: " + "".join(self.log))

    def get(self, path, **parameters):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as e:
            fail(f"{path} {parameters}: {e.read().decode()}")

    def query(self, expr):
        return self.get("query", query=expr)["result"]

    def value(self, expr):
        """Of an expression with one result; None: it has none."""
        result = self.query(expr)
        return float(result[0]["value"][1]) if result else None

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        equal(self.process.returncode, 0, "exit of Prometheus")


def certificate(scratch):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", scratch / "key.pem",
                    "-out", scratch / "cert.pem"], check=True, stderr=subprocess.DEVNULL)


# ---- what is compared -----------------------------------------------------------------------------------------------

def expected_sums(snapshot):
    """Expressions, and what they must be: exactly."""
    totals, table, losses = snapshot["totals"], snapshot["connection_table"], snapshot["losses"]
    moved = snapshot["process_protocols"]
    job = '{job="jopil"}'
    yield f"sum(jopil_packets_total{job})", totals["packets"]
    yield f"sum(jopil_bytes_total{job})", totals["bytes"]
    for way in ("ingress", "egress"):
        yield f'sum(jopil_packets_total{{job="jopil",direction="{way}"}})', totals[f"{way}_packets"]
        yield f'sum(jopil_protocol_bytes_total{{job="jopil",direction="{way}"}})', totals[f"{way}_bytes"]
    for row in snapshot["protocols"]:
        yield f'sum(jopil_protocol_packets_total{{job="jopil",proto="{row["proto"]}"}})', row["packets"]
    yield f"sum(jopil_cpu_packets_total{job})", sum(row["packets"] for row in snapshot["cpus"])
    for way, key, direction in (("transmit", "tx_bytes", "egress"), ("receive", "rx_bytes", "ingress")):
        total = sum(row[key] for row in moved)
        yield f"sum(jopil_socket_{way}_bytes_total{job})", total
        for family in ("process", "remote"):
            yield (f"sum(jopil_{family}_{way}_bytes_total{job}) + "
                   f'sum(jopil_{family}_left_bytes_total{{job="jopil",direction="{direction}"}})'), total
    drops = sum(row["packets"] for row in snapshot["drops"]) + snapshot["drops_unspecified"]["packets"]
    yield f"sum(jopil_drops_total{job})", drops
    yield f"sum(jopil_dropped_bytes_total{job})", (sum(row["bytes"] for row in snapshot["drops"]) +
                                                   snapshot["drops_unspecified"]["bytes"])
    yield f'sum(jopil_connections_opened_total{{job="jopil",direction="egress"}})', table["connects"]
    yield f'sum(jopil_connections_opened_total{{job="jopil",direction="ingress"}})', table["accepts"]
    yield f"sum(jopil_connections_closed_total{job})", table["closed"]
    yield f"sum(jopil_connections_failed_total{job})", table["failed"]
    yield f"sum(jopil_connections{job})", table["open"]
    samples = sum(row["total_count"] for row in snapshot["latency"] if row["network"] is None)
    yield f"sum(jopil_tcp_rtt_seconds_count{job})", samples
    yield f'sum(jopil_tcp_rtt_seconds_bucket{{job="jopil",le="+Inf"}})', samples
    for cause in ("unattributed", "ring_full", "malformed"):
        yield f'sum(jopil_losses_packets_total{{job="jopil",cause="{cause}"}})', losses[cause]
    yield 'sum(jopil_losses_packets_total{job="jopil",cause="drop_unattributed"})', losses["drops_unattributed"]
    yield f"sum(jopil_losses_bytes_total{job})", losses["process_unattributed_bytes"]
    yield f"sum(jopil_losses_events_total{job})", losses["connection_ring_full"]
    yield f"sum(jopil_losses_samples_total{job})", losses["latency_unattributed"]
    yield f"sum(jopil_losses_lines_total{job})", losses["bad_lines"] + losses["unknown_type"]
    yield 'jopil_table_rows{job="jopil",table="flows"}', snapshot["flow_table"]["active"]
    yield 'jopil_up{job="jopil"}', 1
    yield 'up{job="jopil"}', 1


def dashboard_queries():
    """Every expression, with the variables as Grafana would put them in."""
    dashboard = json.loads((TREE / "grafana/jopil.json").read_text())
    values = {"$job": ".*", "$host": ".*", "$__rate_interval": "30s", "$__range": "1m", "$__interval": "1s"}
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expr = target["expr"]
            for name, value in values.items():
                expr = expr.replace(name, value)
            if "$" in expr:
                fail(f"{panel['title']}: a variable that is not known: {expr}")
            yield panel["title"], expr


def check_dashboard_is_importable():
    dashboard = json.loads((TREE / "grafana/jopil.json").read_text())
    equal([i["name"] for i in dashboard["__inputs"]], ["DS_PROMETHEUS"], "inputs")
    ids = [p["id"] for p in dashboard["panels"]]
    equal(len(ids), len(set(ids)), "ids of panels")
    used = {p["type"] for p in dashboard["panels"]} - {"row"}
    equal({r["id"] for r in dashboard["__requires"] if r["type"] == "panel"}, used, "required panels")
    equal({v["name"] for v in dashboard["templating"]["list"]}, {"datasource", "job", "host"}, "variables")
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or (x, y) in taken:
                    fail(f"panel {panel['title']} lies over another, or outside")
                taken.add((x, y))


def check_sums(prometheus, snapshots):
    """All lines are read: from now on each snapshot says the same, and soon so does each scrape."""
    wrong = []
    while True:
        snapshot = snapshots.next()
        wrong = [(e, prometheus.value(e), v) for e, v in expected_sums(snapshot)]
        wrong = [w for w in wrong if w[1] != w[2]]
        if not wrong:
            return snapshot
        if time.monotonic() - began > DEADLINE_S * 3 / 4:
            fail("sums differ: " + "; ".join(f"{e}: {got}, not {v}" for e, got, v in wrong))


def check_series(prometheus):
    for family in ("process_transmit", "process_receive", "remote_transmit", "remote_receive"):
        count = prometheus.value(f'count(jopil_{family}_bytes_total{{job="jopil"}})')
        equal(count, 64 + 3, f"series of {family}: 64, and other of each host")
    equal(len(prometheus.query('jopil_process_transmit_bytes_total{job="jopil",command="a \\"b\\" \\\\ é"}')), 2, "a name with quotes, by host")
    equal(prometheus.query('ALERTS{alertname="JopilStale"}'), [], "alert of stale data")
    for group in prometheus.get("rules")["groups"]:
        for rule in group["rules"]:
            equal(rule["health"], "ok", f"rule {rule['name']} ({rule.get('lastError')})")
            prometheus.query(rule["query"])


def wait_for(prometheus, snapshots, expr, least):
    while (prometheus.value(expr) or 0) < least:
        snapshots.next()


def run(scratch):
    check_dashboard_is_importable()
    certificate(scratch)
    (scratch / "token").write_text(TOKEN + "\n")
    plain = Pipeline(scratch)
    safe = Pipeline(scratch, "--token-file", scratch / "token", "--tls-cert", scratch / "cert.pem", "--tls-key", scratch / "key.pem")
    prometheus = Prometheus(scratch, {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "1s"},
        "rule_files": [str(TREE / "prometheus/jopil.rules.yml")],
        "scrape_configs": [
            {"job_name": "jopil", "static_configs": [{"targets": [plain.address]}]},
            {"job_name": "jopil-tls", "scheme": "https", "tls_config": {"ca_file": str(scratch / "cert.pem")},
             "authorization": {"credentials_file": str(scratch / "token")}, "static_configs": [{"targets": [safe.address]}]},
            {"job_name": "jopil-guess", "scheme": "https", "tls_config": {"ca_file": str(scratch / "cert.pem")},
             "static_configs": [{"targets": [safe.address]}]},
        ]})
    capture = subprocess.run([BIN / "reader", "--pcap", HERE.parent / "pcaps/ng.pcap"], check=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
    snapshots = Snapshots(plain.address)
    plain.input.write(capture)
    hosts = [Host("web1"), Host("web2")]
    for batch in range(BATCHES):
        for host in hosts:
            plain.say(host.batch(time.time() * 1000))
            safe.say(host.batch(time.time() * 1000))
        # Each batch is seen by at least two scrapes.
        wait_for(prometheus, snapshots, 'count_over_time(up{job="jopil"}[1h])', 2 * (batch + 1))
    last = check_sums(prometheus, snapshots)
    check_series(prometheus)
    wait_for(prometheus, snapshots, 'sum(up{job="jopil-tls"})', 1)
    equal(prometheus.value('max_over_time(up{job="jopil-guess"}[1h])'), 0, "up of a scrape without the token")
    queries = list(dashboard_queries())
    for title, expr in queries:
        if not prometheus.query(expr):
            fail(f"panel '{title}': nothing answers {expr}")
    scrapes = prometheus.value('count_over_time(up{job="jopil"}[1h])')
    series = prometheus.value('scrape_samples_scraped{job="jopil"}')
    prometheus.end()
    plain.end()
    safe.end()
    print(f"{scrapes:.0f} scrapes of {series:.0f} series; {len(list(expected_sums(last)))} sums as in the snapshot; "
          f"{len(queries)} queries of the dashboard answer")


if __name__ == "__main__":
    try:
        run(pathlib.Path(sys.argv[1]))
    finally:
        for child in started:
            if child.poll() is None:
                child.kill()
                child.wait()

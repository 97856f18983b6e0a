#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Lines that nobody should send, to each stage: counted, said once a kind, and the next good one is used.

load httpd

LONG=${JOPIL_LONG_LINE:-$((1 << 28))} # bytes; make hostile: 1 GiB
MEMORY_KB=524288                      # far below that, whatever the sanitizers take for themselves

setup_file() {
	export WAIT_S=60
}

lines() { "$BATS_TEST_DIRNAME/hostile_lines.py" "$1" "$LONG" "$T/expected"; }
expected() { jq -r "$1" "$T/expected"; }

# measured PROGRAM OPTION...: runs it; $T/memory is the most that it took, in kB.
measured() { /usr/bin/python3 -c '
import os, resource, subprocess, sys
status = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as f:
    f.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)' "$T/memory" "$@"; }

is_bounded() {
	echo "# memory: $(cat "$T/memory") kB" >&3
	[ "$(cat "$T/memory")" -lt "$MEMORY_KB" ]
}

# says_once KIND...: one line on stderr of each, and no other.
says_once() {
	cat "$T/err"
	[ "$(wc -l <"$T/err")" -eq $# ]
	local kind
	for kind; do
		[ "$(grep -c "line [0-9 ]*$kind, passed over; more of this kind are only counted" "$T/err")" -eq 1 ]
	done
}

@test "aggregator" {
	lines lines | measured "$BIN/aggregator" 2>"$T/err" | tail -n 1 >"$T/snapshot"
	[ "$(jq -c '.losses | [.bad_json, .wrong_type, .too_long]' "$T/snapshot")" = "$(expected '[.bad_json, .wrong_type, .too_long] | tojson')" ]
	[ "$(jq -c '[.totals.packets, .processes[0].tx_bytes, .totals.bytes]' "$T/snapshot")" = "$(expected '[.good, (.good + 1) * 1000, .good * 60] | tojson')" ]
	says_once 'is not JSON' 'lacks a key or has one of a wrong type' 'is too long'
	is_bounded
}

@test "recorder" {
	lines lines | measured "$BIN/recorder" --db "$T/db" --retain raw=10y,minutes=10y,hours=10y,days=10y,flows=10y \
		2>"$T/err" | tail -n 1 >"$T/last"
	[ "$(jq -c '[.type, .pid]' "$T/last")" = '["process",7]' ]
	[ "$(tail -n 1 "$T/err" | grep -o '^recorder: [0-9]*')" = "recorder: $(expected .for_recorder)" ]
	sed -i '$d' "$T/err"
	"$BIN/report" --db "$T/db" top --by process --format json --from 2025-11-01 --to 2025-12-01 >"$T/report"
	[ "$(jq '.rows[0].tx_bytes' "$T/report")" -eq "$(expected '(.good + 1) * 1000')" ]
	says_once 'is not JSON' 'lacks a key or has one of a wrong type' 'is too long'
	is_bounded
}

@test "httpd" {
	start_httpd
	lines snapshots >&8
	client wait "$(expected .good)"
	get /api/stats
	[ "$(jq -c '.httpd | [.lines, .snapshots, .bad_lines]' <<<"$output")" = "$(expected '[.good + .bad_json + .wrong_type + .too_long, .good, .bad_json + .wrong_type + .too_long] | tojson')" ]
	grep VmHWM "/proc/$PID/status" | tr -dc 0-9 >"$T/memory"
	is_bounded
	sed -i '/listening on/d' "$T/err"
	says_once 'is not JSON' 'lacks a key or has one of a wrong type' 'is too long'
	stop_httpd
}

@test "top" {
	lines snapshots | measured "$BIN/top" --batch >"$T/out" 2>"$T/err"
	[ "$(grep -c '^jopil web1' "$T/out")" -eq "$(expected '.good + 1')" ]
	[ "$(grep -o 'unread lines [0-9]*' "$T/out" | tail -n 1)" = "unread lines $(expected .for_top)" ]
	[ ! -s "$T/err" ]
	is_bounded
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# recorder on a disk that fills up: the pipe goes on, nothing is damaged, and it writes again when there is room.

bats_require_minimum_version 1.5.0

setup() {
	T=$(mktemp -d)
	mkdir "$T/small"
	mount -t tmpfs -o size=3m tmpfs "$T/small"
	DB=$T/small/flows.db
}

teardown() {
	exec 8>&-
	# Ended by its closed stdin; where the test failed before it began to read, by this.
	[ -z "${pid:-}" ] || ! kill "$pid" 2>/dev/null || wait "$pid"
	umount "$T/small"
	rm -rf "$T"
}

ask() { sqlite3 -readonly "$DB" "$1"; }

# process COMMAND: a line of now.
process() {
	printf '{"type":"process","timestamp":%s000.000,"pid":7,"command":"%s","uid":0,"ip_version":4,"proto":"TCP",' "$(date +%s)" "$1"
	printf '"remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":1,"rx_bytes":1,"tx_calls":1,"rx_calls":1}\n'
}

@test "a full disk: lines pass, the loss is told once, counted, and over when there is room" {
	mkfifo "$T/pipe"
	"$BIN/recorder" --db "$DB" --interval 0.1 <"$T/pipe" >"$T/out" 2>"$T/err" &
	pid=$!
	exec 8>"$T/pipe"
	process first >&8
	until [ "$(ask 'SELECT count(*) FROM traffic_days' 2>/dev/null)" = 1 ]; do :; done
	dd if=/dev/zero of="$T/small/fill" bs=4k status=none 2>/dev/null || [ $? -eq 1 ]
	# More than is kept in memory: what finds no room there is counted.
	awk -v now="$(date +%s)" 'BEGIN { for (i = 0; i < 20000; i++) printf("{\"type\":\"flow_total\",\"host\":\"web1\",\"ifname\":\"eth0\"," \
		"\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"src_port\":%d,\"dst_ip\":\"10.0.0.2\",\"dst_port\":443,\"src_packets\":1," \
		"\"src_bytes\":1,\"dst_packets\":0,\"dst_bytes\":0,\"first\":%d000,\"last\":%d000}\n", i, now, now) }' >"$T/many"
	cat "$T/many" >&8
	until [ "$(grep -c flow_total "$T/out")" -eq 20000 ]; do :; done
	until grep -q '"failing":true.*"flows_lost":[1-9]' "$T/out"; do process poke >&8; done
	[ "$(wc -l <"$T/err")" -eq 1 ]
	grep -q 'database or disk is full' "$T/err"
	rm "$T/small/fill"
	mount -o remount,size=200m "$T/small"
	until grep -q 'writes to .* again' "$T/err"; do process poke >&8; done
	exec 8>&-
	wait "$pid"
	[ "$(ask 'PRAGMA integrity_check')" = ok ]
	# Every flow is in the database, or in the count of what was lost; every sum is there.
	lost=$(jq -s 'map(select(.type == "recorder") | .flows_lost) | max' "$T/out")
	[ $((lost + $(ask 'SELECT count(*) FROM flow'))) -eq 20000 ]
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_days')" = "$(grep -c '"process"' "$T/out")" ]
	[ "$(jq -s 'map(select(.type == "recorder") | .rows_lost + .lines_lost) | max' "$T/out")" -eq 0 ]
	jq -s 'map(select(.type == "recorder")) | last | .failing' "$T/out" | grep -qx false
}

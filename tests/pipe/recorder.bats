#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# recorder: what passes is unchanged, what is kept adds up in every tier, whatever ends it.

bats_require_minimum_version 1.5.0

setup() {
	T=$(mktemp -d)
	DB=$T/flows.db
	golden=$BATS_TEST_DIRNAME/../golden
	export TZ=Europe/Berlin
}

teardown() {
	rm -rf "$T"
}

lines() { "$BATS_TEST_DIRNAME/recorder_lines.py" --sums "$T/sums" "$@"; }
ask() { sqlite3 -readonly "$DB" "$1"; }
recorder() { "$BIN/recorder" --db "$DB" "$@"; }
# long: nothing is too old for any tier.
long=(--retain raw=10y,minutes=10y,hours=10y,days=10y,flows=10y)

# process SECOND TX [COMMAND]: a process line.
process() {
	printf '{"type":"process","timestamp":%s000.000,"pid":7,"command":"%s","uid":0,"ip_version":4,"proto":"TCP",' "$1" "${3:-curl}"
	printf '"remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":%s,"rx_bytes":1,"tx_calls":1,"rx_calls":1}\n' "$2"
}

# counters SECOND PACKETS: of eth0.
counters() {
	printf '{"type":"counters","timestamp":%s000.000,"ifname":"eth0","ingress_packets":%s,"ingress_bytes":%s,' "$1" "$2" "${2}00"
	printf '"egress_packets":0,"egress_bytes":0,"protocols":[{"direction":"ingress","proto":"TCP","packets":%s,"bytes":%s}]}\n' "$2" "${2}00"
}

@test "what comes out is what came in, to the byte, whatever it is" {
	{
		cat "$golden"/*.ndjson
		echo 'not json'
		echo
		head -c 300000 /dev/urandom
		printf '\n{"type":"process"'
	} >"$T/in"
	recorder <"$T/in" 2>"$T/err" | cmp - "$T/in"
	[ "$(grep -c 'passed over; more of this kind are only counted' "$T/err")" -ge 1 ]
	tail -n 1 "$T/err" | grep -qE "^recorder: [0-9]+ of $(($(wc -l <"$T/in") + 1)) lines were passed on, but not kept$"
	cat "$golden"/*.ndjson | recorder 2>"$T/err" | cmp - <(cat "$golden"/*.ndjson)
	[ ! -s "$T/err" ]
	[ "$(ask 'PRAGMA integrity_check')" = ok ]
	: | recorder
}

@test "three days: every tier has the generator's sums, by process, port, reason, bucket, hour" {
	lines --begin 1743213600 --hours 72 --rows 20 --processes 30 --remotes 100 | recorder "${long[@]}" >"$T/out"
	"$BATS_TEST_DIRNAME/recorder_check.py" "$DB" "$T/sums"
	# 30 March 2025 has 23 hours where the recorder was.
	[ "$(ask "SELECT group_concat((end - begin) / 3600, ' ') FROM slot WHERE tier = 3")" = "24 23 24 24" ]
}

@test "connections begun and failed, with their owner; latency of the host; flows that ended" {
	"$BIN/aggregator" --flow-bytes 1 <"$golden/connection.ndjson" >"$T/in"
	echo '{"type":"latency","timestamp":1763704001000.000,"name":"tcp_rtt","unit":"us","network":null,"count":9,"buckets":[[32,1],[33,8]]}' >>"$T/in"
	echo '{"type":"latency","timestamp":1763704001000.000,"name":"tcp_rtt","unit":"us","network":"10.0.0.0/24","count":9,"buckets":[[32,9]]}' >>"$T/in"
	recorder "${long[@]}" <"$T/in" >"$T/out"
	want=$(jq -s '[.[] | select(.type == "connection" and (.existing | not))] |
		"\(map(select(.event == "connect" or .event == "accept")) | length)|\(map(select(.event == "failed")) | length)"' -r "$golden/connection.ndjson")
	[ "$(ask 'SELECT sum(connections), sum(failed) FROM traffic_days')" = "$want" ]
	[ "$(ask "SELECT name, unit, group_concat(upper || ':' || count, ' ') FROM latency_hours JOIN series ON series.id = series")" = "tcp_rtt|us|32:1 33:8" ]
	"$BIN/reader" --pcap "$BATS_TEST_DIRNAME/pcaps/ipv4.pcap" | "$BIN/aggregator" --flow-bytes 1 | recorder "${long[@]}" >"$T/out"
	[ "$(ask 'SELECT count(*), sum(src_bytes + dst_bytes) FROM flow')" = \
		"$(jq -s '[.[] | select(.type == "flow_total")] | "\(length)|\(map(.bytes) | add)"' -r "$T/out")" ]
	[ "$(ask 'SELECT sum(bytes) FROM ports_days')" = "$(jq -s '[.[] | select(.type == "port").bytes] | add' "$T/out")" ]
}

@test "counts that go on: what came while no recorder ran is in the first interval of the next" {
	now=$(date +%s)
	{ counters $((now - 100)) 1000; counters $((now - 90)) 1010; } | recorder >"$T/out"
	[ "$(ask 'SELECT sum(ingress_packets), sum(ingress_bytes) FROM interface_totals_hours')" = "10|1000" ]
	{ counters $((now - 50)) 1500; counters $((now - 40)) 7; } | recorder >"$T/out"
	[ "$(ask 'SELECT sum(ingress_packets) FROM interface_totals_days')" = 507 ]
	[ "$(ask 'SELECT sum(ingress_packets) FROM protocol_totals_raw')" = 507 ]
}

# rows KEY SECOND MORE ROW...: a line of rows that appear as something comes for the first time.
rows() {
	local rows
	rows=$(IFS=, && echo "${*:4}")
	case $1 in
	protocols) printf '{"type":"counters","timestamp":%s000.000,"ifname":"eth0","ingress_packets":0,"ingress_bytes":0,' "$2" ;;
	drops) printf '{"type":"drop_counters","timestamp":%s000.000,' "$2" ;;
	esac
	printf '"more":%s,"%s":[%s]}\n' "$3" "$1" "$rows"
}

@test "counts that appear while it watches began at 0, those that were there before do not" {
	now=$(date +%s)
	tcp='{"direction":"ingress","proto":"TCP","packets":100,"bytes":1000}'
	udp='{"direction":"ingress","proto":"UDP","packets":7,"bytes":70}'
	icmp='{"direction":"ingress","proto":"ICMP","packets":3,"bytes":30}'
	{ rows protocols "$now" true "$tcp"; rows protocols "$now" false "$udp"; } | recorder >"$T/out"
	[ "$(ask 'SELECT sum(ingress_packets) FROM protocol_totals_days')" = 0 ]
	rows protocols $((now + 1)) false "$tcp" "$udp" "$icmp" | recorder >"$T/out"
	[ "$(ask 'SELECT p.name, sum(ingress_packets) FROM protocol_totals_days JOIN protocol p ON p.id=protocol GROUP BY 1 HAVING sum(ingress_packets)')" = "ICMP|3" ]
	old='{"reason":"NO_SOCKET","proto":"UDP","packets":50,"bytes":500}'
	new='{"reason":"TCP_CSUM","proto":"TCP","packets":4,"bytes":40}'
	{ rows drops "$now" true; rows drops "$now" false "$old"; rows drops $((now + 1)) false "$old" "$new"; } | recorder >"$T/out"
	[ "$(ask 'SELECT sum(packets) FROM drops_days')" = 4 ]
}

@test "SIGTERM writes what is there; a closed stdout is a clean end" {
	mkfifo "$T/pipe"
	"$BIN/recorder" --db "$DB" --ready-fd 3 <"$T/pipe" >"$T/out" 3>"$T/ready" &
	pid=$!
	exec 8>"$T/pipe"
	process "$(date +%s)" 5 >&8
	until [ -s "$T/out" ]; do :; done
	kill "$pid"
	wait "$pid"
	exec 8>&-
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_raw')" = 5 ]
	[ "$(wc -c <"$T/ready")" = 1 ]
	for i in $(seq 2000); do process "$(date +%s)" 1; done | recorder | head -n 1 >"$T/out"
	[ "${PIPESTATUS[1]}" -eq 0 ]
}

@test "killed at any moment, or without power: the database is whole, and at most the open interval is missing" {
	"$BATS_TEST_DIRNAME/recorder_kill.py" "$BIN/recorder" "$DB" "${KILLS:-12}" >"$T/table" || {
		cat "$T/table"
		false
	}
	sed 's/^/# /' "$T/table" >&3
}

@test "what is too old leaves its tier, and stays in the coarser ones" {
	now=$(date +%s)
	for age in 1000000 90000 4000 60 0; do process $((now - age)) 1; done | recorder >"$T/out"
	process "$now" 1 | recorder --retain raw=1h,minutes=48h >"$T/out"
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_raw')" = 3 ]
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_minutes')" = 5 ]
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_hours')" = 6 ]
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_days')" = 6 ]
	process $((now + 1)) 1 | recorder --retain raw=0,minutes=0,hours=1d >"$T/out"
	[ "$(ask 'SELECT count(*) FROM traffic_raw')" = 0 ]
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_hours')" = 5 ]
}

@test "names that nothing refers to any more leave, and come back as new ones" {
	now=$(date +%s)
	mkfifo "$T/pipe"
	"$BIN/recorder" --db "$DB" --interval 0.1 --retain raw=0,minutes=0,hours=1d,days=1d <"$T/pipe" >"$T/out" &
	pid=$!
	exec 8>"$T/pipe"
	process $((now - 400000)) 1 old >&8
	until [ "$(ask 'SELECT group_concat(command) FROM process' 2>"$T/err")" = old ]; do :; done
	process "$now" 2 new >&8
	until [ "$(ask 'SELECT group_concat(command) FROM process')" = new ]; do :; done
	process "$now" 4 old >&8
	exec 8>&-
	wait "$pid"
	[ "$(ask 'SELECT p.command, r.ip, sum(tx_bytes) FROM traffic_days JOIN process p ON p.id = process JOIN remote r ON r.id = remote GROUP BY 1 ORDER BY 1')" = \
		$'new|10.0.0.2|2\nold|10.0.0.2|4' ]
	[ "$(ask 'PRAGMA foreign_key_check')" = "" ]
}

@test "--max-size: the finest and oldest leaves, the days stay whole" {
	lines --begin $(($(date +%s) - 36 * 3600)) --hours 36 --rows 150 --processes 50 --remotes 3000 >"$T/in"
	recorder --retain raw=48h <"$T/in" >"$T/out"
	large=$(ask 'SELECT sum(tx_bytes) FROM traffic_days')
	[ "$(stat -c %s "$DB")" -gt 6000000 ]
	process "$(date +%s)" 0 | recorder --retain raw=48h --max-size 3M >"$T/out"
	[ "$(ask 'PRAGMA page_count')" -le $((3 * 1024 * 1024 / 4096)) ]
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_days')" = "$large" ]
	[ "$(ask 'PRAGMA integrity_check')" = ok ]
}

@test "a wrong clock in one line: nothing is lost, and nothing else leaves" {
	now=$(date +%s)
	{ process "$now" 1; process $((now + 1000000)) 2; } | recorder >"$T/out"
	[ "$(ask 'SELECT sum(tx_bytes) FROM traffic_raw')" = 3 ]
}

@test "two recorders of one database: the second is refused" {
	mkfifo "$T/pipe"
	"$BIN/recorder" --db "$DB" --ready-fd 3 <"$T/pipe" >"$T/out" 3>"$T/ready" &
	pid=$!
	exec 8>"$T/pipe"
	until [ -s "$T/ready" ]; do :; done
	run -1 recorder </dev/null
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"another recorder writes it"* ]]
	exec 8>&-
	wait "$pid"
}

@test "files that are not ours, newer or damaged are refused in one line, and left as they are" {
	sqlite3 "$T/foreign.db" 'CREATE TABLE x(y)'
	head -c 10000 /dev/urandom >"$T/noise.db"
	: | recorder
	cp "$DB" "$T/newer.db"
	sqlite3 "$T/newer.db" 'PRAGMA user_version=99'
	cp "$DB" "$T/damaged.db"
	printf 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' | dd of="$T/damaged.db" bs=1 seek=104 conv=notrunc status=none
	for name in foreign noise newer damaged; do
		cp "$T/$name.db" "$T/before"
		run -1 --separate-stderr "$BIN/recorder" --db "$T/$name.db" </dev/null
		[ "${#stderr_lines[@]}" -eq 1 ]
		cmp "$T/$name.db" "$T/before"
	done
	run -1 "$BIN/recorder" --db "$T/no/such/folder.db" </dev/null
	[ "${#lines[@]}" -eq 1 ]
}

@test "an older database is brought up to date: its sums, and what is added" {
	lines --begin 1743213600 --hours 30 --rows 20 --processes 30 --remotes 100 >"$T/in"
	head -n 5000 "$T/in" | recorder "${long[@]}" >"$T/out"
	# As version 1 was.
	sqlite3 "$DB" 'DROP TABLE traffic_by_process_hours; DROP TABLE traffic_by_process_days; DROP TABLE traffic_by_remote_days;
		DROP INDEX traffic_hours_remote; DROP INDEX traffic_days_remote; PRAGMA user_version=1'
	run -1 "$BIN/report" top --db "$DB"
	[[ $output == *"older version"* ]]
	sed -n '1p; 5001,$p' "$T/in" | recorder "${long[@]}" >"$T/out"
	"$BATS_TEST_DIRNAME/recorder_check.py" "$DB" "$T/sums"
	[ "$(ask 'PRAGMA user_version')" = "$(: | "$BIN/recorder" --db "$T/new.db" && sqlite3 "$T/new.db" 'PRAGMA user_version')" ]
	[ "$(ask 'SELECT count(*) FROM sqlite_schema')" = "$(sqlite3 "$T/new.db" 'SELECT count(*) FROM sqlite_schema')" ]
}

@test "usage" {
	run -2 "$BIN/recorder"
	[ "${#lines[@]}" -eq 1 ]
	for policy in raw "raw=" raw=1 raw=1w raw=1h, hours=-1h weeks=1d "raw=1h minutes=1h"; do
		run -2 "$BIN/recorder" --db "$DB" --retain "$policy"
		[ "${#lines[@]}" -eq 1 ]
	done
	"$BIN/recorder" --help | grep -q -- --retain
	"$BIN/recorder" --version
}

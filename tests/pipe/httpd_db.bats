#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# httpd --db: the recorder's database answers over HTTP what it answers to report; and what is wrong with it is said.

load httpd

bats_require_minimum_version 1.5.0

DAY=1743000000	# 2025-03-26, before clocks change in Berlin
long=(--retain raw=10y,minutes=10y,hours=10y,days=10y,flows=10y)

setup_file() {
	export TZ=Europe/Berlin
}

# The folder is one that httpd's user may search, not write.
open_folder() {
	FOLDER=$(mktemp -d)
	DB=$FOLDER/flows.db
	chmod a+rx "$FOLDER"
}

teardown() {
	exec 8>&-
	[ -z "$PID" ] || stop_httpd
	rm -rf "${FOLDER:-}"
}

record() {
	"$BIN/recorder" --db "$DB" "${long[@]}" "$@" >/dev/null
	chmod a+r "$DB"*
}

lines() {
	"$BATS_TEST_DIRNAME/recorder_lines.py" --begin $DAY --hours 120 --step 600 --processes 20 --remotes 50 --rows 20 \
		--sums "$T/sums"
}

# process SECOND TX: a process line.
process() {
	printf '{"type":"process","timestamp":%s000.000,"pid":7,"command":"curl","uid":0,"ip_version":4,"proto":"TCP",' "$1"
	printf '"remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":%s,"rx_bytes":1,"tx_calls":1,"rx_calls":1}\n' "$2"
}

# same 'QUESTION AND OPTIONS OF REPORT' 'PARAMETERS': both say the same, byte for byte.
same() {
	local question=${1%% *}
	# shellcheck disable=SC2086
	"$BIN/report" --db "$DB" --format json $1 >"$T/expected"
	get "/api/history/$question?$2"
	[ "$STATUS" = 200 ]
	[ "$(header content-type)" = application/json ]
	printf '%s\n' "$output" | cmp - "$T/expected"
	[ -s "$T/expected" ]
}

# problem STATUS TEXT: what the last answer is.
problem() {
	[ "$STATUS" = "$1" ]
	[ "$(header content-type)" = application/problem+json ]
	grep -q "$2" <<<"$(jq -r .detail <<<"$output")"
}

# Until it has been asked how far back there is something: that is a question like others.
wait_for_extent() {
	until get /api/stats && [ "$(jq .httpd.database.oldest <<<"$output")" -gt 0 ] 2>/dev/null; do
		feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	done
}

worker() {
	pgrep -P "$(pgrep -P "$PID" -x httpd-history)"
}

# serve_stopped: httpd on a small database whose reading process, STOPPED, stands still: what is asked for at QUESTION waits.
serve_stopped() {
	open_folder
	process $DAY 5 | record
	start_httpd --db "$DB" --db-limit 60
	QUESTION="/api/history/top?from=$DAY&to=$((DAY + 100))"
	wait_for_extent
	STOPPED=$(worker)
	kill -STOP "$STOPPED"
}

@test "every question of report, with every filter: the same bytes" {
	open_folder
	lines | record
	start_httpd --db "$DB"
	local r="--from $DAY --to $((DAY + 400000))" q="from=$DAY&to=$((DAY + 400000))"
	for by in process remote protocol port flow; do
		same "top --by $by $r" "by=$by&$q"
		same "top --by $by $r -n 3 --proto tcp" "by=$by&$q&n=3&proto=tcp"
	done
	for question in history protocols remotes drops latency flows; do
		same "$question $r" "$q"
		same "$question $r --host web1" "$q&host=web1"
	done
	same "remotes $r --process proc1 --ip 10.0.0.0/8" "$q&process=proc1&ip=10.0.0.0/8"
	same "top $r --ip 2001:db8::/32" "$q&ip=2001:db8::/32"
	same "history $r --step 1d --process proc1" "$q&step=1d&process=proc1"
	same "top --from 2025-03-28 --to 2025-03-29T12:30" "from=2025-03-28&to=2025-03-29T12:30"
	same "top --from 2025-03-28 --to 2025-03-29T12:30" "from=2025-03-28&to=2025-03-29T12:30"
	same "protocols --last 2d --to 2025-03-30T12:00" "last=2d&to=2025-03-30T12:00"
	get /api/stats
	stop_httpd
}

@test "sums are the generator's" {
	open_folder
	lines | record
	start_httpd --db "$DB"
	get "/api/history/top?by=remote&from=$DAY&to=$((DAY + 432000))&n=10000"
	[ "$(jq '[.rows[].bytes] | add' <<<"$output")" = "$(jq '[.traffic[][5]] | add' "$T/sums")" ]
	get "/api/history/drops?from=$DAY&to=$((DAY + 432000))"
	[ "$(jq '.rows[0].packets' <<<"$output")" = "$(jq '[.others[] | select(.[1] == "drop") | .[3]] | add' "$T/sums")" ]
	stop_httpd
}

@test "what makes no sense: 400, and the parameter is named" {
	open_folder
	process $DAY 5 | record
	start_httpd --db "$DB"
	while read -r path name; do
		get "/api/history/$path"
		problem 400 "^$name: "
	done <<-EOF
		top?by=nobody by
		top?from=whenever from
		top?from=2h&last=3h last
		top?from=now from
		top?by=port&process=curl process
		top?by=port&ip=10.0.0.1 ip
		top?n=0 n
		top?n=10001 n
		top?ip=10.0.0.1/33 ip
		history?step=2h step
		history?step=10s&last=10y step
		latency?process=curl process
		flows?step=1h step
		protocols?by=port by
	EOF
	stop_httpd
}

@test "without --db: 503, and how to have one" {
	start_httpd
	get /api/history/top
	problem 503 'httpd with --db FILE'
	stop_httpd
}

@test "missing, then there, replaced, foreign, newer, damaged: each said, httpd goes on" {
	open_folder
	start_httpd --db "$DB"
	local all="from=$DAY&to=$((DAY + 100))"
	get "/api/history/top?$all"
	problem 503 'there is no such file'
	process $DAY 5 | record
	get "/api/history/top?$all&n=1"
	[ "$(jq .rows[0].tx_bytes <<<"$output")" = 5 ]
	rm "$DB"*
	process $DAY 6 | record
	get "/api/history/top?$all&n=2"
	[ "$(jq .rows[0].tx_bytes <<<"$output")" = 6 ]
	sqlite3 "$DB" 'PRAGMA user_version = 99'
	get "/api/history/top?$all&n=3"
	problem 503 'newer version'
	rm "$DB"*
	sqlite3 "$DB" 'CREATE TABLE a(b)'
	chmod a+r "$DB"
	get "/api/history/top?$all&n=4"
	problem 503 'not a database of jopil'
	head -c 8192 /dev/urandom >"$DB"
	get "/api/history/top?$all&n=5"
	problem 503 'the database: '
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "while it is written: answers of one moment, that grow" {
	open_folder
	mkfifo "$T/lines"
	"$BIN/recorder" --db "$DB" "${long[@]}" --interval 1 <"$T/lines" >/dev/null &
	local recorder=$! last=0 now=0 n=0
	exec 7>"$T/lines"
	process $DAY 1 >&7
	until "$BIN/report" --db "$DB" top --from $DAY --to $((DAY + 100)) 2>/dev/null | grep -q curl; do process $DAY 1 >&7; done
	chmod a+r "$DB"*
	start_httpd --db "$DB" 7>&-
	# A row is of each transaction as a whole: as many calls as bytes.
	while [ "$now" -lt 3 ] || [ "$last" = "$first" ]; do
		process $DAY 1 >&7
		n=$((n + 1))
		get "/api/history/top?from=$DAY&to=$((DAY + 100))&n=$((n % 10000 + 1))" 7>&-
		[ "$STATUS" = 200 ]
		[ "$(jq '.rows[0] | .tx_bytes == .tx_calls' <<<"$output")" = true ]
		now=$(jq .rows[0].tx_calls <<<"$output")
		[ "$now" -ge "$last" ]
		: "${first:=$now}"
		last=$now
	done
	exec 7>&-
	wait "$recorder"
	stop_httpd
}

@test "the process that reads it is killed: 503 for who waited, then another one answers" {
	open_folder
	process $DAY 5 | record
	start_httpd --db "$DB"
	local all="from=$DAY&to=$((DAY + 100))"
	wait_for_extent
	get "/api/history/top?$all"
	[ "$STATUS" = 200 ]
	kill -STOP "$(worker)"
	curl -sS --max-time 30 -o "$T/waits" -w '%{http_code}' "$URL/api/history/top?$all&n=7" >"$T/status" 3>&- 8>&- &
	local waits=$!
	until get /api/stats && [ "$(jq '.httpd.database | (.asked? // 0) - (.answered? // 0)' <<<"$output")" = 1 ]; do
		feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	done
	# It holds up nobody else.
	get /health
	[ "$STATUS" = 200 ]
	kill -KILL "$(worker)"
	wait "$waits"
	[ "$(cat "$T/status")" = 503 ]
	grep -q 'started anew' "$T/waits"
	get "/api/history/top?$all&n=8"
	[ "$STATUS" = 200 ]
	get /api/stats
	[ "$(jq .httpd.database.restarts <<<"$output")" = 1 ]
	# Both: nothing starts it anew.
	kill -KILL "$(pgrep -P "$PID" -x httpd-history)"
	until get "/api/history/top?$all&n=9" && [ "$STATUS" = 503 ]; do :; done
	problem 503 'has ended'
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "too many questions at once: 503 with Retry-After, those that wait are answered" {
	serve_stopped
	local config=()
	for n in $(seq 40); do config+=(-o "$T/$n.json" "$URL$QUESTION&n=$n"); done
	curl -sS --parallel --parallel-max 40 --parallel-immediate --max-time 60 "${config[@]}" -w '%{http_code}\n' >"$T/codes" 3>&- 8>&- &
	local many=$!
	until get /api/stats && [ "$(jq .httpd.limits.archive_questions.hits <<<"$output")" = 7 ]; do
		feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	done
	kill -CONT "$STOPPED"
	wait $many
	[ "$(grep -c 200 "$T/codes")" = 33 ]
	[ "$(grep -c 503 "$T/codes")" = 7 ]
	stop_httpd
}

@test "the same question at once is asked once" {
	serve_stopped
	local config=()
	for n in $(seq 20); do config+=(-o "$T/$n.json" "$URL$QUESTION"); done
	curl -sS --parallel --parallel-max 20 --parallel-immediate --max-time 60 "${config[@]}" 3>&- 8>&- &
	local many=$!
	until get /api/stats && [ "$(jq .httpd.database.shared <<<"$output")" = 19 ]; do
		feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	done
	kill -CONT "$STOPPED"
	wait $many
	[ "$(cat "$T"/*.json | sort -u | grep -c '"report":"top"')" = 1 ]
	stop_httpd
}

@test "a client that goes away while it waits leaves nothing behind" {
	serve_stopped
	curl -sS --max-time 60 -o /dev/null "$URL$QUESTION" 3>&- 8>&- &
	local gone=$!
	until get /api/stats && [ "$(jq '.httpd.database | .asked - .answered' <<<"$output")" = 1 ]; do
		feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	done
	kill -KILL $gone
	wait $gone || :
	kill -CONT "$STOPPED"
	get "$QUESTION"
	[ "$STATUS" = 200 ]
	# Ends in good order also with somebody who waits, and takes along what stands still.
	kill -STOP "$STOPPED"
	local keeper
	keeper=$(pgrep -P "$PID" -x httpd-history)
	curl -sS --max-time 60 -o /dev/null "$URL$QUESTION&n=2" 3>&- 8>&- &
	gone=$!
	until get /api/stats && [ "$(jq '.httpd.database | (.asked? // 0) - (.answered? // 0)' <<<"$output")" = 1 ]; do :; done
	stop_httpd
	# Cut off, not answered. run would wait for it where it is nobody's child.
	status=0
	wait $gone || status=$?
	[ "$status" -eq 52 ] || [ "$status" -eq 56 ]
	timeout 60 tail --pid="$keeper" -f /dev/null
	timeout 60 tail --pid="$STOPPED" -f /dev/null
}

@test "a question that takes too long: 504, and the next one is answered" {
	open_folder
	lines | record
	start_httpd --db "$DB" --db-limit 0.001
	get "/api/history/top?by=remote&from=$DAY&to=$((DAY + 431999))&n=10000"
	problem 504 'took too long'
	get /api/stats
	stop_httpd
	start_httpd --db "$DB"
	get "/api/history/top?by=remote&from=$DAY&to=$((DAY + 431999))&n=10000"
	[ "$STATUS" = 200 ]
	stop_httpd
}

# snapshots FROM COUNT: one each 10 s, with an interval in which proc1 moved 7 bytes; pids differ.
snapshots() {
	/usr/bin/python3 - "$@" <<-'END'
		import json, sys
		begin, count = map(int, sys.argv[1:])
		rates = {"ingress_bytes": 100, "egress_bytes": 10, "ingress_packets": 3, "egress_packets": 1}
		for i in range(count):
		    sums = {key: value * (i + 1) for key, value in rates.items()}
		    print(json.dumps({
		        "type": "snapshot", "timestamp": (begin + (i + 1) * 10) * 1000, "seq": i + 1, "interval_ms": 10000,
		        "totals": sums, "interval": dict(rates, process_tx_bytes=7, remote_tx_bytes=7),
		        "protocols": [{"proto": "TCP", "interval_bytes": 110, "interval_packets": 4}],
		        "processes": [{"host": "web1", "pid": 100 + i % 3, "command": "proc1", "interval_tx_bytes": 7}],
		        "remotes": [{"host": "web1", "remote_ip": "10.0.0.1", "interval_tx_bytes": 7}]}))
	END
}

# Until all snapshots fed are in.
wait_for_snapshots() {
	until get /api/stats && [ "$(jq .httpd.snapshots <<<"$output")" = "$1" ]; do :; done
}

# past PARAMETERS: /api/history into $T/past
past() {
	get "/api/history?$1"
	[ "$STATUS" = 200 ]
	printf '%s' "$output" >"$T/past"
}

@test "/api/history reaches back: each step is the database's or memory's, exactly" {
	open_folder
	lines | record
	local end=$((DAY + 432000)) oldest
	oldest=$(sqlite3 "$DB" 'SELECT min(begin) FROM slot')
	start_httpd --db "$DB"
	snapshots $end 360 >&8
	wait_for_snapshots 360
	past "from=$((DAY * 1000))&to=$(((end + 3600) * 1000))&step=900&limit=10000"
	[ "$(jq -c "[.source, .step_ms, .oldest]" "$T/past")" = "[\"both\",900000,${oldest}000]" ]
	local seam from
	seam=$(jq .seam/1000 "$T/past")
	from=$(jq '.times[0]/1000' "$T/past")
	# Memory is whole from its second slot on; the seam is the first step that begins then.
	[ "$seam" -gt $((end + 10)) ]
	[ "$seam" -le $((end + 910)) ]
	"$BIN/report" --db "$DB" history --step 15min --from "$from" --to "$seam" --format json >"$T/report"
	[ "$(jq -c '[.rows[].ingress_bytes]' "$T/report")" = \
		"$(jq -c --argjson seam "$seam" '.times as $t | [.rates.ingress_bytes[range($t | map(select(. < $seam * 1000)) | length)]]' "$T/past")" ]
	jq -c --argjson seam "$seam" '.times as $t | [.rates.ingress_bytes[($t | map(select(. < $seam * 1000)) | length):-1][]] | unique' "$T/past" |
		grep -qx '\[9000\]'
	# Sums by process: pids are one row, of both.
	"$BIN/report" --db "$DB" top --by process -n 0 --from "$from" --to "$seam" --format json >"$T/report"
	[ "$(jq '[.rows[] | select(.command == "proc1") | .tx_bytes] | add' "$T/report")" = \
		"$(jq --argjson seam "$seam" --argjson last "$end" '.processes[] | select(.command == "proc1") | .tx_bytes - ($last + 3600 - $seam) / 10 * 7' "$T/past")" ]
	[ "$(jq -c '[.processes[].pid] | unique' "$T/past")" = '[null]' ]
	"$BIN/report" --db "$DB" top --by remote -n 0 --from "$from" --to "$seam" --format json >"$T/report"
	[ "$(jq '[.rows[].rx_bytes] | add' "$T/report")" = "$(jq '[.remotes[].rx_bytes] | add' "$T/past")" ]
	[ "$(jq '[.rows[].tx_bytes] | add' "$T/report")" = \
		"$(jq --argjson seam "$seam" --argjson last "$end" '([.remotes[].tx_bytes] | add) - ($last + 3600 - $seam) / 10 * 7' "$T/past")" ]
	# Percentiles over all of it are those of report.
	"$BIN/report" --db "$DB" latency --from "$from" --to "$seam" --format json >"$T/report"
	[ "$(jq -c '.rows[0] | [.count, .p50, .p95, .p99, .max]' "$T/report")" = \
		"$(jq -c '.latency.range | [.count, .p50, .p95, .p99, .max]' "$T/past")" ]
	# All that the generator made, and what memory has behind the seam.
	[ "$(jq '[.rates.ingress_bytes[] | values] | add' "$T/past")" = \
		"$(jq --argjson seam "$seam" --argjson last "$end" '([.others[] | select(.[1] == "interface") | .[3]] | add) + ($last + 3600 - $seam) / 10 * 100' "$T/sums")" ]
	stop_httpd
}

@test "/api/history within memory asks no database; what was not watched is null" {
	open_folder
	{ process $DAY 5; process $((DAY + 86400)) 6; } | record
	start_httpd --db "$DB"
	snapshots $((DAY + 90000)) 60 >&8
	wait_for_snapshots 60
	local asked
	asked=$(jq .httpd.database.asked <<<"$output")
	past "from=$(((DAY + 90100) * 1000))&to=$(((DAY + 90600) * 1000))&what=rates"
	[ "$(jq -c '[.source, .seam]' "$T/past")" = '["memory",null]' ]
	past "from=$((DAY * 1000))&to=$(((DAY + 90000) * 1000))&what=processes,process&command=curl"
	[ "$(jq -c .source "$T/past")" = '"database"' ]
	[ "$(jq -c '[.process.tx_bytes[] | values]' "$T/past")" = '[5,6]' ]
	[ "$(jq -c '[.processes[] | [.host, .pid, .command, .tx_bytes]]' "$T/past")" = '[["unknown",null,"curl",11]]' ]
	[ "$(jq '[.covered_ms[] | select(. == 0)] | length > 100' "$T/past")" = true ]
	get /api/stats
	[ "$(jq .httpd.database.asked <<<"$output")" -le $((asked + 2)) ]
	# A process by its pid is only known to memory.
	past "from=$((DAY * 1000))&to=$(((DAY + 90600) * 1000))&what=processes&pid=101"
	[ "$(jq -c '[.processes[] | [.pid, .command]]' "$T/past")" = '[[101,"proc1"]]' ]
	stop_httpd
}

@test "/api/history in days: from midnight to midnight, also where clocks change" {
	open_folder
	for hour in $(seq 0 2399); do process $((DAY - 3600 * hour)) 1; done | "$BIN/recorder" --db "$DB" --retain raw=0,minutes=0,hours=0 >/dev/null
	chmod a+r "$DB"*
	start_httpd --db "$DB"
	snapshots $DAY 1 >&8
	wait_for_snapshots 1
	past "from=$(((DAY - 4000000) * 1000))&to=$((DAY * 1000))&what=process&command=curl"
	[ "$(jq .step_ms "$T/past")" -ge 82800000 ]
	for time in $(jq '.times[] / 1000' "$T/past"); do [ "$(date -d "@$time" +%T)" = 00:00:00 ]; done
	[ "$(jq -c '[.process.tx_bytes[:-1][]] | unique' "$T/past")" = '[24]' ]
	stop_httpd
}

@test "/api/history: the database is damaged, memory still answers for what it has" {
	open_folder
	head -c 8192 /dev/urandom >"$DB"
	chmod a+r "$DB"
	start_httpd --db "$DB"
	snapshots $DAY 60 >&8
	wait_for_snapshots 60
	get "/api/history?from=$(((DAY - 86400) * 1000))&what=rates"
	problem 503 'the database: '
	past "from=$(((DAY + 100) * 1000))&what=rates"
	[ "$(jq -c .source "$T/past")" = '"memory"' ]
	stop_httpd
}

@test "the process that reads it: no other file, no socket, no program, nothing written" {
	[ ! -x "${BUILD:-}/bin/httpd" ] || BIN=$BUILD/bin
	open_folder
	process $DAY 5 | record
	run /usr/bin/python3 "$HERE/../inject.py" history "$BIN/httpd" --listen 127.0.0.1:0 "${AS_USER[@]}" --db "$DB" </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' stopped$' <<<"$output")" -eq 25 ]
	# Files may be opened where Landlock lets them: with it, none of these.
	[ "$(grep -c '^open[a-z-]* EACCES$' <<<"$output")" -eq 2 ] || [ ! -e /sys/kernel/security/lsm ] || ! grep -q landlock /sys/kernel/security/lsm
	[ "$(grep -c -e ' stopped$' -e '^open' -e '^httpd: ' <<<"$output")" -eq "$(wc -l <<<"$output")" ]
}

@test "no directory: exit 1 and one line" {
	run -1 "$BIN/httpd" --db "$T/none/flows.db" "${AS_USER[@]}" --listen 127.0.0.1:0
	[ "$output" = "httpd: --db $T/none/flows.db: there is no such directory" ]
}

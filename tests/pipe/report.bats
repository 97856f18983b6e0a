#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# report: what it says of any time is what came, in every format; and it says what is wrong in one line.

bats_require_minimum_version 1.5.0

setup() {
	T=$(mktemp -d)
	DB=$T/flows.db
	export TZ=Europe/Berlin LC_ALL=C.UTF-8 COLUMNS=80
}

teardown() {
	rm -rf "$T"
}

lines() { "$BATS_TEST_DIRNAME/recorder_lines.py" --sums "$T/sums" "$@"; }
recorder() { "$BIN/recorder" --db "$DB" "$@"; }
report() { "$BIN/report" --db "$DB" "$@"; }
check() { "$BATS_TEST_DIRNAME/report_check.py" "$BIN/report" "$DB" "$T/sums" "$@"; }
long=(--retain raw=10y,minutes=10y,hours=10y,days=10y,flows=10y)

# process SECOND TX [COMMAND]: a process line.
process() {
	printf '{"type":"process","timestamp":%s000.000,"pid":7,"command":"%s","uid":0,"ip_version":4,"proto":"TCP",' "$1" "${3:-curl}"
	printf '"remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":%s,"rx_bytes":1,"tx_calls":1,"rx_calls":1}\n' "$2"
}

@test "spring: every question, every format, in three time zones: the generator's own sums" {
	lines --begin 1743213600 --hours 72 --rows 20 --processes 30 --remotes 100 | recorder "${long[@]}" >"$T/out"
	check Europe/Berlin UTC Asia/Kolkata
}

@test "autumn, and only what is kept by default: the same" {
	lines --begin 1761352200 --hours 72 --rows 20 --processes 30 --remotes 100 --step 600 | recorder >"$T/out"
	[ "$(sqlite3 "$DB" 'SELECT count(*) > 10 FROM slot WHERE tier = 1')" = 1 ]
	check Europe/Berlin America/New_York
}

@test "days of 23 and 25 hours" {
	for day in 2025-03-30 2025-10-26; do
		begin=$(date -d "$day" +%s)
		end=$(date -d "$day + 1 day" +%s)
		for t in $(seq $((begin - 3600)) 3600 $((end + 3599))); do process "$t" 1; done
	done | recorder "${long[@]}" >"$T/out"
	report history --process curl --step 1d --from 2025-03-30 --to 2025-03-31 --format csv >"$T/spring"
	report history --process curl --step 1d --from 2025-10-26 --to 2025-10-27 --format csv >"$T/autumn"
	[ "$(sed -n 2p "$T/spring" | cut -d, -f1-3)" = "1743289200,1743372000,23" ]
	[ "$(sed -n 2p "$T/autumn" | cut -d, -f1-3)" = "1761429600,1761519600,25" ]
	# The hour that clocks show twice, and the one that they leave out.
	report history --process curl --step 1h --from 2025-10-26T01:00 --to 2025-10-26T04:00 | grep -c '^2025-10-26 02:00 CES\?T' | grep -x 2
	report history --process curl --step 1h --from 2025-03-30T01:00 --to 2025-03-30T04:00 --format csv >"$T/hours"
	[ "$(wc -l <"$T/hours")" -eq 3 ]
}

@test "what no tier can cut is widened, and the answer says so" {
	process 1743400000 5 | recorder --retain raw=0,minutes=0,hours=0 >"$T/out"
	[ "$(report top --from 1743399000 --to 1743401000 --format json | jq -c '[.from, .to, .covered_from, .covered_to, .rows[0].tx_bytes]')" = \
		"[1743399000,1743401000,$(date -d 2025-03-31 +%s),$(date -d 2025-04-01 +%s),5]" ]
	report top --from 1743399000 --to 1743401000 | grep -q '^recorded: 2025-03-31 00:00 CEST to 2025-04-01 00:00 CEST$'
	# Steps of 10 s would be a lie: the next that can be is taken.
	[ "$(report history --step 10s --process curl --from 1743399000 --to 1743401000 --format json | jq -c '[.rows[].tx_bytes]')" = "[5]" ]
}

@test "an answer covers what was watched, not the coarse slots that it is read from" {
	now=$(date +%s)
	{ process $((now - 900)) 1; process $((now - 300)) 2; } | recorder >"$T/out"
	begin=$(((now - 900) / 10 * 10)) end=$(((now - 300) / 10 * 10 + 10))
	[ "$(report top --last 7d --format json | jq -c '[.covered_from, .covered_to, .rows[0].tx_bytes]')" = "[$begin,$end,3]" ]
	# A slot that is still open: what is to come is not covered.
	process "$(($(date +%s) - 1))" 4 | recorder >"$T/out"
	report top --last 1h --format json >"$T/json"
	[ "$(jq '.covered_to <= .to' "$T/json")" = true ]
	[ "$(jq '.rows[0].tx_bytes' "$T/json")" = 7 ]
	# Years that nobody watched are not in a table.
	[ "$(report history --process curl --last 9y --step 1mo | grep -c '^20')" -le 2 ]
}

@test "nothing in that time: no rows, and null where nobody watched" {
	process 1743400000 5 | recorder "${long[@]}" >"$T/out"
	[ "$(report top --from 2020-01-01 --to 2020-01-02 --format json | jq -c '[.covered_from, .rows]')" = "[null,[]]" ]
	[ "$(report history --process curl --step 5min --from 1743399900 --to 1743400800 --format json | jq -c '[.rows[].tx_bytes]')" = "[5,null,null]" ]
	[ "$(report history --process wget --step 5min --from 1743399900 --to 1743400800 --format json | jq -c '[.rows[].tx_bytes]')" = "[0,null,null]" ]
	report top --from 2020-01-01 --to 2020-01-02 | grep -q '^nothing was recorded$'
}

@test "flows: every one that passed, the largest first; by process, address, protocol" {
	"$BIN/reader" --pcap "$BATS_TEST_DIRNAME/pcaps/ipv4.pcap" | "$BIN/aggregator" --flow-bytes 1 | recorder "${long[@]}" >"$T/out"
	for format in json csv ndjson prom table; do
		report flows --last 60y -n 0 --format "$format" >"$T/$format"
	done
	report top --by flow --last 60y -n 0 --format csv | cmp - "$T/csv"
	[ "$(jq '[.rows[].bytes] | add' "$T/json")" = "$(jq -s '[.[] | select(.type == "flow_total").bytes] | add' "$T/out")" ]
	[ "$(jq '.rows | length' "$T/json")" = "$(jq -s '[.[] | select(.type == "flow_total")] | length' "$T/out")" ]
	[ "$(jq '[.rows[].bytes] | . == (sort | reverse)' "$T/json")" = true ]
	ip=$(jq -r '.rows[0].src_ip' "$T/json")
	[ "$(report flows --last 60y --ip "$ip" -n 0 --format json | jq '.rows | length')" = \
		"$(jq --arg ip "$ip" '[.rows[] | select(.src_ip == $ip or .dst_ip == $ip)] | length' "$T/json")" ]
	[ "$(report flows --last 60y --proto udp -n 1 --format json | jq -r '[.rows[].proto] | unique[]')" = UDP ]
	promtool check metrics <"$T/prom"
}

@test "names from outside do nothing to a terminal, a spreadsheet, a line" {
	for name in '\u001b]0;x\u0007' '=1+1' 'a\"b,c' 'x\ny' '\u202eabc' 'h\u00e4h' '\\\\'; do
		process 1743400000 1 "$name"
	done | recorder "${long[@]}" >"$T/out"
	range=(--from 1743399000 --to 1743401000)
	for format in table json ndjson csv prom; do
		report top "${range[@]}" --format "$format" >"$T/$format"
		# No control byte but ends of lines.
		if LC_ALL=C grep -q $'[\001-\010\013\014\016-\037\177]' "$T/$format"; then false; fi
	done
	promtool check metrics <"$T/prom"
	[ "$(jq '.rows | length' "$T/json")" = 7 ]
	[ "$(jq -s length "$T/ndjson")" = 8 ]
	[ "$(wc -l <"$T/csv")" -eq 8 ]
	grep -q "^'=1+1," "$T/csv"
	grep -q '^"a""b,c",' "$T/csv"
	grep -q $'^h\xc3\xa4h ' "$T/table"
	if grep -q $'\u202e' "$T/table"; then false; fi
	grep -q '\\x1b\]0;x\\x07' "$T/table"
	LC_ALL=C report top "${range[@]}" | grep -q '^h\\xc3\\xa4h '
}

@test "tables fit the terminal, bars are what the locale has" {
	lines --begin 1743213600 --hours 3 --rows 20 --processes 30 --remotes 100 | recorder "${long[@]}" >"$T/out"
	for verb in top "top --by remote" history protocols drops latency; do
		for columns in 60 80 120 200; do
			# shellcheck disable=SC2086
			COLUMNS=$columns report $verb --from 1743213600 --to 1743224400 >"$T/table"
			[ "$(wc -L <"$T/table")" -le "$columns" ]
		done
	done
	report history --from 1743213600 --to 1743224400 | grep -q '█\{30\}'
	LC_ALL=C report history --from 1743213600 --to 1743224400 >"$T/ascii"
	grep -q '##' "$T/ascii"
	if LC_ALL=C grep -q $'[\200-\377]' "$T/ascii"; then false; fi
}

@test "while it is written: the answer is of one moment" {
	mkfifo "$T/pipe"
	"$BIN/recorder" --db "$DB" --interval 0.1 --ready-fd 3 <"$T/pipe" >"$T/out" 3>"$T/ready" &
	pid=$!
	exec 8>"$T/pipe"
	until [ -s "$T/ready" ]; do :; done
	process "$(date +%s)" 1 >&8
	until [ "$(report top --last 1h --format json | jq '.rows[0].tx_bytes')" = 1 ]; do :; done
	[ "$(report top --format json | jq '.rows[0].tx_bytes')" = 1 ]
	exec 8>&-
	wait "$pid"
	[ "$(report history --process curl --last 1h --format json | jq '[.rows[].tx_bytes] | add')" = 1 ]
}

@test "missing, foreign, newer, older or damaged: exit 1 and one line that says so" {
	sqlite3 "$T/foreign.db" 'CREATE TABLE x(y)'
	head -c 10000 /dev/urandom >"$T/noise.db"
	: >"$T/empty.db"
	for t in $(seq 1743400000 10 1743420000); do process "$t" 1; done | recorder "${long[@]}" >"$T/out"
	for name in newer older damaged; do cp "$DB" "$T/$name.db"; done
	sqlite3 "$T/newer.db" 'PRAGMA user_version=99'
	sqlite3 "$T/older.db" 'PRAGMA user_version=0'
	size=$(stat -c %s "$T/damaged.db")
	tr '\0' x </dev/zero | dd of="$T/damaged.db" bs=4096 seek=2 count=$((size / 4096 - 2)) conv=notrunc iflag=fullblock status=none
	while read -r name word; do
		cp "$T/$name.db" "$T/before" 2>"$T/err" || :
		for verb in top history flows; do
			run -1 --separate-stderr "$BIN/report" "$verb" --db "$T/$name.db" --last 60y --format json
			[ "${#stderr_lines[@]}" -eq 1 ]
			[[ $stderr == *"$word"* ]]
		done
		[ ! -e "$T/$name.db" ] || cmp "$T/$name.db" "$T/before"
	done <<-'END'
		missing no such file
		foreign not a database of jopil
		noise not a database of jopil
		empty not a database of jopil
		newer newer version
		older older version
		damaged damaged
	END
	[ ! -e "$T/missing.db" ]
}

@test "a closed stdout is a clean end, a full one is not" {
	lines --begin 1743213600 --hours 12 --rows 100 | recorder "${long[@]}" >"$T/out"
	report export --from 1743213600 --to 1743300000 --format ndjson | head -n 1 >"$T/head"
	[ "${PIPESTATUS[0]}" -eq 0 ]
	run -1 --separate-stderr bash -c '"$BIN/report" --db "$1" export --from 1743213600 --to 1743300000 --format csv >/dev/full' - "$DB"
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "usage" {
	for words in "" nothing "top history" "top --by nothing" "top --ip 10.0.0.0/33" "top --last long" "top --from now" \
		"top --last 2h --from today" "history --step 2h" "history --step 10s --last 50y" "latency --process x" \
		"top --by port --process x" "protocols --ip 10.0.0.1" "flows --step 1h" "top --format xml" "history --by process"; do
		# shellcheck disable=SC2086
		run -2 "$BIN/report" $words
		[ "${#lines[@]}" -eq 1 ]
	done
	"$BIN/report" --help | grep -q 'protocols  '
	"$BIN/report" --version
}

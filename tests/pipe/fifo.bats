#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stages joined by FIFOs that somebody else keeps open: either end starts anew without the other one noticing.

PCAP=$BATS_TEST_DIRNAME/pcaps/micro.pcap

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkfifo lines
	exec 9<>lines # as systemd does (ListenFIFO=)
}

packets() {
	"$BIN/reader" --pcap "$PCAP" | grep -c '"type":"packet"'
}

@test "a line that a killed writer left half-written costs one bad line, and not the next hello" {
	printf '{"type":"packet","timestamp":17' >&9
	"$BIN/reader" --pcap "$PCAP" >lines
	"$BIN/aggregator" --interval 3600 <lines 9>&- >out &
	exec 9>&-
	wait $!
	tail -1 out | jq -e --argjson n "$(packets)" '.final and .totals.packets == $n and .losses.bad_lines == 1'
}

@test "what is in a FIFO waits for the next reader of it, and two writers are one stream" {
	"$BIN/reader" --pcap "$PCAP" >lines
	"$BIN/reader" --pcap "$PCAP" >lines
	"$BIN/aggregator" --interval 3600 <lines 9>&- >out &
	exec 9>&-
	wait $!
	tail -1 out | jq -e --argjson n "$(packets)" '.totals.packets == 2 * $n and .losses.bad_lines == 0'
}

@test "each program begins with an empty line in a FIFO, and in nothing else" {
	mkfifo other
	exec 8<>other
	"$BIN/reader" --pcap "$PCAP" 8>&- 9>&- >other &
	head -1 <other | grep -x ''
	exec 8>&-
	wait $!
	"$BIN/reader" --pcap "$PCAP" | "$BIN/aggregator" 8>&- 9>&- >other &
	[ "$(head -c 1 other | od -An -c | tr -d ' ')" = '\n' ]
	wait $!
	"$BIN/reader" --pcap "$PCAP" | head -1 | grep -q '"type":"hello"'
	"$BIN/reader" --pcap "$PCAP" | "$BIN/aggregator" | head -1 | grep -q '"type":"hello"'
	"$BIN/reader" --pcap "$PCAP" | "$BIN/aggregator" | "$BIN/recorder" --db db | head -1 | grep -q '"type":"hello"'
	"$BIN/reader" --pcap "$PCAP" >file
	head -1 file | grep -q '"type":"hello"'
}

@test "who is started anew has missed the hello: lines from a FIFO are of this machine, from elsewhere of nobody" {
	local line='{"type":"counters","timestamp":1763704001000.000,"ifname":"eth0","ingress_packets":1,"ingress_bytes":1,
		"egress_packets":0,"egress_bytes":0,"packet_lines":0,"folded":1,"unattributed":0,"unattributed_bytes":0,
		"malformed":0,"ring_full":0,"protocols":[],"cpus":[],"more":false}'
	line=${line//$'\n\t\t'/}
	echo "$line" >&9
	"$BIN/aggregator" --interval 3600 <lines 9>&- >out &
	exec 9>&-
	wait $!
	tail -1 out | jq -e --arg host "$(uname -n)" '.hosts == [$host] and .interfaces[0].host == $host'
	echo "$line" | "$BIN/aggregator" --interval 3600 | tail -1 | jq -e '.hosts == [""]'
	exec 9<>lines
	echo "$line" >&9
	"$BIN/recorder" --db db <lines 9>&- >out &
	exec 9>&-
	wait $!
	[ "$(sqlite3 db 'SELECT name FROM host')" = "$(uname -n)" ]
	echo "$line" | "$BIN/recorder" --db other.db >out
	[ "$(sqlite3 other.db 'SELECT name FROM host')" = unknown ]
}

# process FIRST LAST: as many lines, with a byte sent each.
process() {
	awk -v first="$1" -v last="$2" -v now="$(date +%s)" 'BEGIN { for (i = first; i <= last; i++) printf("{\"type\":\"process\"," \
		"\"timestamp\":%d000.000,\"pid\":%d,\"command\":\"x\",\"uid\":0,\"ip_version\":4,\"proto\":\"TCP\",\"remote_ip\":\"10.0.0.2\"," \
		"\"remote_port\":443,\"tx_bytes\":1,\"rx_bytes\":0,\"tx_calls\":1,\"rx_calls\":1}\n", now, i) }'
}

@test "recorder goes on recording while nobody reads its FIFO: lines are left out whole, counted, and pass again" {
	mkfifo in
	"$BIN/recorder" --db db --interval 0.1 <in 2>err 9>&- >lines &
	recorder=$!
	exec 8>in
	process 1 12000 >&8 # more than a FIFO holds
	until [ "$(sqlite3 -readonly db 'SELECT sum(tx_bytes) FROM traffic_days' 2>errors)" = 12000 ]; do kill -0 "$recorder"; done
	grep -q 'nobody takes the lines' err
	cat <lines >out 8>&- 9>&- &
	consumer=$!
	fed=12000
	until grep -q 'lines are taken again' err; do
		process $((fed + 1)) $((fed + 1)) >&8
		fed=$((fed + 1))
	done
	process $((fed + 1)) $((fed + 10)) >&8
	exec 8>&-
	wait "$recorder"
	exec 9>&-
	wait "$consumer"
	[ "$(sqlite3 db 'SELECT sum(tx_bytes) FROM traffic_days')" -eq $((fed + 10)) ]
	left_out=$(grep '"type":"recorder"' out | tail -n 1 | jq .lines_left_out)
	# At most one is cut off, and no line that passed is of two halves.
	grep -v -e '^$' -e '"type":"recorder"' out >passed
	torn=$(grep -cv '^{.*}$' passed) || [ "$torn" -eq 0 ]
	[ "$torn" -le 1 ]
	grep '^{.*}$' passed | jq -se --argjson fed "$((fed + 10))" --argjson left_out "$left_out" \
		'length == $fed - $left_out and (map(.pid) | . == sort and .[-10:] == [range($fed - 9; $fed + 1)])'
}

@test "recorder without a database: lines pass for a while, that is said, and with the database back all is kept again" {
	mkfifo in
	exec 8<>in
	mkdir db
	cat <lines >out 8>&- 9>&- &
	local consumer=$! status=0
	process 1 200 >sent
	head -n 100 sent >&8
	"$BIN/recorder" --db db --pass-for 1 <in >lines 2>err 8>&- 9>&- || status=$?
	[ "$status" = 1 ]
	[ "$(cat err)" = "recorder: db: unable to open database file; for 1 s lines pass, and nothing is kept" ]
	# As a service, it is started again; what came meanwhile waits for it.
	tail -n 100 sent >&8
	rmdir db
	"$BIN/recorder" --db db <in >lines 2>err 8>&- 9>&- &
	local recorder=$!
	exec 8>&-
	wait "$recorder"
	exec 9>&-
	wait "$consumer"
	[ "$(sqlite3 db 'SELECT sum(tx_bytes) FROM traffic_days')" = 100 ]
	grep -v -e '^$' -e '"type":"recorder"' out | cmp - sent
	grep '"type":"recorder"' out | jq -s -e '[.[] | .failing and (.why | contains("unable to open"))] == [true, true] and
		.[0].lines_lost == 0 and .[1].lines_lost == 100'
}

@test "recorder without a database says so at once where nobody starts it again, and ends in good order where it is asked to" {
	mkdir db
	run "$BIN/recorder" --db db <lines
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
	"$BIN/recorder" --db db --pass-for 3600 <lines >out 2>err 9>&- &
	local recorder=$! status=0
	process 1 10 >&9
	until [ "$(grep -c '"type":"process"' out)" = 10 ]; do kill -0 "$recorder"; done
	kill -TERM "$recorder"
	wait "$recorder" || status=$?
	[ "$status" = 1 ]
	[ "$(wc -l <err)" = 1 ]
}

# flat_out: numbered lines into the FIFO without a pause, until there is a file `enough`; how many.
flat_out() {
	/usr/bin/python3 -c '
import os
n = 0
with open("lines", "wb", 0) as fifo:
    while not os.path.exists("enough"):
        fifo.write(b"".join(b"""{"type":"process","timestamp":1763704001000.000,"pid":%d,"command":"x","uid":0,"ip_version":4,"""
            b""""proto":"TCP","remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":1,"rx_bytes":0,"tx_calls":1,"rx_calls":1}\n"""
            % i for i in range(n, n + 3000)))
        n += 3000
print(n)'
}

@test "a restart flat out costs no line: who ends reads the last one to its end" {
	flat_out 9>&- >sent &
	local writer=$! commands=('"$BIN/aggregator" --interval 3600 --types process' '"$BIN/recorder" --db "db$i"')
	for i in 0 1; do
		eval "${commands[i]}" '<lines 9>&- >"out$i" 2>"err$i" &'
		local stage=$!
		until [ -s "out$i" ]; do kill -0 "$stage"; done
		kill -TERM "$stage"
		wait "$stage"
	done
	cat <lines 9>&- >out2 &
	local rest=$!
	touch enough
	wait "$writer"
	exec 9>&-
	wait "$rest"
	cat out? | grep '"type":"process"' | grep -o '"pid":[0-9]*' | cut -d: -f2 >numbers
	seq 0 $(($(cat sent) - 1)) | cmp - numbers
	[ ! -s err0 ]
	[ ! -s err1 ]
}

@test "a producer whose consumer is away waits, and loses nothing" {
	python3 - "$PCAP" >large.pcap <<-'END'
		import sys
		data = open(sys.argv[1], "rb").read()
		sys.stdout.buffer.write(data[:24] + data[24:] * 2000)
	END
	expected=$("$BIN/reader" --pcap large.pcap | grep -c '"type":"packet"')
	"$BIN/reader" --pcap large.pcap 9>&- >lines &
	writer=$!
	# Two consumers, one after the other: what the first has not taken is for the second.
	mkfifo ready
	"$BIN/aggregator" --interval 3600 --ready-fd 3 <lines 9>&- 3>ready >first &
	consumer=$!
	read -r _ <ready
	kill -TERM "$consumer"
	wait "$consumer"
	"$BIN/aggregator" --interval 3600 <lines 9>&- >second &
	consumer=$!
	wait "$writer"
	exec 9>&-
	wait "$consumer"
	jq -se --argjson n "$expected" '[.[] | select(.final) | .totals.packets] | add == $n' first second
	jq -se '[.[] | select(.final) | .losses.bad_lines] | add == 0' first second
}

@test "who starts is ready, although nobody empties the FIFO behind it" {
	# As large as programs would make it themselves, and full.
	/usr/bin/python3 -c 'import fcntl, os
fcntl.fcntl(9, fcntl.F_SETPIPE_SZ, 1 << 20)
os.set_blocking(9, False)
try:
    while os.write(9, b"\n" * 4096): pass
except BlockingIOError: pass
os.set_blocking(9, True)'
	mkfifo ready input
	exec 8<>ready 7<>input
	for command in "reader --pcap $PCAP" "aggregator" "recorder --db db"; do
		# shellcheck disable=SC2086 # options are words
		"$BIN/"$command --ready-fd 6 <input >lines 6>ready 7>&- 8>&- 9>&- &
		started=$!
		read -r -t 60 _ <&8
		kill -TERM "$started"
		run wait "$started"
	done
}

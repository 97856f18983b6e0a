#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The aggregator as a process: lines in, snapshots or flows out, whatever comes.

setup() {
	work=$(mktemp -d)
	golden=$BATS_TEST_DIRNAME/../golden
}

teardown() {
	rm -rf "$work"
}

# packet SRC SPORT DST DPORT FLAGS LENGTH [MS]: one TCP packet line.
packet() {
	printf '{"type":"packet","timestamp":%s,"ifname":"eth0","direction":"ingress","cpu":0,"ip_version":4,' "${7:-1763704000000.000}"
	printf '"proto":"TCP","src_ip":"%s","dst_ip":"%s","src_port":%s,"dst_port":%s,"length":%s,' "$1" "$3" "$2" "$4" "$6"
	printf '"payload_length":0,"tcp_flags":"%s","icmp_type":null,"icmp_code":null,"ttl":64,"vlan":null,' "$5"
	printf '"fragment":false,"malformed":false}\n'
}

hello() { printf '{"type":"hello","schema":1,"tool":"reader","version":"0.1.0","host":"%s","timestamp":1.0}\n' "$1"; }

# counters PACKETS BYTES UNATTRIBUTED: of eth0, all ingress TCP.
counters() {
	printf '{"type":"counters","timestamp":1763704001000.000,"ifname":"eth0","packets":%s,"bytes":%s,' "$1" "$2"
	printf '"ingress_packets":%s,"ingress_bytes":%s,"egress_packets":0,"egress_bytes":0,"packet_lines":%s,' "$1" "$2" "$1"
	printf '"folded":0,"unattributed":%s,"unattributed_bytes":0,"malformed":0,"ring_full":0,"protocols":[' "$3"
	printf '{"direction":"ingress","proto":"TCP","packets":%s,"bytes":%s,"unattributed":0,"unattributed_bytes":0}],' "$1" "$2"
	printf '"cpus":[{"cpu":0,"packets":%s,"bytes":%s}],"more":false}\n' "$1" "$2"
}

conversation() {
	packet 10.0.0.1 50000 10.0.0.2 443 S 60
	packet 10.0.0.2 443 10.0.0.1 50000 SA 60
	packet 10.0.0.1 50000 10.0.0.2 443 A 52
	packet 10.0.0.1 50000 10.0.0.2 443 PA 600
	packet 10.0.0.2 443 10.0.0.1 50000 FA 52
	packet 10.0.0.1 50000 10.0.0.2 443 FA 52
}

# last: the last snapshot on stdin through a jq expression.
last() { tail -n 1 | jq -r "$1"; }

@test "no input at all: hello and one final snapshot of nothing" {
	"$BIN/aggregator" </dev/null >"$work/out"
	[ "$(wc -l <"$work/out")" -eq 2 ]
	[ "$(head -n 1 "$work/out" | jq -r '.type + " " + .tool')" = "hello aggregator" ]
	[ "$(last '"\(.type) \(.final) \(.totals.packets) \(.flows | length)"' <"$work/out")" = "snapshot true 0 0" ]
}

@test "a conversation becomes one flow, both directions apart" {
	conversation | "$BIN/aggregator" | last '.flows[] | "\(.src_ip) \(.src_port) \(.dst_ip) \(.dst_port) \(.packets) \(.bytes) " +
		"\(.src_packets) \(.src_bytes) \(.dst_packets) \(.dst_bytes) \(.state) \(.tcp_flags_src) \(.tcp_flags_dst)"' >"$work/out"
	[ "$(cat "$work/out")" = "10.0.0.1 50000 10.0.0.2 443 6 876 4 764 2 112 closed FSPA FSA" ]
}

@test "which way the source sends on its interface; both ways is neither" {
	{
		packet 10.0.0.1 50000 10.0.0.2 443 S 60
		packet 10.0.0.3 50000 10.0.0.2 443 S 60 | sed s/ingress/egress/
		packet 10.0.0.2 443 10.0.0.4 50000 SA 60
		packet 10.0.0.5 50000 10.0.0.2 443 S 60
		packet 10.0.0.5 50000 10.0.0.2 443 S 60 | sed s/ingress/egress/
	} | "$BIN/aggregator" | last '.flows | sort_by(.src_ip)[] | "\(.src_ip) \(.src_direction)"' >"$work/out"
	[ "$(tr '\n' ',' <"$work/out")" = "10.0.0.1 ingress,10.0.0.3 egress,10.0.0.4 egress,10.0.0.5 null," ]
}

@test "--flows: one line a flow, most bytes first, and nothing else" {
	{
		conversation
		packet 10.9.0.1 1 10.9.0.2 2 A 9000
	} | "$BIN/aggregator" --flows >"$work/out"
	[ "$(jq -r '"\(.type) \(.bytes)"' "$work/out" | tr '\n' ',')" = "flow_total 9000,flow_total 876," ]
}

@test "--flows with fewer flows than there are: what leaves is a line, sums are exact" {
	for i in $(seq 1 200); do packet 10.0.0.1 $i 10.0.0.2 443 A 100; done >"$work/in"
	cat "$work/in" "$work/in" | "$BIN/aggregator" --flows --max-flows 10 >"$work/out"
	[ "$(jq -s 'map(.packets) | add' "$work/out")" -eq 400 ]
	[ "$(jq -s 'length' "$work/out")" -gt 200 ]
}

@test "--flows --idle-timeout: a gap in a flow makes two lines, without it one" {
	for second in 0 5 60 61; do packet 10.0.0.1 1 10.0.0.2 443 A 100 $((1763704000 + second))000.000; done >"$work/in"
	[ "$("$BIN/aggregator" --flows --idle-timeout 10 <"$work/in" | jq -s 'map(.packets) | tojson' -r)" = "[2,2]" ]
	[ "$("$BIN/aggregator" --flows <"$work/in" | jq -s 'map(.packets) | tojson' -r)" = "[4]" ]
}

@test "flow lines are deltas that add up with packet lines" {
	flow='{"type":"flow","timestamp":1763704001000.000,"ifname":"eth0","direction":"ingress","ip_version":4,"proto":"TCP","src_ip":"10.0.0.1","dst_ip":"10.0.0.2","src_port":50000,"dst_port":443,"icmp_type":null,"icmp_code":null,"vlan":null,"fragment":false,"packets":10,"bytes":1000,"tcp_flags":"A","first":1763704000100.000,"last":1763704000900.000}'
	{ conversation; echo "$flow"; echo "$flow"; } | "$BIN/aggregator" |
		last '"\(.flows[0].packets) \(.flows[0].src_bytes) \(.totals.packets) \(.accounting.flow_packets)"' >"$work/out"
	[ "$(cat "$work/out")" = "26 2764 26 20" ]
}

@test "other key order, white space, escapes and unknown keys mean the same" {
	conversation | jq -cS '. + {unknown: [1, {"a": null}], note: "\u0001\u00e9"}' | sed 's/:/ :\t/' >"$work/odd"
	conversation | sed 's/"TCP"/"T\\u0043P"/; s/"ifname"/"if\\u006eame"/' >"$work/escaped"
	want=$(conversation | "$BIN/aggregator" --flows)
	[ "$("$BIN/aggregator" --flows <"$work/odd")" = "$want" ]
	[ "$("$BIN/aggregator" --flows <"$work/escaped")" = "$want" ]
}

@test "bad lines are counted by cause, said once, never fatal" {
	{
		conversation
		echo 'not json'
		echo '{"type":"packet"'
		echo '{"type":"packet"}'
		echo '{"type":"packet","length":"x"}'
		echo '{"no":"type"}'
		echo '{"type":"of the future","a":1}'
		head -c 1000000 /dev/zero | tr '\0' 'x'
		echo
		head -c 4096 /dev/urandom | tr -d '\n'
		echo
		echo
		conversation
	} | "$BIN/aggregator" 2>"$work/err" | last '"\(.losses.bad_json) \(.losses.too_long) \(.losses.wrong_type) \(.losses.unknown_type) \(.totals.packets)"' >"$work/out"
	[ "$(cat "$work/out")" = "3 1 3 1 12" ]
	[ "$(wc -l <"$work/err")" -eq 3 ]
	grep -q '^aggregator: line 7 is not JSON' "$work/err"
}

@test "a line cut off at the end of input counts as a line" {
	conversation | head -c -1 | "$BIN/aggregator" | last '"\(.totals.packets) \(.losses.bad_lines)"' >"$work/out"
	[ "$(cat "$work/out")" = "6 0" ]
	conversation | head -c -9 | "$BIN/aggregator" 2>/dev/null | last '"\(.totals.packets) \(.losses.bad_lines)"' >"$work/out"
	[ "$(cat "$work/out")" = "5 1" ]
}

@test "flows of different hosts are kept apart: by hello lines, and by a host key" {
	{ hello web1; conversation; hello web2; conversation; } | "$BIN/aggregator" |
		last '"\(.hosts | join(",")) \(.flows | length) \(.flows | map(.host) | sort | join(","))"' >"$work/out"
	[ "$(cat "$work/out")" = "web1,web2 2 web1,web2" ]
	{ hello web1; conversation; conversation | sed 's/^{/{"host":"db1",/'; } | "$BIN/aggregator" |
		last '"\(.flows | map(.host) | sort | join(","))"' >"$work/out"
	[ "$(cat "$work/out")" = "db1,web1" ]
}

@test "counters are the totals, and what they count beyond the lines is said" {
	{ hello web1; conversation; counters 6 876 0; } | "$BIN/aggregator" | last '.accounting | tojson' >"$work/out"
	[ "$(cat "$work/out")" = '{"packet_lines":6,"flow_packets":0,"unattributed":0,"total":6,"before":0,"difference":0}' ]
	{ hello web1; conversation; counters 6 876 0; counters 16 1876 4; } | "$BIN/aggregator" |
		last '.accounting | tojson' >"$work/out"
	[ "$(cat "$work/out")" = '{"packet_lines":6,"flow_packets":0,"unattributed":4,"total":16,"before":0,"difference":6}' ]
	{ hello web1; conversation; counters 106 9876 0; } | "$BIN/aggregator" | last '.accounting | tojson' >"$work/out"
	[ "$(cat "$work/out")" = '{"packet_lines":6,"flow_packets":0,"unattributed":0,"total":106,"before":100,"difference":0}' ]
}

@test "an interface attached anew begins at 0: totals go on" {
	{ counters 100 10000 0; counters 5 500 0; counters 7 700 0; } | "$BIN/aggregator" |
		last '"\(.totals.packets) \(.totals.bytes) \(.protocols[0].packets)"' >"$work/out"
	[ "$(cat "$work/out")" = "107 10700 107" ]
}

@test "frames that are not IP, and flows without addresses, are in the protocols and are no flows" {
	cat "$golden/flow.ndjson" "$golden/packet.ndjson" >"$work/in"
	"$BIN/aggregator" --flows <"$work/in" | jq -e 'select(.src_ip == null)' >"$work/out" || :
	[ ! -s "$work/out" ]
	[ "$("$BIN/aggregator" <"$work/in" | last '[.protocols[].proto] | contains(["ARP", "LLDP", "other"])')" = true ]
}

@test "--top limits the flows, the packet feed says what it leaves out" {
	for i in $(seq 1 280); do packet 10.0.0.1 $i 10.0.0.2 443 A $((i + 60)); done >"$work/in"
	"$BIN/aggregator" --interval 3600 --top 7 <"$work/in" |
		last '"\(.flows | length) \(.flows[0].src_port) \(.packets | length) \(.packets_left_out) \(.flow_table.active)"' >"$work/out"
	[ "$(cat "$work/out")" = "7 280 200 80 280" ]
}

@test "the history has a gap where there were no data" {
	{ packet 10.0.0.1 1 10.0.0.2 2 A 100 1763704000000.000; packet 10.0.0.1 1 10.0.0.2 2 A 50 1763704002500.000; } |
		"$BIN/aggregator" | last '.history | "\(.start) \(.ingress_bytes | tojson)"' >"$work/out"
	[ "$(cat "$work/out")" = "1763704000000 [100,null,50]" ]
}

@test "counters that are out of step with the clock leave no gap in the history" {
	{ counters 0 0 0; for i in 1 2 3 4; do counters $((i * 100)) $((i * 10000)) 0 | sed "s/1763704001000.000/176370400$((1 + i))$((i * 2))50.000/"; done; } |
		"$BIN/aggregator" | last '.history | "\(.ingress_packets | add) \(.ingress_packets | index(null))"' >"$work/out"
	[ "$(cat "$work/out")" = "400 null" ]
}

@test "a wrong clock in one line spoils nothing" {
	{ packet 10.0.0.1 1 10.0.0.2 2 A 1 9999999999999.000; packet 10.0.0.1 1 10.0.0.2 2 A 100 1763704000000.000
	  packet 10.0.0.1 1 10.0.0.2 2 A 50 1763704001000.000; } | "$BIN/aggregator" |
		last '"\(.totals.packets) \(.history.ingress_bytes | tojson)"' >"$work/out"
	[ "$(cat "$work/out")" = "3 [100,50]" ]
}

@test "a closed stdout is a clean end" {
	mkfifo "$work/in"
	"$BIN/aggregator" --interval 0.05 <"$work/in" > >(head -n 2 >/dev/null) 2>"$work/err" 3>&- &
	pid=$!
	exec 8>"$work/in"
	wait "$pid"
	exec 8>&-
	[ ! -s "$work/err" ]
}

@test "who does not take what comes out does not keep it from reading, and loses nothing" {
	mkfifo "$work/in" "$work/out"
	# 4 MB: more than the pipe, what is read at once and what one may take unread of stdout, together.
	for _ in {1..10}; do cat "$golden/connection.ndjson"; done >"$work/some"
	while [ "$(stat -c %s "$work/some")" -lt 4000000 ]; do cat "$work/some" "$work/some" >"$work/more"; mv "$work/more" "$work/some"; done
	head -c 4000000 "$work/some" | sed '$d' >"$work/lines"
	"$BIN/aggregator" --interval 3600 --types connection <"$work/in" >"$work/out" 3>&- &
	pid=$!
	exec 8>"$work/in" 9<"$work/out"
	cat "$work/lines" >&8	# comes to its end while nobody reads 9
	exec 8>&-
	grep '"connection"' <&9 | grep -v '"snapshot"' >"$work/got"
	wait "$pid"
	cmp "$work/lines" "$work/got"
}

@test "stdout that cannot be written: one line, exit 1" {
	run -1 bash -c 'printf "" | "$1" >/dev/full' - "$BIN/aggregator"
	[[ "$output" == "aggregator: write to stdout: No space left on device" ]]
}

@test "SIGTERM: what was read is in a final snapshot, exit 0" {
	mkfifo "$work/in" "$work/out"
	"$BIN/aggregator" --interval 0.05 <"$work/in" >"$work/out" 3>&- &
	pid=$!
	exec 8>"$work/in" 9<"$work/out"
	conversation >&8
	while read -r line <&9; do case $line in *'"totals":{"packets":6,'*) break ;; esac; done
	kill -TERM "$pid"
	while read -r line <&9; do case $line in *'"final":true'*) break ;; esac; done
	wait "$pid"
	exec 8>&- 9<&-
	[[ "$line" == *'"totals":{"packets":6,'* ]]
}

@test "SIGTERM ends it also when nobody takes what it writes: exit 1, said" {
	mkfifo "$work/in" "$work/out"
	"$BIN/aggregator" --interval 0.05 --top 400 <"$work/in" >"$work/out" 2>"$work/err" 3>&- &
	pid=$!
	exec 8>"$work/in" 9<"$work/out"
	line=$(packet 10.0.0.1 PORT 10.0.0.2 443 A 100)
	for i in $(seq 400); do echo "${line/PORT/$i}"; done >&8
	# The first flow of a snapshot has come: more of it than the pipe holds is to come.
	while read -r -N 100 part <&9; do case $part in *'"src_port"'*) break ;; esac; done
	kill -TERM "$pid"
	wait "$pid" && status=0 || status=$?
	exec 8>&- 9<&-
	[ "$status" -eq 1 ]
	grep -q '^aggregator: nobody took the last lines' "$work/err"
}

@test "SIGTERM ends it also while lines keep coming" {
	mkfifo "$work/in" "$work/out"
	yes '{"type":"x"}' >"$work/in" 2>/dev/null 3>&- &
	yes=$!
	"$BIN/aggregator" --interval 0.05 <"$work/in" >"$work/out" 3>&- &
	pid=$!
	exec 9<"$work/out"
	read -r _ <&9
	kill -TERM "$pid"
	while read -r line <&9; do case $line in *'"final":true'*) break ;; esac; done
	exec 9<&-
	wait "$pid"
	kill "$yes" 2>/dev/null || :
	[[ "$line" == *'"final":true'* ]]
}

@test "SIGTERM ends it also when there is always something to read" {
	mkfifo "$work/out"
	"$BIN/aggregator" --interval 0.05 </dev/zero >"$work/out" 2>"$work/err" 3>&- &
	pid=$!
	exec 9<"$work/out"
	read -r _ <&9
	kill -TERM "$pid"
	while read -r line <&9; do last=$line; done
	exec 9<&-
	wait "$pid"
	[[ "$last" == *'"final":true'* ]]
}

@test "--ready-fd, --help, --version and usage errors" {
	[ "$("$BIN/aggregator" --ready-fd 5 5>&1 >/dev/null </dev/null | wc -l)" -eq 1 ]
	"$BIN/aggregator" --help | grep -q -- --idle-timeout
	"$BIN/aggregator" --version | grep -q '^aggregator (jopil) '
	run -2 "$BIN/aggregator" --top x
	run -2 "$BIN/aggregator" --nothing
	run -2 "$BIN/aggregator" file.ndjson
	[ "${#lines[@]}" -eq 1 ]
}

setup_file() {
	bats_require_minimum_version 1.5.0
}

# process TX RX: a process line; latency: one histogram.
process() {
	printf '{"type":"process","timestamp":1763704001000.000,"pid":7,"command":"curl","uid":0,"ip_version":4,"proto":"TCP",'
	printf '"remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":%s,"rx_bytes":%s,"tx_calls":1,"rx_calls":1}\n' "$1" "$2"
}
latency() { echo '{"type":"latency","timestamp":1763704001000.000,"name":"tcp_rtt","unit":"us","network":null,"count":1,"buckets":[[32,1]]}'; }

@test "lines that are sums or events already go on as they came, in their order" {
	{ hello web1; process 1 2; counters 3 222 0; latency; process 3 4; } >"$work/sums"
	{ cat "$work/sums"; conversation; echo; echo '{"no":"type"}'; echo '{"type":"of the future","a":1}'; } |
		"$BIN/aggregator" --types counters,process,latency 2>"$work/err" >"$work/out"
	tail -n +2 "$work/out" | cmp - "$work/sums"
	[ "$("$BIN/aggregator" --types process <"$work/sums" | jq -r .type | tr '\n' ' ')" = "hello hello process process " ]
	[ "$("$BIN/aggregator" --types snapshot <"$work/sums" | jq -r .type | tr '\n' ' ')" = "hello snapshot " ]
	run -2 "$BIN/aggregator" --types snapshot,packet
	[ "${#lines[@]}" -eq 1 ]
}

@test "port lines: every packet of a flow is in one of them, whatever leaves the table" {
	{
		conversation			# opened to 443
		packet 10.0.0.1 7000 10.0.0.9 6000 A 100	# no SYN: the smaller port
		for i in $(seq 1 200); do packet 10.0.0.3 $((2000 + i)) 10.0.0.2 80 S 100; done
	} >"$work/in"
	for limit in 1000 10; do
		"$BIN/aggregator" --types port --max-flows $limit <"$work/in" | jq -r 'select(.type == "port") | "\(.proto) \(.port) \(.packets) \(.bytes)"' |
			sort >"$work/out"
		[ "$(tr '\n' ',' <"$work/out")" = "TCP 443 6 876,TCP 6000 1 100,TCP 80 200 20000," ]
	done
}

@test "port lines: more ports than there are rows for are summed by protocol" {
	awk 'BEGIN { for (i = 1; i <= 5000; i++) print i }' | while read -r port; do packet 10.0.0.1 60000 10.0.0.2 "$port" S 10; done >"$work/in"
	"$BIN/aggregator" --types port,snapshot <"$work/in" >"$work/out"
	[ "$(jq -s 'map(select(.type == "port")) | "\(length) \(map(.packets) | add) \(map(select(.port == null).packets) | add)"' -r "$work/out")" = "4097 5000 904" ]
	[ "$(last .losses.ports_over <"$work/out")" = 904 ]
}

@test "flow_total: large flows that ended, whole; as many as may be in an interval" {
	for second in 0 200; do packet 10.0.0.1 1 10.0.0.2 443 A 70000 $((1763704000 + second))000.000; done >"$work/in"
	packet 10.0.0.1 2 10.0.0.2 443 A 100 >>"$work/in"
	total() { jq -r 'select(.type == "flow_total") | "\(.src_port) \(.packets) \(.bytes)"' | sort | tr '\n' ','; }
	[ "$("$BIN/aggregator" --interval 100 <"$work/in" | total)" = "1 1 70000,1 1 70000," ]
	[ "$("$BIN/aggregator" --interval 100 --flow-bytes 1 <"$work/in" | total)" = "1 1 70000,1 1 70000,2 1 100," ]
	for i in $(seq 1 1100); do packet 10.0.0.1 "$i" 10.0.0.2 443 A 100; done |
		"$BIN/aggregator" --interval 100 --flow-bytes 1 | jq -s 'map(select(.type == "flow_total")) | length, (map(.packets) | add)' >"$work/out"
	[ "$(tr '\n' ' ' <"$work/out")" = "1000 1000 " ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The lines of the host's probes through the aggregator: known lines, known figures.

bats_require_minimum_version 1.5.0

setup() {
	work=$(mktemp -d)
	golden=$BATS_TEST_DIRNAME/../golden
	validate=$BATS_TEST_DIRNAME/validate.py
}

teardown() {
	rm -rf "$work"
}

hello() { printf '{"type":"hello","schema":1,"tool":"reader","version":"0.1.0","host":"%s","timestamp":1.0}\n' "$1"; }

# connection EVENT REASON PID SPORT [MS [DIRECTION]]: of 10.0.0.1:SPORT -> 10.0.0.2:443.
connection() {
	printf '{"type":"connection","timestamp":%s,"event":"%s","reason":%s,"existing":false,' "${5:-1763704000000.000}" "$1" "$2"
	printf '"pid":%s,"command":"p%s","uid":7,"cgroup":"/x.slice","cgroup_id":9,"netns":1,"direction":"%s",' "$3" "$3" "${6:-egress}"
	printf '"ip_version":4,"proto":"TCP","src_ip":"10.0.0.1","src_port":%s,"dst_ip":"10.0.0.2","dst_port":443,' "$4"
	printf '"service":"https","duration_ms":5.000,"bytes_sent":10,"bytes_received":20,"rtt_us":100,"rtt_min_us":90,"retransmits":1}\n'
}

# process PID PROTO REMOTE PORT TX RX
process() {
	printf '{"type":"process","timestamp":1763704001000.000,"pid":%s,"command":"p%s","uid":7,"ip_version":4,' "$1" "$1"
	printf '"proto":"%s","remote_ip":"%s","remote_port":%s,"tx_bytes":%s,"rx_bytes":%s,"tx_calls":1,"rx_calls":2}\n' "$2" "$3" "$4" "$5" "$6"
}

# drop REASON CODE SPORT COUNT: of UDP 10.0.0.1:SPORT -> 10.0.0.2:9, 100 bytes each.
drop() {
	printf '{"type":"drop","timestamp":1763704001000.000,"ifname":"eth0","netns":1,"ip_version":4,"proto":"UDP",'
	printf '"src_ip":"10.0.0.1","dst_ip":"10.0.0.2","src_port":%s,"dst_port":9,"reason":"%s","reason_code":%s,' "$3" "$1" "$2"
	printf '"location":"udp_rcv","count":%s,"bytes":%s}\n' "$4" "$(($4 * 100))"
}

# drop_counters MS PACKETS: NO_SOCKET of UDP; and 4 packets of no reason.
drop_counters() {
	printf '{"type":"drop_counters","timestamp":%s,"drops":[' "$1"
	printf '{"reason":"NO_SOCKET","reason_code":3,"proto":"UDP","packets":%s,"bytes":%s},' "$2" "$(($2 * 100))"
	printf '{"reason":"NOT_SPECIFIED","reason_code":2,"proto":null,"packets":4,"bytes":40}],"more":false}\n'
}

# latency MS NETWORK BUCKETS: the network quoted, or null.
latency() {
	printf '{"type":"latency","timestamp":%s,"name":"tcp_rtt","unit":"us","network":%s,"count":1,"buckets":%s}\n' "$1" "$2" "$3"
}

# probe NAME COUNTERS [MS]
probe() { printf '{"type":"probe","timestamp":%s,"probe":"%s","counters":%s}\n' "${3:-1763704001000.000}" "$1" "$2"; }

# packet PROTO SRC SPORT DST DPORT LENGTH DIRECTION
packet() {
	local flags=null
	[ "$1" != TCP ] || flags='"A"'
	printf '{"type":"packet","timestamp":1763704000500.000,"ifname":"eth0","direction":"%s","cpu":0,"ip_version":4,' "$7"
	printf '"proto":"%s","src_ip":"%s","dst_ip":"%s","src_port":%s,"dst_port":%s,"length":%s,' "$1" "$2" "$4" "$3" "$5" "$6"
	printf '"payload_length":0,"tcp_flags":%s,"icmp_type":null,"icmp_code":null,"ttl":64,"vlan":null,' "$flags"
	printf '"fragment":false,"malformed":false}\n'
}

# last EXPRESSION [OPTION...]: the last snapshot of the lines on stdin, which follows the schema.
last() {
	local expression=$1
	shift
	"$BIN/aggregator" --interval 100 "$@" >"$work/snapshots"
	"$validate" <"$work/snapshots" >&2 || echo "not as the schema says"
	tail -n 1 "$work/snapshots" | jq -r "$expression"
}

@test "processes: bytes, remotes, protocols, and what no process owns" {
	{
		hello web1
		packet TCP 10.0.0.1 40000 10.0.0.2 443 1000 egress
		packet TCP 10.0.0.2 443 10.0.0.1 40000 5000 ingress
		process 1 TCP 10.0.0.2 443 300 4000
		process 1 TCP 10.0.0.3 80 50 60
		process 1 UDP 10.0.0.3 53 1 2
		process 2 TCP 10.0.0.2 443 100 500
		connection connect null 1 40000
		connection accept null 2 40001 1763704000000.000 ingress
	} >"$work/in"
	[ "$(last '.processes[] | "\(.host) \(.pid) \(.command) \(.uid) \(.tx_bytes) \(.rx_bytes) \(.tx_calls) \(.rx_calls) \(.connections)"' <"$work/in")" = \
		"web1 1 p1 7 351 4062 3 6 1
web1 2 p2 7 100 500 1 2 1" ]
	[ "$(last '.processes[0] | .remotes[] | "\(.proto) \(.remote_ip) \(.remote_port) \(.tx_bytes) \(.rx_bytes)"' <"$work/in" | head -n 1)" = "TCP 10.0.0.2 443 300 4000" ]
	[ "$(last '.processes[0].protocols | tojson' <"$work/in")" = '[{"proto":"TCP","tx_bytes":350,"rx_bytes":4060},{"proto":"UDP","tx_bytes":1,"rx_bytes":2}]' ]
	[ "$(last '.remotes[] | "\(.remote_ip) \(.tx_bytes) \(.rx_bytes) \(.processes) \(.connections)"' <"$work/in")" = \
		"10.0.0.2 400 4500 2 1
10.0.0.3 51 62 1 0" ]
	[ "$(last '.process_protocols | map("\(.proto) \(.tx_bytes) \(.rx_bytes) \(.tx_calls)") | join(",")' <"$work/in")" = "TCP 450 4560 3,UDP 1 2 1" ]
	[ "$(last '.unowned | "\(.tx_bytes) \(.rx_bytes)"' <"$work/in")" = "549 438" ]
	{ cat "$work/in"; probe process '{"tx_bytes":999,"rx_bytes":999999}'; } >"$work/more"
	[ "$(last '.unowned | "\(.tx_bytes) \(.rx_bytes)"' <"$work/more")" = "1 0" ]
}

@test "more processes than --max-processes: none of their bytes is lost" {
	for i in $(seq 1 500); do process "$i" TCP 10.0.0.2 443 "$i" 1; done >"$work/in"
	[ "$(last '"\(.process_table.active) \(.process_table.limit) \(.process_table.evicted) \(.losses.processes_evicted) " +
		"\((.processes | map(.tx_bytes) | add) + .process_table.evicted_tx_bytes) " +
		"\((.processes | map(.rx_bytes) | add) + .process_table.evicted_rx_bytes) \(.process_protocols[0].tx_bytes)"' \
		--max-processes 20 <"$work/in")" = "20 20 480 480 125250 500 125250" ]
}

@test "connections: states, reasons, owners, counts" {
	{
		connection connect null 1 1
		connection connect null 1 2 1763704000001.000
		connection established null 1 2 1763704000002.000
		connection connect null 1 3 1763704000003.000
		connection failed '"refused"' 1 3 1763704000004.000
		connection accept null 2 4 1763704000005.000 ingress
		connection close '"remote"' 2 4 1763704000010.000 ingress
		connection failed '"error_71"' 3 5 1763704000005.000
	} >"$work/in"
	[ "$(last '.connections[] | "\(.src_port) \(.state) \(.reason) \(.pid) \(.started) \(.ended) \(.duration_ms)"' <"$work/in")" = \
		"5 failed error_71 3 1763704000000 1763704000005 5
3 failed refused 1 1763704000003 1763704000004 5
4 closed remote 2 1763704000005 1763704000010 5
2 open null 1 1763704000001 null 8
1 connecting null 1 1763704000000 null null" ]
	[ "$(last '.connection_table | "\(.active) \(.open) \(.evicted) \(.connects) \(.accepts) \(.closed) \(.failed)"' <"$work/in")" = "5 2 0 3 1 1 2" ]
	[ "$(last '.connects | sort_by(.pid) | map("\(.pid) \(.direction) \(.dst_ip) \(.dst_port) \(.opened) \(.failed)") | join(",")' <"$work/in")" = \
		"1 egress 10.0.0.2 443 3 1,2 ingress 10.0.0.2 443 1 0,3 egress 10.0.0.2 443 0 1" ]
	[ "$(last '.connections[0] | "\(.cgroup) \(.cgroup_id) \(.netns) \(.service) \(.bytes_sent) \(.bytes_received) \(.rtt_us) \(.rtt_min_us) \(.retransmits) \(.uid)"' \
		<"$work/in")" = "/x.slice 9 1 https 10 20 100 90 1 7" ]
}

@test "a flood of short connections: the table is bounded, open ones stay, all are counted" {
	{
		for i in $(seq 1 5); do connection connect null 1 "$i"; done
		for i in $(seq 1000 2999); do
			connection connect null 2 "$i"
			connection close '"local"' 2 "$i"
		done
	} >"$work/in"
	[ "$(last '"\(.connection_table.active) \(.connection_table.open) \(.connection_table.evicted) \(.connection_table.connects) " +
		"\(.connection_table.closed) \(.losses.connections_evicted) \(.connects | map(.opened) | add)"' --max-connections 100 <"$work/in")" = \
		"100 5 1905 2005 2000 1905 2005" ]
}

@test "a flow has its process, its opener, its times and its drops, whatever came first" {
	{
		packet TCP 10.0.0.2 443 10.0.0.1 1 500 ingress
		connection established null 4 1
		packet UDP 10.0.0.1 1 10.0.0.2 9 60 egress
		drop NO_SOCKET 3 1 7
		process 5 UDP 10.0.0.2 9 18 0
	} >"$work/in"
	want="TCP 10.0.0.1 1 4 p4 100 1 0
UDP 10.0.0.1 1 5 p5 null null 7"
	flow='"\(.proto) \(.src_ip) \(.src_port) \(.pid) \(.command) \(.rtt_us) \(.retransmits) \(.drops)"'
	[ "$(last ".flows | sort_by(.proto)[] | $flow" <"$work/in")" = "$want" ]
	[ "$(tac "$work/in" | last ".flows | sort_by(.proto)[] | $flow")" = "$want" ]
	[ "$("$BIN/aggregator" --flows <"$work/in" | jq -rs "sort_by(.proto)[] | $flow")" = "$want" ]
	[ "$(head -n 3 "$work/in" | last '.flows | map(.drops) | tojson')" = '[null,null]' ]
	# Two processes that talk to one endpoint: nobody's.
	[ "$({ cat "$work/in"; process 6 UDP 10.0.0.2 9 1 1; } | last '.flows[] | select(.proto == "UDP") | .pid')" = null ]
}

@test "drops: totals from the counters, exact; by flow from the lines; no reason is set apart" {
	{
		drop_counters 1763704000000.000 100
		drop_counters 1763704001000.000 130
		drop NO_SOCKET 3 1 20
		drop NO_SOCKET 3 2 5
		drop NO_SOCKET 3 1 2
	} >"$work/in"
	[ "$(last '.drops | map("\(.reason) \(.reason_code) \(.proto) \(.packets) \(.bytes)") | join(",")' <"$work/in")" = "NO_SOCKET 3 UDP 130 13000" ]
	[ "$(last '.drops_unspecified | "\(.packets) \(.bytes)"' <"$work/in")" = "4 40" ]
	[ "$(last '.drop_flows | map("\(.ifname) \(.src_port) \(.dst_port) \(.reason) \(.location) \(.packets) \(.bytes) \(.recent)") | join(",")' <"$work/in")" = \
		"eth0 1 9 NO_SOCKET udp_rcv 22 2200 22,eth0 2 9 NO_SOCKET udp_rcv 5 500 5" ]
	# The probe attached anew begins at 0: totals go on.
	{ cat "$work/in"; drop_counters 1763704002000.000 3; drop_counters 1763704003000.000 4; } >"$work/more"
	[ "$(last '.drops[0].packets' <"$work/more")" = 134 ]
	# Without counters, the lines.
	[ "$(grep -v drop_counters "$work/in" | last '.drops[0] | "\(.packets) \(.bytes)"')" = "27 2700" ]
}

@test "latency: percentiles of known samples, whole host and network, merged lines" {
	{
		hello web1
		latency 1763704000000.000 null '[[10,50],[20,45]]'
		latency 1763704000000.000 null '[[31,4],[1007,1]]'
		latency 1763704000000.000 '"10.0.0.0/24"' '[[20,1]]'
		hello web2
		latency 1763704000000.000 null '[[134217727,1]]'
	} >"$work/in"
	[ "$(last '.latency | sort_by(.host, .network)[] | "\(.host) \(.network) \(.name) \(.unit) \(.count) \(.p50) \(.p95) \(.p99) \(.max) \(.total_count) \(.buckets | tojson)"' <"$work/in")" = \
		'web1 null tcp_rtt us 100 10 20 31 1007 100 [[10,50],[20,45],[31,4],[1007,1]]
web1 10.0.0.0/24 tcp_rtt us 1 20 20 20 20 1 []
web2 null tcp_rtt us 1 134217727 134217727 134217727 134217727 1 [[134217727,1]]' ]
	# A minute later, by any line of the host, the samples are of the past.
	{ cat "$work/in"; hello web1; probe latency '{"samples":101,"unattributed":3}' 1763704070000.000; } >"$work/more"
	[ "$(last '.latency[] | select(.host == "web1" and .network == null) | "\(.count) \(.p50) \(.max) \(.total_count)"' <"$work/more")" = "0 null null 100" ]
	[ "$(last '"\(.latency_table.active) \(.latency_table.evicted) \(.losses.latency_unattributed)"' <"$work/more")" = "3 0 3" ]
}

@test "more networks than there is room for: counted, the whole host stays" {
	for i in $(seq 0 599); do latency 1763704000000.000 "\"10.$((i / 256)).$((i % 256)).0/24\"" '[[20,1]]'; latency 1763704000000.000 null '[[20,1]]'; done >"$work/in"
	[ "$(last '"\(.latency_table.active) \(.latency_table.limit) \(.latency_table.evicted) \(.latency[0].network) \(.latency[0].count) \(.latency | length)"' \
		--top 10 <"$work/in")" = "512 512 89 null 600 10" ]
}

@test "probes: their counters as they said last, and what they lost" {
	{
		hello web1
		probe connection '{"ring_full":1}'
		probe connection '{"ring_full":5}'
		probe drop '{"ring_full":2,"unattributed":3}'
		probe process '{"unattributed_tx_bytes":10,"unattributed_rx_bytes":20}'
		hello web2
		probe connection '{"ring_full":7}'
	} >"$work/in"
	[ "$(last '.losses | "\(.connection_ring_full) \(.drop_ring_full) \(.drops_unattributed) \(.process_unattributed_bytes)"' <"$work/in")" = "12 2 3 30" ]
	[ "$(last '.probes | map("\(.host) \(.probe) \(.counters | tojson)") | join(" ")' <"$work/in")" = \
		'web1 connection {"ring_full":5} web1 drop {"ring_full":2,"unattributed":3} web1 process {"unattributed_tx_bytes":10,"unattributed_rx_bytes":20} web2 connection {"ring_full":7}' ]
}

@test "two hosts with the same processes, addresses and reasons are kept apart" {
	one() {
		hello "$1"
		process 1 TCP 10.0.0.2 443 "$2" 0
		connection connect null 1 1
		drop NO_SOCKET 3 1 "$2"
	}
	{ one web1 10; one web2 20; } >"$work/in"
	[ "$(last '[.processes, .remotes, .connections, .connects, .drops, .drop_flows] | map(map(.host) | sort | join("+")) | unique | join(",")' <"$work/in")" = "web1+web2" ]
	[ "$(last '.processes | map("\(.host) \(.tx_bytes)") | join(",")' <"$work/in")" = "web2 20,web1 10" ]
}

@test "golden lines in any spelling, and with --flows, say the same" {
	cat "$golden"/*.ndjson >"$work/in"
	jq -cS . "$work/in" | sed 's/:/ :\t/' >"$work/odd"
	same='del(.timestamp, .interval_ms, .unowned, .rates) | del(.. | .tx_bps?, .rx_bps?, .bps?, .pps?, .ingress_pps?, .ingress_bps?, .egress_pps?, .egress_bps?)'
	want=$(last "$same" <"$work/in")
	[ "$(last "$same" <"$work/odd")" = "$want" ]
	[ "$(last '"\(.input.connection) \(.input.process) \(.input.drop) \(.losses.bad_lines)"' <"$work/in")" = "7 5 5 0" ]
}

@test "bad lines of the probes are counted by cause" {
	{
		connection connect null 1 1
		echo '{"type":"connection"}'
		echo '{"type":"process","pid":"x"}'
		echo '{"type":"drop"'
		latency 1763704000000.000 null '[[1]]'
		probe drop '{"packets":"x"}'
		echo '{"type":"drop_counters","timestamp":1.0,"drops":[1]}'
	} >"$work/in"
	[ "$(last '"\(.losses.wrong_type) \(.losses.bad_json) \(.input.connection) \(.input.probe)"' <"$work/in" 2>/dev/null)" = "5 1 1 0" ]
}

@test "options: limits that make no sense are refused" {
	for option in --max-processes --max-connections; do
		run -2 "$BIN/aggregator" "$option" 0
		run -2 "$BIN/aggregator" "$option" x
	done
	"$BIN/aggregator" --help | grep -q -- --max-connections
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What /metrics tells Prometheus.

load httpd

# snapshot SEQ INGRESS_PACKETS PROCESSES
snapshot() {
	printf '{"type":"snapshot","seq":%s,"interfaces":[{"host":"web1","ifname":"eth0","ingress_packets":%s,"ingress_bytes":700,"egress_packets":1,"egress_bytes":70}]' "$1" "$2"
	printf ',"protocols":[{"proto":"TCP","packets":3,"bytes":222}],"drops":[{"host":"web1","reason":"NO_SOCKET","proto":null,"packets":4}]'
	printf ',"connection_table":{"active":5,"open":3,"connects":7,"accepts":2,"closed":1,"failed":6},"losses":{"ring_full":9}'
	printf ',"latency":[{"name":"tcp_rtt","network":null,"buckets":[[100,2],[300,1],[99000000,1]]},{"name":"tcp_rtt","network":"10.0.0.0/24","buckets":[]}]'
	printf ',"processes":[%s]}' "$3"
}

# process PID COMMAND TX_BYTES
process() {
	printf '{"host":"web1","pid":%s,"command":"%s","tx_bytes":%s,"rx_bytes":1}' "$@"
}

has() {
	grep -qxF -- "$1" <<<"$output"
}

@test "before the first snapshot: the version, nothing invented" {
	start_httpd
	get /metrics
	[ "$STATUS" = 200 ]
	[ "$(header content-type)" = 'text/plain; version=0.0.4; charset=utf-8' ]
	[ "$(grep -vc '^#' <<<"$output")" = 1 ]
	[[ $output == *'jopil_build_info{version="'* ]]
	get /metrics -I
	[ "$STATUS" = 200 ]
	get /metrics -X POST
	[ "$STATUS" = 405 ]
	stop_httpd
}

@test "counters, gauges, the histogram" {
	start_httpd
	feed "$(snapshot 1 10 "$(process 1 curl 100)")"
	feed "$(snapshot 2 12 "$(process 1 curl 150),$(process 2 curl 5)")"
	client wait 2
	get /metrics
	has 'jopil_packets_total{host="web1",interface="eth0",direction="ingress"} 12'
	has 'jopil_bytes_total{host="web1",interface="eth0",direction="egress"} 70'
	has 'jopil_protocol_bytes_total{proto="TCP"} 222'
	has 'jopil_drops_total{reason="NO_SOCKET",proto="unknown"} 4'
	has 'jopil_process_transmit_bytes_total{command="curl"} 155'
	has 'jopil_connections{state="open"} 3'
	has 'jopil_connections_opened_total{direction="egress"} 7'
	has 'jopil_connections_failed_total 6'
	has 'jopil_losses_total{cause="ring_full"} 9'
	has 'jopil_tcp_rtt_seconds_bucket{le="0.0001"} 4'
	has 'jopil_tcp_rtt_seconds_bucket{le="10"} 6'
	has 'jopil_tcp_rtt_seconds_bucket{le="+Inf"} 8'
	has 'jopil_tcp_rtt_seconds_count 8'
	stop_httpd
}

@test "counters never go back: rows that leave, return, begin anew" {
	start_httpd
	feed "$(snapshot 1 10 "$(process 1 curl 100)")"
	feed "$(snapshot 2 10 "")"
	feed "$(snapshot 3 10 "$(process 1 curl 120)")"
	feed "$(snapshot 4 10 "$(process 1 curl 7)")"
	client wait 4
	get /metrics
	has 'jopil_process_transmit_bytes_total{command="curl"} 127'
	stop_httpd
}

@test "at most 64 commands, the rest is other; names are escaped" {
	start_httpd
	local rows i
	rows=$(process 1000 'a\"b\\c\nd' 1)
	for i in {1..70}; do
		rows+=,$(process "$i" "c$i" 2)
	done
	feed "$(snapshot 1 10 "$rows")"
	client wait 1
	get /metrics
	has 'jopil_process_transmit_bytes_total{command="a\"b\\c\nd"} 1'
	has 'jopil_process_transmit_bytes_total{command="other"} 14'
	[ "$(grep -c '^jopil_process_transmit_bytes_total{' <<<"$output")" = 65 ]
	stop_httpd
}

@test "promtool is content" {
	command -v promtool >/dev/null || skip "no promtool: install prometheus"
	start_httpd
	feed "$(snapshot 1 10 "$(process 1 'a\"b' 100)")"
	client wait 1
	get /metrics
	promtool check metrics <<<"$output"
	stop_httpd
}

@test "it asks for the token" {
	echo '0123456789abcdef0123456789' >"$T/token"
	start_httpd --token-file "$T/token"
	get /metrics
	[ "$STATUS" = 401 ]
	get /metrics -H 'Authorization: Bearer 0123456789abcdef0123456789'
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "processes that come and go are all counted, however many" {
	start_httpd
	for i in $(seq 30); do
		feed "$(snapshot "$i" 10 "$(for k in $(seq 500); do
			printf '{"host":"web1","pid":%s,"command":"sh","tx_bytes":1,"rx_bytes":2},' $((500 * i + k))
		done)$(process 1 init "$i")")"
	done
	client wait 30
	get /metrics
	has 'jopil_process_transmit_bytes_total{command="sh"} 15000'
	has 'jopil_process_receive_bytes_total{command="sh"} 30000'
	has 'jopil_process_transmit_bytes_total{command="init"} 30'
	has 'jopil_packets_total{host="web1",interface="eth0",direction="ingress"} 10'
	has 'jopil_metrics_rows_lost_total 0'
	stop_httpd
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What /metrics tells Prometheus: of snapshots made here, and of the aggregator's own.

load httpd

# snapshot SEQ INGRESS_PACKETS COMMANDS
snapshot() {
	printf '{"type":"snapshot","timestamp":1763704001234.000,"seq":%s,"interval_ms":1000,' "$1"
	printf '"interfaces":[{"host":"web1","ifname":"eth0","ingress_packets":%s,"ingress_bytes":700,"egress_packets":1,' "$2"
	printf '"egress_bytes":70,"unattributed":2,"ring_full":3,"malformed":0}],"cpus":[{"host":"web1","cpu":5,"packets":11}],'
	printf '"series_hosts":[{"host":"web1","tx_bytes":18014398509481985,"rx_bytes":5,"command_left_tx_bytes":6,"command_left_rx_bytes":7,'
	printf '"remote_left_tx_bytes":8,"remote_left_rx_bytes":9}],"series_commands":[%s],' "$3"
	printf '"series_protocols":[{"host":"web1","proto":"TCP","ingress_packets":3,"ingress_bytes":222,"egress_packets":0,"egress_bytes":0}],'
	printf '"series_drops":[{"host":"web1","reason":"NO_SOCKET","proto":null,"packets":4,"bytes":44}],'
	printf '"series_connections":[{"host":"web1","connects":7,"accepts":2,"connecting":1,"open":3,"closed_local":1,"failed_refused":6}],'
	printf '"series_latency":[{"host":"web1","name":"tcp_rtt","unit":"us","count":4,"sum":3500,"buckets":[[31,2],[1048575,1],[134217727,1]]}],'
	printf '"series_losses":[{"host":"web1","process_unattributed_tx_bytes":12}],"accounting":{"difference":13},'
	printf '"flow_table":{"active":5,"limit":10,"evicted":1},"process_table":{"active":5,"limit":null,"evicted":0},'
	printf '"losses":{"bad_json":9,"hosts_over":1},"input":{"packet":14}}'
}

# command NAME TX_BYTES
command_row() {
	printf '{"host":"web1","command":"%s","tx_bytes":%s,"rx_bytes":1}' "$@"
}

has() {
	grep -qxF -- "$1" <<<"$output" || { echo "missing: $1" >&2; return 1; }
}

# Lines of processes as readers write them: process PID COMMAND REMOTE TX_BYTES
process() {
	printf '{"type":"process","timestamp":1763704001000.000,"pid":%s,"command":"%s","uid":7,"ip_version":4,' "$1" "$2"
	printf '"proto":"TCP","remote_ip":"%s","remote_port":443,"tx_bytes":%s,"rx_bytes":%s,"tx_calls":1,"rx_calls":2}\n' "$3" "$4" "$(($4 * 2))"
}

# Adds up the series in $output that begin so.
sum_of() {
	grep -F -- "$1" <<<"$output" | awk '{ sum += $NF } END { printf "%d\n", sum }'
}

no_series_twice() {
	[ -z "$(grep -v '^#' <<<"$output" | sed 's/ [^ ]*$//' | sort | uniq -d)" ]
}

@test "before the first snapshot: httpd itself, nothing invented" {
	start_httpd
	get /metrics
	[ "$STATUS" = 200 ]
	[ "$(header content-type)" = 'text/plain; version=0.0.4; charset=utf-8' ]
	[ -z "$(grep '^jopil_packets_total\|^jopil_snapshot_timestamp\|^jopil_snapshot_age' <<<"$output")" ]
	has 'jopil_up 0'
	has 'jopil_snapshots_total 0'
	[[ $output == *'jopil_build_info{version="'* ]]
	promtool check metrics <<<"$output"
	get /metrics -I
	[ "$STATUS" = 200 ]
	get /metrics -X POST
	[ "$STATUS" = 405 ]
	stop_httpd
}

@test "counters, gauges, the histogram" {
	start_httpd
	feed "$(snapshot 1 10 "$(command_row curl 100)")" "$(snapshot 2 12 "$(command_row curl 150),$(command_row other 5)")"
	client wait 2
	get /metrics
	has 'jopil_packets_total{host="web1",interface="eth0",direction="ingress"} 12'
	has 'jopil_bytes_total{host="web1",interface="eth0",direction="egress"} 70'
	has 'jopil_protocol_bytes_total{host="web1",proto="TCP",direction="ingress"} 222'
	has 'jopil_cpu_packets_total{host="web1",cpu="5"} 11'
	has 'jopil_drops_total{host="web1",reason="NO_SOCKET",proto="unknown"} 4'
	has 'jopil_dropped_bytes_total{host="web1",reason="NO_SOCKET",proto="unknown"} 44'
	has 'jopil_process_transmit_bytes_total{host="web1",command="curl"} 150'
	has 'jopil_process_transmit_bytes_total{host="web1",command="other"} 5'
	has 'jopil_process_left_bytes_total{host="web1",direction="egress"} 6'
	has 'jopil_remote_left_bytes_total{host="web1",direction="ingress"} 9'
	# To the letter: no detour over floating point.
	has 'jopil_socket_transmit_bytes_total{host="web1"} 18014398509481985'
	has 'jopil_connections{host="web1",state="open"} 3'
	has 'jopil_connections_opened_total{host="web1",direction="egress"} 7'
	has 'jopil_connections_failed_total{host="web1",reason="refused"} 6'
	has 'jopil_losses_packets_total{host="web1",interface="eth0",cause="unattributed"} 2'
	has 'jopil_losses_bytes_total{host="web1",cause="process_unattributed",direction="egress"} 12'
	has 'jopil_losses_lines_total{cause="bad_json"} 9'
	has 'jopil_limit_hits_total{limit="hosts"} 1'
	has 'jopil_pending_packets 13'
	has 'jopil_table_limit_rows{table="flows"} 10'
	[[ $output != *'jopil_table_limit_rows{table="processes"}'* ]]
	has 'jopil_input_lines_total{type="packet"} 14'
	has 'jopil_tcp_rtt_seconds_bucket{host="web1",le="0.000031"} 2'
	has 'jopil_tcp_rtt_seconds_bucket{host="web1",le="1.048575"} 3'
	has 'jopil_tcp_rtt_seconds_bucket{host="web1",le="+Inf"} 4'
	has 'jopil_tcp_rtt_seconds_sum{host="web1"} 0.0035'
	has 'jopil_tcp_rtt_seconds_count{host="web1"} 4'
	has 'jopil_up 1'
	has 'jopil_snapshot_timestamp_seconds 1763704001.234'
	has 'jopil_snapshot_interval_seconds 1'
	has 'jopil_snapshots_total 2'
	has 'jopil_httpd_lines_total{result="bad"} 0'
	grep -q '^process_heap_bytes [0-9]*$' <<<"$output"
	grep -q '^process_cpu_seconds_total [0-9.e-]*$' <<<"$output"
	[[ $(sed -n 's/^process_start_time_seconds \([0-9]*\).*/\1/p' <<<"$output") -gt 1700000000 ]]
	no_series_twice
	promtool check metrics <<<"$output"
	stop_httpd
}

@test "an aggregator that begins anew: its counters do too" {
	start_httpd
	feed "$(snapshot 7 10 "$(command_row curl 100)")"
	client wait 7
	get /metrics
	has 'jopil_process_transmit_bytes_total{host="web1",command="curl"} 100'
	feed "$(snapshot 1 2 "$(command_row curl 6)")" "$(snapshot 8 3 "$(command_row curl 7)")"
	client wait 8
	get /metrics
	has 'jopil_packets_total{host="web1",interface="eth0",direction="ingress"} 3'
	has 'jopil_process_transmit_bytes_total{host="web1",command="curl"} 7'
	stop_httpd
}

@test "the end of the input: not up any more, the last values stay" {
	start_httpd
	feed "$(snapshot 1 10 "")"
	client wait 1
	exec 8>&-
	client wait-stale
	get /metrics
	has 'jopil_up 0'
	has 'jopil_packets_total{host="web1",interface="eth0",direction="ingress"} 10'
	stop_httpd
}

@test "names are escaped" {
	start_httpd
	feed "$(snapshot 1 10 "$(command_row 'a\"b\\c\nd' 1),$(command_row '\u00e9}\u202e,x=' 2)")"
	client wait 1
	get /metrics
	has 'jopil_process_transmit_bytes_total{host="web1",command="a\"b\\c\nd"} 1'
	has $'jopil_process_transmit_bytes_total{host="web1",command="\u00e9}\u202e,x="} 2'
	promtool check metrics <<<"$output"
	stop_httpd
}

@test "OpenMetrics where it is asked for" {
	start_httpd
	feed "$(snapshot 1 10 "$(command_row curl 1)")"
	client wait 1
	get /metrics -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
	[ "$(header content-type)" = 'application/openmetrics-text; version=1.0.0; charset=utf-8' ]
	[ "$(header vary)" = 'Accept, Accept-Encoding' ]
	[ "$(tail -n 1 <<<"$output")" = '# EOF' ]
	has '# TYPE jopil_packets counter'
	has '# TYPE jopil_connections gauge'
	has 'jopil_packets_total{host="web1",interface="eth0",direction="ingress"} 10'
	get /metrics -H 'Accept: text/plain'
	[ "$(header content-type)" = 'text/plain; version=0.0.4; charset=utf-8' ]
	has '# TYPE jopil_packets_total counter'
	stop_httpd
}

@test "gzip where it is taken" {
	start_httpd
	feed "$(snapshot 1 10 "$(command_row curl 1)")"
	client wait 1
	get /metrics
	plain=$(grep ^jopil_packets_total <<<"$output")
	[ -z "$(header content-encoding)" ]
	get /metrics --compressed
	[ "$(header content-encoding)" = gzip ]
	[ "$(grep ^jopil_packets_total <<<"$output")" = "$plain" ]
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

@test "processes and remotes that come and go: every byte counted, series bounded, the largest shown" {
	for i in $(seq 600); do process "$i" "c$i" "10.0.$((i % 20)).$((i % 250))" 100; done >"$T/lines"
	for i in $(seq 5); do process 700 large 192.0.2.1 1000000; done >>"$T/lines"
	process 701 other 192.0.2.2 5 >>"$T/lines"
	"$BIN/aggregator" --interval 100 --top 10 --types snapshot <"$T/lines" >"$T/snapshots"
	start_httpd
	feed "$(cat "$T/snapshots")"
	client wait 1
	get /metrics
	has 'jopil_socket_transmit_bytes_total{host=""} 5060005'
	for family in process remote; do
		for way in transmit receive; do
			[ "$(grep -c "^jopil_${family}_${way}_bytes_total{" <<<"$output")" = 65 ]
		done
		[ $(($(sum_of "jopil_${family}_transmit_bytes_total{") + $(sum_of "jopil_${family}_left_bytes_total{host=\"\",direction=\"egress\"}"))) = 5060005 ]
	done
	# It came last and took a place: what it had moved before is in "other".
	has 'jopil_process_transmit_bytes_total{host="",command="large"} 0'
	has 'jopil_remote_transmit_bytes_total{host="",remote="192.0.2.1"} 0'
	has 'jopil_process_left_bytes_total{host="",direction="egress"} 100'
	[ "$(grep -c 'command="other"' <<<"$output")" = 2 ]
	no_series_twice
	stop_httpd
}

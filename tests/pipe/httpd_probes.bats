#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What httpd answers about connections, processes, drops and round-trip times.

load httpd

T0=1763704000000

# connection STATE PID COMMAND SRC_PORT DST_IP DST_PORT STARTED ENDED REASON DIRECTION
connection() {
	printf '{"host":"web1","state":"%s","reason":%s,"existing":false,"pid":%s,"command":%s,"uid":0,"cgroup":"/a","cgroup_id":1,"netns":1,"direction":"%s","ip_version":4,"proto":"TCP","src_ip":"10.0.0.1","src_port":%s,"dst_ip":"%s","dst_port":%s,"service":"https","started":%s,"ended":%s,"duration_ms":null,"bytes_sent":1,"bytes_received":2,"rtt_us":100,"rtt_min_us":90,"retransmits":0}' \
		"$1" "$9" "$2" "$3" "${10:-egress}" "$4" "$5" "$6" "$7" "$8"
}

connections() {
	connection failed 11 '"wget"' 40003 10.0.0.3 80 $T0.500 $T0.750 '"refused"'
	printf ,
	connection open 10 '"curl"' 40001 10.0.0.2 443 $T0.000 null null
	printf ,
	connection closed 10 '"curl"' 40002 10.0.0.2 443 1763703990000.000 1763703991000.000 '"local"'
	printf ,
	connection open null null 50000 10.0.0.1 22 1763703000000.000 null null ingress
}

# process PID COMMAND TX_BYTES RX_BYTES
process() {
	printf '{"host":"web1","pid":%s,"command":"%s","uid":0,"tx_bytes":%s,"rx_bytes":%s,"tx_calls":1,"rx_calls":2,"tx_bps":8,"rx_bps":16,"connections":1,"first":1,"last":2,"remotes":[],"protocols":[]}' "$@"
}

# drop REASON CODE PROTO PACKETS
drop() {
	printf '{"host":"web1","reason":"%s","reason_code":%s,"proto":"%s","packets":%s,"bytes":%s,"pps":1}' "$1" "$2" "$3" "$4" "$(($4 * 70))"
}

# drop_flow REASON DST_IP DST_PORT PACKETS RECENT
drop_flow() {
	printf '{"host":"web1","ifname":"eth0","netns":1,"ip_version":4,"proto":"UDP","src_ip":"10.0.0.9","src_port":5000,"dst_ip":"%s","dst_port":%s,"reason":"%s","reason_code":3,"location":"f","packets":%s,"bytes":70,"recent":%s,"last":%s.250}' \
		"$2" "$3" "$1" "$4" "$5" $T0
}

latency() {
	printf '{"host":"web1","name":"tcp_rtt","unit":"us","network":%s,"count":9,"p50":%s,"p95":2,"p99":3,"max":4,"total_count":9,"buckets":%s}' "$@"
}

unless_given() { [[ $members == *"\"$1\":"* ]] || printf ',"%s":%s' "$1" "$2"; }

# snapshot SEQ [MEMBER...]: a member is "key":value, and may stand for one that is here already
snapshot() {
	local seq=$1 members=
	shift
	[ $# -eq 0 ] || members=$(printf ',%s' "$@")
	printf '{"type":"snapshot","schema":1,"timestamp":%d.000,"seq":%d,"interval_ms":1000%s' $((T0 + seq * 1000)) "$seq" "$members"
	printf ',"connections":[%s],"connection_table":{"active":4,"open":2}' "$(connections)"
	printf ',"processes":[%s,%s,%s],"unowned":{"tx_bytes":5},"process_table":{"active":3}' \
		"$(process 10 curl 100 900)" "$(process 11 wget 500 5)" "$(process 10 bash 1 1)"
	printf ',"remotes":[{"host":"web1","remote_ip":"10.0.0.2","tx_bytes":1,"rx_bytes":9,"tx_bps":8,"rx_bps":1,"processes":1,"connections":2},{"host":"web1","remote_ip":"fd00::2","tx_bytes":2,"rx_bytes":2,"tx_bps":0,"rx_bps":2,"processes":1,"connections":1}]'
	printf ',"protocols":[{"proto":"TCP","packets":3,"bytes":222,"pps":3,"bps":1776},{"proto":"ARP","packets":1,"bytes":60,"pps":0,"bps":0}]'
	printf ',"process_protocols":[{"proto":"TCP","tx_bytes":1,"rx_bytes":2,"tx_calls":3,"rx_calls":4,"tx_bps":5,"rx_bps":6},{"proto":"PACKET","tx_bytes":7,"rx_bytes":0,"tx_calls":1,"rx_calls":0,"tx_bps":0,"rx_bps":0}]'
	unless_given drops "[$(drop NO_SOCKET 3 UDP 100),$(drop TCP_CSUM 5 TCP 3)]"
	unless_given drops_unspecified '{"packets":40,"bytes":400,"pps":0}'
	unless_given drop_flows "[$(drop_flow NO_SOCKET 10.0.0.1 9 90 5),$(drop_flow NETFILTER_DROP 10.0.0.7 53 4 2)]"
	printf ',"latency":[%s,%s]' "$(latency null 100 '[[32,1],[33,8]]')" "$(latency '"10.0.0.0/24"' 50 '[]')"
	printf ',"latency_table":{"active":1},"probes":[{"host":"web1","probe":"drop","counters":{"packets":143,"bytes":1}},{"host":"web1","probe":"new","counters":{}}]'
	printf ',"interfaces":[{"host":"web1","ifname":"eth0","packets":3,"bytes":222,"packet_lines":3,"folded":0,"unattributed":0,"malformed":0,"ring_full":0}]}'
}

# connect PID COMMAND DST_IP OPENED FAILED [DIRECTION]
connect() {
	printf '{"host":"web1","pid":%s,"command":%s,"uid":0,"proto":"TCP","dst_ip":"%s","dst_port":443,"direction":"%s","opened":%s,"failed":%s}' \
		"$1" "$2" "$3" "${6:-egress}" "$4" "$5"
}

# Ten seconds, in each of which curl connects twice and wget fails once; nginx accepts three.
feed_connects() {
	local connects seq
	connects="\"connects\":[$(connect 10 '"curl"' 10.0.0.2 2 0),$(connect 11 '"wget"' fd00::3 1 1),$(connect 12 '"nginx"' 10.0.0.1 3 0 ingress)],\"connects_left_out\":${1:-0}"
	for seq in {1..10}; do
		feed "$(snapshot "$seq" "$connects")"
	done
	client wait 10
}

# post PATH BODY FILTER: what jq makes of the answer
post() {
	get "$1" -H 'Content-Type: application/json' -d "$2"
	[ "$STATUS" = 200 ]
	jq -c "$3" <<<"$output"
}

# ask PATH FILTER: what jq makes of the answer
ask() {
	get "$1"
	[ "$STATUS" = 200 ]
	jq -c "$2" <<<"$output"
}

# refused PATH NAME [CURL OPTION...]: 400, and the parameter is named
refused() {
	local path=$1 name=$2
	shift 2
	get "$path" "$@"
	[ "$STATUS" = 400 ]
	[ "$(header content-type)" = application/problem+json ]
	[[ $(jq -r .detail <<<"$output") == "$name: "* ]]
}

@test "before the first snapshot: 503" {
	start_httpd
	local path
	for path in connections processes processes/1 remotes protocols drops latency programs \
		connections/summary connection-summary packet-drop-summary list-connections list-packet-drops; do
		get /api/$path
		[ "$STATUS" = 503 ]
		[ "$(header content-type)" = application/problem+json ]
	done
	stop_httpd
}

@test "a snapshot that has none of it: empty lists" {
	start_httpd
	feed '{"type":"snapshot","seq":1}'
	client wait 1
	local path
	for path in connections processes remotes latency; do
		[ "$(ask /api/$path ".$path")" = '[]' ]
	done
	[ "$(ask /api/drops '[.drops, .unspecified, .drop_flows]')" = '[[],null,[]]' ]
	[ "$(ask /api/protocols .protocols)" = '[]' ]
	[ "$(ask /api/programs '[.programs, .total]')" = '[[],0]' ]
	get /api/processes/1
	[ "$STATUS" = 404 ]
	stop_httpd
}

@test "connections: by process, address, port, state, time" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/connections '[.total, .matched, (.connections | length), .connection_table.active, .stale]')" = '[4,4,4,4,false]' ]
	local ports='[.matched, .connections[].src_port]'
	[ "$(ask '/api/connections?pid=10' "$ports")" = '[2,40001,40002]' ]
	[ "$(ask '/api/connections?command=wget' "$ports")" = '[1,40003]' ]
	[ "$(ask '/api/connections?ip=10.0.0.2/31' "$ports")" = '[3,40003,40001,40002]' ]
	[ "$(ask '/api/connections?port=22' "$ports")" = '[1,50000]' ]
	[ "$(ask '/api/connections?state=open&limit=1' "$ports")" = '[2,40001]' ]
	[ "$(ask "/api/connections?since=$T0" "$ports")" = '[2,40003,40001]' ]
	[ "$(ask '/api/connections?pid=10&state=closed' "$ports")" = '[1,40002]' ]
	[ "$(ask '/api/connections?sort=started&fields=src_port' .connections)" = '[{"src_port":40003},{"src_port":40001},{"src_port":40002},{"src_port":50000}]' ]
	refused '/api/connections?pid=x' pid
	refused '/api/connections?state=established' state
	refused '/api/connections?since=yesterday' since
	refused '/api/connections?colour=red' colour
	stop_httpd
}

@test "processes: sorted, limited, one of them" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/processes '[.total, .unowned.tx_bytes, .process_table.active, .processes[].command]')" = '[3,5,3,"curl","wget","bash"]' ]
	[ "$(ask '/api/processes?sort=tx_bytes&limit=2' '[.matched, .processes[].command]')" = '[3,"wget","curl"]' ]
	refused '/api/processes?sort=colour' sort
	refused '/api/processes?limit=0' limit
	[ "$(ask /api/processes/10 '[.process.command, .others[].command, .connections[].src_port]')" = '["curl","bash",40001,40002]' ]
	[ "$(ask /api/processes/11 '[.process.pid, .others, .connections[].state]')" = '[11,[],"failed"]' ]
	local path
	for path in 12 99999999999 x '' 1/2 -1; do
		get "/api/processes/$path"
		[ "$STATUS" = 404 ]
		[ "$(header content-type)" = application/problem+json ]
	done
	refused '/api/processes/10?a=b' a
	get /api/processes/10 -X POST
	[ "$STATUS" = 405 ]
	stop_httpd
}

@test "remotes, latency" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask '/api/remotes?sort=tx_bytes' '[.remotes[].remote_ip]')" = '["fd00::2","10.0.0.2"]' ]
	[ "$(ask '/api/remotes?ip=10.0.0.0/8' '[.total, .matched, .remotes[].rx_bytes]')" = '[2,1,9]' ]
	refused '/api/remotes?ip=10' ip
	[ "$(ask /api/latency '[.latency_table.active, .latency[].p50]')" = '[1,100,50]' ]
	[ "$(ask '/api/latency?network=host' '.latency[].buckets')" = '[[32,1],[33,8]]' ]
	[ "$(ask '/api/latency?network=10.0.0.5' '[.latency[].network]')" = '["10.0.0.0/24"]' ]
	refused '/api/latency?network=here' network
	stop_httpd
}

@test "protocols: packets joined with processes" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/protocols '.protocols | map([.proto, .packets, .bytes, .tx_bytes, .rx_bps])')" = \
		'[["TCP",3,222,1,6],["ARP",1,60,null,null],["PACKET",null,null,7,0]]' ]
	stop_httpd
}

@test "drops: by reason, by flow, the unspecified apart" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/drops '[.total, (.drops | map(.packets)), .unspecified.packets, (.drop_flows | map(.packets))]')" = '[2,[100,3],40,[90,4]]' ]
	[ "$(ask '/api/drops?ip=10.0.0.7' '[.matched, (.drops | length), .drop_flows[].dst_port]')" = '[1,2,53]' ]
	[ "$(ask '/api/drops?reason=no_socket' '[.matched, .drops[].reason, .drop_flows[].dst_port]')" = '[1,"NO_SOCKET",9]' ]
	[ "$(ask '/api/drops?limit=1' '[.matched, (.drop_flows | length)]')" = '[2,1]' ]
	refused '/api/drops?reason=' reason
	refused '/api/drops?port=1' port
	stop_httpd
}

@test "programs: probes and hooks with their counters" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/programs '.programs | map([.name, .status, .running, .event_count])')" = \
		'[["packet","active",true,3],["drop","active",true,143],["new","active",true,null]]' ]
	[ "$(ask /api/programs '[.total, .programs[0].ifname, .programs[0].counters.packet_lines, .programs[1].counters.bytes]')" = '[3,"eth0",3,1]' ]
	stop_httpd
}

@test "lists as lines, for those who accept them" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	get '/api/connections?state=open&fields=src_port' -H 'Accept: text/html;q=0.1, application/x-ndjson'
	[ "$(header content-type)" = application/x-ndjson ]
	[ "$output" = $'{"src_port":40001}\n{"src_port":50000}' ]
	get '/api/connections?port=1' -H 'Accept: application/x-ndjson'
	[ "$STATUS" = 200 ]
	[ -z "$output" ]
	get /api/connections -H 'Accept: application/x-ndjson;q=0'
	[ "$(header content-type)" = application/json ]
	stop_httpd
}

@test "connection summary: asked by GET and POST, by both generations of clients" {
	start_httpd
	feed_connects
	local filter='[.count, .total_attempts, .pid, .command, .duration, .duration_seconds]' path
	for path in /api/connection-summary /api/connections/summary; do
		[ "$(post $path '{"pid":10,"duration":60}' "$filter")" = '[20,20,10,"",60,60]' ]
		[ "$(post $path '{"command":"wget","duration":3}' "$filter")" = '[3,3,0,"wget",3,3]' ]
		[ "$(post $path '{"pid":10,"command":"curl","process_name":"curl","duration_seconds":5}' "$filter")" = '[10,10,10,"curl",5,5]' ]
		[ "$(post $path '{}' "$filter")" = '[30,30,0,"",60,60]' ]
		[ "$(post $path '{"pid":0,"command":"","duration_seconds":0,"more":[]}' "$filter")" = '[30,30,0,"",60,60]' ]
		[ "$(post $path '{"pid":null,"command":null}' "$filter")" = '[30,30,0,"",60,60]' ]
		[ "$(ask "$path?pid=10&duration=2" "$filter")" = '[4,4,10,"",2,2]' ]
		[ "$(ask "$path?command=wget&duration_seconds=2" "$filter")" = '[2,2,0,"wget",2,2]' ]
		[ "$(ask $path "$filter")" = '[30,30,0,"",60,60]' ]
	done
	get /api/connection-summary -H 'Content-Type: application/json' -d '{"pid":10,"duration":60}'
	[ "$(jq -r .message <<<"$output")" = 'Found 20 connection attempts from PID 10 over 60 seconds' ]
	[[ $(jq -r .query_time <<<"$output") == 20[0-9][0-9]-*T*Z ]]
	stop_httpd
}

@test "connection summary: by destination, protocol, process; from when it counts" {
	start_httpd
	feed_connects
	[ "$(ask /api/connection-summary '[.since, .until, .complete, .left_out, .begun, .accepted, .failed]')" = \
		"[$T0,$((T0 + 10000)),true,0,30,30,10]" ]
	[ "$(ask /api/connection-summary '.by_destination | map([.dst_ip, .dst_port, .proto, .direction, .opened, .failed])')" = \
		'[["10.0.0.1",443,"TCP","ingress",30,0],["10.0.0.2",443,"TCP","egress",20,0],["fd00::3",443,"TCP","egress",10,10]]' ]
	[ "$(ask /api/connection-summary '[.by_protocol, .by_process[0]]')" = \
		'[[{"proto":"TCP","opened":60,"failed":10}],{"pid":12,"command":"nginx","opened":30,"failed":0}]' ]
	[ "$(ask '/api/connection-summary?pid=11&duration=4' '[.query, .since]')" = \
		"[{\"pid\":11,\"command\":null,\"duration\":4},$((T0 + 6000))]" ]
	# Longer than an hour: what is kept, and from when.
	[ "$(ask '/api/connection-summary?duration=999999' '[.count, .duration, .since]')" = "[30,999999,$T0]" ]
	[ "$(ask '/api/connection-summary?pid=999' '[.count, .by_destination]')" = '[0,[]]' ]
	stop_httpd
}

@test "connection summary: what the snapshots left out is said" {
	start_httpd
	feed_connects 7
	[ "$(ask '/api/connection-summary?duration=3' '[.complete, .left_out]')" = '[false,21]' ]
	stop_httpd
}

@test "summaries: wrong parameters are named" {
	start_httpd
	feed_connects
	local path row json=(-H 'Content-Type: application/json')
	for path in /api/connection-summary /api/packet-drop-summary; do
		for row in 'pid=0' 'pid=-1' 'pid=x' 'pid=2147483648' 'command=' "command=$(printf 'x%.0s' {1..65})" \
			'duration=0' 'duration=-5' 'duration=1.5' 'duration=60s' 'duration=' 'duration=1000000001' 'since=1' 'pid=1&pid=2'; do
			refused "$path?$row" "${row%%=*}"
		done
		refused "$path?duration=1&duration_seconds=2" duration_seconds
		for row in '{"pid":"1"}' '{"pid":1.5}' '{"pid":-1}' '{"pid":[1]}' '{"pid":2147483648}' '{"pid":true}'; do
			refused $path pid "${json[@]}" -d "$row"
		done
		for row in '{"duration":"60"}' '{"duration":0}' '{"duration":-60}' '{"duration":1e3}' '{"duration":1000000001}'; do
			refused $path duration "${json[@]}" -d "$row"
		done
		refused $path command "${json[@]}" -d '{"command":7}'
		refused $path command "${json[@]}" -d "{\"command\":\"$(printf 'x%.0s' {1..65})\"}"
		refused $path process_name "${json[@]}" -d '{"command":"a","process_name":"b"}'
		for row in '' '[]' '7' '{' '{"pid":1}x' '{"pid":1,"pid":2}' '{"command":"\u0000"}' '{"pid":99999999999999999999}' $'{"command":"\xff"}'; do
			refused $path 'the body' "${json[@]}" -d "$row"
		done
		refused "$path?pid=1" pid "${json[@]}" -d '{}'
		get $path -d '{"pid":1}'
		[ "$STATUS" = 415 ]
		[ "$(header accept-post)" = application/json ]
		get $path -H 'Content-Type: application/json; charset=utf-8' -d '{"pid":1}'
		[ "$STATUS" = 200 ]
		get $path "${json[@]}" -d "{\"command\":\"$(printf 'x%.0s' {1..5000})\"}"
		[ "$STATUS" = 413 ]
		get $path "${json[@]}" -H 'Transfer-Encoding: chunked' -d '{}'
		[ "$STATUS" = 411 ]
		get $path -X PUT
		[ "$STATUS" = 405 ]
		[ "$(header allow)" = 'GET, HEAD, POST' ]
	done
	stop_httpd
}

@test "packet drop summary: exact by reason and protocol, as known by destination" {
	start_httpd
	local seq
	for seq in {1..5}; do
		feed "$(snapshot "$seq" "\"drops\":[$(drop NO_SOCKET 3 UDP $((1000 + seq))),$(drop TCP_CSUM 5 TCP 9)],\"drops_unspecified\":{\"packets\":$((seq * 2)),\"bytes\":$((seq * 20)),\"pps\":2},\"drop_flows\":[$(drop_flow NO_SOCKET 10.0.0.1 22 90 1),$(drop_flow NO_SOCKET 10.0.0.1 9 90 2)]")"
	done
	client wait 5
	# The counters began long before; TCP_CSUM says one a second once, and no more.
	[ "$(ask /api/packet-drop-summary '[.count, .total_drops, .bytes, .unspecified, .with_flow, .complete, .since]')" = \
		"[6,6,420,{\"packets\":10,\"bytes\":100},15,true,$T0]" ]
	[ "$(ask /api/packet-drop-summary '[.by_reason, .by_protocol[0].packets]')" = \
		'[[{"reason":"NO_SOCKET","packets":5,"bytes":350},{"reason":"TCP_CSUM","packets":1,"bytes":70}],5]' ]
	[ "$(ask '/api/packet-drop-summary?duration=2' '.by_destination | map([.dst_ip, .dst_port, .packets])')" = '[["10.0.0.1",9,4],["10.0.0.1",22,2]]' ]
	[ "$(post /api/packet-drop-summary '{"pid":10,"duration":60}' '[.count, .complete, .bytes]')" = '[0,false,null]' ]
	stop_httpd
}

@test "list-connections: grouped by process, for both generations of clients" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/list-connections '[.total_pids, .total_events, .truncated, (.events_by_pid | map_values(length)), (.connections | map_values(length))]')" = \
		'[3,4,false,{"0":1,"10":2,"11":1},{"0":1,"10":2,"11":1}]' ]
	[ "$(ask /api/list-connections '.connections["11"][0]')" = \
		'{"pid":11,"command":"wget","destination":"10.0.0.3:80","protocol":"TCP","return_code":-111,"timestamp":"2025-11-21T05:46:40Z"}' ]
	[ "$(ask /api/list-connections '.events_by_pid["11"][0] | [.pid, .command, .destination, .protocol, .return_code, .state, .reason, .src_port]')" = \
		'[11,"wget","10.0.0.3:80","TCP",-111,"failed","refused",40003]' ]
	get /api/list-connections
	grep -q '"timestamp":1763704000.000}' <<<"$output"
	[ "$(ask /api/list-connections '.events_by_pid["0"][0] | [.pid, .command, .return_code, .direction]')" = '[0,"",0,"ingress"]' ]
	[ "$(ask '/api/list-connections?pid=10&limit=1' '[.total_pids, .total_events, .total, .truncated, .events_by_pid["10"][0].src_port]')" = '[1,1,2,true,40001]' ]
	[ "$(post /api/list-connections '{"pid":10,"limit":5}' '[.total_events, .truncated, .message]')" = '[2,false,"Found 2 connections across 1 processes"]' ]
	[ "$(ask '/api/list-connections?pid=999' '[.total_pids, .events_by_pid, .connections]')" = '[0,{},{}]' ]
	refused '/api/list-connections?limit=1001' limit
	refused '/api/list-connections?pid=me' pid
	refused /api/list-connections limit -H 'Content-Type: application/json' -d '{"limit":"1"}'
	stop_httpd
}

@test "list-connections: what connect() would have returned" {
	start_httpd
	local rows='{"pid":1,"state":"connecting","reason":null}' reason
	for reason in refused timed_out reset unreachable aborted error_5 error_x odd; do
		rows+=",{\"pid\":1,\"state\":\"failed\",\"reason\":\"$reason\",\"dst_ip\":\"fd00::1\",\"dst_port\":1}"
	done
	feed "{\"type\":\"snapshot\",\"seq\":1,\"connections\":[$rows,7]}"
	client wait 1
	[ "$(ask /api/list-connections '.connections["1"] | map(.return_code)')" = '[-115,-111,-110,-104,-113,-103,-5,-5,-5]' ]
	[ "$(ask /api/list-connections '.connections["1"][0:2] | map(.destination)')" = '["","[fd00::1]:1"]' ]
	[ "$(ask /api/list-connections .total_events)" = 9 ]
	stop_httpd
}

@test "list-packet-drops: grouped by the process whose connection it was" {
	start_httpd
	local flow='"proto":"TCP","src_ip":"10.0.0.2","src_port":443,"dst_ip":"10.0.0.1","dst_port":40001'
	feed "$(snapshot 1 "\"drop_flows\":[{$flow,\"reason\":\"TCP_CSUM\",\"packets\":2,\"bytes\":140,\"recent\":1,\"last\":$T0.250},$(drop_flow NO_SOCKET 10.0.0.1 9 90 5)]")"
	client wait 1
	[ "$(ask /api/list-packet-drops '[.total_pids, .total_events, .drops["10"]]')" = \
		'[2,2,[{"pid":10,"command":"curl","drop_reason":"TCP_CSUM","skb_length":70,"timestamp":"2025-11-21T05:46:40Z"}]]' ]
	[ "$(ask /api/list-packet-drops '.events_by_pid["0"][0] | [.pid, .command, .reason, .dst_port]')" = '[0,"","NO_SOCKET",9]' ]
	get /api/list-packet-drops
	grep -q '"timestamp":1763704000.000}' <<<"$output"
	[ "$(ask '/api/list-packet-drops?pid=10' '[.events_by_pid["10"][].reason]')" = '["TCP_CSUM"]' ]
	# The summary knows it too.
	[ "$(ask '/api/packet-drop-summary?command=curl' '[.count, .by_process]')" = '[1,[{"pid":10,"command":"curl","packets":1}]]' ]
	stop_httpd
}

@test "from lines to answers: what the aggregator makes of them" {
	local socket='"pid":10,"command":"curl","uid":0,"cgroup":"/a","cgroup_id":1,"netns":1,"direction":"egress","ip_version":4,"proto":"TCP","src_ip":"10.0.0.1","src_port":40000,"dst_ip":"10.0.0.2","dst_port":443,"service":"https"'
	local rest='"bytes_sent":0,"bytes_received":0,"rtt_us":100,"rtt_min_us":90,"retransmits":0'
	cat >"$T/lines" <<-EOF
		{"type":"hello","schema":1,"tool":"reader","version":"0.1.0","host":"web1","timestamp":$T0.000}
		{"type":"connection","timestamp":$T0.000,"event":"connect","reason":null,"existing":false,$socket,"duration_ms":null,$rest}
		{"type":"connection","timestamp":$T0.000,"event":"established","reason":null,"existing":false,$socket,"duration_ms":0.000,$rest}
		{"type":"process","timestamp":$T0.000,"pid":10,"command":"curl","uid":0,"ip_version":4,"proto":"TCP","remote_ip":"10.0.0.2","remote_port":443,"tx_bytes":100,"rx_bytes":2000,"tx_calls":1,"rx_calls":2}
		{"type":"drop","timestamp":$T0.000,"ifname":"eth0","netns":1,"ip_version":4,"proto":"TCP","src_ip":"10.0.0.2","dst_ip":"10.0.0.1","src_port":443,"dst_port":40000,"reason":"TCP_CSUM","reason_code":5,"location":"tcp_v4_rcv","count":2,"bytes":140}
		{"type":"latency","timestamp":$T0.000,"name":"tcp_rtt","unit":"us","network":"10.0.0.0/24","count":9,"buckets":[[32,1],[33,8]]}
		{"type":"probe","timestamp":$T0.000,"probe":"drop","counters":{"packets":1002,"bytes":70140}}
		{"type":"drop_counters","timestamp":$T0.000,"drops":[{"reason":"TCP_CSUM","reason_code":5,"proto":"TCP","packets":1002,"bytes":70140}],"more":false}
	EOF
	start_httpd
	feed "$("$BIN/aggregator" <"$T/lines")"
	client wait 1
	[ "$(ask '/api/connections?state=open&command=curl&port=443' .matched)" = 1 ]
	[ "$(ask /api/processes/10 '[.process.tx_bytes, .connections[0].state]')" = '[100,"open"]' ]
	[ "$(ask '/api/remotes?ip=10.0.0.2' '.remotes[0].rx_bytes')" = 2000 ]
	[ "$(ask /api/protocols '.protocols[0] | [.proto, .tx_bytes]')" = '["TCP",100]' ]
	[ "$(ask '/api/drops?reason=TCP_CSUM' '[.drops[0].packets, .drop_flows[0].packets]')" = '[1002,2]' ]
	[ "$(ask '/api/latency?network=10.0.0.1' '.latency[0].p50')" = 33 ]
	[ "$(ask /api/programs '.programs[0] | [.name, .event_count]')" = '["drop",1002]' ]
	[ "$(ask '/api/connection-summary?pid=10' '[.count, .by_destination[0].dst_ip]')" = '[1,"10.0.0.2"]' ]
	# What was dropped before is not of this hour; whose it was, the connection knows.
	[ "$(ask /api/packet-drop-summary .count)" = 2 ]
	[ "$(ask '/api/packet-drop-summary?pid=10' '[.count, .complete]')" = '[2,true]' ]
	[ "$(ask /api/list-packet-drops '.drops["10"][0].command')" = '"curl"' ]
	stop_httpd
}

@test "limits of the hour's memory are among the others" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	[ "$(ask /api/stats '.httpd.limits | [.ledger_rows, .ledger_buckets, .ledger_reasons] | map([.limit > 0, .hits])')" = '[[true,0],[true,0],[true,0]]' ]
	stop_httpd
}

@test "all of it asks for the token" {
	echo '0123456789abcdef0123456789' >"$T/token"
	start_httpd --token-file "$T/token"
	local path
	for path in connections processes processes/1 remotes protocols drops latency programs \
		connections/summary connection-summary packet-drop-summary list-connections list-packet-drops; do
		get /api/$path
		[ "$STATUS" = 401 ]
	done
	for path in connections/summary connection-summary packet-drop-summary list-connections list-packet-drops; do
		get /api/$path -H 'Content-Type: application/json' -d '{}'
		[ "$STATUS" = 401 ]
	done
	stop_httpd
}

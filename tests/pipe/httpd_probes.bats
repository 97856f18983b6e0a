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

# snapshot SEQ [MEMBER...]: a member is "key":value, and stands before the ones that are here already
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
	printf ',"drops":[%s,%s],"drops_unspecified":{"packets":40,"bytes":400,"pps":0}' "$(drop NO_SOCKET 3 UDP 100)" "$(drop TCP_CSUM 5 TCP 3)"
	printf ',"drop_flows":[%s,%s]' "$(drop_flow NO_SOCKET 10.0.0.1 9 90 5)" "$(drop_flow NETFILTER_DROP 10.0.0.7 53 4 2)"
	printf ',"latency":[%s,%s]' "$(latency null 100 '[[32,1],[33,8]]')" "$(latency '"10.0.0.0/24"' 50 '[]')"
	printf ',"latency_table":{"active":1},"probes":[{"host":"web1","probe":"drop","counters":{"packets":143,"bytes":1}},{"host":"web1","probe":"new","counters":{}}]'
	printf ',"interfaces":[{"host":"web1","ifname":"eth0","packets":3,"bytes":222,"packet_lines":3,"folded":0,"unattributed":0,"malformed":0,"ring_full":0}]}'
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
	for path in connections processes processes/1 remotes protocols drops latency programs; do
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
	ask /api/connections '[.total, .matched, (.connections | length), .connection_table.active, .stale, .timestamp]'
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

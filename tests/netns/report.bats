#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# From the wire to a terminal: what report says of an hour is what was sent, to the byte.

load lib
load probes

setup() {
	require_root
	make_veth
	# Addresses of this test alone: the probes see the whole host.
	NET=198.18.$(($$ / 60 % 250 + 1)).$(($$ % 60 * 4))
	CLIENT=${NET%.*}.$((${NET##*.} + 1)) SERVER=${NET%.*}.$((${NET##*.} + 2))
	in_a ip address add "$CLIENT/30" dev "$VETH_A"
	in_b ip address add "$SERVER/30" dev "$VETH_B"
	mkdir -m 700 "$WORK/db"
	chown 65534:65534 "$WORK/db"
}

teardown() {
	clean_up
}

# start_keeping: reader | aggregator | recorder, none with any privilege; what passes is in $LINES.
start_keeping() {
	mkfifo "$WORK/read" "$WORK/added"
	: >"$LINES"
	"${UNPRIVILEGED[@]}" "$BIN/recorder" --db "$WORK/db/flows.db" --interval 0.2 <"$WORK/added" >>"$LINES" 3>&- &
	CONSUMER_PID=$!
	"${UNPRIVILEGED[@]}" "$BIN/aggregator" --interval 0.2 <"$WORK/read" >"$WORK/added" 3>&- &
	PIDS+=("$CONSUMER_PID" $!)
	nsenter --net="/run/netns/$NETNS_B" "${UNPRIVILEGED[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" --interval 0.2 \
		>"$WORK/read" 3>&- &
	READER_PID=$!
	PIDS+=("$READER_PID")
	# Counting begins with the first line of counters.
	until_line "$LINES" "\"type\":\"$1\""
}

report() {
	"${UNPRIVILEGED[@]}" "$BIN/report" --db "$WORK/db/flows.db" --last 1h "$@"
}

@test "processes, remotes, protocols: bytes and calls are what the calls returned" {
	load_probes process
	start_keeping hello
	for way in "TCP send, recv" "TCP write, read" "TCP splice out, splice in" "UDP send, recv" "UDP sendmsg, recvmsg"; do
		tool movers "$(netns_path in_a)" "$(netns_path in_b)" "$SERVER" "$VETH_A" veth "$way" >>"$WORK/expected"
	done
	tool connector brief "$(netns_path in_a)" "$(netns_path in_b)" "$SERVER" 20 300000 >>"$WORK/expected"
	finish
	for by in process remote protocol; do
		report top --by "$by" --ip "$NET/30" -n 0 --format json >"$WORK/$by"
	done
	"$BATS_TEST_DIRNAME/report_table.py" "$WORK/expected" "$WORK/process" "$WORK/remote" "$WORK/protocol" | comment
	[ "${PIPESTATUS[0]}" -eq 0 ]
	# The same in each history, and for each process by its name.
	sent=$(jq '[.rows[].tx_bytes] | add' "$WORK/remote")
	[ "$sent" -gt 0 ]
	for step in 10s 1min 5min 1h 1d; do
		[ "$(report history --ip "$NET/30" --step "$step" --format json | jq '[.rows[].tx_bytes] | add')" = "$sent" ]
	done
	jq -r '.rows[].command' "$WORK/process" | sort -u >"$WORK/commands"
	while read -r command; do
		report remotes --process "$command" --ip "$NET/30" --format json | jq '[.rows[].tx_bytes] | add'
	done <"$WORK/commands" | jq -s add | grep -qx "$sent"
}

@test "the wire: packets and bytes by direction and protocol, and what was dropped" {
	local sent packets bytes
	in_b_loader --group "$GROUP_ID" --probe packet,drop --hook tc --packet-lines 100 --drop-lines 10 "$VETH_B"
	start_keeping counters
	sent=$(in_a "$BUILD/tests/netns/blast" "$VETH_A" 200000 128 500)
	tool droppers "$(netns_path in_a)" "$(netns_path in_b)" "$CLIENT" "$SERVER" 203.0.113.9 203.0.113.8 IPv4 37 \
		"unknown protocol" >"$WORK/expected"
	finish
	report history --step 1h --format json | jq '[.rows[] | select(.ingress_bytes)] |
		{ packets: map(.ingress_packets) | add, bytes: map(.ingress_bytes) | add }' >"$WORK/history"
	report protocols --proto UDP --format json >"$WORK/udp"
	report drops --proto 253 --format json >"$WORK/drops"
	read -r _ packets _ bytes _ <<<"$sent"
	echo "$sent; $(cat "$WORK/udp" "$WORK/history" "$WORK/drops")"
	[ "$(jq '.rows | map(.ingress_packets) | add' "$WORK/udp")" = "$packets" ]
	[ "$(jq '.rows | map(.ingress_bytes) | add' "$WORK/udp")" = "$bytes" ]
	[ "$(jq '.rows | map(select(.reason == "IP_NOPROTO") | .packets) | add' "$WORK/drops")" = \
		"$(jq -s 'map(.count) | add' "$WORK/expected")" ]
	# All that came in, also ARP and what was dropped behind the interface, and no more.
	[ "$(jq .packets "$WORK/history")" = "$(report protocols --format json | jq '[.rows[].ingress_packets] | add')" ]
	[ "$(jq .bytes "$WORK/history")" = "$(report protocols --format json | jq '[.rows[].ingress_bytes] | add')" ]
	report protocols | comment
}

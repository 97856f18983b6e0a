#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every packet is counted exactly once: packet lines + flow packets + unattributed == totals == what the
# sender sent == the interface's own counters, as fast as one sender can.

load lib

PACKETS=${JOPIL_FLOOD_PACKETS:-2000000}

setup() {
	require_root
	make_veth
}

teardown() {
	clean_up
}

# The receiving interface's own counters: "packets bytes".
own_counters() {
	in_b ip -s -j link show dev "$VETH_B" | jq -r '.[0].stats64.rx | "\(.packets) \(.bytes)"'
}

# flood_is_exact FLOWS LOADER-OPTION...: floods, ends the reader, holds all sums against each other.
flood_is_exact() {
	local flows=$1 before after sent
	shift
	load_b "$@"
	before=$(own_counters)
	start_reader
	sent=$(in_a "$BUILD/tests/netns/blast" "$VETH_A" "$PACKETS" 64 "$flows")
	after=$(own_counters)
	stop_reader
	check_sums "$sent" "$before" "$after"
}

# check_sums "sent PACKETS ... BYTES" BEFORE AFTER: prints the accounting line; fails if any sum differs.
check_sums() {
	local packets bytes total
	"$BUILD/tests/netns/balance" <"$LINES" | tee "$WORK/accounting"
	grep -q '^accounting: exact' "$WORK/accounting"
	packets=$(($(cut -d' ' -f1 <<<"$3") - $(cut -d' ' -f1 <<<"$2")))
	bytes=$(($(cut -d' ' -f2 <<<"$3") - $(cut -d' ' -f2 <<<"$2")))
	total=$(jq -sr --arg ifname "$VETH_B" '[.[] | select(.type == "counters" and .ifname == $ifname)] | last |
		"\(.ingress_packets) \(.ingress_bytes)"' <(grep '"type":"counters"' "$LINES"))
	echo "sent: $1; interface: $packets packets $bytes bytes; totals: $total"
	[ "$total" = "$packets $bytes" ]
	[ "$packets" -ge "$PACKETS" ]
}

@test "no packet lines, 1 flow" { flood_is_exact 1 --hook xdp --packet-lines 0; }
@test "no packet lines, 1000 flows" { flood_is_exact 1000 --hook xdp --packet-lines 0; }
@test "no packet lines, 100000 flows" { flood_is_exact 100000 --hook xdp --packet-lines 0 --max-flows 131072; }
@test "1000 lines a second, 1 flow" { flood_is_exact 1 --hook xdp --packet-lines 1000; }
@test "1000 lines a second, 1000 flows" { flood_is_exact 1000 --hook tc --packet-lines 1000; }
@test "1000 lines a second, 100000 flows" { flood_is_exact 100000 --hook generic --packet-lines 1000; }
@test "a line for each packet, 1 flow" { flood_is_exact 1 --hook xdp --packet-lines all; }
@test "a line for each packet, 1000 flows" { flood_is_exact 1000 --hook tc --packet-lines all; }
@test "a line for each packet, 100000 flows" { flood_is_exact 100000 --hook xdp --packet-lines all; }

@test "100000 flows in a map of 1000: the rest is unattributed, and counted" {
	flood_is_exact 100000 --hook xdp --packet-lines 0 --max-flows 1000
	jq -se '[.[] | select(.type == "counters")] | last | .unattributed > 0' <(grep '"type":"counters"' "$LINES")
}

@test "a consumer that stops for five seconds in the middle" {
	local before after sent
	load_b --hook xdp --packet-lines all
	before=$(own_counters)
	start_reader
	kill -STOP "$CONSUMER_PID"
	sent=$(in_a "$BUILD/tests/netns/blast" "$VETH_A" "$PACKETS" 64 1000)
	read -r -t 5 <>"$WORK/never" || :
	kill -CONT "$CONSUMER_PID"
	after=$(own_counters)
	stop_reader
	check_sums "$sent" "$before" "$after"
}

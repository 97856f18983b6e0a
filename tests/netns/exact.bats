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

# begin LOADER-OPTION...: attaches, notes the interface's own counters, starts the reader.
begin() {
	load_b "$@"
	RX_BEFORE=$(device_counters in_b "$VETH_B" rx)
	TX_BEFORE=$(device_counters in_b "$VETH_B" tx)
	start_reader
}

# since "PACKETS BYTES" "PACKETS BYTES": what was added.
since() { echo "$((${2% *} - ${1% *})) $((${2#* } - ${1#* }))"; }

# last_counters JQ-EXPRESSION: of the last counters line.
last_counters() {
	grep '"type":"counters"' "$LINES" | jq -sr "[.[] | select(.more == false)] | last | $1"
}

flood() { in_a "$BUILD/tests/netns/blast" "$VETH_A" "$PACKETS" 64 "$1"; }

# check_sums SENT: lines, totals, what the sender says and the interface's own counters are equal. A veth counts
# bytes behind the Ethernet header while native XDP is on it (drivers/net/veth.c).
check_sums() {
	local total received
	"$BUILD/tests/netns/balance" <"$LINES"
	total=$(last_counters '"\(.ingress_packets) \(.ingress_bytes)"')
	received=$(since "$RX_BEFORE" "$(device_counters in_b "$VETH_B" rx)")
	echo "$1; interface: $received; totals: $total"
	[ "$1" = "sent ${total% *} packets ${total#* } bytes" ]
	[ "${received% *}" = "${total% *}" ]
	[ "$received" = "$total" ] || [ $((${received#* } + 14 * ${received% *})) = "${total#* }" ]
	[ "${total% *}" = "$PACKETS" ]
}

# flood_is_exact FLOWS LOADER-OPTION...: floods, ends the reader, holds all sums against each other.
flood_is_exact() {
	local sent
	begin "${@:2}"
	sent=$(flood "$1")
	stop_reader
	check_sums "$sent"
}

@test "no packet lines, 1 flow" { flood_is_exact 1 --hook xdp --packet-lines 0; }
@test "no packet lines, 1000 flows" { flood_is_exact 1000 --hook xdp --packet-lines 0; }
@test "no packet lines, 100000 flows" { flood_is_exact 100000 --hook xdp --packet-lines 0 --max-flows 131072; }
@test "1000 lines a second, 1 flow" { flood_is_exact 1 --hook xdp --packet-lines 1000; }
# bats test_tags=kernel
@test "1000 lines a second, 1000 flows" { flood_is_exact 1000 --hook tc --packet-lines 1000; }
# bats test_tags=kernel
@test "1000 lines a second, 100000 flows" { flood_is_exact 100000 --hook generic --packet-lines 1000; }
@test "a line for each packet, 1 flow" { flood_is_exact 1 --hook xdp --packet-lines all; }
@test "a line for each packet, 1000 flows" { flood_is_exact 1000 --hook tc --packet-lines all; }
# bats test_tags=kernel
@test "a line for each packet, 100000 flows" { flood_is_exact 100000 --hook xdp --packet-lines all; }

@test "100000 flows in a map of 1000: the rest is unattributed, and counted" {
	flood_is_exact 100000 --hook xdp --packet-lines 0 --max-flows 1000
	[ "$(last_counters '.unattributed > 0')" = true ]
}

@test "a consumer that stops for five seconds in the middle: detail is lost, counts are not" {
	local sent
	begin --hook xdp --packet-lines all
	kill -STOP "$CONSUMER_PID"
	sent=$(flood 1000)
	read -r -t 5 <>"$WORK/never" || :
	kill -CONT "$CONSUMER_PID"
	stop_reader
	check_sums "$sent"
	[ "$(last_counters '.ring_full > 0')" = true ]
}

@test "every kind of protocol, IPv4 and IPv6, both directions" {
	local version
	begin --hook tc --packet-lines 1000
	for version in "" -6; do
		in_a "$BUILD/tests/netns/blast" $version "$VETH_A" $((PACKETS / 10)) 128 5000 mix
		in_b "$BUILD/tests/netns/blast" $version "$VETH_B" $((PACKETS / 10)) 128 5000 mix
	done
	stop_reader
	"$BUILD/tests/netns/balance" <"$LINES"
	[ "$(last_counters '"\(.ingress_packets) \(.ingress_bytes)"')" = \
		"$(since "$RX_BEFORE" "$(device_counters in_b "$VETH_B" rx)")" ]
	[ "$(last_counters '"\(.egress_packets) \(.egress_bytes)"')" = \
		"$(since "$TX_BEFORE" "$(device_counters in_b "$VETH_B" tx)")" ]
	[ "$(last_counters '.unattributed')" = 0 ]
}

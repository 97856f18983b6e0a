#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# As many 5-tuples as a sender can make up: memory stays at its cap, every packet is counted, and the packets of who was
# there before are still told by flow.

load lib
load probes

FLOOD_S=${JOPIL_FLOOD_SECONDS:-6}
TUPLES=10000000
# Flows in the kernel. A small map is full before a busy sender has its turn on a busy machine: that is for make hostile.
KERNEL_LIMIT=${JOPIL_FLOOD_FLOWS:-262144}
LIMIT=16384 # in the aggregator: soon full, however slow the machine is
BUSY=10     # flows, the first of all tuples
BUSY_PPS=20000

setup() {
	# Where the CPUs are taken the busy sender may come too late for a flow of its own in the kernel.
	BATS_TEST_RETRIES=2
	require_root
	make_veth
}

teardown() {
	clean_up
}

pump() { in_a "$BUILD/tests/bench/pump" "$@"; }
sent() { jq -s 'map(.sent) | add' "$@"; }

# start_pipeline: an unprivileged reader and an aggregator; AGGREGATOR_PID, $WORK/snapshots.
start_pipeline() {
	mkfifo "$WORK/pipe"
	"$BIN/aggregator" --interval 1 --max-flows "$LIMIT" <"$WORK/pipe" >"$WORK/snapshots" 3>&- &
	AGGREGATOR_PID=$!
	nsenter --net="/run/netns/$NETNS_B" "${UNPRIVILEGED[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" --interval 1 \
		>"$WORK/pipe" 2>"$WORK/reader.err" 3>&- &
	READER_PID=$!
	PIDS+=("$AGGREGATOR_PID" "$READER_PID")
}

# memory: kB that the aggregator has; map_memory: bytes of the flow maps.
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$AGGREGATOR_PID/status"; }
map_memory() {
	local map
	for map in "$PIN_DIR"/flows_*; do bpftool -j map show pinned "$map" | jq .bytes_memlock; done | paste -sd+ | bc
}

# at_most A B: A is no more than a tenth above B.
at_most() { [ "$1" -le $(($2 * 11 / 10)) ]; }

last() { tail -n 1 "$WORK/snapshots" | jq -c "$1"; }

@test "$TUPLES 5-tuples for $FLOOD_S s: memory at its cap, sums exact, 99 % of the packets of busy flows in their flows" {
	local full maps busy told
	load_b --max-flows "$KERNEL_LIMIT"
	start_pipeline
	pump -r "$BUSY_PPS" 3 "$BUSY" "$VETH_A" >"$WORK/before"
	until_line "$WORK/snapshots" '"flow_table":{"active":'"$BUSY"','
	maps=$(map_memory)
	pump -r "$BUSY_PPS" "$FLOOD_S" "$BUSY" "$VETH_A" >"$WORK/busy" 3>&- &
	busy=$!
	pump "$FLOOD_S" "$TUPLES" "$VETH_A" >"$WORK/flood" 3>&- &
	PIDS+=($!)
	until_line "$WORK/snapshots" '"flow_table":{"active":'"$LIMIT"','
	full=$(memory)
	wait "$busy" "${PIDS[-1]}"
	echo "aggregator: $full kB when full, $(memory) at the end; maps: $maps bytes, $(map_memory) at the end" | comment
	at_most "$(memory)" "$full"
	at_most "$(map_memory)" "$maps"
	detach 2>/dev/null
	wait "$READER_PID" "$AGGREGATOR_PID"
	jq -c . "$WORK/flood" | comment
	last '[.flow_table, .accounting]' | comment
	[ "$(last '[.accounting.total, .accounting.difference]')" = "[$(sent "$WORK/before" "$WORK/busy" "$WORK/flood"),0]" ]
	told=$(last "[.flows | sort_by(-.packets)[:$BUSY][] | select(.src_port >= 8192 and .src_port < 8192 + $BUSY) | .packets] | add")
	echo "busy flows: $told of $(sent "$WORK/before" "$WORK/busy") packets" | comment
	[ $((told * 100)) -ge $(($(sent "$WORK/before" "$WORK/busy") * 99)) ]
}

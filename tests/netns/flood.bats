#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# More than there is room for: what is kept is bounded, totals stay exact, and what was left out is counted.

load lib
load probes

CONNECTIONS=${JOPIL_FLOOD_CONNECTIONS:-100000}
EACH=50 # of one process

setup() {
	require_root
	make_veth
	A=$(netns_path in_a) B=$(netns_path in_b)
}

teardown() {
	clean_up
}

flood() { tool flood "$A" "$B" 10.77.0.2 $((CONNECTIONS / EACH)) "$EACH"; }

# sum_of FIGURE: of all process lines.
sum_of() { grep '"type":"process"' "$LINES" | grep -o "\"$1\":[0-9]*" | awk -F: '{ sum += $2 } END { print sum + 0 }'; }

# process_balances: each figure of the lines and what is not attributed are the counter.
process_balances() {
	local figure sum left total
	for figure in tx_bytes rx_bytes tx_calls rx_calls; do
		sum=$(sum_of $figure) left=$(probe_counter process unattributed_$figure) total=$(probe_counter process $figure)
		echo "$figure: lines $sum, unattributed $left, counted $total" | comment
		[ $((sum + left)) -eq "$total" ]
	done
}

@test "$CONNECTIONS short connections of $((CONNECTIONS / EACH)) processes, 100 rows of processes: totals exact, the rest counted" {
	local ours
	begin process --max-processes 100
	flood >"$WORK/expected"
	finish
	process_balances
	[ "$(probe_counter process unattributed_tx_bytes)" -gt 0 ]
	# Both ends send what the other receives, and nothing else moves in between but what the host does besides.
	ours=$(jq '.client_tx_bytes + .client_rx_bytes' "$WORK/expected")
	[ "$(probe_counter process tx_bytes)" -ge "$ours" ]
	[ "$(probe_counter process rx_bytes)" -ge "$ours" ]
}

@test "a ring too small for a flood: events are lost, and counted to the last one" {
	local lines counted
	begin connection --event-ring-size 64K
	kill -STOP "$READER_PID"
	tool flood "$A" "$B" 10.77.0.2 20 50 >/dev/null
	kill -CONT "$READER_PID"
	finish
	lines=$(lines_of connection 'select(.existing | not) | 1' | wc -l)
	counted=$(grep '"probe":"connection"' "$LINES" | tail -n 1 | jq '.counters |
		.connects + .accepts + .established + .closed + .failed + .udp_connects')
	echo "events $counted: lines $lines, ring full $(probe_counter connection ring_full)" | comment
	[ "$(probe_counter connection ring_full)" -gt 0 ]
	[ $((lines + $(probe_counter connection ring_full))) -eq "$counted" ]
}

# events_are_the_kernels: the lines of both namespaces, by event, and the namespaces' own figures.
events_are_the_kernels() {
	awk -v a="\"netns\":$(netns_inode in_a)," -v b="\"netns\":$(netns_inode in_b)," '
		/"type":"connection"/ { split($0, e, "\""); n[(index($0, a) ? "a" : index($0, b) ? "b" : "-") " " e[10]]++ }
		END { for (k in n) print k, n[k] }' "$LINES" | sort >"$WORK/events"
	comment <"$WORK/events"
	grep -qx "a connect $(snmp in_a Tcp.ActiveOpens)" "$WORK/events"
	grep -qx "a established $CONNECTIONS" "$WORK/events"
	grep -qx "b accept $(snmp in_b Tcp.PassiveOpens)" "$WORK/events"
	grep -qx "a close $(snmp in_a Tcp.EstabResets)" "$WORK/events"
	grep -qx "b failed $(snmp in_b Tcp.EstabResets)" "$WORK/events"
}

# lines_with PATTERN: how many.
lines_with() { grep -c -- "$1" "$LINES"; }

# aggregate OPTION...: $WORK/snapshot is its last. 512 MB of addresses are all it gets, whatever comes.
aggregate() {
	(
		ulimit -v $((512 * 1024))
		"$BIN/aggregator" --interval 1 "$@" <"$LINES" | tail -n 1 >"$WORK/snapshot"
	)
}

snapshot() { jq "$1" "$WORK/snapshot"; }

# table_is_exact: connections ever, as the lines have them; bytes kept and evicted are the bytes of the lines.
tables_are_exact() {
	local figure
	[ "$(snapshot .connection_table.connects)" -eq "$(lines_with '"event":"connect"')" ]
	[ "$(snapshot .connection_table.accepts)" -eq "$(lines_with '"event":"accept"')" ]
	[ "$(snapshot .connection_table.closed)" -eq "$(lines_with '"event":"close"')" ]
	[ "$(snapshot .connection_table.failed)" -eq "$(lines_with '"event":"failed"')" ]
	for figure in tx_bytes rx_bytes; do
		[ "$(snapshot "(.processes | map(.$figure) | add) + .process_table.evicted_$figure")" -eq "$(sum_of $figure)" ]
	done
}

@test "$CONNECTIONS short connections: every event a line, as the kernel counts them; the aggregator is bounded and exact" {
	begin process,connection --event-ring-size 64M --max-processes 262144
	flood >"$WORK/expected"
	finish
	[ "$(probe_counter connection ring_full)" -eq 0 ]
	events_are_the_kernels
	process_balances
	[ "$(probe_counter process unattributed_tx_bytes)" -eq 0 ]
	aggregate --max-processes 50 --max-connections 1000
	snapshot '{process_table, connection_table}' | jq -c . | comment
	[ "$(snapshot '.process_table | .active <= .limit and .limit == 50 and .evicted > 0')" = true ]
	[ "$(snapshot '.connection_table | .active <= .limit and .limit == 1000 and .evicted > 0')" = true ]
	tables_are_exact
}

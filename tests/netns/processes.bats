#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every byte of every process, whichever way it moves: what the process lines say is what the calls returned.

load lib
load probes

ROUNDS=${JOPIL_PROCESS_ROUNDS:-5}

setup() {
	require_root
	need process
	make_veth
	in_a sysctl -qw net.ipv4.ping_group_range="0 0"
}

teardown() {
	clean_up
}

# move_everything: over veth between namespaces and over loopback, IPv4 and IPv6.
move_everything() {
	local a b
	a=$(netns_path in_a) b=$(netns_path in_b)
	tool movers "$a" "$b" 10.77.0.2 "$VETH_A" "veth IPv4"
	tool movers "$a" "$b" fd77::2 "$VETH_A" "veth IPv6"
	tool movers "$a" "$a" 127.0.0.1 lo "lo IPv4"
	tool movers "$a" "$a" ::1 lo "lo IPv6"
}

# processes_are_exact: the lines against what was expected, as a table in the output.
processes_are_exact() {
	local result=0
	"$BATS_TEST_DIRNAME/process_table.py" "$WORK/expected" "$LINES" >"$WORK/table" || result=1
	comment <"$WORK/table"
	return $result
}

# bytes_balance: lines and what is not attributed are the counters, tx and rx.
bytes_balance() {
	local way sum
	for way in tx rx; do
		sum=$(grep '"type":"process"' "$LINES" | jq -s "map(.${way}_bytes) | add // 0")
		echo "$way: lines $sum, unattributed $(probe_counter process "unattributed_${way}_bytes"), counters $(
			probe_counter process "${way}_bytes")"
		[ $((sum + $(probe_counter process "unattributed_${way}_bytes"))) -eq "$(probe_counter process "${way}_bytes")" ]
	done
}

# bats test_tags=kernel
@test "every way to move bytes, $ROUNDS times: exact to the byte, by pid, command and user" {
	begin process
	for _ in $(seq "$ROUNDS"); do
		move_everything >>"$WORK/expected"
	done
	finish
	processes_are_exact
	bytes_balance
}

@test "200 processes that end at once: all named, all bytes" {
	begin process,connection
	tool connector brief "$(netns_path in_a)" "$(netns_path in_b)" 10.77.0.2 200 10240 >"$WORK/expected"
	settled in_a
	settled in_b
	stop_reader
	[ "$(jq -r 'select(.way == "brief") | .command' "$WORK/expected" | sort -u | wc -l)" -eq 200 ]
	"$BATS_TEST_DIRNAME/process_table.py" "$WORK/expected" "$LINES" >"$WORK/table" || FAILED=1
	"$BATS_TEST_DIRNAME/connection_table.py" "$WORK/expected" "$LINES" >>"$WORK/table" || FAILED=1
	comment <"$WORK/table"
	[ -z "${FAILED:-}" ]
}

# bats test_tags=kernel
@test "receives that wait as the probe comes: what they return, as far as this kernel shows it" {
	local ends=seen
	[[ " ${JOPIL_LACKS:-} " != *" process_recv "* ]] || ends=unseen
	mkfifo "$WORK/go"
	in_a "$BATS_TEST_DIRNAME/waiters.py" $ends >"$WORK/expected" 2>"$WORK/waiting" <"$WORK/go" 3>&- &
	PIDS+=($!)
	exec 8>"$WORK/go"
	until_line "$WORK/waiting" '^ready$'
	begin process 8>&-
	exec 8>&-
	wait "${PIDS[0]}"
	finish
	processes_are_exact
	[ "$(wc -l <"$WORK/expected")" -eq 4 ]
}

# From Linux 7.0 tasks take turns in the middle of a program: more of them than CPUs, and none waits for another.
# bats test_tags=kernel
@test "eight processes at once, as fast as they can: every call" {
	begin process
	in_a "$BATS_TEST_DIRNAME/crowd.py" 8 5000 >"$WORK/expected"
	finish
	processes_are_exact
	[ "$(wc -l <"$WORK/expected")" -eq 8 ]
}

# bats test_tags=kernel
@test "a datagram to a group, for which no route is looked up: the remote is what the call named" {
	[[ " ${JOPIL_LACKS:-} " != *" process_sendmsg4 "* || " ${JOPIL_LACKS:-} " != *" process_send_exit_inet "* ]] ||
		skip "Linux $JOPIL_KERNEL shows no names of unconnected sends"
	begin process
	in_a python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.1"))
s.sendto(b"x" * 123, ("224.0.0.251", 5353))'
	finish
	[ "$(lines_of process 'select(.remote_ip == "224.0.0.251") | "\(.remote_port) \(.tx_bytes)"')" = "5353 123" ]
}

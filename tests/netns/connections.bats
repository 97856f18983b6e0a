#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every connection from its beginning to its end: who, which way, why it ended, how long, how many bytes; and the
# numbers of the kernel itself, /proc/net/snmp and ss, say the same.

load lib
load probes

BURST=${JOPIL_BURST:-2000}
CROWD_ROUNDS=${JOPIL_CROWD_ROUNDS:-200}

setup() {
	require_root
	need connection
	make_veth
	A=$(netns_path in_a) B=$(netns_path in_b)
	in_a sysctl -qw net.core.somaxconn=4096
	in_b sysctl -qw net.core.somaxconn=4096
}

teardown() {
	clean_up
}

table() { "$BATS_TEST_DIRNAME/connection_table.py" "$WORK/expected" "$LINES" "$@" >"$WORK/table" || FAILED=1; comment <"$WORK/table"; }

# make_nowhere: 10.77.0.99 and fd77::99 never answer; what is beyond 10.88/16 and fd88::/16 cannot be reached.
make_nowhere() {
	in_b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_b ip route add unreachable 10.88.0.0/16
	in_b ip -6 route add unreachable fd88::/16
	in_a ip route add 10.88.0.0/16 via 10.77.0.2
	in_a ip -6 route add fd88::/16 via fd77::2
	in_a ip neigh add 10.77.0.99 lladdr 02:00:00:00:00:99 dev "$VETH_A" nud permanent
	in_a ip neigh add fd77::99 lladdr 02:00:00:00:00:99 dev "$VETH_A" nud permanent
}

# events in_a|in_b JQ-CONDITION: how many TCP connection lines of the namespace meet it.
events() {
	lines_of connection "select(.netns == $(netns_inode "$1") and .proto == \"TCP\" and ($2)) | 1" | wc -l
}

# same_as_snmp in_a|in_b: each line the kernel's own figure and ours.
same_as_snmp() {
	local name ours theirs
	while read -r name condition; do
		ours=$(events "$1" "$condition") theirs=$(snmp "$1" "Tcp.$name")
		echo "$1 $name: kernel $theirs, lines $ours" | comment
		[ "$ours" = "$theirs" ] || FAILED=1
	done <<-END
		ActiveOpens .event == "connect"
		PassiveOpens .event == "accept"
		AttemptFails .event == "failed" and (.reason | IN("refused", "timed_out", "unreachable"))
		EstabResets .reason | IN("reset", "abort")
	END
}

# bats test_tags=kernel
@test "every way to end, IPv4, v4-mapped and IPv6" {
	local pids=()
	make_nowhere
	begin connection
	tool connector cases "$A" "$B" 10.77.0.2 10.77.0.1 10.77.0.99 10.88.0.1 IPv4 >"$WORK/v4" 3>&- &
	pids+=($!)
	tool connector cases -m "$A" "$B" 10.77.0.2 10.77.0.1 10.77.0.99 10.88.0.1 v4-mapped >"$WORK/mapped" 3>&- &
	pids+=($!)
	tool connector cases "$A" "$B" fd77::2 fd77::1 fd77::99 fd88::1 IPv6 >"$WORK/v6" 3>&- &
	pids+=($!)
	for pid in "${pids[@]}"; do wait "$pid"; done
	settled in_a
	settled in_b
	stop_reader
	cat "$WORK/v4" "$WORK/mapped" "$WORK/v6" >"$WORK/expected"
	table
	same_as_snmp in_a
	same_as_snmp in_b
	[ -z "${FAILED:-}" ]
}

@test "$BURST connections in a burst: every one, both ends" {
	begin connection
	tool connector burst "$A" "$B" 10.77.0.2 "$BURST" >"$WORK/expected"
	settled in_a
	settled in_b
	stop_reader
	[ "$(wc -l <"$WORK/expected")" -eq $((2 * BURST)) ]
	table
	same_as_snmp in_a
	same_as_snmp in_b
	[ "$(probe_counter connection ring_full)" -eq 0 ]
	[ -z "${FAILED:-}" ]
}

# From Linux 7.0 tasks take turns in the middle of a program: more of them than CPUs, and none waits for another.
# bats test_tags=kernel
@test "eight processes at once, refused, resetting, closing: every end once" {
	local what expected
	begin connection
	tool connector crowd "$A" "$B" 10.77.0.2 "$CROWD_ROUNDS" >"$WORK/expected"
	settled in_a
	settled in_b
	stop_reader
	while read -r what expected; do
		echo "in_a $what: expected $expected, lines $(events in_a ".reason == \"$what\"")" | comment
		[ "$(events in_a ".reason == \"$what\"")" -eq "$expected" ] || FAILED=1
	done <"$WORK/expected"
	same_as_snmp in_a
	same_as_snmp in_b
	[ "$(probe_counter connection ring_full)" -eq 0 ]
	[ -z "${FAILED:-}" ]
}

@test "connections over loopback: both ends" {
	begin connection
	tool connector burst "$A" "$A" 127.0.0.1 50 >"$WORK/expected"
	settled in_a
	stop_reader
	table
	same_as_snmp in_a
	[ -z "${FAILED:-}" ]
}

@test "open before the loader ran: named, and what ss says of their bytes and round-trip times" {
	mkfifo "$WORK/go"
	tool connector hold "$A" "$B" 10.77.0.2 20 >"$WORK/expected" <>"$WORK/go" 3>&- &
	PIDS+=($!)
	until_line "$WORK/expected" '^open$'
	begin connection,process
	printf a >"$WORK/go"
	until_line "$WORK/expected" '^moved$'
	in_a ss -tinOH state established >"$WORK/ss_a"
	in_b ss -tinOH state established >"$WORK/ss_b"
	printf a >"$WORK/go"
	wait "${PIDS[0]}"
	settled in_a
	settled in_b
	stop_reader
	sed -i '/^{/!d' "$WORK/expected"
	table "$WORK/ss_a" "$WORK/ss_b"
	"$BATS_TEST_DIRNAME/process_table.py" "$WORK/expected" "$LINES" >"$WORK/table" || FAILED=1
	comment <"$WORK/table"
	[ -z "${FAILED:-}" ]
}

@test "a server that listened before the loader ran: named, with what it accepts afterwards" {
	mkfifo "$WORK/go"
	tool connector late "$A" "$B" 10.77.0.2 20 10240 >"$WORK/expected" <>"$WORK/go" 3>&- &
	PIDS+=($!)
	until_line "$WORK/expected" '^open$'
	begin connection,process
	printf a >"$WORK/go"
	wait "${PIDS[0]}"
	settled in_a
	settled in_b
	stop_reader
	sed -i '/^{/!d' "$WORK/expected"
	table
	"$BATS_TEST_DIRNAME/process_table.py" "$WORK/expected" "$LINES" >"$WORK/table" || FAILED=1
	comment <"$WORK/table"
	[ -z "${FAILED:-}" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Packets dropped on purpose: the right reason, 5-tuple and count each; and none in a healthy transfer that the kernel
# did not make.

load lib
load probes

DROPS=${JOPIL_DROPS:-300}

setup() {
	require_root
	need drop
	make_veth
	A=$(netns_path in_a) B=$(netns_path in_b)
}

teardown() {
	clean_up
}

# make_neighbours: no packet has to wait for an address.
make_neighbours() {
	in_a ping -q -c 1 10.77.0.2 >/dev/null
	in_a ping -q -c 1 fd77::2 >/dev/null
}

# make_obstacles: B routes to 10.88/16 and fd88::/16, looks at the reverse path, and filters.
make_obstacles() {
	in_b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.rp_filter=1 "net.ipv4.conf.$VETH_B.rp_filter=1"
	in_a ip route add 10.88.0.0/16 via 10.77.0.2
	in_a ip -6 route add fd88::/16 via fd77::2
	in_b ip link add far0 type veth peer name far1
	in_b ip address add 10.88.0.1/16 dev far0
	in_b ip address add fd88::1/16 dev far0 nodad
	in_b ip link set far0 up
	in_b ip link set far1 up
	in_b nft -f - <<-END
		table inet obstacles {
			chain input {
				type filter hook input priority 0
				udp dport 4001 drop
				tcp dport 4002 ct state invalid drop
			}
		}
	END
}

# drop_on_purpose LOADER-OPTION...
drop_on_purpose() {
	make_obstacles
	make_neighbours
	begin drop "$@"
	tool droppers "$A" "$B" 10.77.0.1 10.77.0.2 10.88.0.5 10.88.0.9 IPv4 "$DROPS" >"$WORK/expected"
	tool droppers "$A" "$B" fd77::1 fd77::2 fd88::5 fd88::9 IPv6 "$DROPS" >>"$WORK/expected"
	finish
	"$BATS_TEST_DIRNAME/drop_table.py" "$WORK/expected" "$LINES" "$(netns_inode in_b)" "$VETH_B" >"$WORK/table" ||
		FAILED=1
	comment <"$WORK/table"
	drops_balance
	[ -z "${FAILED:-}" ]
}

# drops_balance: lines and what is not attributed are the counter; so are the rows of drop_counters.
drops_balance() {
	local sum rows
	sum=$(lines_of drop .count | jq -s 'add // 0')
	rows=$(lines_of drop_counters '[.timestamp, (.drops | map(.packets) | add // 0)] | @tsv' |
		awk '{ sum[$1] += $2; last = $1 } END { print sum[last] }')
	echo "lines $sum, unattributed $(probe_counter drop unattributed), packets $(probe_counter drop packets), rows $rows"
	[ $((sum + $(probe_counter drop unattributed))) -eq "$(probe_counter drop packets)" ]
	[ "$rows" -eq "$(probe_counter drop packets)" ]
}

# bats test_tags=kernel
@test "dropped on purpose, a line for some" { drop_on_purpose --drop-lines 100; }

@test "dropped on purpose, a line for each" { drop_on_purpose --drop-lines all; }

@test "dropped on purpose, all folded" { drop_on_purpose --drop-lines 0; }

# dropped REASON...: packets of TCP in the two namespaces.
dropped() {
	lines_of drop "select(.proto == \"TCP\" and (.netns | IN($(netns_inode in_a), $(netns_inode in_b)))) |
		select(.reason | IN($(printf '"%s",' "$@")\"\")) | .count" | jq -s 'add // 0'
}

# same_as_netstat FIGURE REASON...
same_as_netstat() {
	local ours theirs
	ours=$(dropped "${@:2}")
	theirs=$(($(snmp in_a "TcpExt.$1") + $(snmp in_b "TcpExt.$1")))
	echo "$1: kernel $theirs, ${*:2} $ours" | comment
	[ "$ours" -eq "$theirs" ] || FAILED=1
	EXPLAINED+=("${@:2}")
}

# softnet_drops: packets that found a CPU's backlog full, of the whole host.
softnet_drops() {
	local sum=0 second
	while read -r _ second _; do sum=$((sum + 16#$second)); done </proc/net/softnet_stat
	echo $sum
}

@test "a healthy transfer of 1 GB, IPv4 and IPv6: only what the kernel made" {
	# Nothing is said of it, or it is the peer's last word to a socket that its process has closed already.
	EXPLAINED=(NOT_SPECIFIED QUEUE_PURGE CPU_BACKLOG)
	backlog=$(softnet_drops)
	begin drop
	tool connector brief "$A" "$B" 10.77.0.2 1 1073741824 >/dev/null
	tool connector brief "$A" "$B" fd77::2 1 1073741824 >/dev/null
	settled in_a
	settled in_b
	finish
	same_as_netstat DelayedACKLost TCP_OLD_DATA TCP_OLD_SEQUENCE
	same_as_netstat TCPOFOMerge TCP_OFOMERGE
	same_as_netstat TCPBacklogDrop SOCKET_BACKLOG
	same_as_netstat TCPRcvQDrop SOCKET_RCVBUFF
	same_as_netstat TCPZeroWindowDrop TCP_ZEROWINDOW
	same_as_netstat PAWSEstab TCP_RFC7323_PAWS
	[ "$(dropped QUEUE_PURGE)" -le 4 ]
	[ "$(dropped CPU_BACKLOG)" -le $(($(softnet_drops) - backlog)) ]
	lines_of drop "select(.proto == \"TCP\" and (.netns | IN($(netns_inode in_a), $(netns_inode in_b)))) |
		\"\(.reason) at \(.location): \(.count)\"" | sort | uniq -c | comment
	unexplained=$(lines_of drop "select(.proto == \"TCP\" and (.netns | IN($(netns_inode in_a), $(netns_inode in_b)))) |
		select(.reason | IN($(printf '"%s",' "${EXPLAINED[@]}")\"\") | not) | .reason" | sort -u)
	[ -z "$unexplained" ] || {
		echo "unexplained: $unexplained"
		false
	}
	drops_balance
	[ -z "${FAILED:-}" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What may happen to a pipeline that runs for years. JOPIL_FAULTS is how often; make faults does it a hundred times.

load lib

FAULTS=${JOPIL_FAULTS:-5}
INTERFACES=${JOPIL_FAULTS_INTERFACES:-8}
SECONDS_FULL=${JOPIL_FAULTS_SECONDS:-0}

setup() {
	require_root
	make_veth
	for side in "in_a $VETH_A" "in_b $VETH_B"; do
		${side% *} sysctl -qw "net.ipv6.conf.${side#* }.disable_ipv6=1" net.ipv6.conf.default.disable_ipv6=1
	done
}

teardown() {
	[ -z "${PIN_DIR:-}" ] || [ ! -e "${PIN_DIR%-2}-2" ] || "$BIN/loader" --pin-dir "${PIN_DIR%-2}-2" --detach
	PIN_DIR=${PIN_DIR%-2}
	clean_up
}

# harm HARM AMOUNT: to a pipeline with real traffic; what it comes to is shown.
harm() {
	local status=0
	load_b --hook xdp --packet-lines 1000
	"${CC:-cc}" -O2 -shared -fPIC -o "$WORK/interpose.so" "$BATS_TEST_DIRNAME/../interpose.c"
	# The stages run as nobody, who may not come to where this was built.
	cp -r "$BIN" "$WORK/bin"
	BIN=$WORK/bin
	export BIN BUILD WORK PIN_DIR NETNS_A VETH_A NETNS_B VETH_B INTERPOSE_SO=$WORK/interpose.so
	/usr/bin/python3 "$BATS_TEST_DIRNAME/harm.py" "$@" >"$WORK/figures" 2>&1 3>&- || status=$?
	sed 's/^/# /' "$WORK/figures" >&3
	return "$status"
}

# ---- killed ----------------------------------------------------------------

@test "reader killed $FAULTS times under load: nothing hangs, sums are exact" { harm killed-reader "$FAULTS"; }
@test "aggregator killed $FAULTS times under load: the same" { harm killed-aggregator "$FAULTS"; }
@test "recorder killed $FAULTS times under load: the same" { harm killed-recorder "$FAULTS"; }
@test "httpd killed $FAULTS times under load: the same" { harm killed-httpd "$FAULTS"; }

# process FIRST LAST: lines of as many remotes.
process() {
	awk -v first="$1" -v last="$2" -v now="$(date +%s)" 'BEGIN { for (i = first; i <= last; i++) printf("{\"type\":\"process\"," \
		"\"timestamp\":%d000.000,\"pid\":7,\"command\":\"x\",\"uid\":0,\"ip_version\":4,\"proto\":\"TCP\",\"remote_ip\":\"10.0.%d.%d\"," \
		"\"remote_port\":443,\"tx_bytes\":1,\"rx_bytes\":0,\"tx_calls\":1,\"rx_calls\":1}\n", now, i / 250, i % 250) }'
}

# recorded N: waits until it is so many.
recorded() {
	until [ "$(sqlite3 -readonly "$WORK/db" 'SELECT sum(tx_bytes) FROM traffic_days' 2>"$WORK/errors")" = "$1" ]; do
		kill -0 "$RECORDER"
	done
}

@test "recorder after a crash: in its sandbox, SQLite's log begins anew" {
	mkfifo "$WORK/in"
	for round in 1 2; do
		"$BIN/recorder" --db "$WORK/db" --interval 0.1 <"$WORK/in" >/dev/null 2>"$WORK/err" 3>&- &
		RECORDER=$!
		PIDS+=("$RECORDER")
		exec 8>"$WORK/in"
		process 1 100 >&8
		recorded $((round * 100))
		[ "$round" -eq 1 ] || break
		kill -KILL "$RECORDER"
		wait "$RECORDER" || [ $? -eq 137 ]
		exec 8>&-
		[ -s "$WORK/db-wal" ]
	done
	# More than the log holds before it begins anew (wal_autocheckpoint). Who reads now would put that off.
	for _ in 1 2 3 4; do process 1 60000 >&8; done
	exec 8>&-
	wait "$RECORDER"
	[ ! -s "$WORK/err" ]
}

# ---- slow, late, interrupted -------------------------------------------------

@test "pipes full for $SECONDS_FULL s more: back-pressure, and sums are exact" { harm full "$SECONDS_FULL"; }
@test "nobody reads the last pipe for $SECONDS_FULL s more: recorded all the same" { harm away "$SECONDS_FULL"; }
@test "the clock is set forward and back, the machine sleeps: sums are exact" { harm clock 1; }
@test "the disk takes no more, now and then: nothing is lost, and the database is whole" { harm disk 1; }
@test "system calls interrupted, blocking, partial, in all stages: not a line is lost" { harm calls $((FAULTS * 500)); }

# ---- interfaces that change -----------------------------------------------------

# blast_on: packets to $VETH_B until blast_off, which says in $SENT how many.
blast_on() {
	background in_a sh -c "until [ -e $WORK/enough ]; do $BUILD/tests/netns/blast $VETH_A 5000 100 1000 mix; done >$WORK/sent"
	BLASTER=$!
}

blast_off() {
	touch "$WORK/enough"
	wait "$BLASTER"
	rm "$WORK/enough"
	SENT=$(awk '{ sum += $2 } END { print sum }' "$WORK/sent")
}

# json FILTER: out of loader --status --json.
json() { in_b_loader --status --json | jq -r "$1"; }

# last_counters IFNAME: packets in, of a reader's lines.
last_counters() {
	grep '"type":"counters"' "$LINES" | jq -sr --arg name "$1" 'map(select(.ifname == $name and .more == false)) | last.ingress_packets'
}

@test "its MTU and its offloads change under load: every packet is counted" {
	for hook in xdp generic tc; do
		load_b --hook $hook --packet-lines 1000
		before=$(counter_b ingress_packets)
		start_reader
		blast_on
		for mtu in $(seq 1200 $((1200 + FAULTS))); do
			in_b ip link set "$VETH_B" mtu "$mtu"
			in_a ip link set "$VETH_A" mtu 1500
			in_b ethtool -K "$VETH_B" gro off
			in_b ethtool -K "$VETH_B" gro on
		done
		blast_off
		detach 2>/dev/null
		wait "$READER_PID" "$CONSUMER_PID"
		"$BUILD/tests/netns/balance" <"$LINES"
		echo "$hook: sent $SENT, counted $(last_counters "$VETH_B")" | sed 's/^/# /' >&3
		[ "$(last_counters "$VETH_B")" -eq "$SENT" ]
		rm -f "$WORK/pipe" "$WORK/ready"
	done
}

# again: the pair that was removed, of the same names.
again() {
	in_a ip link add "$VETH_A" type veth peer name "$VETH_B" netns "$NETNS_B"
	in_a ip link set "$VETH_A" up
	in_b ip link set "$VETH_B" up
}

@test "removed and made again under a reader: it stays, says so, counts on once told to; nothing of before is lost" {
	load_b --packet-lines 1000
	start_reader --interval 0.1
	for round in 1 2 3; do
		in_a "$BUILD/tests/netns/blast" "$VETH_A" 10000 100 100 mix
		until [ "$(json '.interfaces[] | select(.state == "attached").ingress_packets')" -eq 10000 ]; do
			kill -0 "$READER_PID" # none is in a backlog any more
		done
		in_b ip link del "$VETH_B"
		[ "$(json '.interfaces | last.state')" = gone ]
		again
		in_a "$BUILD/tests/netns/blast" "$VETH_A" 7 100 1 # nobody counts these
		load_b
	done
	kill -0 "$READER_PID"
	detach 2>/dev/null
	wait "$READER_PID" "$CONSUMER_PID"
	[ "$(grep -E '"type":"(packet|flow)".*"direction":"ingress"' "$LINES" | jq -s 'map(.packets // 1) | add')" -eq 30000 ]
}

@test "moved to another namespace and renamed under load: counted on, under its name" {
	load_b --packet-lines 1000
	before=$(device_counters in_b "$VETH_B" rx)
	start_reader --interval 0.1
	blast_on
	for netns in "$NETNS_A" "$NETNS_B"; do
		from=in_b
		[ "$netns" = "$NETNS_A" ] || from=in_a
		$from ip link set "$VETH_B" netns "$netns"
		nsenter --net="/run/netns/$netns" ip link set "$VETH_B" name jpx0
		nsenter --net="/run/netns/$netns" ip link set jpx0 name "$VETH_B"
		nsenter --net="/run/netns/$netns" ip link set "$VETH_B" up
	done
	in_a "$BUILD/tests/netns/blast" "$VETH_A" 1000 100 1
	blast_off
	after=$(device_counters in_b "$VETH_B" rx)
	detach 2>/dev/null
	wait "$READER_PID" "$CONSUMER_PID"
	"$BUILD/tests/netns/balance" <"$LINES"
	echo "sent $SENT, received $((${after% *} - ${before% *})), counted $(last_counters "$VETH_B")" | sed 's/^/# /' >&3
	[ "$(last_counters "$VETH_B")" -eq $((${after% *} - ${before% *})) ]
}

# ---- many, and others -------------------------------------------------------------

# blast_into PAIR PACKETS
blast_into() { in_a "$BUILD/tests/netns/blast" "jpm$1" "$2" 100 10 >/dev/null; }

@test "$INTERFACES interfaces: attached at once, each exact, detached without a trace" {
	note_objects
	for i in $(seq "$INTERFACES"); do
		echo "link add jpm$i type veth peer name jpn$i netns $NETNS_B"
		echo "link set jpm$i up"
	done | in_a ip -batch -
	seq -f 'link set jpn%.0f up' "$INTERFACES" | in_b ip -batch -
	# shellcheck disable=SC2046 # words on purpose
	in_b_loader --group "$GROUP_ID" --probe packet --packet-lines 10 --ring-size 64K $(seq -f jpn%.0f "$INTERFACES")
	start_reader
	for i in $(seq "$INTERFACES"); do blast_into "$i" $((100 + i)); done
	detach 2>/dev/null
	wait "$READER_PID" "$CONSUMER_PID"
	"$BUILD/tests/netns/balance" <"$LINES"
	grep '"type":"counters"' "$LINES" | jq -sr 'map({key: .ifname, value: .ingress_packets}) | from_entries |
		to_entries[] | "\(.key) \(.value)"' | sort >"$WORK/counted"
	for i in $(seq "$INTERFACES"); do echo "jpn$i $((100 + i))"; done | sort | diff - "$WORK/counted"
	[ ! -e "$PIN_DIR" ]
	objects_are_gone
}

@test "two pipelines at one interface, with pin directories of their own: both exact, and they end alone" {
	load_b --hook tc --packet-lines 1000
	start_reader --interval 0.1
	first=$READER_PID consumer=$CONSUMER_PID lines=$LINES pins=$PIN_DIR
	rm "$WORK/pipe" "$WORK/ready"
	LINES=$WORK/lines2 PIN_DIR=$PIN_DIR-2
	load_b --hook xdp --packet-lines all
	start_reader
	in_a "$BUILD/tests/netns/blast" "$VETH_A" 50000 100 500 mix
	detach
	wait "$READER_PID" "$CONSUMER_PID"
	[ "$(last_counters "$VETH_B")" -eq 50000 ]
	"$BUILD/tests/netns/balance" <"$LINES"
	LINES=$lines PIN_DIR=$pins
	in_a "$BUILD/tests/netns/blast" "$VETH_A" 50000 100 500 mix
	detach
	wait "$first" "$consumer"
	[ "$(last_counters "$VETH_B")" -eq 100000 ]
	"$BUILD/tests/netns/balance" <"$LINES"
}

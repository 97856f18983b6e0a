#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The reader on real maps, without any privilege: one at a time, never losing what it has not written, following the
# loader wherever it goes.

load lib
load probes

KILLS=${JOPIL_READER_KILLS:-30}

setup() {
	require_root
	make_veth
}

teardown() {
	clean_up
}

# run_reader OPTION...: in the foreground, unprivileged.
run_reader() { in_b "${UNPRIVILEGED[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" "$@"; }

blast() { in_a "$BUILD/tests/netns/blast" "$VETH_A" "$@" >/dev/null; }

balance() { "$BUILD/tests/netns/balance" <"$1"; }

# of FILE TYPE JQ-EXPRESSION
of() { grep "\"type\":\"$2\"" "$1" | jq -r "$3"; }

# moment: a short random wait without sleeping; nobody writes to the fifo.
moment() { read -r -t "0.$((RANDOM % 300 + 100))" <>"$WORK/never" || :; }

@test "a second reader is refused, and the first named" {
	load_b
	start_reader
	status=0
	run_reader --once >"$WORK/out" 2>"$WORK/err" || status=$?
	[ "$status" -eq 1 ]
	[ ! -s "$WORK/out" ]
	[ "$(cat "$WORK/err")" = "reader: another reader (pid $READER_PID) is already reading $PIN_DIR" ]
	stop_reader
	run_reader --once >/dev/null
}

@test "one drain after the other: nothing is lost between them" {
	load_b --packet-lines 1000
	for _ in 1 2 3 4; do
		blast 30000 100 3000 mix
		run_reader --once
	done >"$LINES"
	balance "$LINES"
	[ "$(of "$LINES" hello .tool | wc -l)" -eq 4 ]
	[ "$(of "$LINES" counters 'select(.more == false) | .ingress_packets' | tail -n 1)" -ge 120000 ]
}

@test "killed at random moments under flood: its successors lose nothing" {
	load_b --packet-lines all --ring-size 1M
	background in_a sh -c "until [ -e $WORK/enough ]; do $BUILD/tests/netns/blast $VETH_A 20000 100 5000 mix; done >/dev/null"
	blaster=$!
	for _ in $(seq "$KILLS"); do
		start_reader
		moment
		kill -KILL "$READER_PID"
		wait "$READER_PID" "$CONSUMER_PID" || :
		rm -f "$WORK/pipe" "$WORK/ready"
		cat "$LINES" >>"$WORK/all"
	done
	touch "$WORK/enough"
	wait "$blaster"
	run_reader --once >>"$WORK/all"
	balance "$WORK/all" || {
		# Killed between a write and its end, it leaves records that are lines already: at most one buffer's.
		total=$(of "$WORK/all" counters 'select(.more == false) | .packets' | tail -n 1)
		seen=$(($(grep -c '"type":"packet"' "$WORK/all") + $(of "$WORK/all" flow .packets | jq -s add)))
		echo "# seen $seen of $total" >&3
		[ "$seen" -ge "$total" ]
		[ "$((seen - total))" -le $((KILLS * 250)) ]
	}
}

@test "--count ends there, and leaves the rest to the next reader" {
	load_b --packet-lines 5
	blast 1000 100 50
	run_reader --count 7 >"$LINES"
	[ "$(of "$LINES" packet .type | wc -l)" -le 5 ]
	[ "$(grep -c -e '"type":"packet"' -e '"type":"flow"' "$LINES")" -eq 7 ]
	run_reader --once >>"$LINES"
	balance "$LINES"
}

@test "--types chooses what is printed, the rest is drained all the same" {
	load_b --packet-lines 5
	blast 1000 100 50
	run_reader --once --types counters >"$LINES"
	[ "$(jq -r .type "$LINES" | sort -u | tr '\n' ' ')" = "counters hello " ]
	run_reader --once >"$LINES"
	[ "$(grep -c -e '"type":"packet"' -e '"type":"flow"' "$LINES")" -eq 0 ]
}

@test "--duration ends by itself, with a last drain" {
	load_b
	blast 1000 100 50
	run_reader --duration 0.2 >"$LINES"
	balance "$LINES"
}

@test "a consumer that never reads again: given up after a grace, and kept for the next reader" {
	load_b --packet-lines all
	start_reader
	kill -STOP "$CONSUMER_PID"
	blast 100000 100 1000
	kill -TERM "$READER_PID"
	status=0
	wait "$READER_PID" || status=$?
	[ "$status" -eq 1 ]
	grep -q "^reader: nobody took the last lines for 2 s; what was not written is left for the next reader$" "$WORK/reader.err"
	kill -CONT "$CONSUMER_PID"
	wait "$CONSUMER_PID"
	run_reader --once >>"$LINES"
	balance "$LINES"
}

@test "a closed stdout is a clean end" {
	load_b --packet-lines all
	blast 100000 100 1000
	status=0
	run_reader 2>"$WORK/err" | head -c 1000 >/dev/null || status=$?
	[ "$status" -eq 0 ]
	[ ! -s "$WORK/err" ]
	# What had been written into the pipe is gone with it, the rest is there.
	run_reader --once >"$LINES"
	[ "$(grep -c '"type":"packet"' "$LINES")" -gt 50000 ]
}

@test "a full disk: one line, exit 1, and nothing is lost" {
	load_b --packet-lines all
	blast 5000 100 10
	status=0
	run_reader --once >/dev/full 2>"$WORK/err" || status=$?
	[ "$status" -eq 1 ]
	[ "$(cat "$WORK/err")" = "reader: write to stdout: No space left on device; what was not written is left for the next reader" ]
	run_reader --once >"$LINES"
	balance "$LINES"
}

@test "detached underneath: a last drain, one line, exit 0" {
	load_b --packet-lines 10
	start_reader --interval 0.5
	blast 50000 100 500
	detach
	wait "$READER_PID"
	wait "$CONSUMER_PID"
	[ "$(cat "$WORK/reader.err")" = "reader: the loader was detached: nothing left to read at $PIN_DIR" ]
	balance "$LINES"
}

@test "attached anew underneath: follows to the new pins" {
	load_b --packet-lines 10
	start_reader
	blast 1000 100 5
	kill -STOP "$READER_PID" # not in between: it would end
	detach
	load_b --packet-lines all
	kill -CONT "$READER_PID"
	blast 2000 100 5
	timeout 60 tail -n +1 -f "$LINES" | grep -m 2000 '"type":"packet"' >"$WORK/packets"
	stop_reader
	[ ! -s "$WORK/reader.err" ]
	[ "$(wc -l <"$WORK/packets")" -eq 2000 ]
}

@test "an interface that is attached later has its name, also after it was renamed" {
	load_b
	start_reader --interval 0.1
	in_b ip link add late0 type veth peer name late1
	in_b sysctl -qw net.ipv6.conf.late0.disable_ipv6=1 net.ipv6.conf.late1.disable_ipv6=1
	in_b_loader late0
	in_b ip link set late0 up
	in_b ip link set late1 up
	in_b "$BUILD/tests/netns/blast" late1 10 100 1 >/dev/null
	until_line "$LINES" '"type":"packet".*"ifname":"late0"'
	in_b ip link set late0 down
	in_b ip link set late0 name later0
	until_line "$LINES" '"type":"counters".*"ifname":"later0"'
	stop_reader
	[ "$(grep -c '"ifname":"if[0-9]' "$LINES")" -eq 0 ]
}

@test "who may not read is told what to do, exit 3" {
	load_b
	status=0
	in_b setpriv --reuid=65533 --regid=65533 --clear-groups --bounding-set=-all --inh-caps=-all \
		"$BIN/reader" --pin-dir "$PIN_DIR" >"$WORK/out" 2>"$WORK/err" || status=$?
	[ "$status" -eq 3 ]
	[ ! -s "$WORK/out" ]
	[ "$(wc -l <"$WORK/err")" -eq 1 ]
	grep -q "^reader: open $PIN_DIR: permission denied: only group 'nogroup' may; 'sudo usermod -aG nogroup" "$WORK/err"
}

# ---- the probes of the host ---------------------------------------------------------------------------------------

HOST_PROBES=connection,process,drop,latency
[ -z "${JOPIL_PROBES+set}" ] || HOST_PROBES=${JOPIL_PROBES// /,} # other kernels have fewer: docs/KERNELS.md

# connections N: as many over loopback in B, one after the other, 100 bytes each way.
connections() {
	in_b python3 - "$1" <<-'END'
		import socket, sys
		server = socket.create_server(("127.0.0.1", 0), backlog=16)
		for _ in range(int(sys.argv[1])):
		    client = socket.create_connection(server.getsockname())
		    peer, _ = server.accept()
		    client.sendall(b"x" * 100)
		    peer.recv(100)
		    peer.sendall(b"y" * 100)
		    client.recv(100)
		    client.close()
		    peer.close()
	END
}

# in_lines FILE TYPE KEY: the sum of a number over all lines of a type.
in_lines() { of "$1" "$2" ".$3" | jq -s 'add // 0'; }

# last_counter FILE PROBE NAME
last_counter() { of "$1" probe "select(.probe == \"$2\") | .counters.$3" | tail -n 1; }

# same FILE: lines and counters of the host's probes agree, exactly.
same() {
	local name
	for name in tx_bytes rx_bytes tx_calls rx_calls; do
		[[ ,$HOST_PROBES, == *,process,* ]] || break
		expect "$1" process "$name" "$(($(in_lines "$1" process "$name") + $(last_counter "$1" process "unattributed_$name")))"
	done
	expect "$1" drop packets "$(($(in_lines "$1" drop count) + $(last_counter "$1" drop unattributed)))"
	expect "$1" latency samples "$(of "$1" latency 'select(.network == null) | .count' | jq -s 'add // 0')"
	expect "$1" connection established "$(of "$1" connection 'select(.event == "established" and .existing == false) | 1' | wc -l)"
	expect "$1" connection accepts "$(of "$1" connection 'select(.event == "accept") | 1' | wc -l)"
	[ -z "${FAILED:-}" ]
}

# expect FILE PROBE COUNTER VALUE
expect() {
	local counted
	counted=$(last_counter "$1" "$2" "$3")
	[ "$counted" = "$4" ] && return
	echo "# $2 $3: counted $counted, lines $4" >&3
	FAILED=1
}

# in_b_only FILE: connection lines of B's namespace.
in_b_only() { of "$1" connection "select(.netns == $(netns_inode in_b) and .existing == false) | \"\(.event) \(.reason)\""; }

# bats test_tags=kernel
@test "probes: one drain after the other, lines and counters agree" {
	need connection drop latency
	load_probes "$HOST_PROBES" --drop-lines 5
	for _ in 1 2 3; do
		connections 200
		run_reader --once
	done >"$LINES"
	detach_with_reader
	same "$LINES"
	[ "$(in_b_only "$LINES" | sort | uniq -c | tr -s ' \n' ' ')" = \
		" 600 accept null 600 close local 600 close remote 600 connect null 600 established null " ]
}

# detach_with_reader: a last reader that sees the end: what it writes is added to $LINES.
detach_with_reader() {
	cp "$LINES" "$WORK/before"
	start_reader
	finish
	cat "$WORK/before" "$LINES" >"$WORK/all"
	mv "$WORK/all" "$LINES"
}

@test "probes: killed at random moments, its successors lose nothing" {
	load_probes "$HOST_PROBES" --drop-lines 5
	background in_b sh -c "until [ -e $WORK/enough ]; do python3 $WORK/load.py; done"
	cat >"$WORK/load.py" <<-'END'
		import socket
		server = socket.create_server(("127.0.0.1", 0), backlog=16)
		for _ in range(200):
		    client = socket.create_connection(server.getsockname())
		    peer, _ = server.accept()
		    client.sendall(b"x" * 1000)
		    peer.recv(10)
		    peer.close()
		    client.close()
	END
	loader=$!
	for _ in $(seq "$((KILLS / 2))"); do
		start_reader --interval 0.1
		moment
		kill -KILL "$READER_PID"
		wait "$READER_PID" "$CONSUMER_PID" || :
		rm -f "$WORK/pipe" "$WORK/ready"
		cat "$LINES" >>"$WORK/all"
	done
	touch "$WORK/enough"
	wait "$loader"
	mv "$WORK/all" "$LINES"
	detach_with_reader
	same "$LINES" || {
		# At most one write a kill comes again; nothing is missing.
		for name in tx_bytes tx_calls; do
			[ "$(in_lines "$LINES" process "$name")" -ge "$(last_counter "$LINES" process "$name")" ]
		done
		[ "$(of "$LINES" connection 'select(.event == "accept") | 1' | wc -l)" -ge "$(last_counter "$LINES" connection accepts)" ]
		[ "$(in_lines "$LINES" drop count)" -ge "$(last_counter "$LINES" drop packets)" ]
	}
}

@test "probes: a stopped consumer loses no connection, the ring holds them" {
	begin connection
	kill -STOP "$CONSUMER_PID"
	connections 3000
	kill -CONT "$CONSUMER_PID"
	finish
	[ "$(probe_counter connection ring_full)" = 0 ]
	[ "$(in_b_only "$LINES" | sort | uniq -c | tr -s ' \n' ' ')" = \
		" 3000 accept null 3000 close local 3000 close remote 3000 connect null 3000 established null " ]
}

@test "probes: other sizes underneath, the old maps and the old ring are drained" {
	begin "$HOST_PROBES" --drop-lines 5
	for size in 1 2 4; do
		connections 300
		load_probes "$HOST_PROBES" --max-processes "${size}000" --max-drops "${size}000" --max-networks "${size}0" \
			--event-ring-size "${size}M"
	done
	connections 300
	finish
	same "$LINES"
	[ "$(in_b_only "$LINES" | sort | uniq -c | tr -s ' \n' ' ')" = \
		" 1200 accept null 1200 close local 1200 close remote 1200 connect null 1200 established null " ]
}

@test "probes: what was open before is told of once, by each reader" {
	mkfifo "$WORK/end" "$WORK/open"
	background in_b python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 4711))
client = socket.create_connection(("127.0.0.1", 4711))
peer, _ = server.accept()
open("'"$WORK"'/open", "w").close()
open("'"$WORK"'/end").read()'
	holder=$!
	read -r _ <"$WORK/open" || :
	load_probes connection
	for _ in 1 2; do
		run_reader --once --types connection >"$LINES"
		[ "$(jq -r .type "$LINES" | sort -u | tr '\n' ' ')" = "connection hello " ]
		[ "$(of "$LINES" connection "select(.dst_port == 4711 and .netns == $(netns_inode in_b)) | \"\(.event) \(.existing) \(.direction) \(.pid)\"" | sort)" = \
			"established true egress $holder
established true ingress $holder" ]
	done
	echo >"$WORK/end"
	wait "$holder"
}

@test "probes: not loaded, not a word; detached alone, a last one" {
	load_b
	start_reader --interval 0.1
	blast 10 100 1
	until_line "$LINES" '"type":"counters"'
	[ "$(jq -r .type "$LINES" | sort -u | grep -c -e process -e probe -e drop)" -eq 0 ]
	in_b_loader --group "$GROUP_ID" --probe packet,process "$VETH_B"
	until_line "$LINES" '"type":"probe"'
	connections 100
	in_b_loader --group "$GROUP_ID" --probe packet "$VETH_B"
	stop_reader
	expect "$LINES" process tx_bytes "$(in_lines "$LINES" process tx_bytes)"
	[ "$(last_counter "$LINES" process tx_bytes)" -ge 20000 ]
	[ -z "${FAILED:-}" ]
	[ "$(of "$LINES" probe .probe | sort -u)" = process ]
}

@test "sandbox: nothing but looking into the maps is left" {
	load_b
	run in_b /usr/bin/python3 "$BATS_TEST_DIRNAME/../inject.py" all "$BUILD/bin/reader" --pin-dir "$PIN_DIR" --types counters </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' stopped$' <<<"$output")" -eq 25 ]
	grep -qx 'openat EACCES' <<<"$output"
}

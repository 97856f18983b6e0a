#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The loader and the host's probes: what is attached and pinned, options, running again, refusing, cleaning up. What
# the probes count is for connections.bats, processes.bats, drops.bats and latency.bats.

load lib
load probes

KILLS=${JOPIL_LOADER_KILLS:-30}
ALL=${JOPIL_PROBES-connection process drop latency} # other kernels have fewer: docs/KERNELS.md

setup() {
	require_root
	need connection drop latency
	make_veth
}

teardown() {
	[ -n "${TAG:-}" ] || return 0
	[ ! -e "$PIN_DIR-2" ] || "$BIN/loader" --pin-dir "$PIN_DIR-2" --detach
	clean_up
}

# json FILTER: out of loader --status --json.
json() { in_b_loader --status --json | jq -r "$1"; }

# attached: the host's probes that are.
attached() { json '[.probes[] | select(.state == "attached" and .name != "packet") | .name] | join(" ")'; }

# ids: links and programs of the host's probes.
ids() { json '[.probes[].programs[] | "\(.name) \(.link_id) \(.program_id)"] | unique[]'; }

# no_trace: nothing is pinned any more.
no_trace() { [ ! -e "$PIN_DIR" ]; }

# without_tracepoint NAME COMMAND...: runs it where the kernel's BTF does not know this tracepoint.
without_tracepoint() {
	local other=${1/?/X}
	sed "s/btf_trace_$1\x00/btf_trace_$other\x00/" /sys/kernel/btf/vmlinux >"$WORK/btf"
	unshare -m bash -c 'mount --bind "$1" /sys/kernel/btf/vmlinux && shift && exec "$@"' - "$WORK/btf" "${@:2}"
}

# ---- attaching ------------------------------------------------------------------

@test "a wrong command line: exit 2 and one line" {
	for arguments in "--probe drop $VETH_B" "--probe packet" "--probe packet,drop" "--probe drops" "--probe drop," \
		"--probe drop --drop-lines many" "--probe drop --max-drops 0" "--probe latency --max-networks 2000000" \
		"--probe drop --event-ring-size x" "--drop-lines 5"; do
		# shellcheck disable=SC2086 # words on purpose
		run in_b_loader $arguments
		echo "$arguments: $status: $output"
		[ "$status" -eq 2 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	no_trace
	run in_b_loader
	[ "$status" -eq 2 ]
	[[ $output == *interface*--probe* ]]
}

@test "without an interface: all probes of the host, and no packet program" {
	load_probes all 2>"$WORK/err"
	grep -qx "loader: host: ${ALL// /, } attached" "$WORK/err"
	[ "$(attached)" = "$ALL" ]
	in_b_loader --status --json | jq -e '.attached and .interfaces == [] and .settings.max_flows == 1
		and (.probes[0] | .name == "packet" and .state == "off" and (.on | not) and .counters == null)
		and (.probes[1:] | map(select(.state != "unsupported")) | all(.on and .missed != null and (.programs | length) > 0))'
	in_b_loader --status | grep -q "^probe drop *attached: "
	in_b_loader --status | grep -q "^  drop_nested *tp_btf/kfree_skb$"
	if in_b tc -s filter show dev "$VETH_B" egress | grep -q packet; then false; fi
	detach
	no_trace
}

@test "with an interface and nothing said: everything" {
	in_b_loader --group "$GROUP_ID" "$VETH_B"
	[ "$(json '[.probes[] | select(.state == "attached") | .name] | join(" ")')" = "packet $ALL" ]
	[ "$(json .settings.max_flows)" -eq 65536 ]
	detach
	no_trace
}

@test "each probe alone has what it needs" {
	for probe in $ALL; do
		load_probes "$probe"
		[ "$(attached)" = "$probe" ]
		[ "$(json '[.probes[] | select(.state == "incomplete")] | length')" -eq 0 ]
		detach
		no_trace
	done
}

@test "an interface comes later, with maps of the usual size; options that were given stay" {
	load_probes drop --drop-lines 7 --max-drops 100
	in_b_loader "$VETH_B"
	[ "$(attached)" = drop ]
	[ "$(json '.settings | "\(.max_flows) \(.ring_bytes) \(.drop_lines) \(.max_drops)"')" = "65536 4194304 7 100" ]
	in_a ping -q -c 3 -i 0.01 10.77.0.2 >/dev/null
	[ "$(counter_b packets)" -ge 6 ]
	load_probes all
	[ "$(attached)" = "$ALL" ]
	[ "$(json '.interfaces[0].state')" = attached ]
}

@test "a probe that is not in the list any more goes, what it counted stays" {
	load_probes drop,process
	before=$(json '.probes[] | select(.name == "process") | .programs[0].program_id')
	load_probes drop 2>"$WORK/err"
	grep -q "^loader: host: drop unchanged" "$WORK/err"
	grep -q "^loader: host: process detached" "$WORK/err"
	[ "$(attached)" = drop ]
	if bpftool prog show id "$before" 2>/dev/null; then false; fi
	[ ! -e "$PIN_DIR/sockets" ]
	[ -e "$PIN_DIR/processes_1_a" ]
	[ "$(json '.probes[] | select(.name == "process") | .counters.tx_bytes')" -ge 0 ]
	load_probes drop,process
	[ "$(attached)" = "process drop" ]
	[ -e "$PIN_DIR/sockets" ]
	[ ! -e "$PIN_DIR/processes_2_a" ]
}

# ---- pins -----------------------------------------------------------------------

@test "pins have the modes and owners that they should, whatever the umask" {
	for mask in 000 077 022; do
		(umask $mask && load_probes all)
		expected="$PIN_DIR/probe_counters 640 0 $GROUP_ID
$PIN_DIR/fold_active 660 0 $GROUP_ID
$PIN_DIR/processes_1_a 660 0 $GROUP_ID
$PIN_DIR/processes_1_b 660 0 $GROUP_ID
$PIN_DIR/drops_1_a 660 0 $GROUP_ID
$PIN_DIR/drops_1_b 660 0 $GROUP_ID
$PIN_DIR/latencies_1_a 660 0 $GROUP_ID
$PIN_DIR/latencies_1_b 660 0 $GROUP_ID
$PIN_DIR/events_1 660 0 $GROUP_ID
$PIN_DIR/drop_totals 640 0 $GROUP_ID
$PIN_DIR/locations 640 0 $GROUP_ID
$PIN_DIR/sockets 640 0 $GROUP_ID"
		diff <(sort <<<"$expected") <(find "$PIN_DIR" -maxdepth 1 -type f -exec stat -c '%n %a %u %g' {} + |
			grep -v -e settings -e interfaces -e flow -e ring_1 | sort)
		[ -z "$(find "$PIN_DIR/private" -type f -not \( -perm 600 -user 0 -group 0 \))" ]
		[ "$(find "$PIN_DIR/private" -name 'host_*' | wc -l)" -eq "$(ids | grep -vc sockets_walk)" ]
		detach
	done
}

# bats test_tags=kernel
@test "without capability: the walk is read, nothing can be changed" {
	mkfifo "$WORK/connected"
	background in_b "$(command -v python3)" -c "
import socket
listener = socket.create_server(('10.77.0.2', 7000))
client = socket.create_connection(('10.77.0.2', 7000))
server = listener.accept()
open('/proc/self/comm', 'w').write('opened_before')
open('$WORK/connected', 'w').write('yes')
open('$WORK/never').read()"
	read -r _ <"$WORK/connected" || :
	load_probes all
	"${UNPRIVILEGED[@]}" cat "$PIN_DIR/sockets" >"$WORK/sockets"
	[ $(($(wc -c <"$WORK/sockets") % 144)) -eq 0 ]
	[ "$(grep -ao opened_before "$WORK/sockets" | wc -l)" -eq 2 ] # both ends
	"${UNPRIVILEGED[@]}" "$BIN/loader" --pin-dir "$PIN_DIR" --status >"$WORK/status"
	grep -q "links: not readable without root" "$WORK/status"
	grep -q "^probe drop *attached" "$WORK/status"
	for pin in sockets probe_counters drop_totals; do
		run "${UNPRIVILEGED[@]}" sh -c "echo >'$PIN_DIR/$pin'"
		[ "$status" -ne 0 ]
	done
	run "${UNPRIVILEGED[@]}" bpftool link detach pinned "$PIN_DIR/sockets"
	[ "$status" -ne 0 ]
	run "${UNPRIVILEGED[@]}" bpftool map update pinned "$PIN_DIR/probe_counters" key 0 0 0 0 value 0 0 0 0 0 0 0 0
	[ "$status" -ne 0 ]
	run "${UNPRIVILEGED[@]}" ls "$PIN_DIR/private"
	[ "$status" -ne 0 ]
	run setpriv --reuid=65533 --regid=65533 --clear-groups --bounding-set=-all cat "$PIN_DIR/sockets"
	[ "$status" -ne 0 ]
	[ "$(attached)" = "$ALL" ]
}

@test "a pin of another shape in the way: exit 1, and detach clears it" {
	load_probes drop
	rm "$PIN_DIR/drop_totals"
	bpftool map create "$PIN_DIR/drop_totals" type array key 4 value 8 entries 1 name other
	run load_probes drop
	[ "$status" -eq 1 ]
	[[ $output == *"not made by this version"*"--detach"* ]]
	detach
	no_trace
}

# ---- running again -----------------------------------------------------------------

@test "run again: links and programs stay, options change in place, nothing is lost or counted twice" {
	load_probes all --drop-lines 0
	ids >"$WORK/ids"
	# one socket that is not connected: nobody tells it that nobody listens
	background in_a "$(command -v python3)" -c "
import os, socket
sender, sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
while not os.path.exists('$WORK/enough'):
    for i in range(100):
        sent += sender.sendto(b'x', ('10.77.0.2', 9))
open('$WORK/sent', 'w').write(str(sent))"
	sender=$!
	for options in "" "--drop-lines 0" "--max-processes 1000" "--event-ring-size 1M" "--max-drops 9000" ""; do
		# shellcheck disable=SC2086 # words on purpose
		load_probes all $options 2>>"$WORK/err"
	done
	touch "$WORK/enough"
	wait "$sender"
	diff "$WORK/ids" <(ids)
	[ "$(grep -c "latency unchanged" "$WORK/err")" -eq 6 ]
	sent=$(cat "$WORK/sent")
	start_reader --types drop --interval 0.2
	stop_reader
	counted=$(jq -s --argjson netns "$(netns_inode in_b)" \
		'[.[] | select(.type == "drop" and .netns == $netns and .dst_port == 9) | .count] | add' "$LINES")
	echo "# $sent datagrams to a port where nobody listens, over 6 runs of the loader: $counted drops" >&3
	[ "$counted" -eq "$sent" ]
}

@test "a new size: new maps, the old ones go when they are drained" {
	load_probes all
	load_probes all --max-processes 100 --max-networks 9 --event-ring-size 5000 --drop-lines all
	[ "$(json '.settings | "\(.max_processes) \(.max_networks) \(.event_ring_bytes) \(.drop_lines)"')" = "100 9 8192 all" ]
	[ "$(json '[.maps.processes[], .maps.latencies[], .maps.events[] | select(.in_force)] | length')" -eq 5 ]
	[ "$(json '[.maps.processes[] | select(.in_force) | .max_rows] | unique[]')" -eq 100 ]
	[ "$(json '[.maps.processes[] | select(.in_force and .written)] | length')" -eq 1 ]
	[ "$(json '[.maps.drops[] | .name] | join(" ")')" = "drops_1_a drops_1_b" ]
	start_reader --types process --interval 0.1
	for try in $(seq 50); do
		load_probes all
		[ "$(json '[.maps[][] | select(.in_force | not)] | length')" -ne 0 ] || break
	done
	stop_reader
	[ "$(json '[.maps[][] | select(.in_force | not)] | length')" -eq 0 ]
}

@test "a program that is not the loader's own any more is replaced with its probe, the others stay" {
	load_probes drop,latency
	ids | grep latency >"$WORK/latency"
	ids | grep "^drop " >"$WORK/drop"
	rm "$PIN_DIR/private/host_drop_nested"
	[ "$(json '.probes[] | select(.name == "drop") | "\(.state) \(.why)"')" = "incomplete without drop_nested" ]
	load_probes drop,latency 2>"$WORK/err"
	grep -q "host: latency unchanged" "$WORK/err"
	grep -q "host: drop replaced" "$WORK/err"
	diff "$WORK/latency" <(ids | grep latency)
	if diff "$WORK/drop" <(ids | grep "^drop "); then false; fi
	[ "$(attached)" = "drop latency" ]
}

@test "two pin directories watch the same host, each for itself" {
	load_probes all
	in_b "$BIN/loader" --pin-dir "$PIN_DIR-2" --probe all
	ids >"$WORK/ids"
	"$BIN/loader" --pin-dir "$PIN_DIR-2" --detach
	diff "$WORK/ids" <(ids)
	[ "$(attached)" = "$ALL" ]
}

# ---- what the kernel cannot do --------------------------------------------------------

@test "a tracepoint that is not there: left out with one line, or exit 3 if it was named" {
	without_tracepoint tcp_probe "$BIN/loader" --pin-dir "$PIN_DIR" --probe all 2>"$WORK/err" || [ $? -eq 0 ]
	cat "$WORK/err"
	[ "$(grep -c latency "$WORK/err")" -eq 1 ]
	grep -q "host: latency left out: this kernel has no tracepoint tcp_probe" "$WORK/err"
	[ "$(attached)" = "connection process drop" ]
	[ "$(json '.probes[] | select(.name == "latency") | .state')" = unsupported ]
	without_tracepoint tcp_probe "$BIN/loader" --pin-dir "$PIN_DIR" --status --json >"$WORK/json"
	[ "$(jq -r '.probes[] | select(.name == "latency") | .why' "$WORK/json")" = "this kernel has no tracepoint tcp_probe" ]
	run without_tracepoint tcp_probe "$BIN/loader" --pin-dir "$PIN_DIR" --probe drop,latency
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "loader: probe latency: this kernel has no tracepoint tcp_probe" ]]
	[ "$(attached)" = "connection process drop" ]
	load_probes all
	[ "$(attached)" = "$ALL" ]
	[ "$(json '.probes[] | select(.name == "latency") | .why')" = null ]
}

@test "named and not to be had on a fresh directory: exit 3, and nothing is left" {
	run without_tracepoint kfree_skb "$BIN/loader" --pin-dir "$PIN_DIR" --probe drop
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 1 ]
	no_trace
	run "${UNPRIVILEGED[@]}" "$BIN/loader" --pin-dir "$PIN_DIR" --probe drop
	[ "$status" -eq 3 ]
}

@test "a detail that the kernel cannot do is left out of its probe" {
	without_tracepoint fib6_table_lookup "$BIN/loader" --pin-dir "$PIN_DIR" --probe process 2>"$WORK/err"
	cat "$WORK/err"
	grep -q "host: process attached" "$WORK/err"
	grep -q "host: without process_route6" "$WORK/err"
	[[ $(json '.probes[] | select(.name == "process") | "\(.state) \(.why)"') == "attached without"*process_route6* ]]
}

# ---- detaching ---------------------------------------------------------------------

@test "detach by name leaves the host's probes until the last interface goes" {
	in_b_loader lo "$VETH_B"
	in_b_loader --detach lo
	[ "$(attached)" = "$ALL" ]
	in_b_loader --detach "$VETH_B"
	no_trace
}

OPTIONS=("--probe all" "--probe drop" "--probe connection,process" "--probe all --max-drops 100" "--probe latency,drop"
	"--probe all --event-ring-size 1M --drop-lines 0")

@test "killed at any moment: the next run goes on, and detach leaves nothing" {
	note_objects
	for i in $(seq "$KILLS"); do
		# shellcheck disable=SC2086 # words on purpose
		run timeout -s KILL "0.$(printf %03d $((RANDOM % 500)))" nsenter --net="/run/netns/$NETNS_B" \
			"$BIN/loader" --pin-dir "$PIN_DIR" ${OPTIONS[i % ${#OPTIONS[@]}]}
		[ $((i % 3)) -ne 0 ] || {
			load_probes all
			[ "$(attached)" = "$ALL" ]
			[ "$(json '[.probes[] | select(.name != "packet" and .why != null)] | length')" -eq 0 ]
			[ ! -e "$PIN_DIR/private/changing" ]
		}
		[ $((i % 5)) -ne 0 ] || {
			run timeout -s KILL "0.$(printf %03d $((RANDOM % 50)))" "$BIN/loader" --pin-dir "$PIN_DIR" --detach
			detach
			no_trace
		}
	done
	detach
	no_trace
	objects_are_gone
}

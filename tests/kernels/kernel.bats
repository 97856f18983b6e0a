#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# In a guest of tests/kernels/run: this kernel does what docs/KERNELS.md says of it, not less and not more, and what it
# cannot do is said in one line.

load ../netns/lib
load ../netns/probes

MODE=/sys/kernel/debug/sched/preempt # of preemption

setup() {
	[ -n "${JOPIL_KERNEL:-}" ] || skip "for the guests of tests/kernels/run"
	require_root
	make_veth
}

teardown() {
	[ -z "${MODE_BEFORE:-}" ] || echo "$MODE_BEFORE" >$MODE
	clean_up
}

# documented NAME: yes or no.
documented() { sed -n "s/^$1 //p" /documented; }

# found: the same rows as docs/KERNELS.md has, by loader --status.
found() {
	in_b_loader --status --json | jq -r '
		(.probes[] | "\(.name) \(if .state == "attached" then "yes" else "no" end)"),
		(.kernel.features[] | "\(.name) \(if .supported then "yes" else "no" end)"),
		(.probes[].programs[].name | "\(.) yes")' | sort -u
}

@test "probes, their details and features: all that docs/KERNELS.md says, and no more" {
	in_b_loader --group "$GROUP_ID" "$VETH_B" 2>"$WORK/err"
	comment <"$WORK/err"
	found >"$WORK/found"
	while read -r name answer; do
		grep -qx "$name yes" "$WORK/found" && now=yes || now=no
		echo "$name: documented $answer, found $now"
		[ "$now" = "$answer" ] || FAILED=1
	done </documented
	[ -z "${FAILED:-}" ]
	# What is left out is said, each in a line of its own.
	for probe in connection process drop latency; do
		[ "$(documented $probe)" = yes ] || [ "$(grep -c "^loader: host: $probe left out: " "$WORK/err")" -eq 1 ]
	done
}

@test "a CPU that goes and comes again under load: what it counted stays, what it counts is told" {
	local cpu=/sys/devices/system/cpu/cpu1/online
	[ -w "$cpu" ] || skip "this kernel keeps its CPUs"
	echo 0 >$cpu
	load_b --packet-lines 1000
	start_reader --interval 0.1
	for online in 1 0 1; do
		in_a "$BUILD/tests/netns/blast" "$VETH_A" 500 100 50 mix >/dev/null
		echo $online >$cpu
		[ $online -eq 0 ] || in_a taskset 2 "$BUILD/tests/netns/blast" "$VETH_A" 500 100 50 mix >/dev/null
	done
	detach 2>/dev/null
	wait "$READER_PID" "$CONSUMER_PID"
	"$BUILD/tests/netns/balance" <"$LINES"
	grep '"type":"counters"' "$LINES" | jq -se 'map(select(.more == false)) | last |
		.ingress_packets >= 2500 and ([.cpus[] | select(.packets >= 500) | .cpu] | sort == [0, 1])'
}

@test "a probe that is not to be had is refused by name: exit 3, one line, nothing left" {
	local refused=0
	for probe in connection process drop latency; do
		[ "$(documented $probe)" = no ] || continue
		run in_b_loader --probe "$probe"
		echo "$output" | comment
		[ "$status" -eq 3 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == "loader: probe $probe: this kernel "* ]]
		[ ! -e "$PIN_DIR" ]
		refused=$((refused + 1))
	done
	[ "$refused" -gt 0 ] || skip "this kernel has them all"
}

@test "preemptible, where programs at functions would be missed: no process probe, said in one line, then again" {
	[ "$(documented process_recv_exit_inet)" = yes ] || skip "this kernel has tracepoints, or neither"
	MODE_BEFORE=$(sed 's/.*(\(.*\)).*/\1/' $MODE)
	echo full >$MODE
	run in_b_loader --probe process
	[ "$status" -eq 3 ]
	[ "$output" = "loader: probe process: this kernel has no tracepoint sock_send_length, and is preemptible (preempt=full) at functions" ]
	run in_b_loader --probe connection
	[ "$status" -eq 0 ]
	[[ $output == *"without connection_send (no such tracepoint here): UDP has no lines"* ]]
	detach 2>/dev/null
	echo "$MODE_BEFORE" >$MODE
	run in_b_loader --probe process
	[ "$status" -eq 0 ]
}

@test "native XDP where there is none: exit 3, one line, nothing left" {
	run in_b_loader --hook xdp --probe packet lo
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 1 ]
	[ ! -e "$PIN_DIR" ]
}

@test "a reader without any capability reads, or is told what it takes: exit 3 and one line" {
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs)
	load_b
	in_a ping -q -c 5 -i 0.01 10.77.0.2 >/dev/null
	run in_b "${nobody[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" --once
	if [ "$(documented unprivileged_maps)" = yes ]; then
		[ "$status" -eq 0 ]
		[ "$(grep -c '"proto":"ICMP"' <<<"$output")" -ge 10 ]
	else
		echo "$output" | comment
		[ "$status" -eq 3 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"pinned maps need CAP_BPF"*setcap* ]]
		run in_b "${UNPRIVILEGED[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" --once
		[ "$status" -eq 0 ]
		[ "$(grep -c '"proto":"ICMP"' <<<"$output")" -ge 10 ]
	fi
}

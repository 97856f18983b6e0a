#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# jopil without systemd, in a network namespace of the test's own; and what doctor finds on machines that lack something.

setup() {
	JOPIL=$BIN/jopil
	NS=jopil-$$
	PIN_DIR=/sys/fs/bpf/jopil-test-$$
	ip netns add "$NS"
	in_ns ip link set lo up
	in_ns ip link add jp0 type veth peer jp1
	in_ns ip link set jp0 up
	in_ns ip addr add 192.0.2.1/24 dev jp0
	printf '# as shipped\nLOADER_OPTIONS="--packet-lines all"\nAGGREGATOR_OPTIONS=--interval 0.2\n#READER_OPTIONS=--no\n' \
		>"$BATS_TEST_TMPDIR/jopil.conf"
	chmod 755 "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "${BATS_TEST_TMPDIR%/*/*}"
}

teardown() {
	if [ -e "$PIN_DIR" ]; then jopil down; fi
	ip netns delete "$NS"
}

in_ns() {
	ip netns exec "$NS" "$@"
}

# Options behind the verb's place do not matter: the last one counts.
jopil() {
	nsenter --net="/run/netns/$NS" "$JOPIL" --pin-dir "$PIN_DIR" --config "$BATS_TEST_TMPDIR/jopil.conf" \
		--state-dir "$BATS_TEST_TMPDIR/state" --run-dir "$BATS_TEST_TMPDIR/run" "$@"
}

stage_pid() {
	cat "$BATS_TEST_TMPDIR/run/pipes/$1.pid"
}

next_stats() {
	nsenter --net="/run/netns/$NS" timeout 60 curl -sfN 'http://127.0.0.1:5000/events?topics=stats' |
		grep -m 2 '^data:' | tail -1 | cut -c6-
}

@test "up, status and down: a pipeline without root, and no trace of it" {
	run jopil status
	[ "$status" = 1 ]
	run jopil up jp0 3>&-
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"jopil: dashboard on http://127.0.0.1:5000" ]]
	jopil status | grep -cE '^(reader|aggregator|recorder|httpd) +active$' | grep -qx 4
	next_stats | jq -e '.totals.packets >= 0'
	for stage in reader aggregator recorder httpd; do
		run grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs):' "/proc/$(stage_pid "$stage")/status"
		[[ ${lines[0]} != *"	0"* ]]
		[[ $output == *"CapEff:	0000000000000000"*"CapBnd:	0000000000000000"*"NoNewPrivs:	1"* ]]
	done
	pids=$(for stage in reader aggregator recorder httpd; do stage_pid "$stage"; done)
	jopil down
	for pid in $pids; do timeout 20 tail --pid="$pid" -f /dev/null; done
	[ ! -e "$PIN_DIR" ]
	[ -s "$BATS_TEST_TMPDIR/state/flows.db" ]
}

@test "options come from the configuration" {
	jopil up jp0 3>&-
	"$BIN/loader" --pin-dir "$PIN_DIR" --status --json | jq -e '.settings.packet_lines == "all"'
	next_stats | jq -e '.interval_ms < 900'
}

@test "a stage that is killed comes again, and the others do not notice" {
	jopil up jp0 3>&-
	for stage in reader aggregator recorder httpd; do
		old=$(stage_pid "$stage")
		others=$(cat "$BATS_TEST_TMPDIR"/run/pipes/*.pid | grep -vx "$old")
		kill -9 "$old"
		tail --pid="$old" -f /dev/null
		mkdir -p "$BATS_TEST_TMPDIR/seen"
		timeout 60 sh -c "until [ \"\$(cat '$BATS_TEST_TMPDIR/run/pipes/$stage.pid')\" != $old ]; do read -r _ </proc/uptime; done"
		[ "$(cat "$BATS_TEST_TMPDIR"/run/pipes/*.pid | grep -vx "$(stage_pid "$stage")")" = "$others" ]
		until next_stats | jq -e .totals; do :; done
	done
}

@test "a port that is taken: up says so, and leaves no process" {
	# It ends with its input: with this test, whatever comes of it.
	mkfifo "$BATS_TEST_TMPDIR/hold"
	nsenter --net="/run/netns/$NS" /usr/bin/python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 5000))
print("up", flush=True)
sys.stdin.read()' <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/taken" 3>&- &
	exec 7>"$BATS_TEST_TMPDIR/hold"
	timeout 20 tail -f "$BATS_TEST_TMPDIR/taken" 3>&- 7>&- | grep -m 1 -q up
	run jopil doctor jp0
	[ "$status" = 3 ]
	[[ $output == *"bad   port"*"127.0.0.1:5000 is taken"* ]]
	run jopil up jp0 3>&-
	[ "$status" = 1 ]
	[[ $output == *"the port is taken"* ]]
	run flock -n "$BATS_TEST_TMPDIR/run/lock" true
	[ "$status" = 0 ]
	exec 7>&-
}

@test "run: the pipeline in the foreground, detached at its end" {
	nsenter --net="/run/netns/$NS" "$JOPIL" --pin-dir "$PIN_DIR" --state-dir "$BATS_TEST_TMPDIR/state" \
		--run-dir "$BATS_TEST_TMPDIR/run" run jp0 >"$BATS_TEST_TMPDIR/out" 3>&- &
	runner=$!
	timeout 60 tail -f --pid=$runner "$BATS_TEST_TMPDIR/out" 3>&- | grep -m 1 -q dashboard
	next_stats | jq -e .totals
	kill -TERM $runner
	wait $runner
	[ ! -e "$PIN_DIR" ]
	run flock -n "$BATS_TEST_TMPDIR/run/lock" true
	[ "$status" = 0 ]
}

@test "usage: no verb, no interface, nobody's option" {
	for arguments in "" "up" "run" "fly eth0" "--fly" "--listen"; do
		# shellcheck disable=SC2086 # words
		run "$JOPIL" $arguments
		[ "$status" = 2 ]
		[[ $output == "jopil: "*"jopil --help lists what there is" ]]
	done
	run setpriv --reuid=65534 --clear-groups "$JOPIL" up jp0
	[ "$status" = 3 ]
	[ "$output" = "jopil: up jp0 needs root: sudo jopil up jp0" ]
}

# A machine as doctor sees it, which is all right.
machine() {
	JOPIL_SYSROOT=$BATS_TEST_TMPDIR/machine
	export JOPIL_SYSROOT
	mkdir -p "$JOPIL_SYSROOT"/{boot,proc/sys/kernel,proc/self,proc/net,sys/kernel/{btf,security},sys/fs/bpf}
	cd "$JOPIL_SYSROOT" || return 1
	echo 6.1.0-18-amd64 >proc/sys/kernel/osrelease
	for name in BPF BPF_SYSCALL BPF_EVENTS DEBUG_INFO_BTF NET_CLS_ACT NET_CLS_BPF NET_SCH_INGRESS CGROUP_BPF; do
		echo "CONFIG_$name=y"
	done >boot/config-6.1.0-18-amd64
	printf 'CapEff:\t000001ffffffffff\n' >proc/self/status
	printf '         0          0 4294967295\n' >proc/self/uid_map
	echo 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0' >proc/self/mounts
	: >proc/net/tcp
	printf 'Inter-|   Receive\n face |bytes\n  eth0: 0 0\n' >proc/net/dev
	printf 'btf_trace_%s\n' inet_sock_set_state sock_send_length sock_recv_length tcp_rcv_space_adjust kfree_skb tcp_probe \
		>sys/kernel/btf/vmlinux
	echo '[none] integrity confidentiality' >sys/kernel/security/lockdown
}

# finds STATE WHAT WORDS: a line of doctor.
finds() {
	run "$JOPIL" doctor eth0
	echo "$output"
	grep -qE "^$1 +$2 .*$3" <<<"$output"
	[ "$1" = bad ] && [ "$status" = 3 ] || [ "$status" = 0 ]
}

@test "doctor: what a machine lacks, and the remedy" {
	machine
	finds ok kernel 6.1
	finds ok config "has what is needed"
	finds ok eth0 "free to attach"
	echo 5.15.0 >proc/sys/kernel/osrelease
	cp boot/config-6.1.0-18-amd64 boot/config-5.15.0
	finds less kernel 'setcap cap_bpf\+ep'
	echo 4.19.0 >proc/sys/kernel/osrelease
	finds bad kernel "too old; install 5.10"
	echo 6.1.0-18-amd64 >proc/sys/kernel/osrelease
	sed -i 's/=y/=n/' boot/config-6.1.0-18-amd64
	finds bad config "without CONFIG_BPF CONFIG_BPF_SYSCALL"
	rm boot/config-6.1.0-18-amd64
	finds less config "can be read"
	printf 'CapEff:\t0000000000000000\n' >proc/self/status
	finds less capability "without CAP_NET_ADMIN CAP_SYS_ADMIN CAP_PERFMON CAP_BPF .*sudo jopil up"
	printf '         0       1000          1\n' >proc/self/uid_map
	finds less userns "a user namespace"
	: >proc/self/mounts
	finds less cgroup2 "mount -t cgroup2"
	finds less bpffs "mount -t bpf"
	sed -i '/tcp_probe/d' sys/kernel/btf/vmlinux
	finds less tracepoints "lacks tcp_probe \(latency\)"
	printf '  sl  local_address rem_address   st\n   0: 0100007F:1388 00000000:0000 0A 0\n' >proc/net/tcp
	finds bad port "127.0.0.1:5000 is taken"
	: >proc/net/tcp
	echo 'none integrity [confidentiality]' >sys/kernel/security/lockdown
	finds bad lockdown "boot with lockdown=integrity"
	echo '[none]' >sys/kernel/security/lockdown
	rm sys/kernel/btf/vmlinux
	finds bad btf CONFIG_DEBUG_INFO_BTF
	: >proc/net/dev
	finds bad eth0 "no such interface"
}

@test "doctor: a foreign XDP program is named" {
	printf 'int f(void *c) { return 2; }\nchar l[] __attribute__((section("license"))) = "GPL";\n' |
		sed '1s/^/__attribute__((section("xdp"))) /' |
		clang -O2 -g -target bpf -x c -c -o "$BATS_TEST_TMPDIR/pass.o" -
	in_ns ip link set jp0 xdpgeneric obj "$BATS_TEST_TMPDIR/pass.o" sec xdp
	run jopil doctor jp0
	[[ $output == *"less  jp0"*"somebody else's XDP program"*"--replace"* ]]
}

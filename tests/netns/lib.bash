# SPDX-License-Identifier: MIT
# Helpers of the namespace tests: two namespaces joined by a veth pair, a private pin directory, and an
# unprivileged reader. Load it, call require_root and make_veth in setup() and clean_up in teardown().
#
#	$VETH_A in in_a ... <-> $VETH_B in in_b ...	10.77.0.1/24, fd77::1/64 and .2, ::2
#	$PIN_DIR	the pin directory of this test	$WORK	a scratch directory that nobody may read
#	$LINES		what the reader has written (start_reader, stop_reader)
#
# Never `ip netns exec`: it makes a mount namespace of its own, and pins made there would vanish.

GROUP_ID=65534
# On other kernels (tests/kernels) JOPIL_READER_CAPS is +bpf where pinned maps want it: docs/KERNELS.md.
CAPS=-all${JOPIL_READER_CAPS:+,$JOPIL_READER_CAPS}
UNPRIVILEGED=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$CAPS" --ambient-caps="$CAPS"
	--bounding-set="$CAPS" --no-new-privs)

# require_root: skips the test where namespaces or BPF are not to be had.
require_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	[ -r /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"
	[ "$(stat -f -c %t /sys/fs/bpf)" = cafe4a11 ] || skip "no bpffs on /sys/fs/bpf"
}

# make_scratch: $WORK, $LINES, $PIN_DIR and the names of things. make_veth calls it.
make_scratch() {
	TAG=jopil-test-$$-${BATS_TEST_NUMBER:-0}
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/$TAG.XXXXXX")
	chmod 755 "$WORK"
	PIN_DIR=/sys/fs/bpf/$TAG
	LINES=$WORK/lines
	NETNS_A=$TAG-a NETNS_B=$TAG-b
	VETH_A=jpa0 VETH_B=jpb0
	PIDS=()
	mkfifo "$WORK/never"
}

in_a() { nsenter --net="/run/netns/$NETNS_A" "$@"; }
in_b() { nsenter --net="/run/netns/$NETNS_B" "$@"; }

# make_veth: two namespaces and the pair between them, quiet: no address detection, no router solicitation.
make_veth() {
	make_scratch
	ip netns add "$NETNS_A"
	ip netns add "$NETNS_B"
	in_a ip link add "$VETH_A" type veth peer name "$VETH_B" netns "$NETNS_B"
	quiet_up in_a "$VETH_A" 1
	quiet_up in_b "$VETH_B" 2
}

# quiet_up in_a|in_b IFACE HOST: brings an interface up with addresses.
quiet_up() {
	"$1" sysctl -qw "net.ipv6.conf.$2.accept_dad=0" "net.ipv6.conf.$2.router_solicitations=0" \
		"net.ipv6.conf.$2.mldv2_unsolicited_report_interval=0"
	"$1" ip link set lo up
	"$1" ip address add "10.77.0.$3/24" dev "$2"
	"$1" ip address add "fd77::$3/64" dev "$2" nodad
	"$1" ip link set "$2" up
}

# in_b_loader OPTION...: the loader within B, on this test's pin directory.
in_b_loader() { in_b "$BIN/loader" --pin-dir "$PIN_DIR" "$@"; }

# load_b OPTION...: attaches to $VETH_B; unless told otherwise the packet probe alone.
load_b() { in_b_loader --group "$GROUP_ID" --probe packet "$@" "$VETH_B"; }

# detach: everything of this test; quiet if there is nothing.
# shellcheck disable=SC2120 # interfaces may be named
detach() { "$BIN/loader" --pin-dir "$PIN_DIR" --detach "$@"; }

# counter_b KEY: a number of $VETH_B out of loader --status.
counter_b() {
	in_b_loader --status --json | jq -r --arg name "$VETH_B" ".interfaces[] | select(.name == \$name) | .$1"
}

# device_counters in_a|in_b IFACE rx|tx: "PACKETS BYTES" by the interface itself.
device_counters() {
	"$1" ip -s -j link show dev "$2" | jq -r ".[0].stats64.$3 | \"\(.packets) \(.bytes)\""
}

# background [in_a|in_b] COMMAND...: starts it, to be ended by clean_up; its pid is in $!. A function in the
# background would be a child of a subshell, and $! the shell's.
background() {
	case $1 in
	in_a) nsenter --net="/run/netns/$NETNS_A" "${@:2}" 3>&- & ;;
	in_b) nsenter --net="/run/netns/$NETNS_B" "${@:2}" 3>&- & ;;
	*) "$@" 3>&- & ;;
	esac
	PIDS+=($!)
}

# start_reader OPTION...: a reader without any privilege writes to $LINES, through a pipe and a consumer.
start_reader() {
	mkfifo "$WORK/pipe" "$WORK/ready"
	cat "$WORK/pipe" >"$LINES" 3>&- &
	CONSUMER_PID=$!
	nsenter --net="/run/netns/$NETNS_B" "${UNPRIVILEGED[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" --ready-fd 9 "$@" \
		>"$WORK/pipe" 2>"$WORK/reader.err" 9>"$WORK/ready" 3>&- &
	READER_PID=$!
	PIDS+=("$CONSUMER_PID" "$READER_PID")
	read -r _ <"$WORK/ready" || { cat "$WORK/reader.err" >&2; return 1; }
}

# stop_reader: ends it as an operator would; all it has written is in $LINES afterwards.
stop_reader() {
	kill -TERM "$READER_PID"
	wait "$READER_PID"
	wait "$CONSUMER_PID"
	rm -f "$WORK/pipe" "$WORK/ready"
}

# object_ids: the kernel's programs, maps and links.
object_ids() {
	bpftool -j prog list | jq -r '.[] | "prog \(.id)"'
	bpftool -j map list | jq -r '.[] | "map \(.id)"'
	bpftool -j link list | jq -r '.[] | "link \(.id)"'
}

# note_objects: those that there are, before the test makes some.
note_objects() { object_ids | sort >"$WORK/before"; }

# objects_are_gone: none is left of those made since. What the kernel frees late, or others have made meanwhile, goes.
objects_are_gone() {
	object_ids | sort | comm -13 "$WORK/before" - >"$WORK/left"
	for _ in $(seq 100); do
		[ -s "$WORK/left" ] || return 0
		object_ids | sort | comm -12 "$WORK/left" - >"$WORK/still"
		mv "$WORK/still" "$WORK/left"
	done
	cat "$WORK/left"
	return 1
}

# clean_up: ends what this test started, by pid, and takes away what it made.
clean_up() {
	[ -n "${TAG:-}" ] || return 0
	local pid
	for pid in "${PIDS[@]}"; do
		kill -CONT "$pid" 2>/dev/null || :
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	[ ! -e "$PIN_DIR" ] || detach >/dev/null 2>&1 || :
	ip netns del "$NETNS_A" 2>/dev/null || :
	ip netns del "$NETNS_B" 2>/dev/null || :
	rm -rf "$WORK"
}

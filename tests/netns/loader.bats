#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The loader on real interfaces: hooks, pins and their modes, replacing, refusing, undoing, cleaning up.

load lib

RUNS=${JOPIL_LOADER_RUNS:-50}
KILLS=${JOPIL_LOADER_KILLS:-30}

setup() {
	require_root
	make_veth
}

teardown() {
	[ -n "${TAG:-}" ] || return 0
	rm -f "/sys/fs/bpf/$TAG-foreign"
	[ ! -e "$PIN_DIR-2" ] || "$BIN/loader" --pin-dir "$PIN_DIR-2" --detach
	clean_up
}

pings() {
	in_a ping -q -c "$1" -i 0.01 10.77.0.2 >/dev/null
}

# json FILTER: out of loader --status --json.
json() {
	in_b_loader --status --json | jq -r "$1"
}

# no_trace: nothing of ours is pinned, mounted or hangs at the interface.
no_trace() {
	[ ! -e "$PIN_DIR" ]
	[ "$(in_b ip -d link show "$VETH_B" | grep -c xdp)" -eq 0 ]
	[ "$(in_b tc qdisc show dev "$VETH_B" | grep -c clsact)" -eq 0 ]
}

# foreign_program NAME: pins the smallest XDP program, of somebody else; prints the path.
foreign_program() {
	local path=/sys/fs/bpf/${TAG}-foreign
	printf '%s\n' '__attribute__((section("xdp"), used)) int '"$1"'(void *context) { return 2; }' \
		'char terms[] __attribute__((section("license"))) = "MIT";' >"$WORK/foreign.c"
	clang -O2 -g -target bpf -c "$WORK/foreign.c" -o "$WORK/foreign.o"
	bpftool prog load "$WORK/foreign.o" "$path"
	printf '%s\n' "$path"
}

# ---- attaching -------------------------------------------------------------

@test "a wrong command line: exit 2 and one line" {
	for arguments in "--nonsense" "" "--hook none $VETH_B" "--packet-lines many $VETH_B" "--status --detach" \
		"--json $VETH_B" "--only arp $VETH_B" "--probe x $VETH_B" "--ready-fd 77 $VETH_B" \
		"--ring-size 0 $VETH_B" "--status $VETH_B"; do
		# shellcheck disable=SC2086 # words on purpose
		run in_b_loader $arguments
		echo "$arguments: $status: $output"
		[ "$status" -eq 2 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	no_trace
}

@test "auto takes tc on veth and says why, on stderr only" {
	in_b_loader "$VETH_B" >"$WORK/out" 2>"$WORK/err"
	[ ! -s "$WORK/out" ]
	grep -qx "loader: $VETH_B: ingress tc, egress tc (veth: native XDP would switch off segmentation offload on its peer)" "$WORK/err"
}

# bats test_tags=kernel
@test "each hook counts every packet, both ways" {
	for hook in xdp generic tc; do
		load_b --hook "$hook"
		[ "$(json '.interfaces[0].ingress.hook')" = "$hook" ]
		[ "$(json '.interfaces[0].egress.hook')" = tc ]
		before=$(counter_b packets)
		pings 20
		after=$(counter_b packets)
		[ $((after - before)) -ge 40 ]
		detach
		no_trace
	done
}

@test "lo can be counted, a tun device is refused with exit 3" {
	in_b_loader lo
	in_b ping -q -c 1 127.0.0.1
	[ "$(json '.interfaces[0].ingress_packets')" -eq 2 ]
	in_b ip tuntap add dev jptun0 mode tun || skip "no tun devices"
	run in_b_loader jptun0
	[ "$status" -eq 3 ]
	[[ $output == *jptun0*Ethernet* ]]
}

@test "no such interface: exit 1, named, and nothing is left" {
	run in_b_loader "$VETH_B" jpnone0
	[ "$status" -eq 1 ]
	[[ $output == "loader: jpnone0: no such interface"* ]]
	no_trace
}

@test "ready-fd gets its newline" {
	in_b "$BIN/loader" --pin-dir "$PIN_DIR" --ready-fd 9 "$VETH_B" 9>"$WORK/newline"
	[ "$(wc -c <"$WORK/newline")" -eq 1 ]
}

@test "a second interface changes nothing of the first" {
	load_b --packet-lines 7 --only tcp --max-flows 100
	before=$(json '.interfaces[0].ingress.program_id')
	in_b_loader lo
	[ "$(json '.interfaces | length')" -eq 2 ]
	[ "$(json '.interfaces[0].ingress.program_id')" = "$before" ]
	[ "$(json '"\(.settings.packet_lines) \(.settings.only) \(.settings.max_flows)"')" = "7 TCP 100" ]
	in_b_loader --packet-lines all lo
	[ "$(json '.interfaces[0].ingress.program_id')" != "$before" ]
	[ "$(json '"\(.settings.packet_lines) \(.settings.only) \(.settings.max_flows)"')" = "all TCP 100" ]
}

@test "one pin directory for interfaces of two namespaces" {
	load_b
	in_a "$BIN/loader" --pin-dir "$PIN_DIR" "$VETH_A"
	[ "$(json '[.interfaces[].state] | join(" ")')" = "attached attached" ]
	before=$(json '[.interfaces[].ingress.program_id] | join(" ")')
	load_b --packet-lines 0
	after=$(json '[.interfaces[].ingress.program_id] | join(" ")')
	[ "${before% *}" != "${after% *}" ]
	[ "${before#* }" != "${after#* }" ]
	pings 3
	[ "$(json '.interfaces[1].packets')" -ge 6 ]
	detach
	no_trace
}

# ---- pins ------------------------------------------------------------------

@test "pins have the modes and owners that they should, whatever the umask" {
	for mask in 000 077 022; do
		(umask $mask && load_b)
		expected="$PIN_DIR 750 0 $GROUP_ID
$PIN_DIR/reader 750 0 $GROUP_ID
$PIN_DIR/private 700 0 0
$PIN_DIR/interfaces 640 0 $GROUP_ID
$PIN_DIR/settings 640 0 $GROUP_ID
$PIN_DIR/totals_0 640 0 $GROUP_ID
$PIN_DIR/losses_0 640 0 $GROUP_ID
$PIN_DIR/flow_slot 660 0 $GROUP_ID
$PIN_DIR/flow_pages 660 0 $GROUP_ID
$PIN_DIR/flows_1_a 660 0 $GROUP_ID
$PIN_DIR/flows_1_b 660 0 $GROUP_ID
$PIN_DIR/private/rings 600 0 0
$PIN_DIR/private/budgets 600 0 0
$PIN_DIR/private/link_0_ingress 600 0 0
$PIN_DIR/private/link_0_egress 600 0 0"
		for cpu in $(seq 0 $(($(json .settings.cpus) - 1))); do
			expected+=$'\n'"$PIN_DIR/ring_1_$cpu 660 0 $GROUP_ID"
		done
		diff <(sort <<<"$expected") <(find "$PIN_DIR" -exec stat -c '%n %a %u %g' {} + | sort)
		detach
	done
}

@test "the group: --group, else that of who ran sudo; a later run keeps it" {
	SUDO_GID=54321 in_b_loader "$VETH_B"
	getent group jopil >/dev/null || [ "$(stat -c %g "$PIN_DIR")" = 54321 ]
	in_b_loader --group "$GROUP_ID" "$VETH_B"
	[ "$(stat -c %g "$PIN_DIR/ring_1_0")" = "$GROUP_ID" ]
	SUDO_GID=54321 in_b_loader "$VETH_B"
	[ "$(stat -c %g "$PIN_DIR/flow_slot")" = "$GROUP_ID" ]
	run in_b_loader --group no-such-group "$VETH_B"
	[ "$status" -eq 1 ]
	[[ $output == *no-such-group* ]]
}

@test "without capability: status works, links and private maps cannot be opened, nothing can be changed" {
	load_b
	"${UNPRIVILEGED[@]}" "$BIN/loader" --pin-dir "$PIN_DIR" --status >"$WORK/status"
	grep -q "links: not readable without root" "$WORK/status"
	for pin in private/link_0_ingress private/link_0_egress; do
		run "${UNPRIVILEGED[@]}" bpftool link show pinned "$PIN_DIR/$pin"
		[ "$status" -ne 0 ]
	done
	chmod 755 "$PIN_DIR/private" # the pins' own modes must do as well
	for pin in link_0_ingress link_0_egress rings budgets; do
		run "${UNPRIVILEGED[@]}" cat "$PIN_DIR/private/$pin"
		[[ $output == *"Permission denied"* ]]
	done
	run "${UNPRIVILEGED[@]}" "$BIN/loader" --pin-dir "$PIN_DIR" --detach
	[ "$status" -eq 3 ]
	run nsenter --net="/run/netns/$NETNS_B" "${UNPRIVILEGED[@]}" "$BIN/loader" --pin-dir "$PIN_DIR" "$VETH_B"
	[ "$status" -eq 3 ]
	run setpriv --reuid=65533 --regid=65533 --clear-groups --bounding-set=-all \
		"$BIN/loader" --pin-dir "$PIN_DIR" --status
	[ "$status" -eq 3 ]
	[ "$(json '.interfaces[0].state')" = attached ]
}

@test "elsewhere: a bpffs is mounted and taken away again" {
	PIN_DIR=$WORK/pins
	load_b
	[ "$(stat -f -c %t "$PIN_DIR")" = cafe4a11 ]
	pings 1
	[ "$(counter_b packets)" -ge 2 ]
	detach
	[ ! -e "$PIN_DIR" ]
	if grep -q "$WORK" /proc/self/mountinfo; then false; fi
	mkdir "$PIN_DIR" # a directory that was there stays
	load_b
	detach
	[ -d "$PIN_DIR" ]
	if grep -q "$WORK" /proc/self/mountinfo; then false; fi
	touch "$PIN_DIR/precious"
	run load_b
	[ "$status" -eq 1 ]
	[ -e "$PIN_DIR/precious" ]
}

@test "no bpffs on /sys/fs/bpf: mounted and unmounted; one of mode 0700 is made searchable" {
	cat >"$WORK/script" <<-'SCRIPT'
		set -ex
		umount /sys/fs/bpf
		in_b() { nsenter --net="$NETNS" "$@"; }
		in_b "$BIN/loader" "$VETH" 2>&1 | grep 'mounted a bpffs on /sys/fs/bpf'
		in_b "$BIN/loader" --status >/dev/null
		"$BIN/loader" --detach
		if grep -q ' /sys/fs/bpf ' /proc/self/mountinfo; then false; fi
		mount -t bpf -o mode=0700 bpf /sys/fs/bpf
		in_b "$BIN/loader" --group 65534 "$VETH" 2>&1 | grep 'made /sys/fs/bpf searchable'
		setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all "$BIN/loader" --status >/dev/null
		mount -o remount,ro /sys/fs/bpf
		in_b "$BIN/loader" "$VETH" && exit 1 || [ $? -eq 3 ]
		mount -o remount,rw /sys/fs/bpf
		"$BIN/loader" --detach
		grep -q ' /sys/fs/bpf ' /proc/self/mountinfo
	SCRIPT
	NETNS=/run/netns/$NETNS_B VETH=$VETH_B unshare -m bash "$WORK/script"
}

@test "directories that cannot be it" {
	for dir in /sys/fs/bpf /sys/fs/bpf/a.b /nonexistent/a/b "$WORK/never"; do
		run in_b "$BIN/loader" --pin-dir "$dir" "$VETH_B"
		echo "$output"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		run "$BIN/loader" --pin-dir "$dir" --detach
		[ "$status" -eq 0 ]
	done
}

@test "what is not ours in the pin directory is left alone" {
	mkdir "$PIN_DIR" "$PIN_DIR/theirs"
	run load_b
	[ "$status" -eq 1 ]
	[[ $output == *"'theirs'"* ]]
	rmdir "$PIN_DIR/theirs"
	load_b
	mkdir "$PIN_DIR/theirs"
	run detach
	[ "$status" -eq 1 ]
	[[ $output == *"'theirs'"* ]]
	[ "$(find "$PIN_DIR" -mindepth 1)" = "$PIN_DIR/theirs" ]
	rmdir "$PIN_DIR/theirs"
	detach
	no_trace
}

@test "pins of another shape in the way: exit 1, and detach clears them" {
	load_b
	rm "$PIN_DIR/settings"
	bpftool map create "$PIN_DIR/settings" type array key 4 value 8 entries 1 name other
	run load_b
	[ "$status" -eq 1 ]
	[[ $output == *settings*"--detach"* ]]
	detach
	no_trace
}

@test "ip netns exec would take the pins with it: refused, with what to do" {
	run ip netns exec "$NETNS_B" "$BIN/loader" --pin-dir "$PIN_DIR" "$VETH_B"
	[ "$status" -ne 0 ] || skip "this ip keeps the mounts"
	[ "$status" -eq 3 ]
	[[ $output == *nsenter* ]]
}

@test "another holder of the lock is named" {
	load_b
	mkfifo "$WORK/held"
	background flock "$PIN_DIR" sh -c "echo >$WORK/held; read -r _ <$WORK/never"
	holder=$!
	read -r _ <"$WORK/held"
	run load_b
	echo >"$WORK/never"
	[ "$status" -eq 1 ]
	[[ $output == *"locked by process $holder"* ]]
}

# ---- status and detach --------------------------------------------------------

@test "status: a table, JSON, and exit 1 where nothing is" {
	run in_b_loader --status
	[ "$status" -eq 1 ]
	[[ $output == *"loader: nothing is attached in $PIN_DIR"* ]]
	load_b
	pings 5
	in_b_loader --status | grep -q "^$VETH_B .* attached .*tc (link "
	in_b_loader --status --json | jq -e --arg dir "$PIN_DIR" '.attached and .pin_dir == $dir and .settings.max_flows == 65536
		and (.maps.flows | map(select(.written)) | length) == 1
		and (.maps.rings | map(.used_bytes) | add) > 0
		and .reader.present == false and .reader.pid == null
		and (.probes[0] | .name == "packet" and .on)
		and (.kernel.features | map(select(.name == "tcx")) | length) == 1
		and .interfaces[0].ingress.program_id > 0 and .interfaces[0].packets >= 10'
}

@test "detach by name, then the last one takes everything with it" {
	load_b
	in_b_loader lo
	run in_b_loader --detach jpnone0
	[ "$status" -eq 1 ]
	in_b_loader --detach lo
	[ "$(json '[.interfaces[].state] | join(" ")')" = "attached detached" ]
	in_b_loader --detach "$VETH_B"
	no_trace
	run in_b_loader --detach
	[ "$status" -eq 0 ]
	[[ $output == *"nothing is attached"* ]]
}

@test "a detached interface keeps its slot and its totals" {
	in_b_loader lo
	load_b
	pings 5
	before=$(counter_b packets)
	in_b_loader --detach "$VETH_B"
	pings 5
	load_b
	[ "$(counter_b slot)" -eq 1 ]
	[ "$(counter_b packets)" -lt $((before + 10)) ]
	[ "$(counter_b packets)" -ge "$before" ]
}

@test "an interface renamed, moved and removed" {
	load_b
	in_b ip link set "$VETH_B" down
	in_b ip link set "$VETH_B" name jpnew0
	[ "$(json '.interfaces[0] | "\(.state) \(.name_now)"')" = "renamed jpnew0" ]
	in_b_loader jpnew0
	[ "$(json '.interfaces[0] | "\(.state) \(.name)"')" = "attached jpnew0" ]
	in_b ip link set jpnew0 netns "$NETNS_A"
	[ "$(json '.interfaces[0].state')" = moved ]
	in_b_loader --packet-lines 0 lo
	in_a ip link del "$VETH_A"
	[ "$(json '.interfaces[0].state')" = gone ]
	in_b_loader lo
	[ "$(json '[.interfaces[].state] | join(" ")')" = "detached attached" ]
	[ -z "$(find "$PIN_DIR/private" -name 'link_0_*')" ]
	detach
	[ ! -e "$PIN_DIR" ]
}

# ---- foreign programs, failures ------------------------------------------------

@test "a foreign XDP program is named and left alone, unless told otherwise" {
	foreign=$(foreign_program someone_else)
	in_b ip link set dev "$VETH_B" xdpgeneric pinned "$foreign"
	id=$(bpftool -j prog show pinned "$foreign" | jq .id)
	for hook in auto xdp generic; do
		run in_b_loader --hook "$hook" "$VETH_B"
		[ "$status" -eq 1 ]
		[[ $output == *"(id $id, name 'someone_else', mode generic)"*--replace*"--hook tc"* ]]
		[ ! -e "$PIN_DIR" ]
	done
	in_b_loader --hook tc "$VETH_B"
	in_b_loader "$VETH_B" # it was told before
	in_b ip -j -d link show "$VETH_B" | jq -e ".[0].xdp.prog.id == $id"
	detach
	in_b_loader --replace --hook xdp "$VETH_B"
	in_b ip -j -d link show "$VETH_B" | jq -e ".[0].xdp.prog.id == $(json '.interfaces[0].ingress.program_id')"
	detach
	in_b ip -j -d link show "$VETH_B" | jq -e '.[0].xdp == null'
	rm -f "$foreign"
}

@test "a replaced foreign program comes back if ours cannot be attached" {
	foreign=$(foreign_program someone_else)
	in_b ip link set dev lo xdpgeneric pinned "$foreign"
	run in_b_loader --replace --hook xdp lo # lo has no native XDP
	[ "$status" -eq 3 ]
	in_b ip -j -d link show lo | jq -e ".[0].xdp.prog.id == $(bpftool -j prog show pinned "$foreign" | jq .id)"
	in_b ip link set dev lo xdpgeneric off
	rm -f "$foreign"
	no_trace
}

@test "two pipelines at one interface: XDP of the other is foreign, tc is not" {
	load_b --hook xdp
	other=$PIN_DIR-2
	run in_b "$BIN/loader" --pin-dir "$other" --hook xdp "$VETH_B"
	[ "$status" -eq 1 ]
	[[ $output == *"name 'packet_xdp', mode native"* ]]
	in_b "$BIN/loader" --pin-dir "$other" --hook tc "$VETH_B"
	pings 10
	first=$(counter_b packets)
	[ "$first" = "$(in_b "$BIN/loader" --pin-dir "$other" --status --json | jq '.interfaces[0].packets')" ]
	in_b "$BIN/loader" --pin-dir "$other" --replace --hook xdp "$VETH_B"
	"$BIN/loader" --pin-dir "$other" --detach
}

@test "all or nothing: what was attached before the failure is taken off" {
	run in_b_loader --hook xdp "$VETH_B" lo # lo has no native XDP
	[ "$status" -eq 3 ]
	[[ $output == *"lo: attach to native XDP"* ]]
	no_trace
}

@test "all or nothing: what was replaced before the failure comes back" {
	load_b --hook tc --packet-lines 5
	before=$(json '.interfaces[0] | "\(.ingress.program_id) \(.egress.program_id)"')
	run in_b_loader --hook xdp --packet-lines 9 --max-flows 9 "$VETH_B" lo
	[ "$status" -eq 3 ]
	[ "$(json '.interfaces[0] | "\(.ingress.program_id) \(.egress.program_id)"')" = "$before" ]
	[ "$(json '"\(.settings.packet_lines) \(.settings.max_flows) \(.interfaces | length)"')" = "5 65536 1" ]
	[ "$(find "$PIN_DIR" -name 'flows_*' | wc -l)" -eq 2 ]
	[ ! -e "$PIN_DIR/private/changing" ]
	if in_b ip -d link show "$VETH_B" | grep -q xdp; then false; fi
}

# ---- replacing under traffic -----------------------------------------------------

@test "maps of a new size take over, the reader drains the old ones before they go" {
	load_b --packet-lines 0 --max-flows 500 # too few for cells: all flows are in the maps
	pings 5
	load_b --max-flows 1000 --ring-size 5000
	[ "$(json '.settings | "\(.max_flows) \(.ring_bytes)"')" = "1000 8192" ]
	[ "$(json '[.maps.flows[] | select(.in_force | not) | .flows] | add')" -gt 0 ]
	start_reader --types flow
	load_b
	[ "$(json '[.maps.flows[] | select(.in_force | not)] | length')" -eq 0 ]
	[ "$(json '.reader.pid')" = "$READER_PID" ]
	pings 5
	load_b --max-flows 2000
	[ "$(json '[.maps.flows[], .maps.rings[] | select(.in_force | not)] | length')" -eq 0 ]
	stop_reader
	[ "$(grep '"proto":"ICMP"' "$LINES" | jq -s 'map(.packets) | add')" -eq 20 ]
}

# changes of every kind, from every hook to every other
OPTIONS=("--hook xdp" "--hook tc --packet-lines 0" "--hook generic" "--max-flows 1000" "--packet-lines all --hook xdp"
	"--only tcp,icmp" "--only all --hook tc" "--ring-size 8192" "--packet-lines 1000 --hook generic --ring-size 1M"
	"--hook xdp --max-flows 70000")

# bats test_tags=kernel
@test "replaced under flood with changing options: every packet is in the totals, once" {
	for side in "in_a $VETH_A" "in_b $VETH_B"; do
		${side% *} sysctl -qw "net.ipv6.conf.${side#* }.disable_ipv6=1"
	done
	load_b
	rx=$(device_counters in_b "$VETH_B" rx) tx=$(device_counters in_b "$VETH_B" tx)
	for side in "a $VETH_A" "b $VETH_B"; do
		background "in_${side% *}" sh -c "until [ -e $WORK/enough ]; do $BUILD/tests/netns/blast ${side#* } 20000 100 500 mix; done >$WORK/sent_${side% *}"
	done
	for i in $(seq "$RUNS"); do
		# shellcheck disable=SC2086 # words on purpose
		load_b ${OPTIONS[i % ${#OPTIONS[@]}]}
	done
	touch "$WORK/enough"
	wait "${PIDS[@]}"
	for try in $(seq 200); do # the last packets may still be in a backlog
		[ "$(counter_b ingress_packets)" -lt $(($(device_counters in_b "$VETH_B" rx | cut -d' ' -f1) - ${rx% *})) ] || break
	done
	in_packets=$(($(device_counters in_b "$VETH_B" rx | cut -d' ' -f1) - ${rx% *}))
	out_packets=$(($(device_counters in_b "$VETH_B" tx | cut -d' ' -f1) - ${tx% *}))
	totals=$(json '.interfaces[0] | "\(.ingress_packets) \(.ingress_bytes) \(.egress_packets) \(.egress_bytes)"')
	echo "# $RUNS runs, interface in $in_packets out $out_packets, totals (packets bytes) in and out: $totals" >&3
	[ "$totals" = "$in_packets $((in_packets * 100)) $out_packets $((out_packets * 100))" ]
	[ "$out_packets" = "$(awk '{ n += $2 } END { print n }' "$WORK/sent_b")" ]
}

# ---- killed at any moment --------------------------------------------------------

# bats test_tags=kernel
@test "killed at any moment: the next run goes on, and detach leaves nothing" {
	note_objects
	grep bpf /proc/self/mountinfo >"$WORK/mounts"
	for i in $(seq "$KILLS"); do
		# shellcheck disable=SC2086 # words on purpose
		run timeout -s KILL "0.$(printf %03d $((RANDOM % 400)))" nsenter --net="/run/netns/$NETNS_B" \
			"$BIN/loader" --pin-dir "$PIN_DIR" ${OPTIONS[i % ${#OPTIONS[@]}]} "$VETH_B" lo
		[ $((i % 3)) -ne 0 ] || {
			load_b
			[ "$(counter_b state)" = attached ]
			# filters at clsact before Linux 6.6
			[ "$(find "$PIN_DIR/private" -name 'link_0_*' -o -name 'filter_0_*' | wc -l)" -eq 2 ]
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
	diff "$WORK/mounts" <(grep bpf /proc/self/mountinfo)
	objects_are_gone
}

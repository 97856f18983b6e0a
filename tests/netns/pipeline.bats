#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# From the wire to the browser: all four programs on real traffic, each with no more privilege than it needs.

load lib

setup() {
	require_root
	make_veth
}

teardown() {
	clean_up
}

# start_pipeline: reader | aggregator | httpd as nobody; $ADDRESS is where the dashboard is.
start_pipeline() {
	mkfifo "$WORK/lines_pipe" "$WORK/snapshots" "$WORK/reading" "$WORK/listening" "$WORK/adding"
	# Not background(): a function's redirections would open the pipes in this shell, and wait there.
	"${UNPRIVILEGED[@]}" "$BIN/httpd" --listen 127.0.0.1:0 --ready-fd 9 \
		<"$WORK/snapshots" 9>"$WORK/listening" 2>"$WORK/httpd.err" 3>&- &
	PIDS+=($!)
	"${UNPRIVILEGED[@]}" "$BIN/aggregator" --interval 0.2 --ready-fd 9 <"$WORK/lines_pipe" >"$WORK/snapshots" \
		9>"$WORK/adding" 3>&- &
	AGGREGATOR_PID=$!
	nsenter --net="/run/netns/$NETNS_B" "${UNPRIVILEGED[@]}" "$BIN/reader" --pin-dir "$PIN_DIR" --interval 0.2 \
		--ready-fd 9 >"$WORK/lines_pipe" 9>"$WORK/reading" 3>&- &
	READER_PID=$!
	PIDS+=("$AGGREGATOR_PID" "$READER_PID")
	read -r _ <"$WORK/listening"
	read -r _ <"$WORK/adding"
	read -r _ <"$WORK/reading"
	ADDRESS=$(grep -o 'http://[^ ]*' "$WORK/httpd.err")
}

# final_stats JQ: waits for the last snapshot to be served, and asks it.
final_stats() {
	local stats
	while stats=$(curl -sf "$ADDRESS/api/stats") && [ "$(jq .final <<<"$stats")" != true ]; do :; done
	jq -r "$1" <<<"$stats"
}

@test "the numbers on the page move while packets flow" {
	load_b --hook xdp
	start_pipeline
	background in_a ping -q -i 0.1 10.77.0.2 >/dev/null
	node "$BATS_TEST_DIRNAME/../browser/live.mjs" "$ADDRESS" 3
}

# start_busy_pipeline: with something in every view.
start_busy_pipeline() {
	in_b_loader --group "$GROUP_ID" --hook tc --packet-lines 1000 --drop-lines all "$VETH_B"
	start_pipeline
	background "$BUILD/tests/netns/requests" "/run/netns/$NETNS_A" "/run/netns/$NETNS_B" 10.77.0.2 2 600
	# Refused: connections that fail, and datagrams that are dropped.
	for _ in $(seq 20); do
		in_a bash -c '! : >/dev/tcp/10.77.0.2/1; echo x >/dev/udp/10.77.0.2/1' 2>/dev/null
	done
}

@test "every view shows what the host does, live" {
	start_busy_pipeline
	node "$BATS_TEST_DIRNAME/../browser/live-views.mjs" "$ADDRESS"
}

@test "every view of top shows what the host does, live" {
	start_busy_pipeline
	# Asked until it is there: the first snapshots have no rates.
	while read -r view row; do
		timeout 60 "${UNPRIVILEGED[@]}" "$BIN/top" --connect "$ADDRESS" --batch --view "$view" | grep -qE "$row"
	done <<-END
		processes ^ *[0-9]+ requests .*[kM]b/s
		flows ^TCP .*10\.77\.0\.2.*[kM]b/s
		remotes ^10\.77\.0\.[12] .*[kM]b/s
		connections ^(open|closed|failed) .*10\.77\.0\.2
		drops ^NO_SOCKET +UDP
		drop-flows ^NO_SOCKET.* 10\.77\.0\.2:1
		cpus ^ *[0-9]+ .*[kM]b/s
		interfaces ^$VETH_B +[0-9.]+[kM]b/s
		protocols ^TCP .*[kM]b/s
		latency ^10\.77\.0\.0/24 +tcp_rtt +[1-9]
	END
	[ "$("${UNPRIVILEGED[@]}" "$BIN/top" --connect "$ADDRESS" --batch -n 2 | grep -c '^jopil ')" = 2 ]
}

@test "what httpd serves at the end is what was sent, to the packet" {
	local sent
	load_b --hook xdp --packet-lines 1000
	start_pipeline
	sent=$(in_a "$BUILD/tests/netns/blast" "$VETH_A" 300000 64 1000)
	detach 2>/dev/null
	wait "$READER_PID"
	wait "$AGGREGATOR_PID"
	[ "$(final_stats '"sent \(.totals.ingress_packets) packets \(.totals.ingress_bytes) bytes"')" = "$sent" ]
	[ "$(final_stats '.accounting | "\(.before) \(.difference) \(.packet_lines + .flow_packets + .unattributed == .total)"')" = "0 0 true" ]
	[ "$(curl -sf "$ADDRESS/api/flows?proto=udp&limit=5" | jq '.flows | length')" -eq 5 ]
}

@test "no program but the loader is ever root, or can become it" {
	load_b
	start_pipeline
	for pid in "$READER_PID" "$AGGREGATOR_PID"; do
		[ "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status")" = "65534 65534 65534 65534" ]
		[ "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000000 ]
	done
}

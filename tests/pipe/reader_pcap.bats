#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# reader --pcap as a process: every format and link type, the accounting, and what it says when it cannot.

setup() {
	PCAPS=$BATS_TEST_DIRNAME/pcaps
	work=$BATS_TEST_TMPDIR
}

# read_pcap NAME OPTION...: the lines of a capture to $work/out, messages to $work/err, the exit status to $status.
read_pcap() {
	local file=$PCAPS/$1
	shift
	status=0
	"$BIN/reader" --pcap "$file" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# of TYPE JQ-EXPRESSION
of() { jq -r "select(.type == \"$1\") | $2" "$work/out"; }

# sum TYPE JQ-EXPRESSION
sum() { jq -n "[inputs | select(.type == \"$1\") | $2] | add // 0" "$work/out"; }

# last_counters JQ-EXPRESSION
last_counters() { of counters "$1" | tail -n 1; }

# packets NAME: its packet lines without what formats and link types may change.
packets() {
	read_pcap "$1"
	[ "$status" -eq 0 ]
	of packet 'del(.timestamp, .ifname, .direction, .length) | tostring'
}

@test "the captures are those that make.py makes" {
	local name
	"$PCAPS/make.py" "$work/made"
	for name in "$work"/made/*.* "$work"/made/truth/*; do
		cmp "$name" "$PCAPS${name#"$work/made"}"
	done
}

@test "hello first, counters last, one line a packet, nothing on stderr" {
	read_pcap micro.pcap
	[ "$status" -eq 0 ]
	[ ! -s "$work/err" ]
	[ "$(head -n 1 "$work/out" | jq -r '"\(.type) \(.tool) \(.schema)"')" = "hello reader 1" ]
	[ "$(tail -n 1 "$work/out" | jq -r .type)" = counters ]
	[ "$(of packet .type | wc -l)" -eq "$(jq .frames "$PCAPS/truth/micro.json")" ]
	[ "$(sum packet .length)" -eq "$(jq .bytes "$PCAPS/truth/micro.json")" ]
	[ "$(last_counters .malformed)" -eq "$(of packet 'select(.malformed).type' | wc -l)" ]
}

@test "a packet line is spelled as documented" {
	read_pcap micro.pcap --types packet --count 2
	[ "$(sed -n 3p "$work/out")" = '{"type":"packet","timestamp":1700000001123.457,"ifname":"pcap","direction":"ingress","cpu":0,"ip_version":4,"proto":"TCP","src_ip":"192.0.2.200","dst_ip":"10.1.2.3","src_port":443,"dst_port":50000,"length":54,"payload_length":0,"tcp_flags":"SA","icmp_type":null,"icmp_code":null,"ttl":64,"vlan":null,"fragment":false,"malformed":false}' ]
}

@test "both byte orders, micro- and nanoseconds, pcap and pcapng say the same" {
	local name
	packets micro.pcap >"$work/want"
	[ -s "$work/want" ]
	for name in micro_big nano nano_big ng ng_big; do
		packets "$name.pcap" | diff "$work/want" -
	done
}

@test "stamps of every kind are milliseconds with three decimals" {
	local name
	for name in micro micro_big nano nano_big ng ng_big; do
		read_pcap "$name.pcap" --types packet --count 4
		[ "$(grep -o '"timestamp":[0-9.]*,"ifname"' "$work/out" | tail -n 1)" = '"timestamp":1700000003123.459,"ifname"' ]
	done
}

@test "every link type that holds IP says the same as Ethernet" {
	local name
	packets raw.pcap >"$work/want"
	[ "$(wc -l <"$work/want")" -gt 20 ]
	packets micro.pcap | head -n "$(($(wc -l <"$work/want") - 2))" | diff <(head -n -2 "$work/want") -
	for name in cooked cooked2; do
		packets "$name.pcap" | head -n "$(($(wc -l <"$work/want") - 2))" | diff <(head -n -2 "$work/want") -
	done
	for name in null loop; do
		packets "$name.pcap" | diff "$work/want" -
	done
	packets ipv4.pcap | diff <(grep -v -e '"ip_version":6' -e '"proto":"0x86dd"' "$work/want") -
	packets ipv6.pcap | diff <(grep -e '"ip_version":6' -e '"proto":"0x86dd"' "$work/want") -
}

@test "cooked captures and pcapng know the direction" {
	local name
	for name in cooked cooked2 ng; do
		read_pcap "$name.pcap"
		[ "$(of packet 'select(.direction == "egress") | .src_ip' | sort -u | tr '\n' ' ')" = \
			"192.0.2.200 fe80::200:5eff:fe00:5301 " ]
		[ "$(of packet 'select(.direction == "ingress" and (.src_ip == "192.0.2.200")) | .type' | wc -l)" -eq 0 ]
	done
	read_pcap micro.pcap
	[ "$(of packet .direction | sort -u)" = ingress ]
}

@test "pcapng tells the interfaces' names, and has counters for each" {
	read_pcap ng.pcap
	[ "$(of packet .ifname | head -n 4 | tr '\n' ' ')" = "eth0 wlan0 pcap eth0 " ]
	[ "$(of counters .ifname | sort -u | tr '\n' ' ')" = "eth0 pcap wlan0 " ]
	for name in eth0 wlan0 pcap; do
		[ "$(last_counters "select(.ifname == \"$name\").packets")" -eq \
			"$(of packet "select(.ifname == \"$name\").type" | wc -l)" ]
	done
}

@test "the accounting is exact for any budget of packet lines" {
	local lines flows budget
	for budget in 0 1 2 all; do
		read_pcap micro.pcap --packet-lines "$budget" --interval 10
		lines=$(of packet .type | wc -l)
		flows=$(sum flow .packets)
		[ "$((lines + flows))" -eq "$(jq .frames "$PCAPS/truth/micro.json")" ]
		[ "$(last_counters '"\(.packets) \(.packet_lines) \(.folded) \(.unattributed)"')" = "$((lines + flows)) $lines $flows 0" ]
		[ "$(($(sum packet .length) + $(sum flow .bytes)))" -eq "$(jq .bytes "$PCAPS/truth/micro.json")" ]
		[ "$(last_counters '[.protocols[].packets] | add')" -eq "$((lines + flows))" ]
		[ "$budget" != 0 ] || [ "$lines" -eq 0 ]
		[ "$budget" != all ] || [ "$flows" -eq 0 ]
	done
}

@test "flows are drained each interval of the capture's time" {
	read_pcap raw.pcap --packet-lines 0 --interval 10
	[ "$(of flow .timestamp | sort -u | wc -l)" -eq "$(of counters .timestamp | sort -u | wc -l)" ]
	[ "$(of flow .timestamp | sort -u | wc -l)" -ge 3 ]
	read_pcap raw.pcap --packet-lines 0 --interval 3600
	[ "$(of flow .timestamp | sort -u | wc -l)" -eq 1 ]
	[ "$(of flow 'select(.proto == "TCP" and .dst_port == 443 and .ip_version == 4) | "\(.packets) \(.bytes) \(.tcp_flags) \(.first) \(.last)"')" = \
		"3 820 SPA 1700000000123.456 1700000022123.478" ]
}

@test "standard input works as a file does" {
	local name
	for name in micro ng; do
		read_pcap "$name.pcap"
		mv "$work/out" "$work/want"
		"$BIN/reader" --pcap - <"$PCAPS/$name.pcap" | diff <(tail -n +2 "$work/want") <(tail -n +2 /dev/stdin)
		# shellcheck disable=SC2002 # a pipe on purpose
		cat "$PCAPS/$name.pcap" | "$BIN/reader" -r - | diff <(tail -n +2 "$work/want") <(tail -n +2 /dev/stdin)
	done
}

@test "lines do not wait for more of a capture that comes slowly" {
	mkfifo "$work/fifo"
	"$BIN/reader" --pcap - --types packet <"$work/fifo" >"$work/lines" &
	exec 9>"$work/fifo"
	cat "$PCAPS/cut.pcap" >&9
	# Nine packets are whole; the tenth is still being waited for.
	timeout 60 tail -n +1 -f "$work/lines" | head -n 10 >"$work/out"
	[ "$(of packet .type | wc -l)" -eq 9 ]
	exec 9>&-
	wait $! || [ $? -eq 1 ]
}

@test "a file that is cut off: what could be read counts, one warning, exit 1" {
	read_pcap cut.pcap
	[ "$status" -eq 1 ]
	[ "$(wc -l <"$work/err")" -eq 1 ]
	grep -q "^reader: .*cut.pcap: truncated dump file; .*; the 9 packets before it are counted$" "$work/err"
	[ "$(of packet .type | wc -l)" -eq 9 ]
	[ "$(last_counters .packets)" -eq 9 ]
}

@test "packets that are cut off keep their length and are malformed" {
	read_pcap snap.cap
	[ "$status" -eq 0 ]
	[ "$(of packet 'select(.length > 700) | "\(.length) \(.src_port) \(.malformed)"')" = "754 50000 true" ]
}

@test "other link types are refused by name" {
	read_pcap wifi.cap
	[ "$status" -eq 1 ]
	[ ! -s "$work/out" ]
	grep -q "^reader: .*wifi.cap: link type 105 (IEEE802_11) cannot be read; what can: Ethernet" "$work/err"
}

@test "what is no capture, not there, or a directory: one line, exit 1" {
	local name
	for name in garbage.cap head.cap missing.pcap .; do
		read_pcap "$name"
		[ "$status" -eq 1 ]
		[ ! -s "$work/out" ]
		[ "$(wc -l <"$work/err")" -eq 1 ]
		[ "$(cut -d: -f1 "$work/err")" = reader ]
	done
	"$BIN/reader" --pcap - </dev/null >"$work/out" 2>"$work/err" && return 1
	[ ! -s "$work/out" ]
}

@test "an empty capture is a hello line" {
	read_pcap empty.pcap
	[ "$status" -eq 0 ]
	[ "$(jq -r .type "$work/out")" = hello ]
}

@test "--types, --count and --duration choose" {
	read_pcap micro.pcap --types counters
	[ "$(jq -r .type "$work/out" | sort -u | tr '\n' ' ')" = "counters hello " ]
	[ "$(last_counters .packet_lines)" -eq "$(jq .frames "$PCAPS/truth/micro.json")" ]
	read_pcap micro.pcap -t flow,packet --count 5
	[ "$(jq -r .type "$work/out" | sort | uniq -c | tr -s ' \n' ' ')" = " 1 hello 5 packet " ]
	read_pcap micro.pcap -t flow --packet-lines 0 --count 3
	[ "$(of flow .type | wc -l)" -eq 3 ]
	read_pcap micro.pcap --duration 4
	[ "$(of packet .type | wc -l)" -eq 4 ]
	[ "$(last_counters .packets)" -eq 4 ]
}

@test "a closed stdout is a clean end" {
	set +e
	"$BIN/reader" --pcap "$PCAPS/micro.pcap" 2>"$work/err" | head -c 1 >/dev/null
	statuses="${PIPESTATUS[*]}"
	"$BIN/reader" --pcap "$PCAPS/micro.pcap" 2>>"$work/err" | :
	statuses+=" ${PIPESTATUS[*]}"
	set -e
	[ "$statuses" = "0 0 0 0" ]
	[ ! -s "$work/err" ]
}

@test "a full disk: one line, exit 1" {
	status=0
	"$BIN/reader" --pcap "$PCAPS/micro.pcap" >/dev/full 2>"$work/err" || status=$?
	[ "$status" -eq 1 ]
	[ "$(wc -l <"$work/err")" -eq 1 ]
	grep -q "^reader: write to stdout: No space left on device" "$work/err"
}

@test "--ready-fd says when the capture is open" {
	"$BIN/reader" --pcap "$PCAPS/micro.pcap" --ready-fd 7 7>"$work/ready" >/dev/null
	[ "$(wc -c <"$work/ready")" -eq 1 ]
}

@test "usage errors exit 2, with one line" {
	local options
	for options in "--types hello" "--packet-lines 5" "--pcap x --packet-lines some" "--count 0" "--interval 0" \
		"--nonsense" "operand" "--pcap"; do
		status=0
		# shellcheck disable=SC2086
		"$BIN/reader" $options >"$work/out" 2>"$work/err" || status=$?
		[ "$status" -eq 2 ]
		[ ! -s "$work/out" ]
		[ "$(wc -l <"$work/err")" -eq 1 ]
	done
	"$BIN/reader" --help | grep -q -- "--packet-lines"
	[ "$("$BIN/reader" --version)" = "reader (jopil) 0.1.0" ]
}

@test "with nothing attached it says what to do" {
	status=0
	"$BIN/reader" --pin-dir "$work/none" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" -eq 1 ]
	[ "$(cat "$work/err")" = "reader: nothing is attached at $work/none: run 'sudo loader IFACE' first" ]
	mkdir "$work/empty"
	status=0
	"$BIN/reader" --pin-dir "$work/empty" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" -eq 1 ]
	[ "$(cat "$work/err")" = "reader: nothing is attached at $work/empty: run 'sudo loader IFACE' first" ]
	[ ! -s "$work/out" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Processes and interfaces whose names are as nasty as the kernel lets them be: every line about them is JSON.

load lib
load probes

setup() {
	require_root
	make_veth
	NAME=$'"\\\x01\x1b\xff\xc3\xa4\xed\xb0\x80{}' # 15 bytes at most, no slash, colon or space (of which 0xa0 is one)
	CLEAN='\"\\\u0001\u001b�ä���{}' # as JSON
	in_b ip link set dev "$VETH_B" down
	in_b ip link set dev "$VETH_B" name "$NAME"
	VETH_B=$NAME
	quiet_up in_b "$VETH_B" 2 2>/dev/null || in_b ip link set "$VETH_B" up
}

teardown() {
	clean_up
}

# named COMMAND-BYTES: a process of this name sends a datagram to B.
named() { in_a /usr/bin/python3 -c '
import ctypes, os, socket, sys
assert not ctypes.CDLL(None).prctl(15, os.fsencode(sys.argv[1]), 0, 0, 0)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.77.0.2", 9))
assert s.send(b"x" * 100) == 100' "$1"; }

# all_parse FILE: by python and by jq.
all_parse() {
	"$BATS_TEST_DIRNAME/../pipe/parse.py" "$(wc -l <"$1")" <"$1" >"$WORK/types" || return
	comment <"$WORK/types"
	[ "$(jq -c . "$1" | wc -l)" -eq "$(wc -l <"$1")" ]
}

@test "an interface and processes with nasty names: lines, status, snapshots" {
	need process connection
	in_b_loader --group "$GROUP_ID" --probe packet,connection,process "$VETH_B"
	in_b_loader --status --json >"$WORK/status"
	[ "$(jq -c ".interfaces[0].name" "$WORK/status")" = "\"$CLEAN\"" ]
	start_reader --interval 0.2
	named "$NAME"
	named $'a\nb\tc'
	named $'\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98' # cut within a character
	in_a ping -qc 3 10.77.0.2 >/dev/null
	finish
	sed -i '/^$/d' "$LINES" # the first one, of a FIFO
	all_parse "$LINES"
	[ "$(jq -c 'select(.type == "counters") | .ifname' "$LINES" | sort -u)" = "\"$CLEAN\"" ]
	[ "$(jq -c 'select(.type == "process" and .tx_bytes == 100) | .command' "$LINES" | LC_ALL=C sort)" = "$(
		printf '%s\n' "\"$CLEAN\"" '"a\nb\tc"' '"😀😀😀���"' | LC_ALL=C sort)" ]
	"$BIN/aggregator" --interval 1 <"$LINES" >"$WORK/snapshots"
	all_parse "$WORK/snapshots"
	[ "$(tail -n 1 "$WORK/snapshots" | jq -c '[.losses.bad_lines, (.interfaces | map(.ifname))]')" = "[0,[\"$CLEAN\"]]" ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What may happen to a pipeline that runs for years. JOPIL_FAULTS is how often; make faults does it a hundred times.

load lib

FAULTS=${JOPIL_FAULTS:-5}

setup() {
	require_root
	make_veth
	for side in "in_a $VETH_A" "in_b $VETH_B"; do
		${side% *} sysctl -qw "net.ipv6.conf.${side#* }.disable_ipv6=1"
	done
}

teardown() {
	clean_up
}

# python PROGRAM ARGUMENT...: one of ours; what it says is shown.
python() {
	local status=0
	export BIN BUILD WORK PIN_DIR NETNS_A VETH_A NETNS_B VETH_B
	/usr/bin/python3 "$BATS_TEST_DIRNAME/$1" "${@:2}" >"$WORK/figures" 2>&1 3>&- || status=$?
	sed 's/^/# /' "$WORK/figures" >&3
	return "$status"
}

# ---- killed ----------------------------------------------------------------

killed() {
	load_b --hook xdp --packet-lines 1000
	python kills.py "$1" "$FAULTS"
}

@test "reader killed $FAULTS times under load: nothing hangs, sums are exact" { killed reader; }
@test "aggregator killed $FAULTS times under load: the same" { killed aggregator; }
@test "recorder killed $FAULTS times under load: the same" { killed recorder; }
@test "httpd killed $FAULTS times under load: the same" { killed httpd; }

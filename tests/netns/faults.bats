#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What may happen to a pipeline that runs for years. JOPIL_FAULTS is how often; make faults does it a hundred times.

load lib

FAULTS=${JOPIL_FAULTS:-5}
SECONDS_FULL=${JOPIL_FAULTS_SECONDS:-0}

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

# harm HARM AMOUNT: to a pipeline with real traffic; what it comes to is shown.
harm() {
	local status=0
	load_b --hook xdp --packet-lines 1000
	"${CC:-cc}" -O2 -shared -fPIC -o "$WORK/interpose.so" "$BATS_TEST_DIRNAME/../interpose.c"
	export BIN BUILD WORK PIN_DIR NETNS_A VETH_A NETNS_B VETH_B INTERPOSE_SO=$WORK/interpose.so
	/usr/bin/python3 "$BATS_TEST_DIRNAME/harm.py" "$@" >"$WORK/figures" 2>&1 3>&- || status=$?
	sed 's/^/# /' "$WORK/figures" >&3
	return "$status"
}

# ---- killed ----------------------------------------------------------------

@test "reader killed $FAULTS times under load: nothing hangs, sums are exact" { harm killed-reader "$FAULTS"; }
@test "aggregator killed $FAULTS times under load: the same" { harm killed-aggregator "$FAULTS"; }
@test "recorder killed $FAULTS times under load: the same" { harm killed-recorder "$FAULTS"; }
@test "httpd killed $FAULTS times under load: the same" { harm killed-httpd "$FAULTS"; }

# ---- slow, late, interrupted -------------------------------------------------

@test "pipes full for $SECONDS_FULL s more: back-pressure, and sums are exact" { harm full "$SECONDS_FULL"; }
@test "nobody reads the last pipe for $SECONDS_FULL s more: recorded all the same" { harm away "$SECONDS_FULL"; }
@test "the clock is set forward and back, the machine sleeps: sums are exact" { harm clock 1; }
@test "system calls interrupted, blocking, partial, in all stages: not a line is lost" { harm calls $((FAULTS * 500)); }

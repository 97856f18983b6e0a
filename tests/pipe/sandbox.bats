#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the stages of the pipe cannot do any more once they read: see also httpd_sandbox.bats, and the reader's own in
# tests/netns/reader.bats. With the programs as they are installed: the sanitizers need more.

setup_file() {
	[ ! -x "${BUILD:-}/bin/aggregator" ] || export BIN=$BUILD/bin
}

inject() {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/../inject.py" "$@"
}

# all_stopped COUNT: what was tried was stopped, each time.
all_stopped() {
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' stopped$' <<<"$output")" -eq "$1" ]
	[ "$(grep -vc ' stopped$' <<<"$output")" -eq 0 ]
}

# in_force PROGRAM OPTION...: its own status says so, while it waits; then it ends well.
in_force() {
	mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/ready"
	"$@" --ready-fd 9 <"$BATS_TEST_TMPDIR/in" 9>"$BATS_TEST_TMPDIR/ready" >/dev/null &
	local pid=$! said
	exec 8>"$BATS_TEST_TMPDIR/in"
	read -r _ <"$BATS_TEST_TMPDIR/ready"
	said=$(grep -E '^(Seccomp|NoNewPrivs|Cap(Inh|Prm|Eff|Amb)):' "/proc/$pid/status" | tr -d '\t' | sort | tr '\n' ' ')
	exec 8>&-
	wait "$pid"
	echo "$said"
	[ "$said" = "CapAmb:0000000000000000 CapEff:0000000000000000 CapInh:0000000000000000 CapPrm:0000000000000000 \
NoNewPrivs:1 Seccomp:2 " ]
}

@test "how many system calls are left is what the manual and SECURITY.md say" {
	left() { "$@" --verbose 2>&1 >/dev/null </dev/null | sed -n 's/.*: sandbox: \([0-9]*\) .*/\1/p' | sort -n | tr '\n' ' '; }
	local docs=$BATS_TEST_DIRNAME/../../docs capture=$BATS_TEST_DIRNAME/pcaps/cooked.pcap
	said() { sed -n "s/^| $1 | \([0-9]*\).*/\1/p" "$docs/SECURITY.md" | sort -n | tr '\n' ' '; }
	[ "$(left "$BIN/aggregator")" = "$(said '`aggregator`')" ]
	[ "$(left "$BIN/reader" --pcap "$capture")" = "$(said '`reader --pcap`')" ]
	[ "$(left "$BIN/recorder" --db "$BATS_TEST_TMPDIR/flows.db")" = "$(said '`recorder`[^|]*')" ]
	[ "$(left "$BIN/report" top --db "$BATS_TEST_TMPDIR/flows.db")" = "$(said '`report`')" ]
	[ "$(left "$BIN/top" --batch)" = "$(said '`top`')" ]
	grep -q "all but $(said '`aggregator`')system calls" "$docs/man/jopil-aggregator.1"
	grep -q "all but $(said '`recorder`, the thread that writes')system calls" "$docs/man/jopil-recorder.1"
	grep -q "all but $(said '`reader`')system calls" "$docs/man/jopil-reader.1"
	grep -q "all but $(said '`report`')system calls" "$docs/man/jopil-report.1"
	grep -q "all but $(said '`top`')system calls" "$docs/man/jopil-top.1"
	# None has more than thirty.
	[ "$(sed -n 's/^| `[^|]* | \([0-9][0-9]*\).*/\1/p' "$docs/SECURITY.md" | sort -n | tail -n 1)" -le 30 ]
}

@test "aggregator: in force, without capabilities" {
	in_force "$BIN/aggregator"
	run "$BIN/aggregator" --verbose </dev/null
	grep -q '^aggregator: sandbox: [12][0-9] system calls are left; Landlock ABI [0-9]*$' <<<"$output"
}

@test "aggregator: no program, file, socket, privilege or executable memory" {
	run inject all "$BIN/aggregator" </dev/null
	all_stopped 26
}

@test "aggregator: a call that is not left ends it: one line, exit 1" {
	run inject one "$BIN/aggregator" </dev/null
	[ "$status" -eq 1 ]
	grep -q '^aggregator: system call 57 is not left by the sandbox: .*--no-sandbox' <<<"$output"
}

@test "aggregator: without the sandbox, when told" {
	run inject all "$BIN/aggregator" --no-sandbox </dev/null
	grep -qx 'execve done' <<<"$output"
}

@test "recorder: in force, without capabilities; no program, file, socket, privilege or executable memory" {
	in_force "$BIN/recorder" --db "$BATS_TEST_TMPDIR/flows.db"
	run inject all "$BIN/recorder" --db "$BATS_TEST_TMPDIR/flows.db" </dev/null
	all_stopped 26
}

@test "reader: a capture: no program, file, socket, privilege or executable memory" {
	run inject all "$BIN/reader" --pcap - < <(head -c 24 "$BATS_TEST_DIRNAME/pcaps/cooked.pcap")
	all_stopped 26
}

# refused COUNT: so many calls were tried; all were stopped but opening files, where Landlock refuses each.
refused() {
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c . <<<"$output")" -eq "$1" ]
	[ "$(grep -c -e ' stopped$' -e '^openat[a-z-]* EACCES$' <<<"$output")" -eq "$1" ]
	grep -qx 'openat EACCES' <<<"$output"
	grep -qx 'execve stopped' <<<"$output"
}

@test "report: no program, socket, privilege, executable memory, or file but the database" {
	local db=$BATS_TEST_TMPDIR/flows.db
	"$BIN/recorder" --db "$db" </dev/null >/dev/null
	run inject blocked "$BIN/report" top --db "$db" </dev/null
	refused 27
}

@test "top: lines, the screen and its watchdog: no program, file, socket, privilege or executable memory" {
	run inject blocked "$BIN/top" --batch <<<'{"type":"snapshot","seq":1,"interval_ms":60000}'
	all_stopped 27
	run inject screen "$BIN/top"
	all_stopped 26
	run inject watchdog "$BIN/top"
	all_stopped 26
}

@test "top --connect: connections to the port of its server, and nothing else" {
	run inject fetch "$BIN/top" --batch
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' stopped$' <<<"$output")" -eq 24 ]
	[ "$(grep -c ' ENOSYS$' <<<"$output")" -eq 2 ]
	grep -qx 'socket done' <<<"$output"
	grep -qx 'connect ENOTSOCK' <<<"$output"
	grep -qx 'socket-unix stopped' <<<"$output"
	# Of ports Landlock knows from Linux 6.7 on.
	local abi
	abi=$("$BIN/report" --verbose top --db / 2>&1 | sed -n 's/.*Landlock ABI //p')
	[ "$abi" -lt 4 ] || grep -qx 'connect-elsewhere EACCES' <<<"$output"
}

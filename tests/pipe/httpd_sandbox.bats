#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What httpd cannot do any more once it serves. With the program as it is installed: the
# sanitizers need files and calls that it does without.

load httpd

setup_file() {
	[ ! -x "${BUILD:-}/bin/httpd" ] || export BIN=$BUILD/bin
}

field() {
	sed -n "s/^$1:\s*//p" "/proc/$PID/status"
}

inject() {
	local calls=$1
	shift
	/usr/bin/python3 "$HERE/../inject.py" "$calls" "$BIN/httpd" --listen 127.0.0.1:0 "${AS_USER[@]}" "$@" </dev/null
}

@test "in force: filtered, without privileges, and said" {
	start_httpd --verbose
	[ "$(field Seccomp)" = 2 ]
	[ "$(field NoNewPrivs)" = 1 ]
	[ "$(field CapEff)" = 0000000000000000 ]
	feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	client wait 1
	get /api/stats
	jq -e '.httpd.sandbox | .seccomp and .landlock >= 0 and .system_calls <= 30' <<<"$output"
	stop_httpd
	grep -q '^httpd: sandbox: .* system calls are left; Landlock ABI [0-9]*$' "$T/err"
}

@test "from inside: no program, file, socket, privilege or executable memory" {
	run inject all
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' stopped$' <<<"$output")" -eq 26 ]
	[ "$(grep -vc -e ' stopped$' -e '^httpd: listening on' <<<"$output")" -eq 0 ]
}

@test "from inside, with --web: files beneath the directory only" {
	mkdir -p "$T/web"
	echo '<p>hello' >"$T/web/index.html"
	chmod -R a+rX "$T" "$BATS_TEST_TMPDIR"
	run inject all --web "$T/web"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c ' stopped$' <<<"$output")" -eq 25 ]
	start_httpd --web "$T/web"
	feed '{"type":"snapshot","seq":1,"interval_ms":60000}'
	client wait 1
	get /
	[ "$output" = '<p>hello' ]
	get /api/stats
	[ "$(jq .httpd.sandbox.landlock <<<"$output")" -eq 0 ] || local refused='openat2 EACCES'
	stop_httpd
	run inject all --web "$T/web"
	grep -qx "${refused:-openat2 done}" <<<"$output"
}

@test "a call that is not left ends it: one line, exit 1" {
	run inject one
	[ "$status" -eq 1 ]
	grep -q '^httpd: system call 57 is not left by the sandbox: .*--no-sandbox' <<<"$output"
}

@test "without the sandbox, when told" {
	run inject all --no-sandbox
	grep -qx 'execve done' <<<"$output"
	start_httpd --no-sandbox
	[ "$(field Seccomp)" = 0 ]
	[ "$(field NoNewPrivs)" = 1 ]
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
}

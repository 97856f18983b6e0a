#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What ill-meaning clients send to httpd, while legitimate ones check every answer. No crash, no leak:
# the programs are sanitized, and end with status 0. `make abuse` does it for longer.

load httpd

flows() {
	printf '{"type":"snapshot","schema":1,"timestamp":1763704001000.000,"seq":1,"interval_ms":6000000,"flows":['
	for i in {1..200}; do
		printf '%s{"proto":"TCP","src_ip":"10.0.0.1","src_port":%d,"dst_ip":"10.0.0.2","dst_port":443,"bytes":%d}' \
			"${comma:-}" "$((50000 + i))" "$i"
		local comma=,
	done
	printf ']}'
}

abuse() {
	/usr/bin/python3 "$HERE/httpd_abuse.py" "$PORT" "$PID" "$@" 8>&-
}

@test "all at once: smuggling, silence, foreign pages and names, frames; others are served" {
	# What ASan keeps of freed memory would hide what httpd keeps.
	ASAN_OPTIONS=quarantine_size_mb=8 start_httpd --max-connections "${ABUSE_CONNECTIONS:-400}"
	feed "$(flows)"
	client wait 1
	run abuse
	echo "$output" >&3
	[ "$status" -eq 0 ]
	stop_httpd
}

@test "guesses of the token: refused and counted; who has it is served" {
	echo 0123456789abcdef0123456789 >"$T/token"
	start_httpd --token-file "$T/token"
	feed "$(flows)"
	until get /api/flows -H 'Authorization: Bearer 0123456789abcdef0123456789' && [ "$STATUS" = 200 ]; do :; done
	run abuse 0123456789abcdef0123456789
	echo "$output" >&3
	[ "$status" -eq 0 ]
	stop_httpd
}

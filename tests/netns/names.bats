#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# httpd --resolve with a name server of the test's own, which is not always polite: in a network namespace with its
# own /etc/resolv.conf and /etc/hosts.

load lib

setup() {
	require_root
	make_scratch
	ip netns add "$NETNS_A"
	in_a ip link set lo up
	printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$WORK/resolv.conf"
	printf '127.0.0.1 localhost\n10.9.0.200 hosts.example\n' >"$WORK/hosts"
	printf 'hosts: files dns\n' >"$WORK/nsswitch.conf"
	mkfifo "$WORK/in" "$WORK/ready" "$WORK/dns"
}

teardown() {
	exec 8>&- 7<&-
	clean_up
}

# start_names OPTION...: the name server and httpd, fed through descriptor 8.
start_names() {
	exec 7<>"$WORK/dns"
	background in_a "$BATS_TEST_DIRNAME/name_server.py" 127.0.0.1 >"$WORK/dns"
	read -r _ <&7
	# shellcheck disable=SC2016 # for the inner shell
	nsenter --net="/run/netns/$NETNS_A" unshare --mount bash -c '
		for file in resolv.conf hosts nsswitch.conf; do mount --bind "$0/$file" "/etc/$file" || exit; done
		exec "$@"' "$WORK" "$BIN/httpd" --listen 127.0.0.1:0 --user nobody --ready-fd 9 "$@" \
		<"$WORK/in" 9>"$WORK/ready" 2>"$WORK/err" 3>&- 7<&- &
	PID=$!
	PIDS+=("$PID")
	exec 8>"$WORK/in"
	read -r <"$WORK/ready"
	URL=http://127.0.0.1:$(sed -n 's/^httpd: listening on .*:\([0-9]*\)$/\1/p' "$WORK/err")
}

# feed ADDRESS...: a snapshot with a flow to each, the first ones with most bytes.
feed() {
	local rows=() bytes=1000 ip
	for ip in "$@"; do
		rows+=("{\"src_ip\":null,\"dst_ip\":\"$ip\",\"bytes\":$((bytes--))}")
	done
	local IFS=,
	printf '{"type":"snapshot","timestamp":1763704001000.000,"seq":1,"interval_ms":60000,"flows":[%s]}\n' "${rows[*]}" >&8
}

names() { in_a curl -sS --max-time 20 "$URL/api/names${1:-}"; }

# settled: asks until nothing is pending; the answer is in $output.
settled() {
	until output=$(names) && jq -e '.pending == 0' <<<"$output" >/dev/null; do
		kill -0 "$PID"
	done
}

# resolver_of PARENT: the process that it started.
resolver_of() { tr -d ' ' <"/proc/$1/task/$1/children"; }

# gone PID...: waits until they are; a zombie is.
gone() {
	local pid
	for pid in "$@"; do
		while grep -q '^State:[[:space:]]*[^Z]' "/proc/$pid/status" 2>/dev/null; do :; done
	done
}

@test "names: good ones, /etc/hosts, IPv6; bad ones are no names, and nobody waits for the silent" {
	start_names --resolve
	feed 10.9.0.9 10.9.0.1 10.9.0.2 10.9.0.3 10.9.0.4 10.9.0.5 10.9.0.6 10.9.0.7 10.9.0.8 10.9.0.10 10.9.0.12 \
		10.9.0.13 10.9.0.14 10.9.0.200 2001:db8::1 224.0.0.251 0.0.0.0
	until [ "$(names | jq .enabled)" = true ]; do kill -0 "$PID"; done
	in_a curl -sS --max-time 20 "$URL/api/stats" | jq -e '.httpd.limits.names_addresses.hits == 0'
	settled
	echo "$output"
	jq -e '.names["10.9.0.4"] | length == 253' <<<"$output"
	jq -e '.names | del(.["10.9.0.4"]) == {"10.9.0.1": "well.example", "10.9.0.7": "claim.example", "10.9.0.12": "large.example",
		"10.9.0.200": "hosts.example", "2001:db8::1": "well.example"}' <<<"$output"
	jq -e '.confirmed | sort == ["10.9.0.1", "10.9.0.12", "10.9.0.200", "2001:db8::1"]' <<<"$output"
	jq -e '.failed == 9 and .asked == 15 and .found == 6 and .running' <<<"$output"
	names '?ip=10.9.0.0/24' | jq -e '.names | length == 5'
	names '?ip=10.9.0.1' | jq -e '.names == {"10.9.0.1": "well.example"} and .failed == 0'
	# Nothing is asked twice: the names of the same addresses are remembered.
	feed 10.9.0.1 10.9.0.7 2001:db8::1
	until jq -e '.names | length == 3' <<<"$output"; do output=$(names); done
	jq -e '.asked == 15 and .pending == 0' <<<"$output"
}

@test "names: off unless told" {
	start_names
	feed 10.9.0.1
	until output=$(names) && jq -e 'has("enabled")' <<<"$output"; do kill -0 "$PID"; done
	jq -e '.enabled == false and .names == {} and .pending == 0' <<<"$output"
	[ -z "$(resolver_of "$PID")" ]
}

@test "names: the process has no privilege, no file, no way out; it ends with its server" {
	start_names --resolve
	local keeper worker status
	keeper=$(resolver_of "$PID")
	until worker=$(resolver_of "$keeper") && [ -n "$worker" ]; do kill -0 "$keeper"; done
	feed 10.9.0.1
	settled
	for status in "/proc/$keeper/status" "/proc/$worker/status"; do
		grep -Eq "^Uid:\s65534\s65534\s65534\s65534$" "$status"
		grep -Eq '^Groups:\s*$' "$status"
		[ "$(grep -Ec '^Cap(Inh|Prm|Eff|Bnd|Amb):\s0+$' "$status")" -eq 5 ]
		grep -Eq '^NoNewPrivs:\s1$' "$status"
		grep -Eq '^Seccomp:\s2$' "$status"
	done
	[ "$(find "/proc/$worker/fd" -mindepth 1 | wc -l)" -eq 4 ]
	kill -KILL "$PID"
	gone "$keeper" "$worker"
}

@test "names: what crashes is started again, what it was asked is given up" {
	start_names --resolve
	local keeper worker other
	keeper=$(resolver_of "$PID")
	until worker=$(resolver_of "$keeper") && [ -n "$worker" ]; do kill -0 "$keeper"; done
	feed 10.9.0.1
	settled
	jq -e '.names["10.9.0.1"] == "well.example" and .restarts == 0' <<<"$output"
	kill -KILL "$worker"
	until other=$(resolver_of "$keeper") && [ -n "$other" ] && [ "$other" != "$worker" ]; do kill -0 "$keeper"; done
	feed 10.9.0.1 10.9.0.7
	until output=$(names) && jq -e '.names["10.9.0.7"] == "claim.example"' <<<"$output"; do kill -0 "$PID"; done
	jq -e '.restarts == 1 and .names["10.9.0.1"] == "well.example"' <<<"$output"
	# Without its keeper too: it says so and serves on.
	kill -KILL "$keeper"
	until output=$(names) && jq -e '.running == false' <<<"$output"; do kill -0 "$PID"; done
	jq -e '.enabled and .names["10.9.0.7"] == "claim.example"' <<<"$output"
}

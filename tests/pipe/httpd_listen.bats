#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where httpd listens: a Unix socket for a proxy, and sockets that are handed in.

load httpd

# hand_in KIND OPTION... (in a subshell): httpd with sockets as systemd hands them in; KIND as below
hand_in() {
	exec /usr/bin/python3 -c '
import os, socket, sys
kind, argv = sys.argv[1], sys.argv[2:]
inet = lambda address, kind=socket.SOCK_STREAM: socket.create_server((address, 0)) \
    if kind == socket.SOCK_STREAM else socket.socket(socket.AF_INET, kind)
if kind.startswith("/"):
    sockets = [socket.socket(socket.AF_UNIX)]
    sockets[0].bind(kind)
    sockets[0].listen()
    os.chmod(kind, 0o666)
else:
    sockets = {"tcp": lambda: [inet("127.0.0.1")], "open": lambda: [inet("0.0.0.0")],
               "two": lambda: [inet("127.0.0.1"), inet("127.0.0.1")], "udp": lambda: [inet("", socket.SOCK_DGRAM)],
               "idle": lambda: [socket.socket()]}[kind]()
ready = os.dup2(9, 20) if os.path.exists("/proc/self/fd/9") else None
moved = [os.dup2(s.fileno(), 40 + i) for i, s in enumerate(sockets)]
for i, fd in enumerate(moved):
    os.dup2(fd, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(moved)), LISTEN_FDNAMES="x")
if ready:
    os.dup2(ready, 9)
os.execv(argv[0], argv)' "$@"
}

start_handed() {
	local kind=$1
	shift
	hand_in "$kind" "$BIN/httpd" "${AS_USER[@]}" --ready-fd 9 "$@" <"$T/in" 9>"$T/ready" 2>"$T/err" 3>&- &
	PID=$!
	exec 8>"$T/in"
	read -r <"$T/ready"
	PORT=$(sed -n 's/^httpd: listening on .*:\([0-9]*\)$/\1/p' "$T/err")
	URL=http://127.0.0.1:$PORT
}

@test "Unix socket: for owner and group, gone at the end" {
	chmod 777 "$T" "$BATS_TEST_TMPDIR"
	start_httpd --listen "unix:$T/socket"
	grep -qx "httpd: listening on unix:$T/socket" "$T/err"
	[ "$(stat -c %a "$T/socket")" = 660 ]
	URL=http://localhost
	get /health --unix-socket "$T/socket"
	[ "$STATUS" = 200 ]
	get /health --unix-socket "$T/socket" -H 'Host: evil.example'
	[ "$STATUS" = 421 ]
	feed '{"type":"snapshot","seq":1,"interval_ms":60000,"flows":[]}'
	get /api/stats --unix-socket "$T/socket" -H 'Origin: http://localhost'
	[ "$STATUS" = 200 ] || [ "$STATUS" = 503 ]
	get /api/stats --unix-socket "$T/socket" -H 'Origin: http://localhost:1'
	[ "$STATUS" = 403 ]
	run "$BIN/httpd" --listen "$T/socket" "${AS_USER[@]}" </dev/null
	[ "$status" -eq 1 ]
	[ -S "$T/socket" ]
	stop_httpd
	[ ! -e "$T/socket" ]
}

@test "Unix socket: what is left over makes room, what is no socket does not" {
	chmod 777 "$T" "$BATS_TEST_TMPDIR"
	/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/socket"
	[ -S "$T/socket" ]
	start_httpd --listen "$T/socket" --verbose
	URL=http://localhost
	get /health --unix-socket "$T/socket"
	[ "$STATUS" = 200 ]
	stop_httpd
	grep -q '^httpd: unix 200 GET /health$' "$T/err"
	echo kept >"$T/file"
	run "$BIN/httpd" --listen "$T/file" "${AS_USER[@]}" </dev/null
	[ "$status" -eq 1 ]
	[ "$(cat "$T/file")" = kept ]
	run "$BIN/httpd" --listen "/$(printf '%0200d' 1)" </dev/null
	[ "$status" -eq 2 ]
}

@test "handed in: TCP, also beyond loopback if that is allowed" {
	start_handed tcp
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
	start_handed open --insecure-open
	get /health -H 'Host: 192.0.2.1'
	[ "$STATUS" = 200 ]
	stop_httpd
	run hand_in open "$BIN/httpd" "${AS_USER[@]}" </dev/null
	[ "$status" -eq 2 ]
	[[ $output == *--token-file* ]]
}

@test "handed in: a Unix socket, which stays" {
	start_handed "$T/socket"
	URL=http://localhost
	get /health --unix-socket "$T/socket"
	[ "$STATUS" = 200 ]
	stop_httpd
	[ -S "$T/socket" ]
}

@test "handed in: what cannot be served is said in one line" {
	local row
	for row in 'two more.than.one' 'udp no.listening' 'idle no.listening'; do
		run hand_in "${row% *}" "$BIN/httpd" "${AS_USER[@]}" </dev/null
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output =~ ${row#* } ]]
	done
	run hand_in tcp "$BIN/httpd" "${AS_USER[@]}" --listen 127.0.0.1:0 </dev/null
	[ "$status" -eq 2 ]
	# Words that were meant for another process.
	export LISTEN_PID=1 LISTEN_FDS=1
	start_httpd
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
}

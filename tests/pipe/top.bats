#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# top, in tmux: what each view shows in two sizes, what keys do, and that the terminal is as it was afterwards.

bats_require_minimum_version 1.5.0

load tmux

setup_file() {
	"$BATS_TEST_DIRNAME/top_snapshots.py" 1 2 3 4 5 >"$BATS_FILE_TMPDIR/snapshots"
}

setup() {
	T=$(mktemp -d)
	export LC_ALL=C.UTF-8 TZ=UTC
	unset NO_COLOR COLUMNS
	mkfifo "$T/feed"
	exec 7<>"$T/feed"
	RUN=0
}

teardown() {
	end_terminal
	exec 7>&-
	[ -z "${HTTPD_PID:-}" ] || end_httpd
	rm -rf "$T"
}

# snapshot [SEQ]: one of a web server.
snapshot() { sed -n "${1:-1}p" "$BATS_FILE_TMPDIR/snapshots"; }
other_snapshot() { "$BATS_TEST_DIRNAME/top_snapshots.py" "$@"; }
feed() { timeout "$WAIT_S" cat >&7; }
top_pid() { cat "$T/pid"; }
modes() { stty -a -F "$TTY"; }

# pane COLUMNS ROWS: a terminal with a sh that runs one command after the other, and sees each signal and goes on.
pane() {
	cat >"$T/script" <<-END
		trap : HUP INT QUIT TERM
		n=0
		while read -r _; do
			. "$T/command"
			echo "ended \$((n += 1)): \$?"
		done
	END
	terminal "$1" "$2" "sh $T/script"
	BEFORE=$(modes)
}

# begin COMMAND...: in the pane.
begin() {
	echo "$*" >"$T/command"
	RUN=$((RUN + 1))
	keys Enter
}

until_ended() { until_shown "^ended $RUN: $1"; }

# start [OPTION...]: top, on a feed that stays open; AS: words of env(1) before it.
start() {
	begin "env ${AS:-} sh -c 'echo \$\$ >$T/pid; exec $BIN/top $*' <$T/feed"
	until_shown 'waiting for a snapshot'
}

# What the terminal says comes last of all that is set back.
is_restored() { [ "$(ask display-message -p '#{alternate_on} #{cursor_flag}')" = "0 1" ] && [ "$(modes)" = "$BEFORE" ]; }

# has_rows N NAME: rows of processes.
has_rows() { [ "$(screen | grep -cE "^ *[0-9]+ $2")" = "$1" ]; }
first_is() { [ "$(screen | grep -m1 prog | awk '{ print $2 }')" = "$1" ]; }

# ---- without a terminal ----

@test "--batch: so many refreshes, with the figures of the snapshots, every row" {
	for seq in 1 2 3; do snapshot $seq; done >"$T/in"
	"$BIN/top" --batch -n 2 <"$T/in" >"$T/out"
	[ "$(grep -c '^jopil web1' "$T/out")" = 2 ]
	[ "$(grep -c 'prog30 ' "$T/out")" = 2 ]
	[ "$(grep -c '^ *[0-9]* prog' "$T/out")" = 60 ]
	grep -q '^in   8.00Mb/s .* 4.00Mb/s     50p/s out$' "$T/out"
	grep -q '^nothing lost$' "$T/out"
	grep -q '^ring_full 1$' "$T/out"
	# The busiest first: 30 * 8000 bits a second.
	[ "$(grep -m1 prog "$T/out" | awk '{ print $1, $2, $3, $4 }')" = "1030 prog30 2 240kb/s" ]
	[ "$("$BIN/top" -b <"$T/in" | grep -c '^jopil web1')" = 3 ]
	"$BIN/top" -b -B -V flows -s bytes -r -f 'prog2 !udp' -n 1 <"$T/in" >"$T/out"
	[ "$(grep prog "$T/out" | awk '{ print $6 }' | head -1)" = 250B ]
	[ "$(grep -c prog "$T/out")" = 8 ]
	"$BIN/top" -b -n 1 -V drop-flows <"$T/in" | grep -q 'NO_SOCKET .*10.0.0.9:9 '
}

@test "--batch: lines of all kinds pass by, broken snapshots are counted, none at all is an error" {
	{
		cat "$BATS_TEST_DIRNAME"/../golden/*.ndjson
		echo '{"type":"snapshot","seq":'
		echo '{"type":"recorder","timestamp":1.000,"failing":true,"why":"disk is \u001b[2J full","rows_lost":1}'
		snapshot | sed 's/^{"type":"snapshot",\(.*\)}$/{ \1, "type" : "snapshot" }/'
	} | "$BIN/top" --batch >"$T/out"
	grep -qxF 'recorder: disk is \x1b[2J full  unread lines 1' "$T/out"
	# They are not refreshes either.
	{ snapshot 1; echo '{"type":"snapshot",'; snapshot 2; snapshot 3; } | "$BIN/top" --batch -n 2 >"$T/out"
	[ "$(grep -c '^jopil web1' "$T/out")" = 2 ]
	grep -q '^in   16.0Mb/s' "$T/out"
	run -1 --separate-stderr "$BIN/top" --batch <"$BATS_TEST_DIRNAME/../golden/flow.ndjson"
	[ "$stderr" = "top: stdin: has no snapshot; they come from aggregator" ]
	snapshot | { "$BIN/top" --batch; echo $? >"$T/status"; } | true
	[ "$(cat "$T/status")" = 0 ]
}

@test "what the command line cannot mean" {
	run -2 "$BIN/top" --view nothing
	[[ $output == *"one of processes"* ]]
	run -2 "$BIN/top" --sort nothing --batch </dev/null
	run -2 "$BIN/top" --connect ftp://x
	run -2 "$BIN/top" --token-file x </dev/null
	run -1 "$BIN/top" --connect http://127.0.0.1:1 --token-file "$T/none"
	run -1 "$BIN/top" --connect http://127.0.0.1:1 --batch
	[[ $output == "top: http://127.0.0.1:1: connect: "* ]]
	run -1 "$BIN/top" --connect $'http://caf\xe9.invalid' --batch
	[[ $output == *"connect: "* ]]
}

@test "no terminal, or one that cannot place text: one line, exit 3" {
	run -3 setsid -w "$BIN/top" </dev/null
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"there is no terminal here"*"--batch"* ]]
	pane 80 24
	for term in dumb nonsense ''; do
		begin "TERM=$term $BIN/top </dev/null"
		until_ended 3
	done
	[ "$(screen | grep -c '^top: terminal: ')" = 3 ]
	until_true is_restored
}

# ---- what is shown ----

# is_view FILE ROWS HEADING FIRST: one look at all of it, kept in a file.
is_view() {
	screen >"$1"
	sed -n 1p "$1" | grep -q '^jopil web1  05:46:41  every 1.0 s' && sed -n "${2}p" "$1" | grep -q '? help' &&
		grep -qE "^ *$3" "$1" && grep -qE "$4" "$1"
}

# every_view COLUMNS ROWS
every_view() {
	local n=0 heading first

	pane "$1" "$2"
	start
	snapshot | feed
	while read -r heading first; do
		keys $((++n))
		until_true is_view "$T/view$n" "$2" "$heading" "$first"
		[ "$(wc -L <"$T/view$n")" -le "$1" ]
	done <<-END
		PID prog30
		PROTO.*FROM 10.0.0.30:443
		REMOTE 10.0.0.30
		STATE 192.0.2.1:40001
		REASON NO_SOCKET
		CPU ^.*3..*2.40kb/s
		IFACE eth2
		PROTO.*PACKETS/S ARP
		NETWORK 950us.*12.3ms.*999ms.*1.20s
	END
	[ $n = 9 ]
}

@test "every view, at 80x24" {
	every_view 80 24
	grep -q 'RECEIVED' "$T/view1"
}

@test "every view, at 200x60, with more columns and what was before" {
	every_view 200 60
	grep -qE 'PROTO +FROM +TO +RATE +PACKETS/S +BYTES +PACKETS +COMMAND +STATE +RTT +RETR +DROPS +IFACE' "$T/view2"
	# The graph: in above, out below.
	sed -n 3p "$T/view1" | grep -q '|||||$'
	sed -n 8p "$T/view1" | grep -qF "'"
}

@test "names from outside are text: nothing moves the cursor, wide ones keep the columns" {
	pane 80 24
	start
	other_snapshot --nasty --rows 9 | feed
	for name in 'a\\u202egnp' 'x1b\[2J' 'tab.x09here' 'nul.x00byte' 'e.u0301' '漢字漢字 '; do
		until_shown "$name"
	done
	screen >"$T/screen"
	# Columns end where the heading says they do.
	[ "$(grep -c '0b/s\|kb/s' "$T/screen")" -ge 9 ]
	run -1 grep -P '[\x01-\x08\x0b-\x1f\x{202e}\x{200b}]' "$T/screen"
	/usr/bin/python3 - "$T/screen" <<-'END'
		import sys, unicodedata
		lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
		end = next(l.index("RECEIVED") + 8 for l in lines if "RECEIVED" in l)
		for name in "smile", "gnp", "byte", "漢字":
		    line = next(l for l in lines if name in l)
		    cells = "".join(c + "\0" * (unicodedata.east_asian_width(c) in "WF") for c in line)
		    assert cells[:end].endswith("B"), line
	END
	keys / '字'
	until_shown '^filter: 字_'
	until_true has_rows 1 '漢字漢字'
	keys Enter q
	until_ended 0
	# Where nothing but ASCII can be shown, names are ASCII.
	AS=LC_ALL=C start
	other_snapshot --nasty --rows 9 | feed
	until_shown '\\u6f22\\u5b57'
	until_shown '\\U0001f600'
	run -1 grep -P '[^\x00-\x7f]' <(screen)
}

@test "without colour: NO_COLOR, and a terminal that has none" {
	pane 80 24
	start
	snapshot | feed
	until_shown prog30
	coloured_screen | grep -qE $'\e\\[[0-9;]*(3|4)[0-7]m'
	keys q
	until_ended 0
	for AS in NO_COLOR=1 TERM=vt100; do
		start
		snapshot | feed
		until_shown prog30
		run -1 grep -E $'\e\\[([0-9]+;)*(3|4|9|10)[0-7]m' <(coloured_screen)
		# The selected row is told apart nevertheless.
		keys Down
		until_shown '^2/30'
		coloured_screen | grep prog29 | grep -qE $'\e\\[([0-9;]*;)?7m'
		keys q
		until_ended 0
		until_true is_restored
	done
}

# ---- keys ----

@test "keys: select, sort, turn round, filter, units, help" {
	pane 80 24
	start
	snapshot | feed
	until_shown '^1/30  by IN '
	keys Down Down
	until_shown '^3/30 '
	keys End
	until_shown '^30/30 '
	shows 'prog1 '
	keys r
	until_shown 'by IN reversed'
	# The selected row is still the same one.
	until_shown '^1/30 '
	keys s
	until_shown 'by OUT'
	keys S S S
	until_shown 'by COMMAND'
	keys u
	until_shown '10.0kB/s'
	keys u / p r o g 2
	until_shown '^filter: prog2_'
	until_true has_rows 11 prog2
	keys Enter
	until_shown '^1/11 of 30 with prog2'
	keys / x Escape
	until_shown '^1/11 of 30 with prog2 '
	keys / BSpace BSpace z Enter
	until_shown 'no row passes the filter'
	keys Escape
	until_shown '/30  by COMMAND'
	keys '?'
	until_shown 'freeze the order'
	keys x
	until_hidden 'freeze the order'
	# Bytes that are no character, and the key Tab.
	ask send-keys -H ff c3 28 e5 09
	until_shown '^PROTO'
	keys BTab
	until_shown '^ *PID'
}

@test "drilling down: a process, its remotes, their flows, all of one flow, and back" {
	pane 80 24
	start
	snapshot | feed
	until_shown '^1/30 '
	keys Down Enter
	until_shown '^Procs > 1029 prog29$'
	until_shown '10.0.0.29:443'
	until_shown '^1/1 '
	keys Enter
	until_shown '^Procs > 1029 prog29  > TCP 10.0.0.29 443'
	until_shown '^TCP .*192.0.2.1:40029'
	keys Enter
	until_shown '^src_port +40029'
	until_shown '^first +2025-11-21 05:46:40 UTC'
	# What it says goes on; and when the flow is no more, what it last said stays.
	snapshot 3 | feed
	until_shown '^packets +87$'
	other_snapshot --rows 5 4 | feed
	until_shown '\(gone\)'
	until_shown '^packets +87$'
	keys Escape Escape Escape
	until_shown '^1 Procs'
	keys 5 Down Up Enter
	until_shown '^Drops > NO_SOCKET UDP'
	until_shown 'udp_rcv'
}

@test "pause: nothing changes, then the newest; frozen: the order stays, numbers go on" {
	pane 80 24
	start
	snapshot | feed
	until_shown '240kb/s'
	keys p
	until_shown 'PAUSED'
	for seq in 2 3 4; do snapshot $seq; done | feed
	keys Down
	until_shown '^2/30 '
	shows '240kb/s'
	keys p
	until_shown '960kb/s'
	hides PAUSED
	keys Home f
	until_shown 'ORDER FROZEN'
	# Now prog1 is the busiest, and stays last.
	snapshot 5 | sed 's/"rx_bps":40000,/"rx_bps":9e9,/' | feed
	until_shown '1.20Mb/s'
	first_is prog30
	keys f
	until_true first_is prog1
	hides 'ORDER FROZEN'
}

# ---- what comes in ----

@test "the producer is killed, the input ends: it says so, stays, and keys go on" {
	pane 80 24
	# sh says that it was killed, and would say so across the picture.
	begin "{ sh -c 'echo \$\$ >$T/producer; exec cat $T/feed' | $BIN/top; } 2>$T/said"
	snapshot | feed
	until_shown prog30
	kill -KILL "$(cat "$T/producer")"
	until_shown 'INPUT ENDED'
	shows prog30
	keys 2
	until_shown '^PROTO'
	keys q
	until_ended 0
	until_true is_restored
}

@test "ten thousand flows a snapshot, faster than they are shown: the newest is, and keys work" {
	pane 200 60
	start -V flows
	other_snapshot --flows 10000 1 2 3 | feed
	until_shown '30.0Mb/s'
	keys End
	until_shown '^10000/10000 '
	keys q
	until_ended 0
}

# serve PORT OPTION...: httpd, on the same feed.
serve() {
	local port=$1 user=()

	shift
	# httpd does not serve as root.
	[ "$(id -u)" -ne 0 ] || user=(--user nobody)
	[ -p "$T/ready" ] || mkfifo "$T/ready"
	"$BIN/httpd" --listen "127.0.0.1:$port" "${user[@]}" "$@" --ready-fd 8 \
		<"$T/feed" 2>"$T/httpd" 8>"$T/ready" 3>&- 5>&- 7>&- &
	HTTPD_PID=$!
	read -r _ <"$T/ready"
	PORT=$(sed -n 's/^httpd: listening on .*:\([0-9]*\)$/\1/p' "$T/httpd")
}

end_httpd() {
	kill "$HTTPD_PID"
	wait "$HTTPD_PID"
	HTTPD_PID=
}

@test "--connect: an httpd with a token and TLS, its end, and its return" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout "$T/key" -out "$T/cert" 2>/dev/null
	printf '%020d\n' 7 >"$T/token"
	echo wrong >"$T/wrong"
	serve 0 --token-file "$T/token" --tls-cert "$T/cert" --tls-key "$T/key"
	local url="https://localhost:$PORT" tls="--tls-ca $T/cert"
	snapshot | feed
	run -1 "$BIN/top" --batch --connect "$url" --tls-ca "$T/cert" --token-file "$T/wrong"
	[[ $output == *"it wants a token, and not this one"* ]]
	run -1 "$BIN/top" --batch --connect "$url" --token-file "$T/token"
	[[ $output == *ertificate* ]]
	run -1 "$BIN/top" --batch --connect "https://127.0.0.1:$PORT" --tls-ca "$T/cert" --token-file "$T/token"
	[[ $output == *"target host name"* ]]
	"$BIN/top" --batch -n 1 --connect "$url/" --tls-ca "$T/cert" --token-file "$T/token" | grep -q prog30
	pane 80 24
	begin "$BIN/top --connect $url --tls-ca $T/cert --token-file $T/token"
	until_shown prog30
	end_httpd
	until_shown '^connect: '
	shows prog30
	serve "$PORT" --token-file "$T/token" --tls-cert "$T/cert" --tls-key "$T/key"
	snapshot 2 | feed
	until_shown '480kb/s'
	hides '^connect: '
	keys q
	until_ended 0
	until_true is_restored
}

# ---- the terminal afterwards ----

@test "the terminal is as it was: q, SIGTERM, SIGHUP, SIGINT, SIGQUIT, ^C, and ^\\" {
	pane 80 24
	for end in q TERM HUP INT QUIT C-c 'C-\'; do
		start
		snapshot | feed
		until_shown prog30
		run -1 is_restored
		case $end in
		q | C-*) keys "$end" ;;
		*) kill -s "$end" "$(top_pid)" ;;
		esac
		until_ended 0
		is_restored
	done
}

# A signal that comes from elsewhere, as one's own does.
@test "the terminal is as it was: a crash, and what is said of it is seen" {
	pane 80 24
	for end in SEGV BUS FPE ILL ABRT; do
		start
		snapshot | feed
		until_shown prog30
		kill -s "$end" "$(top_pid)"
		until_ended $((128 + $(kill -l "$end")))
		is_restored
	done
}

@test "the terminal is as it was: SIGKILL" {
	pane 80 24
	start
	snapshot | feed
	until_shown prog30
	run -1 is_restored
	kill -s KILL "$(top_pid)"
	until_true is_restored
}

@test "the terminal is as it was: SIGKILL of all that a shell calls its job" {
	terminal 80 24 "env PS1='prompt>' bash --norc --noprofile -i"
	until_shown '^prompt>'
	keys "stty -a >$T/before; sh -c 'echo \$\$ >$T/pid; exec $BIN/top <$T/feed'" Enter
	snapshot | feed
	until_shown prog30
	kill -s KILL -- "-$(top_pid)"
	until_hidden prog30
	keys "stty -a >$T/after" Enter
	until_true test -s "$T/after"
	cmp "$T/before" "$T/after"
}

# has_our_modes: keys come one by one, not by lines.
has_our_modes() { shows prog30 && modes | grep -q -- -icanon; }

@test "^Z gives the terminal back, fg takes it again, also after SIGSTOP" {
	terminal 80 24 "env PS1='prompt>' bash --norc --noprofile -i"
	until_shown '^prompt>'
	keys "stty -a >$T/before; sh -c 'echo \$\$ >$T/pid; exec $BIN/top <$T/feed'; stty -a >$T/after" Enter
	snapshot | feed
	until_shown prog30
	for how in key key TSTP STOP; do
		case $how in
		key) keys C-z ;;
		*) kill -s "$how" "$(top_pid)" ;;
		esac
		until_shown 'Stopped'
		[ $how = STOP ] || [ "$(ask display-message -p '#{alternate_on}')" = 0 ]
		keys 'clear; stty -a >'"$T/stopped; fg" Enter
		until_true has_our_modes
		cmp "$T/before" "$T/stopped"
	done
	snapshot 2 | feed
	until_shown '480kb/s'
	keys q
	until_true test -s "$T/after"
	cmp "$T/before" "$T/after"
}

@test "a storm of SIGWINCH and sizes down to one cell: it goes on, and ends well" {
	local pid

	pane 80 24
	start
	snapshot | feed
	until_shown prog30
	pid=$(top_pid)
	for size in '200 60' '20 5' '1 1' '2 2' '79 3' '400 9' '80 10' '300 100' '5 40' '80 24'; do
		# shellcheck disable=SC2086
		resize $size
		for _ in {1..50}; do kill -WINCH "$pid"; done
	done
	snapshot 2 | feed
	until_shown '480kb/s'
	until_true has_rows 17 prog
	resize 120 40
	until_true has_rows 27 prog
	# The size is one of the modes.
	resize 80 24
	until_true has_rows 17 prog
	keys q
	until_ended 0
	until_true is_restored
}

@test "a terminal that takes nothing (^S) does not keep it from ending" {
	pane 80 24
	start
	snapshot | feed
	until_shown prog30
	stty -F "$TTY" ixon
	keys C-s
	snapshot 2 | feed
	kill "$(top_pid)"
	# Seen when it takes something again.
	keys C-q
	until_ended 0
}

@test "a terminal that is closed ends it, and what it started" {
	local status

	mkfifo "$T/alive"
	pane 80 24
	# The shell does not hold the pipe open, its child and what that starts do.
	begin "$BIN/top --connect http://127.0.0.1:1 9>$T/alive"
	exec 9<"$T/alive"
	until_shown '^connect: '
	end_terminal
	read -r -t "$WAIT_S" -u 9 _ && status=0 || status=$?
	exec 9<&-
	[ "$status" = 1 ]
}

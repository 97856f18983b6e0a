#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# top, in tmux: what each view shows in two sizes, what keys do, and that the terminal is as it was afterwards.

bats_require_minimum_version 1.5.0

setup() {
	T=$(mktemp -d)
	export TMUX_TMPDIR=$T LC_ALL=C.UTF-8 TZ=UTC
	unset TMUX NO_COLOR COLUMNS
	mkfifo "$T/feed"
	exec 7<>"$T/feed"
}

teardown() {
	tmux kill-server 2>/dev/null || true
	exec 7>&-
	[ -z "${HTTPD_PID:-}" ] || { kill "$HTTPD_PID"; wait "$HTTPD_PID" || true; }
	rm -rf "$T"
}

snapshot() { "$BATS_TEST_DIRNAME/top_snapshots.py" "$@"; }
screen() { tmux capture-pane -p; }
keys() { tmux send-keys "$@"; }
top_pid() { cat "$T/pid"; }
modes() { stty -a -F "$(tmux display-message -p '#{pane_tty}')"; }

# until_true COMMAND...: it comes true; asked again and again, for half a minute at most.
until_true() {
	local end=$((SECONDS + 30))

	until "$@"; do
		if [ $SECONDS -ge $end ]; then
			echo "never: $*"
			screen
			return 1
		fi
	done
}

shows() { screen | grep -qE -- "$1"; }
hides() { ! shows "$1"; }
until_shown() { until_true shows "$1"; }
until_hidden() { until_true hides "$1"; }

# pane COLUMNS ROWS COMMAND: a terminal with nothing but sh in it, which sees each signal and goes on.
pane() {
	cat >"$T/script" <<-END
		trap : HUP INT QUIT TERM
		$3
		echo "ended \$?"
		until [ -e "$T/over" ]; do read -r _ <"$T/never"; done
	END
	mkfifo "$T/never"
	tmux -f /dev/null new-session -d -x "$1" -y "$2" "sh $T/script" 3>&- 7>&-
	BEFORE=$(modes)
}

# start COLUMNS ROWS [OPTION...]: top on a feed that stays open.
start() {
	local columns=$1 rows=$2

	shift 2
	mkfifo "$T/go"
	pane "$columns" "$rows" "read -r _ <$T/go; sh -c 'echo \$\$ >$T/pid; exec $BIN/top $*' <$T/feed"
	echo >"$T/go"
}

is_restored() { [ "$(modes)" = "$BEFORE" ] && [ "$(tmux display-message -p '#{alternate_on} #{cursor_flag}')" = "0 1" ]; }

# has_rows N NAME: rows of processes.
has_rows() { [ "$(screen | grep -cE "^ *[0-9]+ $2")" = "$1" ]; }
first_is() { [ "$(screen | grep -m1 prog | awk '{ print $2 }')" = "$1" ]; }
widths_fit() { [ "$(screen | LC_ALL=C.UTF-8 awk '{ if (length > m) m = length } END { print m + 0 }')" -le "$1" ]; }

# ---- without a terminal ----

@test "--batch: so many refreshes, with the figures of the snapshots, every row" {
	for seq in 1 2 3; do snapshot --seq $seq; done >"$T/in"
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
}

@test "no terminal, or one that cannot place text: one line, exit 3" {
	run -3 setsid -w "$BIN/top" </dev/null
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"there is no terminal here"*"--batch"* ]]
	pane 80 24 "for t in dumb nonsense ''; do TERM=\$t $BIN/top </dev/null; echo \"with '\$t': \$?\"; done"
	until_shown "with '': 3"
	shows "with 'dumb': 3"
	shows "with 'nonsense': 3"
	[ "$(screen | grep -c '^top: terminal: ')" = 3 ]
	is_restored
}

# ---- what is shown ----

# every_view COLUMNS ROWS
every_view() {
	local n=0 heading first

	start "$1" "$2"
	until_shown 'waiting for a snapshot'
	snapshot >&7
	while read -r heading first; do
		keys $((++n))
		until_shown "^ *$heading"
		shows "$first"
		widths_fit "$1"
		screen | sed -n "${2}p" | grep -q '? help'
		screen | sed -n 1p | grep -q '^jopil web1  05:46:41  every 1.0 s'
		screen >"$T/view$n"
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
	start 80 24
	snapshot --nasty --rows 9 >&7
	until_shown 'a\\u202egnp'
	shows 'x1b\[2J'
	shows 'tab.x09here'
	shows 'nul.x00byte'
	shows 'e.u0301'
	shows '漢字漢字 '
	# Columns end where the heading says they do.
	[ "$(screen | grep -c '0b/s\|kb/s')" -ge 9 ]
	! screen | grep -qP '[\x01-\x08\x0b-\x1f\x{202e}\x{200b}]'
	local column
	column=$(screen | grep RECEIVED | awk '{ print index($0, "RECEIVED") + 7 }')
	for name in smile gnp byte; do
		screen | grep "$name" | /usr/bin/python3 -c '
import sys, unicodedata
line = sys.stdin.read().rstrip("\n")
cells = "".join(c + ("\0" if unicodedata.east_asian_width(c) in "WF" else "") for c in line)
sys.exit(not cells[:int(sys.argv[1])].endswith("B"))' "$column"
	done
}

@test "without colour: NO_COLOR, and a terminal that has none" {
	start 80 24
	snapshot >&7
	until_shown prog30
	tmux capture-pane -pe | grep -qE $'\e\\[[0-9;]*(3|4)[0-7]m'
	tmux kill-server
	rm "$T/go" "$T/never" "$T/pid"
	export NO_COLOR=1
	start 80 24
	snapshot >&7
	until_shown prog30
	! tmux capture-pane -pe | grep -qE $'\e\\[([0-9]+;)*(3|4|9|10)[0-7]m'
	# The selected row is told apart nevertheless.
	keys Down
	until_shown '^2/30'
	tmux capture-pane -pe | grep prog29 | grep -qE $'\e\\[([0-9;]*;)?7m'
}

# ---- keys ----

@test "keys: select, sort, turn round, filter, units, help" {
	start 80 24
	snapshot >&7
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
	keys Tab
	until_shown '^PROTO'
	keys BTab
	until_shown '^ *PID'
}

@test "drilling down: a process, its remotes, their flows, all of one flow, and back" {
	start 80 24
	snapshot >&7
	until_shown '^1/30 '
	keys Down Enter
	until_shown '^Procs > 1029 prog29$'
	shows '10.0.0.29:443'
	shows '^1/1 '
	keys Enter
	until_shown '^Procs > 1029 prog29  > TCP 10.0.0.29 443'
	until_shown '^TCP .*192.0.2.1:40029'
	keys Enter
	until_shown '^src_port +40029'
	shows '^first +2025-11-21 05:46:40 UTC'
	# What it says goes on; and when the flow is no more, what it last said stays.
	snapshot --seq 3 >&7
	until_shown '^packets +87$'
	snapshot --seq 4 --rows 5 >&7
	until_shown '\(gone\)'
	shows '^packets +87$'
	keys Escape Escape Escape
	until_shown '^1 Procs'
	keys 5 Down Up Enter
	until_shown '^Drops > NO_SOCKET UDP'
	shows 'udp_rcv'
}

@test "pause: nothing changes, then the newest; frozen: the order stays, numbers go on" {
	start 80 24
	snapshot >&7
	until_shown '240kb/s'
	keys p
	until_shown 'PAUSED'
	for seq in 2 3 4; do snapshot --seq $seq >&7; done
	keys Down
	until_shown '^2/30 '
	shows '240kb/s'
	keys p
	until_shown '960kb/s'
	hides PAUSED
	keys Home f
	until_shown 'ORDER FROZEN'
	# Now prog1 is the busiest, and stays last.
	snapshot --seq 5 | jq -c '.processes[0].rx_bps = 9e9' >&7
	until_shown '1.20Mb/s'
	first_is prog30
	keys f
	until_hidden 'ORDER FROZEN'
	until_true first_is prog1
}

# ---- what comes in ----

@test "the producer is killed, the input ends: it says so, stays, and keys go on" {
	mkfifo "$T/go"
	# sh says that it was killed, and would say so across the picture.
	pane 80 24 "exec 2>$T/said; read -r _ <$T/go; sh -c 'echo \$\$ >$T/producer; exec cat $T/feed' | sh -c 'echo \$\$ >$T/pid; exec $BIN/top'"
	echo >"$T/go"
	snapshot >&7
	until_shown prog30
	kill -KILL "$(cat "$T/producer")"
	until_shown 'INPUT ENDED'
	shows prog30
	keys 2
	until_shown '^PROTO'
	keys q
	until_shown '^ended 0'
	until_true is_restored
}

@test "ten thousand flows a snapshot, faster than they are shown: the newest is, and keys work" {
	start 200 60
	for seq in 1 2 3 4 5 6; do snapshot --rows 10000 --seq $seq; done >&7
	keys 2
	until_shown '60.0Mb/s'
	keys End
	until_shown '^10000/10000 '
	keys q
	until_shown '^ended 0'
}

@test "--connect: an httpd with a token, its end, and its return" {
	local port

	head -c 20 /dev/zero | tr '\0' a >"$T/token"
	# httpd does not serve as root.
	as_user=()
	[ "$(id -u)" -ne 0 ] || as_user=(--user nobody)
	serve() {
		mkfifo "$T/ready$1"
		"$BIN/httpd" --listen "127.0.0.1:$2" "${as_user[@]}" --token-file "$T/token" --ready-fd 8 <"$T/feed" 2>"$T/httpd$1" 8>"$T/ready$1" 3>&- 7>&- &
		HTTPD_PID=$!
		read -r _ <"$T/ready$1"
	}
	serve 1 0
	port=$(grep -oE '127.0.0.1:[0-9]+' "$T/httpd1" | head -1)
	port=${port#*:}
	snapshot >&7
	echo wrong >"$T/wrong"
	run -1 "$BIN/top" --batch --connect "http://127.0.0.1:$port" --token-file "$T/wrong"
	[[ $output == *"it wants a token, and not this one"* ]]
	"$BIN/top" --batch -n 1 --connect "http://127.0.0.1:$port/" --token-file "$T/token" | grep -q prog30
	mkfifo "$T/go"
	pane 80 24 "read -r _ <$T/go; $BIN/top --connect http://127.0.0.1:$port --token-file $T/token"
	echo >"$T/go"
	until_shown prog30
	kill "$HTTPD_PID"
	wait "$HTTPD_PID" || true
	until_shown '^connect: '
	shows prog30
	serve 2 "$port"
	snapshot --seq 2 >&7
	until_shown '480kb/s'
	hides '^connect: '
	keys q
	until_shown '^ended 0'
	until_true is_restored
}

# ---- the terminal afterwards ----

@test "the terminal is as it was: q, SIGTERM, SIGHUP, SIGINT, SIGQUIT, ^C, and ^\\" {
	for end in q TERM HUP INT QUIT C-c 'C-\'; do
		start 80 24
		snapshot >&7
		until_shown prog30
		! is_restored
		case $end in
		q | C-*) keys "$end" ;;
		*) kill -s "$end" "$(top_pid)" ;;
		esac
		until_shown '^ended 0'
		until_true is_restored
		tmux kill-server
		rm "$T/go" "$T/never" "$T/pid"
	done
}

@test "the terminal is as it was: a crash, and SIGKILL" {
	for end in SEGV ABRT KILL; do
		start 80 24
		snapshot >&7
		until_shown prog30
		kill -s "$end" "$(top_pid)"
		until_shown '^ended [1-9]'
		until_true is_restored
		tmux kill-server
		rm "$T/go" "$T/never" "$T/pid"
	done
}

@test "^Z gives the terminal back, fg takes it again" {
	tmux -f /dev/null new-session -d -x 80 -y 24 "env PS1='prompt>' bash --norc --noprofile -i" 3>&- 7>&-
	until_shown '^prompt>'
	keys "stty -a >$T/before; $BIN/top <$T/feed; stty -a >$T/after" Enter
	snapshot >&7
	until_shown prog30
	for _ in 1 2; do
		keys C-z
		until_shown 'Stopped'
		[ "$(tmux display-message -p '#{alternate_on}')" = 0 ]
		keys 'clear; stty -a >'"$T/stopped; fg" Enter
		until_shown prog30
		cmp "$T/before" "$T/stopped"
	done
	snapshot --seq 2 >&7
	until_shown '480kb/s'
	keys q
	until_true test -s "$T/after"
	cmp "$T/before" "$T/after"
}

@test "a storm of SIGWINCH and sizes down to one cell: it goes on, and ends well" {
	start 80 24
	snapshot >&7
	until_shown prog30
	for size in '200 60' '20 5' '1 1' '2 2' '79 3' '400 9' '80 10' '300 100' '5 40' '80 24'; do
		read -r columns rows <<<"$size"
		tmux resize-window -x "$columns" -y "$rows"
		for _ in $(seq 50); do kill -WINCH "$(top_pid)"; done
	done
	snapshot --seq 2 >&7
	until_shown '480kb/s'
	widths_fit 80
	has_rows 17 prog
	tmux resize-window -x 120 -y 40
	until_true has_rows 27 prog
	# The size is one of the modes.
	tmux resize-window -x 80 -y 24
	until_true has_rows 17 prog
	keys q
	until_shown '^ended 0'
	until_true is_restored
}

@test "a terminal that takes nothing (^S) does not keep it from ending" {
	start 80 24
	snapshot >&7
	until_shown prog30
	stty -F "$(tmux display-message -p '#{pane_tty}')" ixon
	keys C-s
	snapshot --seq 2 >&7
	kill "$(top_pid)"
	until_true gone "$(top_pid)"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

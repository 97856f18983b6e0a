#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The units, on a machine of the test's own with systemd as process 1: sandboxes, restarts, faults.

load machine.bash

UNITS="jopil-loader@jp0.service jopil-reader.service jopil-aggregator.service jopil-recorder.service
	jopil-httpd.service jopil-pipes.service jopil-pipes.socket jopil-httpd.socket jopil.target"
STAGES="reader aggregator recorder httpd"

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s BUILD="$BUILD" DESTDIR="$BATS_FILE_TMPDIR/stage" PREFIX=/usr install
	machine_start "$BATS_FILE_TMPDIR/stage"
	machine ip link add jp0 type veth peer jp1
	machine ip link set jp0 up
	machine ip addr add 192.0.2.1/24 dev jp0
}

teardown_file() {
	machine_stop
}

up() {
	machine systemctl start jopil-loader@jp0.service jopil.target
}

pid() {
	machine systemctl show -P MainPID "jopil-$1"
}

# stats FILTER: of the newest snapshot.
stats() {
	machine curl -sf http://127.0.0.1:5000/api/stats | jq -er "$1"
}

# A snapshot that was made from now on: waits for one on the stream of them.
next_snapshot() {
	machine timeout 60 curl -sfN 'http://127.0.0.1:5000/events?topics=stats' |
		grep -m 2 '^data:' | tail -1 | cut -c6-
}

# broadcast N PORT: N datagrams.
broadcast() {
	machine /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for _ in range(int(sys.argv[1])):
    s.sendto(b"x" * 100, ("192.0.2.255", int(sys.argv[2])))' "$1" "$2"
}

# again STAGE PID: waits until it runs as another process than PID, and says that it is ready.
again() {
	machine sh -c "until [ \"\$(systemctl is-active jopil-$1)\" = active ] &&
		[ \"\$(systemctl show -P MainPID jopil-$1)\" != $2 ]; do systemctl start jopil-$1; done"
}

@test "systemd finds nothing wrong with the units" {
	run machine sh -c "cd /usr/lib/systemd/system && systemd-analyze verify --man=no $(printf './%s ' $UNITS)"
	[ "$status" = 0 ]
	run grep -v "Command 'man " <<<"$output"
	[ -z "$output" ]
	run grep -rE '@[a-z]+@' "$BATS_FILE_TMPDIR/stage/usr/lib"
	[ "$status" = 1 ]
}

@test "exposure: the loader at most 4.5, all others at most 1.5" {
	for unit in "$BATS_FILE_TMPDIR"/stage/usr/lib/systemd/system/*.service; do
		limit=15
		[[ $unit != *loader* ]] || limit=45
		systemd-analyze security --offline=yes --threshold="$limit" "$unit"
	done
}

@test "one start brings up the whole pipeline, and each stage says that it is ready" {
	up
	for stage in $STAGES; do
		[ "$(machine systemctl is-active "jopil-$stage")" = active ]
	done
	[ "$(machine systemctl is-active jopil-loader@jp0)" = active ]
	next_snapshot | jq -e '.totals.packets >= 0'
}

@test "no stage has a capability, a way to gain one, or an owner in common with root" {
	for stage in $STAGES; do
		machine cat "/proc/$(pid "$stage")/status" >"$BATS_TEST_TMPDIR/status"
		grep -cE '^Cap(Inh|Prm|Eff|Bnd|Amb):	0{16}$' "$BATS_TEST_TMPDIR/status" | grep -qx 5
		grep -qE '^NoNewPrivs:	1$' "$BATS_TEST_TMPDIR/status"
		grep -qE '^Seccomp:	2$' "$BATS_TEST_TMPDIR/status"
		run grep -E '^Uid:.*	0(	|$)' "$BATS_TEST_TMPDIR/status"
		[ "$status" = 1 ]
	done
}

@test "the kernel's own sandboxes of the programs are in force under systemd, too" {
	stats '.httpd.sandbox.seccomp and .httpd.sandbox.landlock > 0'
	run machine journalctl -q --no-pager -t jopil-httpd --grep 'going on without'
	[ -z "$output" ]
}

@test "packets are counted on their way through all the pipes" {
	before=$(stats .totals.packets)
	broadcast 1000 9
	until [ "$(next_snapshot | jq .totals.packets)" -ge $((before + 1000)) ]; do :; done
}

@test "httpd answers from the database that the recorder writes" {
	until stats '.httpd.database.oldest > 0'; do next_snapshot >/dev/null; done
	until machine curl -sf 'http://127.0.0.1:5000/api/history/protocols?last=1h' | jq -e '.rows | length > 0'; do
		next_snapshot >/dev/null
	done
}

@test "each stage restarts alone: the others keep their processes, and lines go on" {
	for stage in $STAGES; do
		before=$(for s in $STAGES; do [ "$s" = "$stage" ] || pid "$s"; done)
		machine systemctl restart "jopil-$stage"
		[ "$(for s in $STAGES; do [ "$s" = "$stage" ] || pid "$s"; done)" = "$before" ]
		next_snapshot | jq -e '.totals'
	done
}

@test "each stage that is killed comes again, and the others do not notice" {
	for stage in $STAGES; do
		before=$(for s in $STAGES; do [ "$s" = "$stage" ] || pid "$s"; done)
		old=$(pid "$stage")
		machine kill -9 "$old"
		again "$stage" "$old"
		[ "$(for s in $STAGES; do [ "$s" = "$stage" ] || pid "$s"; done)" = "$before" ]
		next_snapshot | jq -e '.totals'
	done
}

@test "what was written while the next stage was away is still there" {
	machine systemctl stop jopil-aggregator
	broadcast 500 7777
	# The reader's own words: what was folded or queued is in the pipe now.
	machine systemctl restart jopil-reader
	machine systemctl start jopil-aggregator
	next_snapshot >/dev/null
	machine curl -sf 'http://127.0.0.1:5000/api/flows?limit=0' |
		jq -e '[.. | objects | select(.dst_port? == 7777) | .packets] | add == 500'
	stats '.losses.bad_lines <= 1'
}

@test "a stage that gives no signs of life is ended and started again" {
	machine sh -c "mkdir -p /run/systemd/system/jopil-aggregator.service.d
		printf '[Service]\nWatchdogSec=1\n' >/run/systemd/system/jopil-aggregator.service.d/test.conf
		systemctl daemon-reload && systemctl restart jopil-aggregator"
	old=$(pid aggregator)
	# Alive for longer than that by itself.
	next_snapshot >/dev/null
	next_snapshot >/dev/null
	[ "$(pid aggregator)" = "$old" ]
	machine kill -STOP "$old"
	again aggregator "$old"
	machine journalctl -q --no-pager -u jopil-aggregator --grep 'Watchdog timeout' | grep -q .
	machine sh -c "rm -r /run/systemd/system/jopil-aggregator.service.d; systemctl daemon-reload"
	machine systemctl restart jopil-aggregator
	next_snapshot | jq -e .totals
}

# Damages what the recorder needs, and starts it again.
without_database() {
	machine systemctl stop jopil-recorder
	machine sh -c "cd /var/lib/jopil && mkdir -p ../kept && mv flows.db* ../kept && mkdir flows.db"
	machine systemctl start jopil-recorder
}

@test "recorder cannot open its database: what is live goes on, status says why, and with the database back all is kept" {
	local said before
	without_database
	before=$(stats .totals.packets)
	broadcast 500 9
	until [ "$(next_snapshot | jq .totals.packets)" -ge $((before + 500)) ]; do :; done
	run machine jopil status
	[ "$status" = 1 ]
	[[ $output == *"recorder        active, but nothing is kept: /var/lib/jopil/flows.db: unable to open database file"* ]]
	machine journalctl --sync
	said=$(machine journalctl -q --no-pager -o json -t jopil-recorder --grep 'lines pass, and nothing is kept' | tail -1)
	jq -e '.PRIORITY == "3"' <<<"$said"
	machine sh -c "cd /var/lib/jopil && rmdir flows.db && mv ../kept/* ."
	machine systemctl restart jopil-recorder
	machine jopil status
	next_snapshot | jq -e .totals
}

@test "recorder does not run at all: all before it waits, its line says why, and with that put right no packet is missing" {
	local before
	before=$(stats .totals.packets)
	machine sh -c "mkdir -p /run/systemd/system/jopil-recorder.service.d
		printf '[Service]\nEnvironment=RECORDER_OPTIONS=--nobodys-option\nEnvironmentFile=\n' \
			>/run/systemd/system/jopil-recorder.service.d/test.conf
		systemctl daemon-reload; systemctl --no-block restart jopil-recorder"
	# Started again and again, and ends each time with the status of a usage that is wrong.
	until [ "$(machine systemctl show -P NRestarts jopil-recorder)" -ge 2 ]; do :; done
	until [ "$(machine systemctl show -P ExecMainStatus jopil-recorder)" = 2 ]; do :; done
	run machine jopil status
	[ "$status" = 1 ]
	[[ $output =~ recorder\ +(activating|failed) ]]
	machine journalctl --sync
	machine journalctl -q --no-pager -t jopil-recorder --grep "nobodys-option" | grep -q .
	broadcast 500 4711
	until stats '.httpd.stale == true' >/dev/null; do :; done
	machine sh -c "rm -r /run/systemd/system/jopil-recorder.service.d; systemctl daemon-reload; systemctl restart jopil-recorder"
	until [ "$(next_snapshot | jq .totals.packets)" -ge $((before + 500)) ]; do :; done
	machine curl -sf 'http://127.0.0.1:5000/api/flows?limit=0' |
		jq -e '[.. | objects | select(.dst_port? == 4711) | .packets] | add == 500'
	machine jopil status
}

@test "lines in the journal have priorities" {
	run machine systemd-run --quiet --wait --collect jopil-reader --pin-dir /none
	[ "$status" = 1 ]
	machine journalctl --sync
	machine journalctl -q --no-pager -o json -t jopil-reader --grep 'nothing is attached' | tail -1 |
		jq -e '.PRIORITY == "3"'
	machine journalctl -q --no-pager -o json -t jopil-httpd --grep 'listening on' | tail -1 |
		jq -e '.PRIORITY == "6"'
}

@test "httpd cannot connect out, and nobody but its pipes' owner can write to them" {
	[ "$(machine nsenter --net="/proc/$(pid httpd)/ns/net" ip -o link | wc -l)" = 1 ]
	for pipe in lines snapshots recorded; do
		[ "$(machine stat -c '%U %a' "/run/jopil/$pipe")" = "root 600" ]
	done
	[ "$(machine stat -c '%U:%G %a' /var/lib/jopil)" = "jopil:jopil 750" ]
}

@test "when the loader's unit stops, its interface is detached" {
	machine systemctl stop jopil-loader@jp0
	machine sh -c 'jopil-loader --status --json; [ $? -le 1 ]' |
		jq -e '[.interfaces[]? | select(.state == "attached")] | length == 0'
	machine systemctl start jopil-loader@jp0
	machine jopil-loader --status --json | jq -e '[.interfaces[] | select(.state == "attached")] | length == 1'
}

# udevd does not run here: what its rule would have it run, for an interface.
udev_add() {
	local command
	command=$(machine sed -n 's/^ACTION=="add", SUBSYSTEM=="net", RUN+="\(.*\)"$/\1/p' /usr/lib/udev/rules.d/90-jopil.rules)
	# shellcheck disable=SC2086 # words on purpose
	machine ${command//\$name/$1}
}

# attached N: how many interfaces are, waited for.
attached() {
	until [ "$(machine jopil-loader --status --json | jq '[.interfaces[] | select(.state == "attached")] | length')" = "$1" ]; do :; done
}

@test "an interface that is removed and made again is attached again; others are not" {
	machine ip link del jp0
	attached 0
	machine ip link add jp0 type veth peer jp1
	machine ip link set jp0 up
	machine ip addr add 192.0.2.1/24 dev jp0
	udev_add jp1
	udev_add jp0
	attached 1
	[ "$(machine systemctl is-active jopil-loader@jp0)" = active ]
	run machine systemctl is-active jopil-loader@jp1
	[ "$output" = inactive ]
	before=$(stats .totals.packets)
	broadcast 1000 9
	until [ "$(next_snapshot | jq .totals.packets)" -ge $((before + 1000)) ]; do :; done
}

@test "everything ends with the target, and nothing has failed" {
	machine systemctl stop jopil.target 'jopil-*.service' 'jopil-*.socket'
	for stage in $STAGES; do
		[ "$(machine systemctl show -P ActiveState "jopil-$stage")" = inactive ]
		[ "$(machine systemctl show -P Result "jopil-$stage")" = success ]
	done
	run machine ls /run/jopil
	[ -z "$output" ]
	machine jopil-loader --detach
	run machine ls /sys/fs/bpf/jopil
	[ "$status" = 2 ]
}

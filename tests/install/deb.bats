#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make deb: lintian finds nothing, and on a machine of the test's own it installs, runs, and leaves nothing when purged.

load machine.bash

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make BUILD="$BUILD" deb >"$BATS_FILE_TMPDIR/log" 2>&1 || {
		tail -n 30 "$BATS_FILE_TMPDIR/log" >&2
		return 1
	}
	mkdir -p "$BATS_FILE_TMPDIR/stage/srv"
	cp "$BUILD"/deb/jopil_*.deb "$BATS_FILE_TMPDIR/stage/srv/jopil.deb"
	machine_start "$BATS_FILE_TMPDIR/stage"
	machine ip link add jp0 type veth peer jp1
	machine ip link set jp0 up
}

teardown_file() {
	machine_stop
}

# Every file of the machine that a package could have put there.
files() {
	machine find /boot /etc /opt /usr /var -xdev \( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o \
		-path /var/lib/systemd \) -prune -o -print | sort
}

@test "lintian has no error and no warning, and the dashboards are inside" {
	run grep -E '^[EW]: ' "$BATS_FILE_TMPDIR/log"
	[ -z "$output" ]
	dpkg-deb --contents "$BATS_FILE_TMPDIR/stage/srv/jopil.deb" >"$BATS_TEST_TMPDIR/contents"
	for file in usr/bin/jopil usr/sbin/jopil-loader lib/systemd/system/jopil.target etc/jopil/jopil.conf \
		usr/share/jopil/grafana/jopil.json usr/share/jopil/prometheus/jopil.rules.yml usr/share/man/man5/jopil-lines.5.gz \
		usr/share/bash-completion/completions/jopil usr/share/zsh/vendor-completions/_jopil; do
		grep -q " ./$file$" "$BATS_TEST_TMPDIR/contents"
	done
}

@test "it installs and starts nothing; jopil up does; purged, it leaves nothing" {
	files >"$BATS_TEST_TMPDIR/before"
	machine cp /etc/passwd /etc/group /tmp
	machine env DEBIAN_FRONTEND=noninteractive dpkg -i /srv/jopil.deb
	[ "$(machine systemctl is-active jopil.target)" = inactive ]
	machine getent passwd jopil
	run machine jopil up jp0
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"jopil: dashboard on http://127.0.0.1:5000"* ]]
	machine jopil status
	machine systemctl is-enabled jopil-loader@jp0.service jopil.target
	machine jopil down
	run machine jopil status
	[ "$status" = 1 ]
	machine jopil up jp0
	machine dpkg --purge jopil
	run machine ls /sys/fs/bpf/jopil
	[ "$status" = 2 ]
	files >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	machine diff /etc/passwd /tmp/passwd
}

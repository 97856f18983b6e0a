# SPDX-License-Identifier: MIT
# A machine with systemd, for tests of what is installed: machine_start, machine COMMAND..., machine_stop.

# $1: what make install made. Returns when it has booted.
machine_start() {
	local up
	mkfifo "$BATS_FILE_TMPDIR/up"
	"$BATS_TEST_DIRNAME/machine" "$1" >"$BATS_FILE_TMPDIR/up" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/unshare"
	read -r -t 60 up <"$BATS_FILE_TMPDIR/up"
	[ "$up" = up ]
	pgrep -P "$(cat "$BATS_FILE_TMPDIR/unshare")" >"$BATS_FILE_TMPDIR/init"
}

machine() {
	nsenter --all --root --wd --target "$(cat "$BATS_FILE_TMPDIR/init")" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

machine_stop() {
	kill -9 "$(cat "$BATS_FILE_TMPDIR/init")"
	timeout 30 tail --pid="$(cat "$BATS_FILE_TMPDIR/unshare")" -f /dev/null
}

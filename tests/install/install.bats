#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install and make uninstall, into a directory of the test's own.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	STAGE=$BATS_TEST_TMPDIR/stage
}

# Without the flags of a make that runs us.
stage() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s BUILD="$BUILD" DESTDIR="$STAGE" "$@"
}

files() {
	(cd "$STAGE" && find . ! -type d | sort)
}

@test "all programs are installed under the project's name" {
	stage PREFIX=/usr install
	for program in reader aggregator recorder report top httpd; do
		[ -x "$STAGE/usr/bin/jopil-$program" ]
	done
	[ -x "$STAGE/usr/sbin/jopil-loader" ]
	[ "$(files | grep -cE "/s?bin/")" = "$(files | grep -cE "/s?bin/jopil(-|$)")" ]
}

@test "a program says the name that it was installed under" {
	stage install
	for program in "$STAGE"/usr/local/*bin/jopil*; do
		name=${program##*/}
		"$program" --help | grep -q "^usage: $name "
		"$program" --version | grep -q "^$name (jopil) "
		run "$program" --no-such-option
		[ "$status" = 2 ]
		[ "$output" = "$name: unknown option '--no-such-option'; $name --help lists what there is" ]
	done
}

@test "what an installed program tells its user to run is installed" {
	stage install
	run "$STAGE/usr/local/bin/jopil-reader" --pin-dir "$BATS_TEST_TMPDIR/none"
	[ "$status" = 1 ]
	[[ $output == *"'sudo jopil-loader IFACE'"* ]]
	run "$BIN/reader" --pin-dir "$BATS_TEST_TMPDIR/none"
	[[ $output == "reader: "*"'sudo loader IFACE'"* ]]
}

@test "the directories have GNU's names" {
	stage prefix=/opt/jopil exec_prefix=/opt/arch sbindir=/opt/root mandir=/opt/man install
	[ -x "$STAGE/opt/arch/bin/jopil-reader" ]
	[ -x "$STAGE/opt/root/jopil-loader" ]
	[ -f "$STAGE/opt/man/man8/jopil-loader.8" ]
	[ -f "$STAGE/opt/jopil/share/jopil/grafana/jopil.json" ]
	[ -f "$STAGE/opt/jopil/share/jopil/prometheus/jopil.rules.yml" ]
}

@test "nothing is installed that others may write" {
	(umask 0; stage install)
	run find "$STAGE" ! -type d -perm /022
	[ -z "$output" ]
}

@test "uninstall leaves what others have put there, and nothing else" {
	mkdir -p "$STAGE/usr/local/bin"
	echo other >"$STAGE/usr/local/bin/other"
	stage install
	[ "$(files | wc -l)" -gt 20 ]
	stage uninstall
	[ "$(files)" = ./usr/local/bin/other ]
	[ ! -e "$STAGE/usr/local/share/jopil" ]
	[ ! -e "$STAGE/usr/local/share/doc/jopil" ]
}

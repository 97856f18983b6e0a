#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# PIE, full RELRO, FORTIFY, stack protector and clash protection, in each program that is installed.

HARDENING=$BATS_TEST_DIRNAME/hardening

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s BUILD="$BUILD" DESTDIR="$BATS_FILE_TMPDIR" PREFIX=/usr install
}

@test "every installed program is hardened" {
	run "$HARDENING" "$BATS_FILE_TMPDIR"/usr/*bin/jopil-*
	echo "$output"
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 1 ]
}

# A check that cannot fail is none.
@test "what is not hardened is found" {
	cd "$BATS_TEST_TMPDIR"
	echo '#include <stdio.h>
	int main(int argc, char **argv) { char b[99]; sprintf(b, "%s%d", argv[0], argc); puts(b); return 0; }' >weak.c
	gcc -g -O2 -no-pie -fno-pie -fno-stack-protector -fno-stack-clash-protection -U_FORTIFY_SOURCE \
		-Wl,-z,norelro,-z,execstack,-z,lazy -o weak weak.c
	run "$HARDENING" ./weak
	[ "$status" = 1 ]
	for fault in "not position independent" "no full RELRO" "executable stack" "no stack protector" \
		"no fortified function" "without -fstack-clash-protection" "without -fstack-protector-strong"; do
		[[ $output == *"$fault"* ]]
	done
}

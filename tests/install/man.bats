#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manual pages: one for each program, complete. That they are well-formed is for tests/lint.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
}

@test "every program has a page" {
	for program in "$BIN"/*; do
		name=${program##*/}
		case $name in
		*_doc | *.d) continue ;;
		jopil) ;;
		*) name=jopil-$name ;;
		esac
		page=$(ls docs/man/"$name".[18])
		grep -qx ".Nm $name" "$page"
	done
}

@test "pages refer to pages of ours that are there" {
	grep -ho '^\.Xr jopil[^ ]* [0-9]' docs/man/* | sort -u >"$BATS_TEST_TMPDIR/references"
	[ -s "$BATS_TEST_TMPDIR/references" ]
	while read -r _ name section; do
		[ -f "docs/man/$name.$section" ]
	done <"$BATS_TEST_TMPDIR/references"
}

@test "every option is in its program's page" {
	for program in jopil loader reader aggregator recorder report top httpd; do
		page=$(ls docs/man/*"$program".[18])
		for option in $("$BIN/$program" --help | grep -oE '^ +(-.,)? +--[a-z0-9-]+' | grep -oE '[a-z0-9-]+$'); do
			case $option in help | --help | version | --version) continue ;; esac
			grep -qE "Fl \\\\?-${option#--}([ ,]|$)" "$page" || {
				echo "$page lacks $option"
				return 1
			}
		done
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manual pages: well-formed, one for each program, complete.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
}

# Sections' pages that other packages have need not be installed where this runs.
@test "mandoc finds nothing wrong" {
	run sh -c "mandoc -T lint docs/man/* 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db'"
	[ -z "$output" ]
}

@test "every program has a page" {
	for program in "$BIN"/*; do
		name=${program##*/}
		case $name in *_doc) continue ;; esac
		page=$(ls docs/man/jopil-"$name".[18])
		grep -qx ".Nm jopil-$name" "$page"
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
	for program in loader reader aggregator recorder report top httpd; do
		page=$(ls docs/man/jopil-"$program".[18])
		for option in $("$BIN/$program" --help | grep -oE '^ +(-.,)? +--[a-z0-9-]+' | grep -oE '[a-z0-9-]+$'); do
			case $option in help | --help | version | --version) continue ;; esac
			grep -qE "Fl \\\\?-${option#--}([ ,]|$)" "$page" || {
				echo "$page lacks $option"
				return 1
			}
		done
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Names of any bytes, by the writers of the reader and through the aggregator: every line is JSON to others.

NAMES=${JOPIL_NAMES:-20000}

setup() {
	T=$(mktemp -d)
	"$BUILD/tests/netns/nasty" "$NAMES" "${JOPIL_SEED:-0}" >"$T/lines"
}

teardown() {
	rm -rf "$T"
}

parse() { "$BATS_TEST_DIRNAME/parse.py" "$@"; }

@test "$NAMES lines of the reader: python and jq take each of them" {
	parse "$NAMES" <"$T/lines" >"$T/types"
	sed 's/^/# /' "$T/types" >&3
	[ "$(jq -r 'keys | length' "$T/types")" = 8 ]
	[ "$(jq -c . <"$T/lines" | wc -l)" -eq "$NAMES" ]
}

@test "and what the aggregator makes of them; none is a bad line to it" {
	"$BIN/aggregator" --interval 1 --types all --flow-bytes 1 <"$T/lines" >"$T/out" 2>"$T/err"
	cat "$T/err"
	[ ! -s "$T/err" ]
	parse "$(wc -l <"$T/out")" <"$T/out" >"$T/types"
	sed 's/^/# /' "$T/types" >&3
	[ "$(jq -c . <"$T/out" | wc -l)" -eq "$(wc -l <"$T/out")" ]
	[ "$(tail -n 1 "$T/out" | jq -c '[.final, .losses.bad_lines, .input.lines]')" = "[true,0,$NAMES]" ]
}

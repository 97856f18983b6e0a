#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Completions of bash and zsh offer what each program takes, and nothing else.

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s BUILD="$BUILD" DESTDIR="$BATS_FILE_TMPDIR" PREFIX=/usr install
}

# complete_bash WORD...: what is offered for the last of them.
complete_bash() {
	bash -c '
		. "$1/usr/share/bash-completion/completions/$2"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		"$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$BATS_FILE_TMPDIR" "$@"
}

# The long options that --help shows.
options_of() {
	"$1" --help | grep -oE '^ +(-.,)? +--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+$' | sort
}

@test "bash offers each program's options, all of them" {
	for path in "$BATS_FILE_TMPDIR"/usr/*bin/jopil*; do
		program=${path##*/}
		[ "$(complete_bash "$program" -- | sort)" = "$(options_of "$path")" ]
	done
}

@test "bash offers files, directories, interfaces and verbs where they are wanted" {
	cd "$BATS_TEST_TMPDIR"
	mkdir captures
	touch capture.pcap
	[ "$(complete_bash jopil-reader --pcap cap | sort | tr '\n' ' ')" = "capture.pcap captures " ]
	[ "$(complete_bash jopil-reader --pin-dir cap)" = captures ]
	complete_bash jopil-loader lo | grep -qx lo
	complete_bash jopil up lo | grep -qx lo
	complete_bash jopil d | sort | tr '\n' ' ' | grep -qx 'doctor down '
	complete_bash jopil-report '' | grep -qx top
	[ -z "$(complete_bash jopil-reader --count '')" ]
}

@test "zsh reads its completions, and they have each program's options" {
	for path in "$BATS_FILE_TMPDIR"/usr/*bin/jopil*; do
		file=$BATS_FILE_TMPDIR/usr/share/zsh/site-functions/_${path##*/}
		head -1 "$file" | grep -qx "#compdef ${path##*/}"
		zsh -n "$file"
		# _arguments as zsh hands it over: one word an option's spelling.
		zsh -fc '_arguments() { printf "%s\n" "$@" }; source "$1"' zsh "$file" >"$BATS_TEST_TMPDIR/arguments"
		[ "$(grep -oE -- '(^|\))--[a-z0-9-]+\[' "$BATS_TEST_TMPDIR/arguments" | grep -oE -- '--[a-z0-9-]+' | sort)" = \
			"$(options_of "$path")" ]
	done
}

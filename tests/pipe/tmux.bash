# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# A terminal in tmux. One client in control mode asks what is on it, and between two looks waits for output. When the
# test dies, however it does, that client's input ends, with it the session, and with that what runs in it.

WAIT_S=60 # until something counts as never

# terminal COLUMNS ROWS COMMAND: which ends when its terminal does. TTY is the terminal.
terminal() {
	local option

	export TMUX_TMPDIR=$T
	unset TMUX
	mkfifo "$T/asked" "$T/answers"
	tmux -f /dev/null new-session -d -x "$1" -y "$2" "$3" 3>&- 7>&- 8>&-
	tmux -C attach -f ignore-size <"$T/asked" >"$T/answers" 2>&1 3>&- 7>&- 8>&- &
	CLIENT=$!
	exec 5>"$T/asked" 6<"$T/answers"
	hear %session-changed
	for option in 'status off' 'window-size manual' 'destroy-unattached on'; do
		# shellcheck disable=SC2086
		ask set-option -g $option
	done
	ask set-option -s escape-time 0
	TTY=$(ask display-message -p '#{pane_tty}')
}

# What runs in it gets SIGHUP, and the end of its input.
end_terminal() {
	[ -n "${CLIENT:-}" ] || return 0
	exec 5>&-
	while read -r -u 6 _; do :; done
	exec 6<&-
	wait "$CLIENT"
	CLIENT=
}

# hear WORD: reads until a line that begins with it: %output, if something was written.
hear() {
	local line end=$((SECONDS + WAIT_S))

	while [ $SECONDS -lt $end ] && IFS= read -r -t $((end - SECONDS)) -u 6 line; do
		[[ $line != "$1"* ]] || return 0
	done
	return 1
}

# ask TMUX_COMMAND...: prints its answer.
ask() {
	local line stamp=

	printf "'%s' " "${@//\'/\'\\\'\'}" >&5
	echo >&5
	while IFS= read -r -t $WAIT_S -u 6 line; do
		case $line in
		"%begin "*) stamp=${line#%begin } ;;
		"%end $stamp") return 0 ;;
		"%error $stamp" | %exit*) return 1 ;;
		*) [ -z "$stamp" ] || printf '%s\n' "$line" ;;
		esac
	done
	return 1
}

screen() { ask capture-pane -p; }
coloured_screen() { ask capture-pane -pe; }
keys() { ask send-keys "$@"; }
resize() { ask resize-window -x "$1" -y "$2"; }

# until_true COMMAND...: which looks once; again whenever something was written.
until_true() {
	until "$@"; do
		hear %output || {
			echo "never: $*"
			screen
			return 1
		}
	done
}

shows() { screen | grep -qE -- "$1"; }
hides() { ! shows "$1"; }
until_shown() { until_true shows "$1"; }
until_hidden() { until_true hides "$1"; }

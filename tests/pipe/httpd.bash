# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# An httpd to ask, fed line by line; for the tests of httpd.

setup() {
	T=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	HERE=$BATS_TEST_DIRNAME
	PID=
	AS_USER=()
	if [ "$(id -u)" -eq 0 ]; then
		AS_USER=(--user nobody)
	fi
	mkfifo "$T/in" "$T/ready"
}

teardown() {
	exec 8>&-
	[ -z "$PID" ] || stop_httpd
}

# start_httpd OPTION...: PORT and PID are its; what is written to descriptor 8 is its input.
start_httpd() {
	local listen=(--listen 127.0.0.1:0)
	case " $* " in *" --listen "*) listen=() ;; esac
	"$BIN/httpd" "${listen[@]}" "${AS_USER[@]}" --ready-fd 9 "$@" \
		<"$T/in" 9>"$T/ready" 2>"$T/err" 3>&- &
	PID=$!
	exec 8>"$T/in"
	read -r <"$T/ready"
	PORT=$(sed -n 's/^httpd: listening on .*:\([0-9]*\)$/\1/p' "$T/err")
	URL=http://127.0.0.1:$PORT
}

stop_httpd() {
	kill -TERM "$PID" 2>/dev/null || :
	wait "$PID"
	local status=$?
	PID=
	cat "$T/err" >&2
	return $status
}

client() {
	/usr/bin/python3 "$HERE/httpd_client.py" "$PORT" "$@" 8>&-
}

# A client that has the only other end of the input, so that it can end it.
feeding_client() {
	/usr/bin/python3 "$HERE/httpd_client.py" "$PORT" "$@" 8 3>&- &
	local feeder=$!
	exec 8>&-
	wait $feeder
}

feed() {
	printf '%s\n' "$@" >&8
}

# get PATH [CURL OPTION...]: status and head in $T/head, body in $output
get() {
	local path=$1
	shift
	output=$(curl -sS --max-time 20 -D "$T/head" --path-as-is "$@" "$URL$path")
	STATUS=$(awk 'NR == 1 { print $2 }' "$T/head")
}

header() {
	tr -d '\r' <"$T/head" | awk -v name="$1:" 'tolower($1) == name { sub(/^[^ ]* /, ""); print }'
}

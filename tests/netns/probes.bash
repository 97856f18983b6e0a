# SPDX-License-Identifier: MIT
# Helpers of the tests of the host's probes: connection, process, drop, latency. Load lib first. These probes see the
# whole host: a test takes only lines of its own pids, namespaces and addresses.

# need PROBE...: skips the test on other kernels (tests/kernels) that lack one, as docs/KERNELS.md says.
need() {
	local probe
	for probe in "$@"; do
		[[ " ${JOPIL_PROBES-$probe} " == *" $probe "* ]] || skip "Linux $JOPIL_KERNEL has no $probe probe"
	done
}

# load_probes LIST OPTION...: the probes, without any interface.
load_probes() { in_b_loader --group "$GROUP_ID" --probe "$1" "${@:2}"; }

# begin LIST OPTION...: the probes and a reader of their lines.
begin() {
	load_probes "$@"
	start_reader --types connection,process,drop,latency,counters --interval 0.2
}

# tool NAME ARGUMENT...: a generator of this folder.
tool() { "$BUILD/tests/netns/$1" "${@:2}"; }

# comment: stdin as TAP comments, which the runner shows.
comment() { sed 's/^/# /' >&3; }

# probe_counter PROBE NAME: what the last line of this probe says.
probe_counter() {
	grep "\"type\":\"probe\".*\"probe\":\"$1\"" "$LINES" | tail -n 1 | jq ".counters.$2"
}

# snmp in_a|in_b NAME: a figure of the namespace, such as Tcp.ActiveOpens or TcpExt.ListenDrops.
snmp() {
	"$1" cat /proc/net/snmp /proc/net/netstat | awk -v want="${2/./: }" '
		{ if (head && $1 == headers[1]) { for (i = 2; i <= NF; i++) if ($1 " " headers[i] == want) print $i; head = 0 }
		  else { head = split($0, headers, " ") } }'
}

# netns_inode in_a|in_b
netns_inode() { "$1" stat -Lc %i /proc/self/ns/net; }

netns_path() { case $1 in in_a) echo "/run/netns/$NETNS_A" ;; *) echo "/run/netns/$NETNS_B" ;; esac; }

# settled in_a|in_b: waits until no connection of the namespace is open or closing.
settled() { while "$1" ss -Htan state connected exclude time-wait | grep -q .; do :; done; }

# until_line FILE PATTERN: waits for it to appear.
until_line() { touch "$1"; timeout 60 tail -n +1 -f "$1" | grep -q -m 1 -- "$2"; }

# lines_of TYPE JQ-EXPRESSION: of what the reader wrote.
lines_of() { grep "\"type\":\"$1\"" "$LINES" | jq -r "$2"; }

# finish: detaches, and lets the reader drain what is left: nothing is counted any more, so that sums are exact.
finish() {
	detach 2>/dev/null
	wait "$READER_PID"
	wait "$CONSUMER_PID"
}

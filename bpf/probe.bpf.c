// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What the probes of the host share, where it is defined; probe.h and socket.h say what for. */
#include "bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/probe.h"
#include "bpf/socket.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct probe_counters probe_counters SEC(".maps");
struct probe_configs probe_config SEC(".maps");
struct fold_active fold_active SEC(".maps");
struct event_rings event_ring SEC(".maps");
struct guards guards SEC(".maps");
struct sockets sockets SEC(".maps");
struct task_turns task_turns SEC(".maps");

const volatile u8 tracepoints_are_preemptible;

// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The maps that the probes of the host share; probe.h and socket.h say what they are for. */
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

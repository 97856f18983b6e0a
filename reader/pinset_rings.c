/* SPDX-License-Identifier: MIT */
/* The rings of the pin directory: of packets, one a CPU, and the one of events. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/pinset_parts.h"

static const struct pin_shape ring_shape = { BPF_MAP_TYPE_RINGBUF, 0, 0, 0 };

/* Opened and mapped; NULL and *ret_err, *failure. */
static struct ring *open_ring(struct pinset *set, u32 generation, u32 cpu,
			      struct pinset_failure *failure, int *ret_err)
{
	struct bpf_map_info info;
	struct ring *ring;
	int fd;

	if (cpu == RING_ALL_CPUS)
		fd = pinset_open_numbered(set, &ring_shape, &info, failure, PIN_EVENTS, generation);
	else
		fd = pinset_open_numbered(set, &ring_shape, &info, failure, PIN_RING, generation, cpu);
	*ret_err = fd < 0 ? fd : 0;
	if (fd < 0)
		return NULL;
	ring = malloc(sizeof(*ring));
	*ret_err = ring ? ring_open(ring, fd, info.max_entries, generation, cpu) : -ENOMEM;
	close(fd);
	if (*ret_err) {
		free(ring);
		pinset_fail(failure, PINSET_PIN, "ring", *ret_err);
		return NULL;
	}
	return ring;
}

static int add_ring(struct pinset *set, unsigned int at, u32 generation, u32 cpu,
		    struct pinset_failure *failure)
{
	int err;
	struct ring *ring = open_ring(set, generation, cpu, failure, &err);

	if (ring)
		set->rings[at] = ring;
	return err;
}

static void drop_rings(struct pinset *set, unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++) {
		ring_close(set->rings[i]);
		free(set->rings[i]);
	}
}

static int follow_cpu_rings(struct pinset *set, const struct pin_settings *now,
			    struct pinset_failure *failure)
{
	unsigned int n = now->cpus;
	int err = 0;

	if (set->n_rings && now->rings_generation == set->settings.rings_generation)
		return 0;
	if (n > PINSET_CPUS || set->n_rings + set->n_old_rings > PINSET_OLD_RINGS)
		return pinset_fail(failure, PINSET_VERSION, PIN_SETTINGS, -EPROTO);
	/* What was in use becomes old; the new ones go before it. */
	set->n_old_rings += set->n_rings;
	memmove(set->rings + n, set->rings, set->n_old_rings * sizeof(set->rings[0]));
	set->n_rings = 0;
	for (u32 cpu = 0; cpu < n && !err; cpu++) {
		err = add_ring(set, cpu, now->rings_generation, cpu, failure);
		set->n_rings += !err;
	}
	if (err)	/* no gap between the two kinds */
		memmove(set->rings + set->n_rings, set->rings + n,
			set->n_old_rings * sizeof(set->rings[0]));
	return err;
}

/* The ring of events; there may be none. */
static int follow_events(struct pinset *set, const struct pin_settings *now,
			 struct pinset_failure *failure)
{
	int err = 0;

	if (set->events && now->events_generation == set->settings.events_generation)
		return 0;
	if (set->events && set->n_rings + set->n_old_rings > PINSET_OLD_RINGS)
		return pinset_fail(failure, PINSET_VERSION, PIN_SETTINGS, -EPROTO);
	if (set->events)
		set->rings[set->n_rings + set->n_old_rings++] = set->events;
	set->events = NULL;
	if (now->events_generation)
		set->events = open_ring(set, now->events_generation, RING_ALL_CPUS, failure, &err);
	return err == -ENOENT ? 0 : err;
}

static bool has_ring(const struct pinset *set, u32 generation, u32 cpu)
{
	for (unsigned int i = 0; i < set->n_rings + set->n_old_rings; i++)
		if (set->rings[i]->generation == generation && set->rings[i]->cpu == cpu)
			return true;
	return false;
}

int pinset_follow_rings(struct pinset *set, const struct pin_settings *now,
			struct pinset_failure *failure)
{
	int err = follow_cpu_rings(set, now, failure);

	return err ? err : follow_events(set, now, failure);
}

static void add_old(struct pinset *set, u32 generation, u32 cpu, u32 generation_in_use)
{
	struct pinset_failure ignored;

	if (generation == generation_in_use || has_ring(set, generation, cpu) ||
	    set->n_old_rings >= PINSET_OLD_RINGS)
		return;
	set->n_old_rings += !add_ring(set, set->n_rings + set->n_old_rings, generation, cpu,
				      &ignored);
}

void pinset_add_old_ring(struct pinset *set, const char *name)
{
	u32 generation, cpu;
	char rest;

	if (sscanf(name, PIN_RING "%c", &generation, &cpu, &rest) == 2)
		add_old(set, generation, cpu, set->settings.rings_generation);
	else if (sscanf(name, PIN_EVENTS "%c", &generation, &rest) == 1)
		add_old(set, generation, RING_ALL_CPUS, set->settings.events_generation);
}

void pinset_forget_old_rings(struct pinset *set)
{
	drop_rings(set, set->n_rings, set->n_old_rings);
	set->n_old_rings = 0;
}

void pinset_close_rings(struct pinset *set)
{
	pinset_forget_old_rings(set);
	drop_rings(set, 0, set->n_rings);
	if (set->events) {
		ring_close(set->events);
		free(set->events);
	}
	free(set->rings);
	set->n_rings = 0;
	set->rings = NULL;
	set->events = NULL;
}

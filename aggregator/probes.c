/* SPDX-License-Identifier: MIT */
/* What the probes of each host said last of their counters. */
#include "aggregator/probes.h"

#include <string.h>

int probes_init(struct probes *p)
{
	memset(p, 0, sizeof(*p));
	return lru_init(&p->table, sizeof(struct probe), sizeof(struct probe_id), PROBES_MAX);
}

void probes_free(struct probes *p)
{
	lru_free(&p->table);
}

static void set_name(char *to, size_t size, struct line_text name)
{
	memset(to, 0, size);
	memcpy(to, name.text, strnlen(name.text, name.length < size ? name.length : size - 1));
}

static struct probe_id id_of(u16 host, struct line_text name)
{
	struct probe_id id = { .host = host };

	set_name(id.name, sizeof(id.name), name);
	return id;
}

struct probe *probes_get(struct probes *p, u16 host, struct line_text name)
{
	struct probe_id id = id_of(host, name);
	bool is_new;
	struct probe *probe = lru_get(&p->table, &id, &is_new);

	p->no_memory += !probe;
	return probe;
}

void probe_set(struct probe *probe, struct line_text name, u64 value)
{
	struct probe_value *at = probe->counters;
	char text[PROBE_NAME_BYTES];

	set_name(text, sizeof(text), name);
	while (at < probe->counters + probe->n && strcmp(at->name, text))
		at++;
	if (at == probe->counters + PROBE_COUNTERS_MAX)
		return;
	if (at == probe->counters + probe->n) {
		memcpy(at->name, text, sizeof(text));
		probe->n++;
	}
	if (value < at->value)
		at->before += at->value;
	at->value = value;
}

static u64 sum_of(const struct probe *probe, const char *counter)
{
	for (u32 i = 0; i < probe->n; i++)
		if (!strcmp(probe->counters[i].name, counter))
			return probe->counters[i].before + probe->counters[i].value;
	return 0;
}

u64 probes_sum(const struct probes *p, const char *name, const char *counter)
{
	u64 sum = 0;

	for (const struct probe *probe = lru_newest(&p->table, 0); probe;
	     probe = lru_older(&p->table, probe))
		if (!strcmp(probe->id.name, name))
			sum += sum_of(probe, counter);
	return sum;
}

u64 probes_of_host(const struct probes *p, u16 host, const char *name, const char *counter)
{
	struct probe_id id = id_of(host, (struct line_text){ name, strlen(name) });
	const struct probe *probe = lru_find(&p->table, &id);

	return probe ? sum_of(probe, counter) : 0;
}

bool probes_seen(const struct probes *p, const char *name)
{
	for (const struct probe *probe = lru_newest(&p->table, 0); probe;
	     probe = lru_older(&p->table, probe))
		if (!strcmp(probe->id.name, name))
			return true;
	return false;
}

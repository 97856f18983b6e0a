// SPDX-License-Identifier: MIT
/*
 * Adds up a reader's lines on stdin and holds them against its last counters:
 * packet lines + flow packets + unattributed == totals, for each interface, direction
 * and protocol, packets and bytes. It shares no code with the programs it checks.
 *
 * usage: balance [--json] < lines
 * Prints one line `accounting: exact` or `accounting: WRONG` with the sums; with --json one object
 * an interface and direction instead. Exit 0 exact, 1 wrong or nothing to compare.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 8192

struct row {
	char name[96];		/* "eth0 ingress TCP" */
	unsigned long long line_packets, line_bytes;
	unsigned long long flow_packets, flow_bytes;
	unsigned long long total_packets, total_bytes;
	unsigned long long unattributed, unattributed_bytes;
};

static struct row rows[ROWS_MAX];
static size_t n_rows;
static unsigned long long n_lines, n_bad;

static struct row *row_of(const char *name)
{
	static struct row *last;

	if (last && !strcmp(last->name, name))
		return last;
	for (size_t i = 0; i < n_rows; i++)
		if (!strcmp(rows[i].name, name))
			return last = &rows[i];
	if (n_rows == ROWS_MAX) {
		fprintf(stderr, "balance: more than %d rows\n", ROWS_MAX);
		exit(1);
	}
	snprintf(rows[n_rows].name, sizeof(rows[n_rows].name), "%s", name);
	return last = &rows[n_rows++];
}

/* Copies the string behind "key":" of a line into out. */
static bool text_of(const char *line, const char *key, char *out, size_t size)
{
	const char *p = strstr(line, key);
	size_t n;

	if (!p)
		return false;
	p += strlen(key);
	n = strcspn(p, "\"");
	if (n >= size)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static bool number_of(const char *line, const char *key, unsigned long long *ret)
{
	const char *p = strstr(line, key);

	if (!p)
		return false;
	*ret = strtoull(p + strlen(key), NULL, 10);
	return true;
}

/* Ethertypes without a name are one row of the totals. */
static const char *proto_class(const char *proto)
{
	bool unnamed = !strncmp(proto, "0x", 2) && strcmp(proto, "0x0800") && strcmp(proto, "0x86dd");

	return unnamed ? "other" : proto;
}

static struct row *row_of_line(const char *line)
{
	char ifname[32], direction[16], proto[32], name[96];

	if (!text_of(line, "\"ifname\":\"", ifname, sizeof(ifname)) ||
	    !text_of(line, "\"direction\":\"", direction, sizeof(direction)) ||
	    !text_of(line, "\"proto\":\"", proto, sizeof(proto)))
		return NULL;
	snprintf(name, sizeof(name), "%s %s %s", ifname, direction, proto_class(proto));
	return row_of(name);
}

static bool add_packet(const char *line)
{
	unsigned long long length;
	struct row *r = row_of_line(line);

	if (!r || !number_of(line, "\"length\":", &length))
		return false;
	r->line_packets++;
	r->line_bytes += length;
	return true;
}

static bool add_flow(const char *line)
{
	unsigned long long packets, bytes;
	struct row *r = row_of_line(line);

	if (!r || !number_of(line, "\"packets\":", &packets) || !number_of(line, "\"bytes\":", &bytes))
		return false;
	r->flow_packets += packets;
	r->flow_bytes += bytes;
	return true;
}

/* Cumulative: the last one counts. */
static bool set_counters(const char *line)
{
	json_t *root = json_loads(line, 0, NULL), *protocols = json_object_get(root, "protocols"), *p;
	const char *ifname = json_string_value(json_object_get(root, "ifname"));
	size_t i;

	if (!ifname || !json_is_array(protocols)) {
		json_decref(root);
		return false;
	}
	json_array_foreach(protocols, i, p) {
		char name[96];
		struct row *r;

		snprintf(name, sizeof(name), "%s %s %s", ifname,
			 json_string_value(json_object_get(p, "direction")),
			 json_string_value(json_object_get(p, "proto")));
		r = row_of(name);
		r->total_packets = (unsigned long long)json_integer_value(json_object_get(p, "packets"));
		r->total_bytes = (unsigned long long)json_integer_value(json_object_get(p, "bytes"));
		r->unattributed =
			(unsigned long long)json_integer_value(json_object_get(p, "unattributed"));
		r->unattributed_bytes =
			(unsigned long long)json_integer_value(json_object_get(p, "unattributed_bytes"));
	}
	json_decref(root);
	return true;
}

static void read_line(const char *line)
{
	bool good = true;

	n_lines++;
	if (*line == '\n')	/* ends what a reader before may have left torn in a FIFO */
		return;
	if (!strncmp(line, "{\"type\":\"packet\"", 16))
		good = add_packet(line);
	else if (!strncmp(line, "{\"type\":\"flow\"", 14))
		good = add_flow(line);
	else if (!strncmp(line, "{\"type\":\"counters\"", 18))
		good = set_counters(line);
	else if (strncmp(line, "{\"type\":\"", 9))
		good = false;
	if (!good && n_bad++ < 5)
		fprintf(stderr, "balance: line %llu is not understood: %.100s\n", n_lines, line);
}

static bool is_exact(const struct row *r)
{
	return r->line_packets + r->flow_packets + r->unattributed == r->total_packets &&
	       r->line_bytes + r->flow_bytes + r->unattributed_bytes == r->total_bytes;
}

static void print_wrong(const struct row *r)
{
	fprintf(stderr,
		"balance: %s: packets %llu lines + %llu folded + %llu unattributed != %llu;"
		" bytes %llu + %llu + %llu, %llu\n",
		r->name, r->line_packets, r->flow_packets, r->unattributed, r->total_packets,
		r->line_bytes, r->flow_bytes, r->unattributed_bytes, r->total_bytes);
}

static void print_json(void)
{
	for (size_t i = 0; i < n_rows; i++)
		printf("{\"row\":\"%s\",\"packet_lines\":%llu,\"flow_packets\":%llu,\"unattributed\":%llu,"
		       "\"packets\":%llu,\"bytes\":%llu}\n",
		       rows[i].name, rows[i].line_packets, rows[i].flow_packets, rows[i].unattributed,
		       rows[i].total_packets, rows[i].total_bytes);
}

int main(int argc, char **argv)
{
	struct row sum = { .name = "sum" };
	bool exact = true;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		read_line(line);
	free(line);
	for (size_t i = 0; i < n_rows; i++) {
		if (!is_exact(&rows[i])) {
			exact = false;
			print_wrong(&rows[i]);
		}
		sum.line_packets += rows[i].line_packets;
		sum.flow_packets += rows[i].flow_packets;
		sum.unattributed += rows[i].unattributed;
		sum.total_packets += rows[i].total_packets;
		sum.total_bytes += rows[i].total_bytes;
	}
	if (argc > 1 && !strcmp(argv[1], "--json"))
		print_json();
	else
		printf("accounting: %s: %llu packet lines + %llu in flow lines + %llu unattributed = %llu"
		       " packets, %llu bytes in the totals\n",
		       exact && !n_bad && n_rows ? "exact" : "WRONG", sum.line_packets, sum.flow_packets,
		       sum.unattributed, sum.total_packets, sum.total_bytes);
	return exact && !n_bad && n_rows ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* What the records of a ring are, and the lines that they become. */
#include "reader/record_kind.h"

#include "reader/names.h"
#include "reader/request.h"

static char *write_packet(char *p, struct drain *drain, const void *record)
{
	const struct packet_record *r = record;

	if (__builtin_expect(!drain->knows[r->key.iface], 0))
		drain->learn(drain, r->key.iface);
	return packet_line_write(p, drain->writer, r);
}

static char *write_connection(char *p, struct drain *drain, const void *record)
{
	const struct connection_record *r = record;

	drain->writer->service = names_service(drain->names, r->key.protocol, r->key.dst_port_be);
	drain->writer->cgroup = names_cgroup(drain->names, r->owner.cgroup_id);
	return connection_line_write(p, drain->writer, r);
}

static char *write_drop(char *p, struct drain *drain, const void *record)
{
	const struct drop_record *r = record;

	drain->writer->reason = names_reason(drain->names, r->key.reason);
	drain->writer->location = names_location(drain->names, r->key.location);
	return drop_line_write(p, drain->writer, r);
}

#define KIND(name, number, bit) \
	{ sizeof(struct name##_record), number, offsetof(struct name##_record, type), bit, \
	  write_##name }

const struct record_kind record_kinds[RECORD_KINDS] = {
	KIND(packet, RECORD_PACKET, PRINT_PACKET),
	KIND(connection, RECORD_CONNECTION, PRINT_CONNECTION),
	KIND(drop, RECORD_DROP, PRINT_DROP),
};

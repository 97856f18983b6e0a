/* SPDX-License-Identifier: MIT */
/* The connections that are open already, from the kernel's walk over open files. */
#include "reader/sockets.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "reader/halt.h"
#include "reader/record_kind.h"

/* The kernel fills at most a page or so a call, and may cut a record in two. */
#define RECORDS_A_READ 256

/* Of many, nobody knows when they were established: before there was a probe. */
static bool is_older(const struct connection_record *r, u64 before_ns)
{
	return r->duration_ns == DURATION_NONE || r->time_ns - r->duration_ns < before_ns;
}

/* The lines of the first n records. 0 or the sink's error. */
static int write_records(const struct connection_record *records, size_t n, u64 before_ns,
			 struct drain *drain)
{
	struct sink *sink = drain->sink;
	int err = 0;

	for (size_t i = 0; i < n && sink->data_left && !err; i++) {
		const struct connection_record *r = &records[i];
		const struct record_kind *kind = record_kind_of(sizeof(*r), (const u8 *)r);

		if (!kind || !is_older(r, before_ns))
			continue;
		sink->data_left--;
		err = sink_add(sink, kind->write(sink_next(sink), drain, r), 1, NULL);
	}
	return err;
}

int sockets_read(int fd, u64 before_ns, struct drain *drain)
{
	struct connection_record records[RECORDS_A_READ];
	const size_t size = sizeof(records[0]);
	char *bytes = (char *)records;
	size_t used = 0;
	int err = 0;

	drain->writer->offset_ns = drain->walltime.boot_offset_ns;
	while (!err && drain->sink->data_left) {
		ssize_t n = read(fd, bytes + used, sizeof(records) - used);

		/* After a million files without a connection, the kernel wants to be asked anew. */
		if (n < 0 && errno == EAGAIN && !halt_is_wanted())
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
		err = write_records(records, used / size, before_ns, drain);
		memmove(bytes, bytes + used / size * size, used % size);
		used %= size;
	}
	return err;
}

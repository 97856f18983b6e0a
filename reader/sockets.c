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

/* The lines of the whole records in so many bytes. 0 or the sink's error. */
static int write_records(const u8 *records, size_t bytes, struct drain *drain)
{
	const size_t size = sizeof(struct connection_record);
	struct sink *sink = drain->sink;
	int err = 0;

	for (size_t at = 0; at + size <= bytes && sink->data_left && !err; at += size) {
		const struct record_kind *kind = record_kind_of(size, records + at);

		if (!kind)
			continue;
		sink->data_left--;
		err = sink_add(sink, kind->write(sink_next(sink), drain, records + at), 1, NULL);
	}
	return err;
}

int sockets_read(int fd, struct drain *drain)
{
	_Alignas(u64) u8 records[RECORDS_A_READ * sizeof(struct connection_record)];
	const size_t size = sizeof(struct connection_record);
	size_t used = 0;
	int err = 0;

	drain->writer->offset_ns = drain->walltime.boot_offset_ns;
	while (!err && drain->sink->data_left) {
		ssize_t n = read(fd, records + used, sizeof(records) - used);

		/* After a million files without a connection, the kernel wants to be asked anew. */
		if (n < 0 && errno == EAGAIN && !halt_is_wanted())
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
		err = write_records(records, used, drain);
		memmove(records, records + used / size * size, used % size);
		used %= size;
	}
	return err;
}

/* SPDX-License-Identifier: MIT */
/* The first line of the stream, and the sign that the reader is ready. */
#include "reader/begin.h"

#include <unistd.h>

#include "common/notify.h"
#include "common/output.h"
#include "reader/walltime.h"

int begin_hello(struct sink *sink)
{
	char host[256] = "";
	char *end;

	gethostname(host, sizeof(host) - 1);
	if (output_outlives_us(sink->fd)) {
		*sink_next(sink) = '\n';
		sink_add(sink, sink_next(sink) + 1, 1, NULL);
	}
	end = line_put_hello(sink_next(sink), "reader", host, walltime_unix_ns());
	sink_add(sink, end, 1, NULL);
	return sink_flush(sink);
}

int begin_ready(const struct request *request, struct sink *sink)
{
	int err = sink_flush(sink);

	/* A ready descriptor that cannot be written is nobody's who waits. */
	if (!err)
		notify_ready(request->ready_fd);
	return err;
}

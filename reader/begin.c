/* SPDX-License-Identifier: MIT */
/* The first line of the stream, and the sign that the reader is ready. */
#include "reader/begin.h"

#include <unistd.h>

#include "common/notify.h"
#include "reader/walltime.h"

int begin_hello(struct sink *sink)
{
	char host[256] = "";
	char *end;

	gethostname(host, sizeof(host) - 1);
	if (sink->outlives_us) {
		*sink_next(sink) = '\n';
		sink_add(sink, sink_next(sink) + 1, 1, NULL);
	}
	end = line_put_hello(sink_next(sink), "reader", host, walltime_unix_ns());
	return sink_add(sink, end, 1, NULL);
}

int begin_ready(const struct request *request, struct sink *sink)
{
	int err = sink->outlives_us ? 0 : sink_flush(sink);

	/* A ready descriptor that cannot be written is nobody's who waits. */
	if (!err)
		notify_ready(request->ready_fd);
	return err;
}

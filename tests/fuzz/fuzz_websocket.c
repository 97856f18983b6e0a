// SPDX-License-Identifier: MIT
/* WebSocket input: the answers must not depend on how the bytes are cut into reads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.c"
#include "httpd/websocket.c"

#define EVENTS_MAX 4096

/* What came out of the bytes, to be compared. */
struct trace {
	size_t count;
	struct {
		enum websocket_event event;
		unsigned int code;
		size_t length;
		uint8_t first;
	} events[EVENTS_MAX];
};

static void note(struct trace *trace, const struct websocket_result *result)
{
	size_t i = trace->count++;

	if (i >= EVENTS_MAX)
		return;
	trace->events[i].event = result->event;
	trace->events[i].code = result->code;
	trace->events[i].length = result->length;
	trace->events[i].first = result->length ? result->payload[0] : 0;
}

static void check(const struct websocket_result *result, size_t size)
{
	if (result->used > size)
		abort();
	if (result->event == WEBSOCKET_MORE && size >= WEBSOCKET_FRAME_MAX)
		abort();
	if (result->event == WEBSOCKET_GOT_PING && result->length > WEBSOCKET_CONTROL_MAX)
		abort();
	if (result->event == WEBSOCKET_GOT_TEXT &&
	    (result->length > LIMIT_MESSAGE_BYTES || !websocket_is_utf8(result->payload, result->length)))
		abort();
	if (result->event == WEBSOCKET_FAILED && !is_code(result->code))
		abort();
	if (result->event != WEBSOCKET_MORE && result->event != WEBSOCKET_FAILED && !result->used)
		abort();
}

/* Reads of step bytes, as the server would: a buffer of one frame, frames taken from its front. */
static void run(const uint8_t *data, size_t size, size_t step, struct trace *trace)
{
	struct websocket_input *input = calloc(1, sizeof(*input));
	uint8_t *buffer = malloc(WEBSOCKET_FRAME_MAX);
	size_t filled = 0;

	trace->count = 0;
	while (size) {
		size_t room = WEBSOCKET_FRAME_MAX - filled, take = size < step ? size : step;

		if (take > room)
			take = room;
		memcpy(buffer + filled, data, take);
		data += take;
		size -= take;
		filled += take;
		for (;;) {
			struct websocket_result result = websocket_take(input, buffer, filled);

			check(&result, filled);
			if (result.event == WEBSOCKET_MORE)
				break;
			note(trace, &result);
			if (result.event == WEBSOCKET_FAILED || result.event == WEBSOCKET_GOT_CLOSE)
				goto out;
			filled -= result.used;
			memmove(buffer, buffer + result.used, filled);
		}
	}
out:
	free(buffer);
	free(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trace whole, cut;
	size_t step;

	if (!size)
		return 0;
	step = 1 + data[0] % 16;
	run(data + 1, size - 1, size, &whole);
	run(data + 1, size - 1, step, &cut);
	if (whole.count != cut.count || memcmp(whole.events, cut.events,
	    (whole.count < EVENTS_MAX ? whole.count : EVENTS_MAX) * sizeof(*whole.events)))
		abort();
	return 0;
}

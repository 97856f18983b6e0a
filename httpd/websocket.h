/* SPDX-License-Identifier: MIT */
/* WebSocket frames and messages (RFC 6455), the server's side: bytes in, result out. */
#ifndef JOPIL_HTTPD_WEBSOCKET_H
#define JOPIL_HTTPD_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "httpd/bounds.h"

#define WEBSOCKET_HEAD_MAX 10		/* of a frame that the server sends: no mask */
#define WEBSOCKET_CONTROL_MAX 125	/* payload of a control frame, section 5.5 */
/* The largest frame a client may send: head, mask, payload. */
#define WEBSOCKET_FRAME_MAX (WEBSOCKET_HEAD_MAX + 4 + LIMIT_MESSAGE_BYTES)

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* Section 7.4.1. */
enum websocket_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_UNSUPPORTED = 1003,	/* binary: there is nothing to say in it */
	WEBSOCKET_NO_CODE = 1005,	/* never sent: a close frame without a code */
	WEBSOCKET_BAD_TEXT = 1007,
	WEBSOCKET_POLICY = 1008,	/* says too much that is not understood, or never pongs */
	WEBSOCKET_TOO_BIG = 1009,
};

/*
 * Messages go out in frames of at most this size, head and all, so that control
 * frames need not wait for the end of a large one (section 5.4).
 */
#define WEBSOCKET_FRAGMENT_BYTES (64 * 1024)
#define WEBSOCKET_PARTS_MAX 16

/* A text message as it goes over the wire; the text is borrowed. */
struct websocket_message {
	const char *text;
	size_t text_length;
	size_t length;		/* of all frames */
	uint8_t last_head[4];
	size_t last_head_length;
};

void websocket_message_init(struct websocket_message *message, const char *text, size_t length);

/*
 * What is left of the message from offset on, for sendmsg(): at most so many frames
 * that their parts fit, or with one only the frame that offset is in. How many of
 * parts are used.
 */
size_t websocket_message_rest(const struct websocket_message *message, size_t offset, bool one,
			      struct iovec parts[WEBSOCKET_PARTS_MAX]);

/* Whether no frame has been begun there and left unfinished. */
static inline bool websocket_is_between(size_t offset)
{
	return offset % WEBSOCKET_FRAGMENT_BYTES == 0;
}

/* Writes the head of an unfragmented server frame, at most WEBSOCKET_HEAD_MAX bytes; its length. */
size_t websocket_head(int opcode, size_t length, uint8_t *head);

/* A whole close frame with code and no reason; its length. */
size_t websocket_close(unsigned int code, uint8_t frame[4]);

enum websocket_event {
	WEBSOCKET_MORE,		/* no whole frame yet */
	WEBSOCKET_NOTHING,	/* a frame was taken; there is nothing to do */
	WEBSOCKET_GOT_TEXT,	/* a whole message, UTF-8 */
	WEBSOCKET_GOT_PING,	/* answer with a pong of the same payload */
	WEBSOCKET_GOT_PONG,
	WEBSOCKET_GOT_CLOSE,	/* answer with .code, then close the connection */
	WEBSOCKET_FAILED,	/* close with .code; read no further */
};

/* A message that is being put together. Starts as { 0 }. */
struct websocket_input {
	bool fragmented;	/* the first fragment was seen, the last one not */
	size_t length;
	uint8_t message[LIMIT_MESSAGE_BYTES];
};

struct websocket_result {
	enum websocket_event event;
	size_t used;		/* bytes of the input that are done with */
	const uint8_t *payload;	/* text or ping; in data or in the input's message */
	size_t length;
	unsigned int code;	/* close or failed */
};

/*
 * Takes one frame from the front of data, which it unmasks in place. Never
 * reads past data + size, and needs at most WEBSOCKET_FRAME_MAX bytes to come to
 * a result other than WEBSOCKET_MORE.
 *
 * Refused: unmasked frames, reserved bits and opcodes, lengths that are not
 * written in the shortest form, control frames that are fragmented or above 125
 * bytes, continuations of nothing (1002), binary messages (1003), text that is not
 * UTF-8 (1007), messages above LIMIT_MESSAGE_BYTES, as soon as the
 * head tells (1009).
 */
struct websocket_result websocket_take(struct websocket_input *input, uint8_t *data,
				       size_t size);

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
bool websocket_is_utf8(const uint8_t *data, size_t size);

#endif

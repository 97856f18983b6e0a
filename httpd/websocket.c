/* SPDX-License-Identifier: MIT */
/* WebSocket frames and messages (RFC 6455), the server's side: bytes in, result out. */
#include "httpd/websocket.h"

#include <string.h>

#include "common/utf8.h"

#define FIN 0x80
#define RESERVED 0x70
#define MASKED 0x80
#define LENGTH_16 126
#define LENGTH_64 127
#define MASK_BYTES 4
#define FRAGMENT_HEAD_BYTES 4	/* of every frame but the last: its length takes 16 bits */
#define FRAGMENT_TEXT_BYTES (WEBSOCKET_FRAGMENT_BYTES - FRAGMENT_HEAD_BYTES)

_Static_assert(FRAGMENT_TEXT_BYTES >= LENGTH_16 && FRAGMENT_TEXT_BYTES <= UINT16_MAX,
	       "the length of a full frame takes 16 bits");

/* The head of a frame from a client. */
struct head {
	bool fin;
	int opcode;
	uint64_t length;	/* of the payload */
	size_t size;		/* of the head itself, with the mask */
	const uint8_t *mask;
};

size_t websocket_head(int opcode, size_t length, uint8_t *head)
{
	size_t bytes = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;

	head[0] = (uint8_t)(FIN | opcode);
	head[1] = (uint8_t)(bytes == 0 ? length : bytes == 2 ? LENGTH_16 : LENGTH_64);
	for (size_t i = 0; i < bytes; i++)
		head[2 + i] = (uint8_t)((uint64_t)length >> 8 * (bytes - 1 - i));
	return 2 + bytes;
}

void websocket_message_init(struct websocket_message *message, const char *text, size_t length)
{
	size_t full = length ? (length - 1) / FRAGMENT_TEXT_BYTES : 0;
	size_t last = length - full * FRAGMENT_TEXT_BYTES;

	message->text = text;
	message->text_length = length;
	message->last_head_length = websocket_head(full ? WEBSOCKET_CONTINUATION : WEBSOCKET_TEXT,
						   last, message->last_head);
	message->length = full * WEBSOCKET_FRAGMENT_BYTES + message->last_head_length + last;
}

/* The head and the payload of the frame with that number. */
static void message_frame(const struct websocket_message *message, size_t number,
			  struct iovec frame[2])
{
	static const uint8_t full[2][FRAGMENT_HEAD_BYTES] = {
		{ WEBSOCKET_TEXT, LENGTH_16, FRAGMENT_TEXT_BYTES >> 8, FRAGMENT_TEXT_BYTES & 0xff },
		{ WEBSOCKET_CONTINUATION, LENGTH_16, FRAGMENT_TEXT_BYTES >> 8,
		  FRAGMENT_TEXT_BYTES & 0xff },
	};
	size_t begin = number * FRAGMENT_TEXT_BYTES, left = message->text_length - begin;

	frame[1].iov_base = (char *)message->text + begin;
	if (left > FRAGMENT_TEXT_BYTES) {
		frame[0] = (struct iovec){ (void *)full[number > 0], FRAGMENT_HEAD_BYTES };
		frame[1].iov_len = FRAGMENT_TEXT_BYTES;
	} else {
		frame[0] = (struct iovec){ (void *)message->last_head, message->last_head_length };
		frame[1].iov_len = left;
	}
}

size_t websocket_message_rest(const struct websocket_message *message, size_t offset, bool one,
			      struct iovec parts[WEBSOCKET_PARTS_MAX])
{
	size_t used = 0, skip = offset % WEBSOCKET_FRAGMENT_BYTES;
	struct iovec frame[2];

	offset -= skip;
	while (offset < message->length && used + 2 <= WEBSOCKET_PARTS_MAX && !(one && used)) {
		message_frame(message, offset / WEBSOCKET_FRAGMENT_BYTES, frame);
		offset += WEBSOCKET_FRAGMENT_BYTES;
		for (int i = 0; i < 2; i++) {
			size_t passed = skip < frame[i].iov_len ? skip : frame[i].iov_len;

			skip -= passed;
			if (passed == frame[i].iov_len)
				continue;
			parts[used].iov_base = (char *)frame[i].iov_base + passed;
			parts[used++].iov_len = frame[i].iov_len - passed;
		}
	}
	return used;
}

size_t websocket_close(unsigned int code, uint8_t frame[4])
{
	frame[0] = FIN | WEBSOCKET_CLOSE;
	frame[1] = 2;
	frame[2] = (uint8_t)(code >> 8);
	frame[3] = (uint8_t)code;
	return 4;
}

static bool is_control(int opcode)
{
	return opcode & 8;
}

/* 0: the head is there; 1: more is needed; else the code to close with. */
static unsigned int read_head(const uint8_t *data, size_t size, struct head *head)
{
	uint64_t small = 0;
	size_t bytes = 0;

	if (size < 2)
		return 1;
	if ((data[0] & RESERVED) || !(data[1] & MASKED))
		return WEBSOCKET_PROTOCOL_ERROR;
	head->fin = data[0] & FIN;
	head->opcode = data[0] & 0x0f;
	head->length = data[1] & ~MASKED;
	if (head->length == LENGTH_16) {
		bytes = 2;
		small = LENGTH_16;
	} else if (head->length == LENGTH_64) {
		bytes = 8;
		small = (uint64_t)UINT16_MAX + 1;
	}
	if (is_control(head->opcode) && (!head->fin || bytes))
		return WEBSOCKET_PROTOCOL_ERROR;
	head->size = 2 + bytes + MASK_BYTES;
	if (size < 2 + bytes)
		return 1;
	if (bytes)
		head->length = 0;
	for (size_t i = 0; i < bytes; i++)
		head->length = head->length << 8 | data[2 + i];
	/* Section 5.2: shortest form; the top bit of 64 is zero. */
	if (head->length < small || head->length >> 63)
		return WEBSOCKET_PROTOCOL_ERROR;
	head->mask = data + 2 + bytes;
	return 0;
}

/* Whether this frame may come now and fits: 0, else the code to close with. */
static unsigned int check_head(const struct websocket_input *input, const struct head *head)
{
	switch (head->opcode) {
	case WEBSOCKET_CLOSE:
	case WEBSOCKET_PING:
	case WEBSOCKET_PONG:
		return 0;
	case WEBSOCKET_CONTINUATION:
		if (!input->fragmented)
			return WEBSOCKET_PROTOCOL_ERROR;
		break;
	case WEBSOCKET_TEXT:
		if (input->fragmented)
			return WEBSOCKET_PROTOCOL_ERROR;
		break;
	case WEBSOCKET_BINARY:
		return input->fragmented ? WEBSOCKET_PROTOCOL_ERROR : WEBSOCKET_UNSUPPORTED;
	default:
		return WEBSOCKET_PROTOCOL_ERROR;
	}
	return head->length > sizeof(input->message) - input->length ? WEBSOCKET_TOO_BIG : 0;
}

static bool is_code(unsigned int code)
{
	if (code >= 3000)
		return code <= 4999;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

/* Section 5.5.1: nothing, or a code and UTF-8. Answered with the same code. */
static void take_close(const uint8_t *payload, size_t length, struct websocket_result *result)
{
	unsigned int code;

	result->event = WEBSOCKET_GOT_CLOSE;
	result->code = WEBSOCKET_NO_CODE;
	if (!length)
		return;
	code = length == 1 ? 0 : (unsigned int)(payload[0] << 8 | payload[1]);
	result->code = code;
	if (!is_code(code)) {
		result->event = WEBSOCKET_FAILED;
		result->code = WEBSOCKET_PROTOCOL_ERROR;
	} else if (!websocket_is_utf8(payload + 2, length - 2)) {
		result->event = WEBSOCKET_FAILED;
		result->code = WEBSOCKET_BAD_TEXT;
	}
}

/* A part of a text message, or all of it. */
static void take_text(struct websocket_input *input, const struct head *head,
		      const uint8_t *payload, struct websocket_result *result)
{
	memcpy(input->message + input->length, payload, head->length);
	input->length += head->length;
	input->fragmented = !head->fin;
	if (!head->fin)
		return;
	result->event = WEBSOCKET_GOT_TEXT;
	result->payload = input->message;
	result->length = input->length;
	input->length = 0;
	if (!websocket_is_utf8(result->payload, result->length)) {
		result->event = WEBSOCKET_FAILED;
		result->code = WEBSOCKET_BAD_TEXT;
	}
}

struct websocket_result websocket_take(struct websocket_input *input, uint8_t *data, size_t size)
{
	struct websocket_result result = { .event = WEBSOCKET_MORE };
	struct head head;
	uint8_t *payload;
	unsigned int code = read_head(data, size, &head);

	if (code == 1)
		return result;
	if (!code)
		code = check_head(input, &head);
	if (code) {
		result.event = WEBSOCKET_FAILED;
		result.code = code;
		return result;
	}
	if (size < head.size || size - head.size < head.length)
		return result;
	payload = data + head.size;
	for (size_t i = 0; i < head.length; i++)
		payload[i] ^= head.mask[i % MASK_BYTES];
	result.event = WEBSOCKET_NOTHING;
	result.used = head.size + head.length;
	if (head.opcode == WEBSOCKET_CLOSE) {
		take_close(payload, head.length, &result);
	} else if (head.opcode == WEBSOCKET_PING) {
		result.event = WEBSOCKET_GOT_PING;
		result.payload = payload;
		result.length = head.length;
	} else if (head.opcode == WEBSOCKET_PONG) {
		result.event = WEBSOCKET_GOT_PONG;
	} else if (!is_control(head.opcode)) {
		take_text(input, &head, payload, &result);
	}
	return result;
}

bool websocket_is_utf8(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t length = data[i] < 0x80 ? 1 : utf8_length(data + i, size - i);

		if (!length)
			return false;
		i += length;
	}
	return true;
}

/* SPDX-License-Identifier: MIT */
/* Addresses and their names: what the resolver process is asked, says, and is believed. */
#include "httpd/hostname.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define LABEL_BYTES 63

int address_parse(const char *text, struct address *ret_address)
{
	struct address address = { .version = strchr(text, ':') ? 6 : 4 };

	if (inet_pton(address.version == 6 ? AF_INET6 : AF_INET, text, address.bytes) != 1)
		return -EINVAL;
	*ret_address = address;
	return 0;
}

bool address_equals(const struct address *a, const struct address *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool address_is_host(const struct address *address)
{
	static const uint8_t zeroes[16];

	if (address->version == 6)
		return address->bytes[0] != 0xff && memcmp(address->bytes, zeroes, 16);
	/* 0.0.0.0/8 is this network, 224.0.0.0/4 multicast, 240.0.0.0/4 reserved and broadcast. */
	return address->bytes[0] != 0 && address->bytes[0] < 224;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool is_label(const char *label, size_t length, bool *ret_number)
{
	*ret_number = true;
	if (!length || length > LABEL_BYTES || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_name_byte(label[i]))
			return false;
		*ret_number = *ret_number && is_digit(label[i]);
	}
	return true;
}

bool hostname_is_good(const char *name, size_t length)
{
	size_t begin = 0;
	bool number;

	if (length > HOSTNAME_BYTES)
		return false;
	for (;;) {
		const char *dot = memchr(name + begin, '.', length - begin);
		size_t end = dot ? (size_t)(dot - name) : length;

		if (!is_label(name + begin, end - begin, &number))
			return false;
		if (!dot)
			return !number;
		begin = end + 1;
	}
}

static bool is_answer(const struct name_answer *answer)
{
	static const uint8_t zeroes[sizeof(answer->name)];

	if (answer->kind >= NAME_KINDS || answer->confirmed > 1 ||
	    memcmp(answer->zero, zeroes, sizeof(answer->zero)))
		return false;
	if ((answer->kind == NAME_READY) != (answer->number == 0))
		return false;
	return answer->kind == NAME_FOUND || (!answer->length && !answer->confirmed);
}

int name_answer_parse(const void *data, size_t size, struct name_answer *ret_answer)
{
	struct name_answer answer;

	if (size != sizeof(answer))
		return -EBADMSG;
	memcpy(&answer, data, sizeof(answer));
	if (!is_answer(&answer))
		return -EBADMSG;
	/* Whatever follows the name is not ours to pass on. */
	memset(answer.name + answer.length, 0, sizeof(answer.name) - answer.length);
	*ret_answer = answer;
	if (answer.kind == NAME_FOUND && !hostname_is_good(answer.name, answer.length))
		return -EILSEQ;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The page's proof, between two showings of the token: a cookie that expires and can be ended. */
#include "httpd/session.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* What the cookie says, before it is written as hexadecimal digits. */
struct ticket {
	uint8_t nonce[SESSION_NONCE];
	uint8_t expires_s[8];	/* big endian */
	uint8_t mac[SHA256_DIGEST_SIZE];
};

#define TICKET_DIGITS (2 * sizeof(struct ticket))

_Static_assert(sizeof(struct ticket) == SESSION_NONCE + 8 + SHA256_DIGEST_SIZE, "no padding");
_Static_assert(SESSION_NAME_MAX + TICKET_DIGITS + 80 <= SESSION_COOKIE_MAX, "Set-Cookie fits");

/* Visits each session of a Cookie field that goes on; returns whether to look further. */
typedef bool visit_session(void *closure, const struct ticket *ticket, uint64_t expires_s);

static int fill_random(void *data, size_t size)
{
	return getrandom(data, size, 0) == (ssize_t)size ? 0 : -errno;
}

int sessions_init(struct sessions *sessions, bool secure, unsigned int port, struct bounds *bounds)
{
	*sessions = (struct sessions){ .secure = secure, .bounds = bounds };
	snprintf(sessions->name, sizeof(sessions->name), "%s" SESSION_NAME, secure ? "__Host-" : "");
	if (port)
		snprintf(sessions->name + strlen(sessions->name), 8, "_%u", port & UINT16_MAX);
	return fill_random(sessions->key, sizeof(sessions->key));
}

static void sign(const struct sessions *sessions, struct ticket *ticket)
{
	struct hmac_sha256_ctx context;

	hmac_sha256_set_key(&context, sizeof(sessions->key), sessions->key);
	hmac_sha256_update(&context, offsetof(struct ticket, mac), (const uint8_t *)ticket);
	hmac_sha256_digest(&context, sizeof(ticket->mac), ticket->mac);
}

static void write_cookie(const struct sessions *sessions, const char *value, unsigned int seconds,
			 char text[SESSION_COOKIE_MAX])
{
	snprintf(text, SESSION_COOKIE_MAX, "%s=%s; Path=/; Max-Age=%u; HttpOnly; SameSite=Strict%s",
		 sessions->name, value, seconds, sessions->secure ? "; Secure" : "");
}

int sessions_begin(const struct sessions *sessions, uint64_t now_s,
		   char set_cookie[SESSION_COOKIE_MAX])
{
	uint64_t expires_s = now_s + SESSION_SECONDS;
	char digits[TICKET_DIGITS + 1];
	struct ticket ticket;
	int err = fill_random(ticket.nonce, sizeof(ticket.nonce));

	if (err)
		return err;
	for (size_t i = 0; i < 8; i++)
		ticket.expires_s[i] = (uint8_t)(expires_s >> (56 - 8 * i));
	sign(sessions, &ticket);
	for (size_t i = 0; i < sizeof(ticket); i++)
		snprintf(digits + 2 * i, 3, "%02x", ((const uint8_t *)&ticket)[i]);
	write_cookie(sessions, digits, SESSION_SECONDS, set_cookie);
	return 0;
}

static int digit_of(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static bool parse(const char *digits, size_t length, struct ticket *ret_ticket)
{
	if (length != TICKET_DIGITS)
		return false;
	for (size_t i = 0; i < sizeof(*ret_ticket); i++) {
		int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		((uint8_t *)ret_ticket)[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_ended(const struct sessions *sessions, const struct ticket *ticket)
{
	for (size_t i = 0; i < sessions->ended_count; i++)
		if (!memcmp(sessions->ended[i].nonce, ticket->nonce, SESSION_NONCE))
			return true;
	return false;
}

static bool is_good(const struct sessions *sessions, const struct ticket *ticket, uint64_t now_s,
		    uint64_t *ret_expires_s)
{
	struct ticket ours = *ticket;

	sign(sessions, &ours);
	if (!memeql_sec(ours.mac, ticket->mac, sizeof(ours.mac)))
		return false;
	*ret_expires_s = 0;
	for (size_t i = 0; i < 8; i++)
		*ret_expires_s = *ret_expires_s << 8 | ticket->expires_s[i];
	return now_s < *ret_expires_s && !is_ended(sessions, ticket);
}

/* "name=value; name=value" (RFC 6265 section 4.2.1). */
static void visit(const struct sessions *sessions, const char *cookie, uint64_t now_s,
		  visit_session *visitor, void *closure)
{
	size_t name = strlen(sessions->name);
	struct ticket ticket;
	uint64_t expires_s;

	while (cookie && *cookie) {
		size_t length;

		cookie += strspn(cookie, " \t;");
		length = strcspn(cookie, ";");
		if (length > name && !strncmp(cookie, sessions->name, name) && cookie[name] == '=' &&
		    parse(cookie + name + 1, length - name - 1, &ticket) &&
		    is_good(sessions, &ticket, now_s, &expires_s) &&
		    !visitor(closure, &ticket, expires_s))
			return;
		cookie += length;
	}
}

static bool note_one(void *closure, const struct ticket *ticket, uint64_t expires_s)
{
	(void)ticket;
	(void)expires_s;
	*(bool *)closure = true;
	return false;
}

bool sessions_has(const struct sessions *sessions, const char *cookie, uint64_t now_s)
{
	bool found = false;

	visit(sessions, cookie, now_s, note_one, &found);
	return found;
}

/* What has expired since needs no remembering. */
static void forget_expired(struct sessions *sessions, uint64_t now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < sessions->ended_count; i++)
		if (sessions->ended[i].expires_s > now_s)
			sessions->ended[kept++] = sessions->ended[i];
	sessions->ended_count = kept;
}

struct ending {
	struct sessions *sessions;
	bool full;
};

static bool end_one(void *closure, const struct ticket *ticket, uint64_t expires_s)
{
	struct ending *ending = closure;
	struct sessions *sessions = ending->sessions;
	struct session_ended *ended = &sessions->ended[sessions->ended_count];

	ending->full = sessions->ended_count == LIMIT_SESSIONS_ENDED;
	if (ending->full)
		return false;
	ended->expires_s = expires_s;
	memcpy(ended->nonce, ticket->nonce, SESSION_NONCE);
	sessions->ended_count++;
	return true;
}

int sessions_end(struct sessions *sessions, const char *cookie, uint64_t now_s,
		 char set_cookie[SESSION_COOKIE_MAX])
{
	struct ending ending = { .sessions = sessions };
	int err = 0;

	forget_expired(sessions, now_s);
	visit(sessions, cookie, now_s, end_one, &ending);
	if (ending.full) {
		bounds_hit(sessions->bounds, BOUND_SESSIONS_ENDED);
		sessions->ended_count = 0;
		err = fill_random(sessions->key, sizeof(sessions->key));
	}
	write_cookie(sessions, "", 0, set_cookie);
	return err;
}

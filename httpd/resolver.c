/* SPDX-License-Identifier: MIT */
/* Names of the addresses in the latest snapshot: remembered, and asked of the resolver process. */
#include "httpd/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd/json_text.h"

#define NAME_MS (3600 * 1000)
#define NO_NAME_MS (300 * 1000)
#define ANSWER_MS (60 * 1000)	/* two servers, two tries of five seconds, twice, and some more */
#define ANSWERS_A_TURN 64

/* ---- the table ------------------------------------------------------------- */

static struct named_bucket *bucket_of(struct resolver *resolver, const struct address *address)
{
	struct slice bytes = { (const char *)address, sizeof(*address) };

	return &resolver->bucket[slice_hash(SLICE_HASH ^ resolver->seed, bytes) % RESOLVER_BUCKETS];
}

static void forget(struct resolver *resolver, struct named *named)
{
	TAILQ_REMOVE(&resolver->by_use, named, by_use);
	LIST_REMOVE(named, by_hash);
	resolver->count--;
	free(named->name);
	free(named);
}

/* Whether there is room for one more; what this snapshot does not have may have to go. */
static bool make_room(struct resolver *resolver)
{
	struct named *oldest;

	if (resolver->count < bounds_limit(resolver->bounds, BOUND_NAMES_ADDRESSES))
		return true;
	bounds_hit(resolver->bounds, BOUND_NAMES_ADDRESSES);
	for (oldest = TAILQ_FIRST(&resolver->by_use); oldest; oldest = TAILQ_NEXT(oldest, by_use)) {
		if (oldest->round == resolver->round)
			return false;	/* and so are all that follow */
		if (oldest->state != NAMED_ASKED) {
			forget(resolver, oldest);
			return true;
		}
	}
	return false;
}

static struct named *add_named(struct resolver *resolver, const struct address *address,
			       const char *text)
{
	struct named *named = make_room(resolver) ? calloc(1, sizeof(*named)) : NULL;

	if (!named)
		return NULL;
	named->address = *address;
	snprintf(named->text, sizeof(named->text), "%s", text);
	LIST_INSERT_HEAD(bucket_of(resolver, address), named, by_hash);
	TAILQ_INSERT_TAIL(&resolver->by_use, named, by_use);
	resolver->count++;
	return named;
}

static struct named *find_named(struct resolver *resolver, const struct address *address)
{
	struct named *named;

	LIST_FOREACH(named, bucket_of(resolver, address), by_hash)
		if (address_equals(&named->address, address))
			return named;
	return NULL;
}

/* ---- what a snapshot has --------------------------------------------------- */

struct noting {
	struct resolver *resolver;
	uint64_t now_ms;
	const char *const *addresses;	/* members of a row, ends in NULL */
	const char *const *bytes;
};

static void note(struct noting *noting, const char *text, double bytes)
{
	struct resolver *resolver = noting->resolver;
	struct address address;
	struct named *named;

	if (address_parse(text, &address) || !address_is_host(&address))
		return;
	named = find_named(resolver, &address);
	if (!named)
		named = add_named(resolver, &address, text);
	if (!named)
		return;
	if (named->round != resolver->round) {
		named->round = resolver->round;
		named->bytes = 0;
		TAILQ_REMOVE(&resolver->by_use, named, by_use);
		TAILQ_INSERT_TAIL(&resolver->by_use, named, by_use);
	}
	named->bytes += bytes;
	if (named->state != NAMED_ASKED && named->until_ms <= noting->now_ms)
		named->state = NAMED_NOT_YET;
}

static void note_row(void *closure, struct slice row)
{
	struct noting *noting = closure;
	char text[INET6_ADDRSTRLEN];
	double bytes = 0, number;
	struct slice value;

	for (const char *const *key = noting->bytes; *key; key++) {
		if (!json_text_get(row, *key, &value))
			continue;
		number = json_text_number(value);
		if (number > 0)
			bytes += number;
	}
	for (const char *const *key = noting->addresses; *key; key++)
		if (json_text_get(row, *key, &value) && json_text_copy(value, text, sizeof(text)))
			note(noting, text, bytes);
}

static void note_all(struct noting *noting, const struct shot *shot)
{
	static const struct {
		const char *list;
		const char *addresses[3];
		const char *bytes[3];
	} rows[] = {
		{ "flows", { "src_ip", "dst_ip" }, { "bytes" } },
		{ "remotes", { "remote_ip" }, { "tx_bytes", "rx_bytes" } },
		{ "connections", { "src_ip", "dst_ip" }, { "bytes_sent", "bytes_received" } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		noting->addresses = rows[i].addresses;
		noting->bytes = rows[i].bytes;
		shot_each(shot, rows[i].list, note_row, noting);
	}
}

static int most_bytes_first(const void *a, const void *b)
{
	const struct named *left = *(struct named *const *)a, *right = *(struct named *const *)b;

	if (left->bytes != right->bytes)
		return left->bytes < right->bytes ? 1 : -1;
	return memcmp(&left->address, &right->address, sizeof(left->address));
}

/* Those of this round are the ones used last. */
static void list_wanted(struct resolver *resolver)
{
	struct named *named = TAILQ_LAST(&resolver->by_use, named_list);
	size_t count = 0;

	for (; named && named->round == resolver->round;
	     named = TAILQ_PREV(named, named_list, by_use))
		resolver->wanted[count++] = named;
	qsort(resolver->wanted, count, sizeof(*resolver->wanted), most_bytes_first);
	resolver->wanted_count = count;
	resolver->next = 0;
}

/* ---- questions ------------------------------------------------------------- */

/* Whether one more may be asked in this second. */
static bool take_turn(struct resolver *resolver, uint64_t now_ms)
{
	if (resolver->second != now_ms / 1000) {
		resolver->second = now_ms / 1000;
		resolver->this_second = 0;
	}
	if (resolver->this_second < bounds_limit(resolver->bounds, BOUND_NAMES_A_SECOND))
		return true;
	bounds_hit(resolver->bounds, BOUND_NAMES_A_SECOND);
	return false;
}

/* Whether it went out. */
static bool ask(struct resolver *resolver, struct resolver_question *question, struct named *named,
		uint64_t now_ms)
{
	struct name_question message = { .number = resolver->number + 1, .address = named->address };

	if (send(resolver->fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return false;
	*question = (struct resolver_question){ ++resolver->number, now_ms, named };
	named->state = NAMED_ASKED;
	resolver->counters.asked++;
	resolver->this_second++;
	return true;
}

static struct named *next_wanted(struct resolver *resolver)
{
	for (; resolver->next < resolver->wanted_count; resolver->next++)
		if (resolver->wanted[resolver->next]->state == NAMED_NOT_YET)
			return resolver->wanted[resolver->next];
	return NULL;
}

static void ask_further(struct resolver *resolver, uint64_t now_ms)
{
	struct named *named;

	for (size_t i = 0; resolver->fd >= 0 && i < RESOLVER_THREADS; i++) {
		if (resolver->question[i].number)
			continue;
		named = next_wanted(resolver);
		if (!named || !take_turn(resolver, now_ms) ||
		    !ask(resolver, &resolver->question[i], named, now_ms))
			return;
	}
}

int resolver_note(struct resolver *resolver, const struct shot *shot, uint64_t number,
		  uint64_t now_ms)
{
	struct noting noting = { .resolver = resolver, .now_ms = now_ms };

	if (resolver->round == number)
		return 0;
	if (!resolver->wanted)
		resolver->wanted = calloc(bounds_limit(resolver->bounds, BOUND_NAMES_ADDRESSES),
					  sizeof(*resolver->wanted));
	if (!resolver->wanted)
		return -ENOMEM;
	resolver->round = number;
	note_all(&noting, shot);
	list_wanted(resolver);
	ask_further(resolver, now_ms);
	return 0;
}

/* ---- answers --------------------------------------------------------------- */

static void end_question(struct resolver *resolver, struct resolver_question *question,
			 const struct name_answer *answer, uint64_t now_ms)
{
	struct named *named = question->named;
	bool found = answer->kind == NAME_FOUND;
	char *name = found ? strndup(answer->name, answer->length) : NULL;

	question->number = 0;
	/* What was known is better than that nobody can say any more. */
	if (answer->kind != NAME_FAILED) {
		free(named->name);
		named->name = name;
		named->confirmed = answer->confirmed;
	}
	named->state = named->name ? NAMED_YES : NAMED_NO;
	named->until_ms = now_ms + (name ? NAME_MS : NO_NAME_MS);
	resolver->counters.found += found;
}

static void give_up(struct resolver *resolver, struct resolver_question *question, uint64_t now_ms)
{
	static const struct name_answer failed = { .kind = NAME_FAILED };

	resolver->counters.unanswered++;
	end_question(resolver, question, &failed, now_ms);
}

static void give_up_all(struct resolver *resolver, uint64_t now_ms)
{
	for (size_t i = 0; i < RESOLVER_THREADS; i++)
		if (resolver->question[i].number)
			give_up(resolver, &resolver->question[i], now_ms);
}

static struct resolver_question *find_question(struct resolver *resolver, uint64_t number)
{
	for (size_t i = 0; i < RESOLVER_THREADS; i++)
		if (number && resolver->question[i].number == number)
			return &resolver->question[i];
	return NULL;
}

static void take_message(struct resolver *resolver, const void *data, size_t size, uint64_t now_ms)
{
	static const struct name_answer none = { .kind = NAME_NONE };
	struct resolver_question *question;
	struct name_answer answer = { 0 };
	int err = name_answer_parse(data, size, &answer);

	resolver->counters.refused += err < 0;
	if (err == -EBADMSG)
		return;
	if (answer.kind == NAME_READY) {
		/* What a predecessor was asked died with it. */
		if (resolver->ready)
			give_up_all(resolver, now_ms);
		resolver->counters.restarts += resolver->ready;
		resolver->ready = true;
		return;
	}
	question = find_question(resolver, answer.number);
	if (question)
		end_question(resolver, question, err ? &none : &answer, now_ms);
}

bool resolver_take(struct resolver *resolver, uint64_t now_ms)
{
	char data[sizeof(struct name_answer) + 1];
	ssize_t got = 0;

	for (int i = 0; i < ANSWERS_A_TURN; i++) {
		got = recv(resolver->fd, data, sizeof(data), MSG_DONTWAIT);
		if (got <= 0)
			break;
		take_message(resolver, data, (size_t)got, now_ms);
	}
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		close(resolver->fd);
		resolver->fd = -1;
		give_up_all(resolver, now_ms);
		return false;
	}
	ask_further(resolver, now_ms);
	return true;
}

void resolver_sweep(struct resolver *resolver, uint64_t now_ms)
{
	for (size_t i = 0; i < RESOLVER_THREADS; i++) {
		struct resolver_question *question = &resolver->question[i];

		if (question->number && now_ms - question->asked_ms >= ANSWER_MS)
			give_up(resolver, question, now_ms);
	}
	ask_further(resolver, now_ms);
}

/* ---- beginning and end ----------------------------------------------------- */

void resolver_init(struct resolver *resolver, int fd, struct bounds *bounds)
{
	*resolver = (struct resolver){ .fd = fd, .enabled = fd >= 0, .bounds = bounds };
	TAILQ_INIT(&resolver->by_use);
	for (size_t i = 0; i < RESOLVER_BUCKETS; i++)
		LIST_INIT(&resolver->bucket[i]);
	if (getrandom(&resolver->seed, sizeof(resolver->seed), GRND_NONBLOCK) !=
	    sizeof(resolver->seed))
		resolver->seed = (uint64_t)(uintptr_t)resolver;
}

void resolver_free(struct resolver *resolver)
{
	while (!TAILQ_EMPTY(&resolver->by_use))
		forget(resolver, TAILQ_FIRST(&resolver->by_use));
	free(resolver->wanted);
	if (resolver->fd >= 0)
		close(resolver->fd);
}

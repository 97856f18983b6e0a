/* SPDX-License-Identifier: MIT */
/* Every packet of a capture counted exactly once. */
#include "reader/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/packet_config.h"

int account_init(struct account *account, u32 packet_lines, u64 seed)
{
	memset(account, 0, sizeof(*account));
	account->packet_lines = packet_lines;
	account->fold = fold_new(seed);
	return account->fold ? 0 : -ENOMEM;
}

void account_free(struct account *account)
{
	fold_free(account->fold);
	for (unsigned int i = 0; i < ACCOUNT_SLOTS; i++)
		free(account->tallies[i]);
}

/* As within_budget() of the packet probe; time that goes back brings nothing. */
static bool within_budget(struct account *account, u64 time_ns)
{
	const u64 line = 1000000000, rate = account->packet_lines;
	u64 elapsed;

	if (rate == 0 || rate == PACKET_LINES_ALL)
		return rate;
	if (time_ns > account->refill_ns) {
		elapsed = time_ns - account->refill_ns;
		account->credit += (elapsed < line ? elapsed : line) * rate;
		if (account->credit > line * rate)
			account->credit = line * rate;
		account->refill_ns = time_ns;
	}
	if (account->credit < line)
		return false;
	account->credit -= line;
	return true;
}

static void fill_record(struct packet_record *r, const struct packet_info *info, u32 length,
			u64 time_ns)
{
	*r = (struct packet_record){
		.time_ns = time_ns,
		.key = info->key,
		.length = length,
		.payload_length = info->payload_length,
		.tcp_flags = info->tcp_flags,
		.ttl = info->ttl,
		.type = RECORD_PACKET,
		.malformed = info->malformed,
	};
}

int account_packet(struct account *account, const struct packet_info *info, u32 length,
		   u64 time_ns, struct packet_record *ret_record)
{
	const struct flow_key *key = &info->key;
	struct tally **tally = &account->tallies[key->iface];
	unsigned int entry = key->direction * TOTAL_ROWS + total_row(key->ip_version, key->protocol);
	struct total_value one = { .packets = 1, .bytes = length };

	if (!*tally && !(*tally = tally_new(1)))
		return -ENOMEM;
	(*tally)->losses[key->direction].malformed += info->malformed;
	if (within_budget(account, time_ns)) {
		tally_add(*tally, entry, 0, &one);
		(*tally)->losses[key->direction].packet_lines++;
		fill_record(ret_record, info, length, time_ns);
		return 1;
	}
	if (fold_add(account->fold, key, length, info->tcp_flags, time_ns)) {
		one.unattributed = 1;
		one.unattributed_bytes = length;
	}
	tally_add(*tally, entry, 0, &one);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* What WebSocket clients say: {"subscribe":["flows"]}, {"unsubscribe":["packets"]}. */
#ifndef JOPIL_HTTPD_SUBSCRIPTION_H
#define JOPIL_HTTPD_SUBSCRIPTION_H

#include <stddef.h>

struct subscription {
	unsigned int remove;	/* topics; before what is added */
	unsigned int add;
};

/* 0, or -EINVAL and what is wrong, for people; without quotes. */
int subscription_parse(const char *text, size_t length, struct subscription *ret_subscription,
		       const char **ret_why);

#endif

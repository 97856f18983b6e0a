/* SPDX-License-Identifier: MIT */
/* What WebSocket clients say: {"subscribe":["flows"]}, {"unsubscribe":["packets"]}. */
#include "httpd/subscription.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "httpd/topics.h"

static const char *read_topics(json_t *array, unsigned int *ret_topics)
{
	unsigned int topics = 0;
	json_t *name;
	size_t i;
	int topic;

	if (!json_is_array(array))
		return "subscribe and unsubscribe want an array of topics";
	json_array_foreach(array, i, name) {
		topic = json_is_string(name) ?
			topic_find(json_string_value(name), json_string_length(name)) : -EINVAL;
		if (topic < 0)
			return "there is no such topic";
		topics |= TOPIC_BIT(topic);
	}
	*ret_topics = topics;
	return NULL;
}

static const char *read_object(json_t *object, struct subscription *subscription)
{
	const char *key, *why = NULL;
	json_t *value;

	if (!json_is_object(object) || !json_object_size(object))
		return "an object with subscribe or unsubscribe is wanted";
	json_object_foreach(object, key, value) {
		if (!strcmp(key, "subscribe"))
			why = read_topics(value, &subscription->add);
		else if (!strcmp(key, "unsubscribe"))
			why = read_topics(value, &subscription->remove);
		else
			why = "there is nothing to say but subscribe and unsubscribe";
		if (why)
			break;
	}
	return why;
}

int subscription_parse(const char *text, size_t length, struct subscription *ret_subscription,
		       const char **ret_why)
{
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	struct subscription subscription = { 0, 0 };

	*ret_why = object ? read_object(object, &subscription) : "this is not JSON";
	json_decref(object);
	if (*ret_why)
		return -EINVAL;
	*ret_subscription = subscription;
	return 0;
}

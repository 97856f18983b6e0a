/* SPDX-License-Identifier: MIT */
/* What ports are registered for. */
#include "reader/services.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PORTS 65536
/* More than IANA has given names to; a directory service may hold anything. */
#define SERVICES_MAX 16384

static const struct {
	const char *name;
	u16 number;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
	{ "dccp", IPPROTO_DCCP },
};

#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

struct services {
	u16 rows[PROTOCOLS][PORTS];	/* index into names + 1; 0: none */
	unsigned int n;
	char *names[SERVICES_MAX];
};

struct services *services_new(void)
{
	return calloc(1, sizeof(struct services));
}

void services_free(struct services *services)
{
	if (!services)
		return;
	for (unsigned int i = 0; i < services->n; i++)
		free(services->names[i]);
	free(services);
}

void services_add(struct services *services, const char *protocol, u16 port_be, const char *name)
{
	unsigned int i = 0;
	u16 *row;

	while (i < PROTOCOLS && strcmp(protocols[i].name, protocol) != 0)
		i++;
	if (i == PROTOCOLS || services->n == SERVICES_MAX)
		return;
	row = &services->rows[i][ntohs(port_be)];
	if (*row)
		return;
	services->names[services->n] = strdup(name);
	if (services->names[services->n])
		*row = (u16)++services->n;
}

void services_read(struct services *services)
{
	struct servent *entry;

	if (!services)
		return;
	setservent(1);
	while ((entry = getservent()))
		services_add(services, entry->s_proto, (u16)entry->s_port, entry->s_name);
	endservent();
}

const char *services_find(const struct services *services, u16 protocol, u16 port_be)
{
	for (unsigned int i = 0; services && i < PROTOCOLS; i++) {
		u16 row = services->rows[i][ntohs(port_be)];

		if (protocols[i].number == protocol)
			return row ? services->names[row - 1] : NULL;
	}
	return NULL;
}

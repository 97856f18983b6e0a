/* SPDX-License-Identifier: MIT */
/* What ports are registered for: /etc/services, or what nsswitch.conf(5) says instead. */
#ifndef JOPIL_READER_SERVICES_H
#define JOPIL_READER_SERVICES_H

#include <stdbool.h>

#include "common/types.h"

struct services;

/* Empty; NULL without memory. The functions below take NULL. */
struct services *services_new(void);

void services_free(struct services *services);

/* Adds all there are. */
void services_read(struct services *services);

/* Adds one by its protocol's name ("tcp"). The first of a port stays, as with getservbyport(3). */
void services_add(struct services *services, const char *protocol, u16 port_be, const char *name);

/* The name of a port of an IP protocol, or NULL. */
const char *services_find(const struct services *services, u16 protocol, u16 port_be);

#endif

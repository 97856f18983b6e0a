/* SPDX-License-Identifier: MIT */
/* The process that looks names up: it alone may open sockets and read the system's resolver configuration. */
#ifndef JOPIL_HTTPD_RESOLVER_PROCESS_H
#define JOPIL_HTTPD_RESOLVER_PROCESS_H

/* Questions that are answered at the same time; each waits for the system's resolver. */
#define RESOLVER_THREADS 8

/*
 * Forks the process, to be called while there is nothing in memory that it should
 * not have (tokens, keys), and nothing from outside was read. It becomes user (NULL:
 * stays who it is), gives up all descriptors and what else it does not need, starts
 * again what crashes in it, and ends with its parent, or when *ret_fd is closed: a
 * SOCK_SEQPACKET socket that takes struct name_question and gives struct
 * name_answer (httpd/hostname.h). 0 or -errno.
 */
int resolver_process_start(const char *user, int *ret_fd);

#endif

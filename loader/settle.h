/* SPDX-License-Identifier: MIT */
/* Waiting until every packet that is under way in the kernel has got past TC ingress. */
#ifndef JOPIL_SETTLE_H
#define JOPIL_SETTLE_H

/*
 * Returns when the packets that were between XDP and TC ingress at the call have
 * passed: those in a running program, held by GRO, and in the CPUs' backlogs. rings_fd
 * is the array of maps with the rings: writing to it waits for running programs.
 */
void settle(int rings_fd);

#endif

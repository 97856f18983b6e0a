/* SPDX-License-Identifier: MIT */
/* The exit statuses of every jopil program. */
#ifndef JOPIL_STATUS_H
#define JOPIL_STATUS_H

enum status {
	STATUS_DONE = 0,	/* all that was asked for is done */
	STATUS_FAILED = 1,	/* something went wrong; one line on stderr says what */
	STATUS_USAGE = 2,	/* the command line makes no sense */
	STATUS_UNSUPPORTED = 3,	/* this kernel, mount or permission cannot do it */
};

#endif

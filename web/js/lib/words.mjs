// SPDX-License-Identifier: MIT
// What the short words of flows and connections mean.

import { outside } from './format.mjs';

// Maps, not objects: a reason may be called "constructor".
const FLAGS = new Map(Object.entries({ F: 'FIN', S: 'SYN', R: 'RST', P: 'PSH', A: 'ACK', U: 'URG', E: 'ECE', C: 'CWR' }));

const STATES = new Map([
	['new', 'new: asked for, not answered yet'], ['established', 'established: both sides have answered'],
	['closing', 'closing: one side has said that it is done'], ['closed', 'closed: both sides have said that they are done'],
	['reset', 'reset: one side has broken it off'],
]);

const REASONS = new Map([
	['local', 'This host ended it (its FIN came first).'],
	['remote', 'The other side ended it (its FIN came first).'],
	['abort', 'This host broke it off with a reset: the process closed it with data unread, or wanted no lingering.'],
	['refused', 'The other side answered with a reset: nobody listens on that port, or a firewall rejects it.'],
	['timed_out', 'No answer in time: the host is gone, or a firewall drops the packets silently.'],
	['reset', 'The other side broke it off with a reset.'],
	['unreachable', 'A router or this host says that there is no way there.'],
	['aborted', 'Closed by this host before it was established.'],
]);

export const flagWords = (flags) => {
	if (typeof flags !== 'string')
		return outside(flags);
	return flags === '' ? 'none' : `${[...flags].map((letter) => FLAGS.get(letter) ?? outside(letter)).join(' ')}`;
};

export const stateWords = (state) => STATES.get(state) ?? outside(state);

// "" for what has no words.
export function connectionReasonWords(reason) {
	const errno = /^error_(\d+)$/.exec(reason ?? '');

	return errno ? `The kernel gave error ${errno[1]} (errno).` : REASONS.get(reason) ?? '';
}

// SPDX-License-Identifier: MIT
// How much the numbers on the page can be trusted now, in words.

import { clock, duration, exact } from './format.mjs';

// A snapshot may be late by a busy moment; what is later than this is missing (httpd draws the line there too).
const LATE_INTERVALS = 5;
const LATE_MS_MIN = 3000;

export function lateAfter(intervalMs) {
	return Math.max(LATE_MS_MIN, LATE_INTERVALS * intervalMs);
}

// Whether the server has said that a token would help.
export const wantsToken = ({ link, problem }) => link === 'refused' && /^401\b/.test(problem);

const TOKEN_WORDS = 'The server asks for its token.';

function before(view) {
	const word = { connecting: 'Connecting', down: 'Server gone', refused: 'Refused' }[view.link] ?? 'Waiting';
	const level = view.link === 'down' || view.link === 'refused' ? 'gone' : 'waiting';

	if (wantsToken(view))
		return { level: 'gone', word: 'Token', text: TOKEN_WORDS, command: '' };
	const text = {
		connecting: 'Connecting to httpd.',
		down: 'The server does not answer. Is httpd running? Trying again.',
		refused: `The server refuses the feed: ${view.problem}`,
	}[view.link];

	return {
		level,
		word,
		text: text ?? 'No snapshot yet: does something write to httpd?',
		command: text ? '' : 'reader | aggregator | httpd',
	};
}

function seen(view) {
	const since = `What you see is from ${clock(view.timestamp)}.`;
	const age = view.now - view.receivedAt;

	if (view.link === 'down')
		return { level: 'gone', word: 'Server gone', text: `The server does not answer. ${since} Trying again.` };
	if (wantsToken(view))
		return { level: 'gone', word: 'Token', text: `${TOKEN_WORDS} ${since}` };
	if (view.link === 'refused')
		return { level: 'gone', word: 'Refused', text: `The server refuses the feed: ${view.problem}. ${since}` };
	if (view.ended || view.final)
		return { level: 'stale', word: 'Ended', text: `No more snapshots come: the input of httpd has ended or is silent. ${since}` };
	if (age > lateAfter(view.intervalMs))
		return {
			level: 'stale',
			word: 'Silent',
			text: `No snapshot for a while. ${since} Is the aggregator stopped or overloaded?`,
			age: duration(age),
		};
	return {
		level: 'live',
		word: view.mode === 'polling' ? 'Polling' : 'Live',
		text: view.mode === 'polling'
			? 'The event stream does not get through; asking every two seconds instead.'
			: `Snapshot ${exact(view.seq)}, one every ${duration(view.intervalMs)}.`,
	};
}

/*
 * view: { link: connecting | open | down | refused, mode: events | polling, problem, ended, receivedAt (ms, null: nothing
 * came yet), now (ms), timestamp (ms), seq, intervalMs, final }
 * -> { level: live | waiting | stale | gone, word, text, command, age }
 */
export function freshness(view) {
	return { command: '', age: '', ...(view.receivedAt === null ? before(view) : seen(view)) };
}

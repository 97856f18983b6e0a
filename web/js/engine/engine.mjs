// SPDX-License-Identifier: MIT
// What works beside the page: takes the feed, keeps the snapshot, and answers what the page shows of it.
//
// In:  { asks: [[slot, name, args, number]...] (lib/answers.mjs: answered now and with each snapshot), drop: [slots],
//      call: [id, slot, method, args] (answered once) }. The first message starts the feed.
// Out: { state: {...} } of each snapshot, { answers: [[slot, number, answer]...] }, { link }, { httpd }, { page } with what it lost,
//      { result: [id, value] }.

import { createAlerts } from '../lib/alerts.mjs';
import { ANSWERS } from '../lib/answers.mjs';
import { addNames } from '../lib/names.mjs';
import { createPacketLog } from '../lib/packet-log.mjs';
import { createSequence } from '../lib/sequence.mjs';
import { readSnapshot } from '../lib/snapshot.mjs';
import { TOPICS, WATCHED, headOf } from '../lib/topics.mjs';
import { createFeed } from './feed.mjs';
import { createNames } from './names.mjs';

export function createEngine(post, world) {
	const sequence = createSequence();
	const packets = createPacketLog();
	const slots = new Map();	// slot -> { name, args, number, maker }
	const data = { snapshot: null, topics: new Set(), packets };
	const alerts = createAlerts();
	const page = { framesLost: 0, framesBroken: 0 };
	let names = new Map();
	let httpd = null;
	let raw = null;	// what has come of the newest snapshot
	let there = new Set();	// topics of it
	let logged = null;	// the snapshot whose packets are in the log
	let told = 0;	// frames that the server says are lost

	function wantedTopics() {
		const wanted = new Set(WATCHED);

		slots.forEach(({ name, args }) => ANSWERS[name].topics(args).forEach((topic) => wanted.add(topic)));
		return TOPICS.filter((topic) => wanted.has(topic));
	}

	// undefined while what it needs is on its way, null before anything came.
	function answerOf({ name, args, maker }) {
		if (data.snapshot === null)
			return null;
		return ANSWERS[name].topics(args).every((topic) => data.topics.has(topic)) ? maker.answer(data, args) : undefined;
	}

	function answersOf(some) {
		return some.map((slot) => [slot, slots.get(slot).number, answerOf(slots.get(slot))]).filter(([, , answer]) => answer !== undefined);
	}

	function log({ packets: lines, packets_left_out: leftOut }) {
		if (!there.has('packets') || logged === raw.seq)
			return;
		packets.add(lines, leftOut);
		logged = raw.seq;
	}

	function publish(mode) {
		const snapshot = readSnapshot(raw);
		const { fresh, lost } = sequence.see(snapshot.seq, snapshot.timestamp);

		addNames(snapshot, names);
		if (mode === 'polling')
			sequence.forget();
		else
			log(snapshot);
		if (fresh && mode === 'events')
			page.framesLost += Math.max(lost, told);
		told = 0;
		if (fresh)
			alerts.add({ snapshot, httpd, page });
		data.snapshot = snapshot;
		data.topics = there;
		post({
			state: {
				snapshot: headOf(snapshot), topics: [...there], fresh, page, packets: packets.counts(),
				alerts: { now: alerts.now(), ended: alerts.ended(), knowsNormal: alerts.knowsNormal() }, answers: answersOf([...slots.keys()]),
			},
		});
	}

	// A snapshot comes topic by topic; it is shown when the last of those wanted is there.
	function take(topics, message, mode) {
		const isSame = raw !== null && raw.seq === message.seq && raw.timestamp === message.timestamp;

		// After a reconnection the last one comes again.
		if (isSame && topics.every((topic) => there.has(topic)))
			return;
		raw = isSame ? { ...raw, ...message } : message;
		there = new Set([...(isSame ? there : []), ...topics]);
		if (wantedTopics().every((topic) => there.has(topic)))
			publish(mode);
	}

	const feed = createFeed({
		message: take,
		broken() {
			page.framesBroken++;
			post({ page });
		},
		lost: (frames) => { told = frames; },
		stats(now) {
			httpd = now;
			post({ httpd });
		},
		link: (change) => post({ link: change }),
	}, world);

	const lookup = createNames((now) => { names = now; }, world);

	function ask([slot, name, args, number]) {
		const known = slots.get(slot);

		slots.set(slot, { name, args, number, maker: known?.name === name ? known.maker : ANSWERS[name].make() });
	}

	function call([id, slot, method, args]) {
		const maker = slots.get(slot)?.maker;

		post({ result: [id, maker ? maker[method](args) : null] });
	}

	return {
		take({ asks = [], drop = [], call: called = null }) {
			drop.forEach((slot) => slots.delete(slot));
			asks.forEach(ask);
			feed.want(wantedTopics());
			lookup.start();
			const answers = answersOf(asks.map(([slot]) => slot));

			if (answers.length)
				post({ answers });
			if (called)
				call(called);
		},
		stop() {
			feed.stop();
			lookup.stop();
		},
	};
}

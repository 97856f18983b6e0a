// SPDX-License-Identifier: MIT
// The short tables: protocols, CPUs, interfaces.

import { h, setText } from '../core/dom.mjs';
import { cpuColumns, hostColumn, interfaceColumns, protocolColumns, sumOf } from '../lib/columns.mjs';
import { exact } from '../lib/format.mjs';
import { createEmpty, createPanel } from './panel.mjs';
import { createTable } from './table.mjs';

// rows(snapshot) is what it shows, columns(sums) with which columns; byHost: a column of hosts where there are several.
function createBreakdown({ id, title, caption, className = '', rows, columns, sort, byHost = false }) {
	let sums = sumOf([]);
	let several = false;
	const own = columns(() => sums);
	const many = h('span', { class: 'muted' });
	const table = createTable({ caption, columns: own, sort, className: 'short' });
	const empty = createEmpty();
	const element = createPanel({ id, title, className, aside: [many], body: [table.element, empty.element] });

	return {
		element,
		update({ snapshot }) {
			const shown = rows(snapshot);

			sums = sumOf(shown);
			if (byHost && several !== snapshot.hosts.length > 1) {
				several = !several;
				table.setColumns(several ? [hostColumn, ...own] : own);
			}
			table.update(shown);
			setText(many, shown.length ? exact(shown.length) : '');
			if (shown.length)
				empty.hide();
			else
				empty.show('Nothing counted yet.');
		},
	};
}

export function createProtocols() {
	return createBreakdown({
		id: 'protocols', title: 'Protocols', caption: 'Protocols: rate and totals', rows: (s) => s.protocols,
		columns: protocolColumns, sort: { id: 'bytes', descending: true },
	});
}

export function createCpus() {
	return createBreakdown({
		id: 'cpus', title: 'CPUs', caption: 'CPUs: packets handled', rows: (s) => s.cpus, columns: cpuColumns,
		sort: { id: 'cpu', descending: false }, byHost: true,
	});
}

export function createInterfaces() {
	return createBreakdown({
		id: 'interfaces', title: 'Interfaces', caption: 'Interfaces: rates, totals, losses', className: 'wide',
		rows: (s) => s.interfaces, columns: () => interfaceColumns, sort: { id: 'bytes', descending: true }, byHost: true,
	});
}

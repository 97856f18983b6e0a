// SPDX-License-Identifier: MIT
// The short tables: protocols, CPUs, interfaces.

import { cpuColumns, interfaceColumns, protocolColumns, sumOf } from '../lib/columns.mjs';
import { protocolSums } from '../lib/past.mjs';
import { createShortTable } from './short-table.mjs';

export function createProtocols() {
	return createShortTable({
		id: 'protocols', title: 'Protocols', caption: 'Protocols: rate and totals', rows: ({ snapshot }) => snapshot.protocols,
		columns: protocolColumns, sum: sumOf, sort: { id: 'bytes', descending: true }, className: 'ranged',
		past: { what: 'protocols', rows: protocolSums, columns: ['proto', 'bytes', 'packets', 'part'] },
	});
}

export function createCpus() {
	return createShortTable({
		id: 'cpus', title: 'CPUs', caption: 'CPUs: packets handled', rows: ({ snapshot }) => snapshot.cpus,
		columns: cpuColumns, sum: sumOf, sort: { id: 'cpu', descending: false }, byHost: true,
	});
}

export function createInterfaces() {
	return createShortTable({
		id: 'interfaces', title: 'Interfaces', caption: 'Interfaces: rates, totals, losses', className: 'wide',
		rows: ({ snapshot }) => snapshot.interfaces, columns: () => interfaceColumns, sort: { id: 'bytes', descending: true },
		byHost: true,
	});
}

// SPDX-License-Identifier: MIT
// Numbers, times and addresses: as people read them, and exactly.

export const NOTHING = '–';

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

// A finite number, or null. Numbers above 2^53 come as strings.
export function toNumber(value) {
	if (typeof value === 'string' && value.trim() !== '')
		value = Number(value);
	return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

// "1,234,567.25": three digits after the point at most. By hand: the first use of Intl loads what a browser knows of all languages.
function grouped(number) {
	const [whole, rest] = String(Number.isInteger(number) ? number : Math.round(number * 1000) / 1000).split('.');
	const text = whole.includes('e') ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ',');

	return rest === undefined ? text : `${text}.${rest}`;
}

export function exact(value, unit = '') {
	const number = toNumber(value);

	if (number === null)
		return NOTHING;
	return unit ? `${grouped(number)} ${unit}` : grouped(number);
}

function threeDigits(number) {
	const size = Math.abs(number);

	if (size >= 99.95)
		return number.toFixed(0);
	return number.toFixed(size >= 9.995 ? 1 : 2);
}

// [text, prefix] of a number in steps of 1000, with three digits. Below 1000 whole numbers stay whole.
function scaled(number) {
	let step = 0;

	if (Math.abs(number) < 999.5)
		return [Number.isInteger(number) ? String(number) : threeDigits(number), ''];
	while (Math.abs(number) >= 999.5 && step < PREFIXES.length - 1) {
		number /= 1000;
		step++;
	}
	return [threeDigits(number), PREFIXES[step]];
}

// { number: "12.3", unit: "Mbit/s" }: for places that set the two apart.
export function parts(value, unit) {
	const number = toNumber(value);

	if (number === null)
		return { number: NOTHING, unit: '' };
	const [text, prefix] = scaled(number);
	return { number: text, unit: prefix + unit };
}

function joined(value, unit) {
	const { number, unit: whole } = parts(value, unit);

	return whole ? `${number} ${whole}` : number;
}

export const bitRate = (value) => joined(value, 'bit/s');
export const packetRate = (value) => joined(value, 'pps');
export const bytes = (value) => joined(value, 'B');
export const count = (value) => joined(value, '');

export function percent(part, whole) {
	if (!(whole > 0) || toNumber(part) === null)
		return NOTHING;
	const share = (100 * part) / whole;

	if (share > 0 && share < 0.1)
		return '< 0.1 %';
	return `${share >= 99.95 ? '100' : share.toFixed(1)} %`;
}

const SPANS = [
	['d', 86400],
	['h', 3600],
	['min', 60],
	['s', 1],
];

// Two units at most: "4 min 10 s"; tenths below ten seconds.
export function duration(ms) {
	const value = toNumber(ms);

	if (value === null || value < 0)
		return NOTHING;
	if (value < 1000)
		return `${Math.round(value)} ms`;
	if (value < 9950)
		return `${(value / 1000).toFixed(1)} s`;
	let seconds = Math.round(value / 1000);
	const words = [];
	for (const [name, size] of SPANS) {
		const whole = Math.floor(seconds / size);

		if (whole > 0 || words.length > 0)
			words.push(`${whole} ${name}`);
		seconds -= whole * size;
		if (words.length === 2)
			break;
	}
	return words.filter((word, i) => i === 0 || !word.startsWith('0 ')).join(' ');
}

const STEPS = [['µs', 1], ['ms', 1e3], ['s', 1e6]];

// Microseconds with three digits: "87 µs", "1.23 ms", "12.3 s".
export function micros(value) {
	const number = toNumber(value);

	if (number === null || number < 0)
		return NOTHING;
	const [unit, size] = STEPS.findLast(([, least]) => number >= 0.9995 * least) ?? STEPS[0];
	const text = size === 1 && Number.isInteger(number) ? String(number) : threeDigits(number / size);
	return `${text} ${unit}`;
}

// As short as an axis wants it: "10 ms".
export const shortMicros = (value) => micros(value).replace(/\.0+ /, ' ').replace(/(\.\d)0 /, '$1 ');

const two = (number) => String(number).padStart(2, '0');

function dateOf(ms) {
	const value = toNumber(ms);
	const date = value === null ? null : new Date(value);

	return date && !Number.isNaN(date.getTime()) ? date : null;
}

// 14:03:21, the reader's local time
export function clock(ms) {
	const date = dateOf(ms);

	if (!date)
		return NOTHING;
	return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

// 14:03:21.042
export function clockMs(ms) {
	const date = dateOf(ms);

	return date ? `${clock(ms)}.${String(date.getMilliseconds()).padStart(3, '0')}` : NOTHING;
}

// 11-13
export function day(ms) {
	const date = dateOf(ms);

	return date ? `${two(date.getMonth() + 1)}-${two(date.getDate())}` : NOTHING;
}

const DAY_S = 86400;

// A point of a chart that shows { from, to } in s, or null: with its day where there are several.
export const moment = (ms, window) => (window && window.to - window.from > DAY_S ? `${day(ms)} ${clock(ms).slice(0, 5)}` : clock(ms));

// A mark on the axis of such a chart, marks being so many seconds apart: days where one begins; seconds where there is room.
export function mark(ms, window, apart, isWide) {
	const hour = clock(ms);

	if (apart >= DAY_S || (window && window.to - window.from > DAY_S && hour === '00:00:00'))
		return day(ms);
	return hour.slice(0, apart < 60 && isWide ? 8 : 5);
}

// 2025-11-13 14:03:21.042
export function stamp(ms) {
	const date = dateOf(ms);

	if (!date)
		return NOTHING;
	return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockMs(ms)}`;
}

// What must not steer a reader's eye: control characters and marks that turn text around.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function visible(character) {
	const code = character.charCodeAt(0);

	if (code < 0x20)
		return String.fromCharCode(0x2400 + code);
	if (code === 0x7f)
		return '\u2421';
	return `\\u${code.toString(16).padStart(4, '0')}`;
}

// A name from outside as text that shows all that is in it. null = nothing.
export function outside(value) {
	if (value === null || value === undefined || value === '')
		return NOTHING;
	return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(HIDDEN, visible);
}

export function endpoint(ip, port) {
	if (ip === null || ip === undefined)
		return NOTHING;
	const text = outside(ip);

	if (toNumber(port) === null)
		return text;
	return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}

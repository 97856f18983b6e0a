// SPDX-License-Identifier: MIT
// What stands around every view: name, navigation, state of the feed, theme, banner.

import { h, setAttribute, setHidden, setText } from '../core/dom.mjs';
import { alertWords, alertsNow } from '../lib/alerts.mjs';
import { bitRate, outside } from '../lib/format.mjs';
import { formatRoute } from '../lib/route.mjs';
import { createSignOut, createTokenForm } from './token-form.mjs';

const THEMES = { auto: ['◐', 'as the system'], light: ['☀', 'light'], dark: ['☾', 'dark'] };

function createNavigation(views) {
	const links = views.map(({ id, title }) => h('a', { href: formatRoute(id) }, title));
	const badge = h('span', { class: 'nav-badge', hidden: true });

	links[0].append(badge);

	return {
		element: h('nav', { 'aria-label': 'Views' }, ...links),
		show: (view) => links.forEach((link, i) => setAttribute(link, 'aria-current', views[i].id === view ? 'page' : null)),
		// How many alerts the overview has.
		mark(alerts) {
			setHidden(badge, alerts.length === 0);
			setText(badge, alerts.length ? String(alerts.length) : '');
			setAttribute(badge, 'data-level', alerts[0]?.level ?? null);
			setAttribute(links[0], 'aria-label', alerts.length ? `${views[0].title}: ${alertWords(alerts)}` : null);
		},
	};
}

function createThemeButton(theme) {
	const sign = h('span', { 'aria-hidden': 'true' });
	const element = h('button', { type: 'button', class: 'theme', id: 'theme', on: { click: () => theme.next() } }, sign);

	return {
		element,
		show(choice) {
			const [mark, words] = THEMES[choice];

			setText(sign, mark);
			setAttribute(element, 'aria-label', `Theme: ${words}`);
			setAttribute(element, 'title', `Theme: ${words}`);
		},
	};
}

function createBanner() {
	const text = h('span');
	const age = h('span', { class: 'banner-age' });
	const command = h('code');
	const words = h('p', { role: 'status' }, text, command);
	const element = h('section', { class: 'banner', id: 'banner', 'aria-label': 'State of the data', hidden: true }, words, age);

	return {
		element,
		update(state) {
			setHidden(element, state.level === 'live');
			setAttribute(element, 'data-level', state.level);
			setText(text, state.level === 'live' ? '' : state.text);
			setText(command, state.command);
			setHidden(command, state.command === '');
			setText(age, state.age ? `(${state.age})` : '');
		},
	};
}

function hostText(hosts) {
	if (hosts.length === 0)
		return '';
	return hosts.length === 1 ? outside(hosts[0]) : `${outside(hosts[0])} and ${hosts.length - 1} more`;
}

// views: [{ id, title }], range: the control of it -> { update(state, freshness), showView(id), showTheme(choice), main }
export function createShell(root, views, theme, range) {
	const host = h('span', { class: 'host', id: 'host', dir: 'auto' });
	const pill = h('span', { class: 'pill', id: 'state', role: 'status' });
	const navigation = createNavigation(views);
	const button = createThemeButton(theme);
	const banner = createBanner();
	// With nothing on the page there is nothing to lose; else what is shown stays, and the feed asks again by itself.
	const token = createTokenForm(() => main.hasAttribute('data-shown') || location.reload());
	const asking = h('div', {}, token.element);
	const signOut = createSignOut();
	const main = h('main', { id: 'main', tabindex: '-1' });

	root.replaceChildren(
		h('a', { class: 'skip', href: '#main', on: { click: (event) => {
			event.preventDefault();
			main.focus();
		} } }, 'Skip to content'),
		h('header', { class: 'top' },
			h('h1', {}, h('img', { src: 'favicon.svg', alt: '', width: '22', height: '22' }), 'jopil'),
			host, navigation.element, range.element, pill, button.element),
		banner.element,
		asking,
		main,
		h('footer', {}, 'jopil counts every packet exactly once. ', h('a', { href: 'docs' }, 'API'), ' ', h('a', { href: 'notices.txt' }, 'Licences'), signOut.element),
	);
	button.show(theme.get());
	return {
		main,
		showView: navigation.show,
		showTheme: button.show,
		update(given, state) {
			const { snapshot, alerts } = given;
			const names = hostText(snapshot.hosts);

			setText(host, names);
			setAttribute(host, 'title', snapshot.hosts.map(outside).join(', '));
			setText(pill, state.word);
			setAttribute(pill, 'data-level', state.level);
			setAttribute(pill, 'title', state.text);
			setAttribute(document.body, 'data-level', state.level);
			setAttribute(main, 'data-shown', snapshot.timestamp === null ? null : `${snapshot.seq} ${snapshot.timestamp}`);
			banner.update(state);
			token.update(given);
			signOut.update(given);
			// Before the first snapshot the form is all there is.
			setHidden(main, !token.element.hidden && snapshot.timestamp === null);
			setAttribute(asking, 'role', main.hidden ? 'main' : null);
			navigation.mark(alertsNow(alerts, snapshot, state));
			document.title = [
				state.level === 'live' ? `↓${bitRate(snapshot.rates.ingress_bps)} ↑${bitRate(snapshot.rates.egress_bps)}` : state.word,
				names, 'jopil',
			].filter(Boolean).join(' · ');
		},
	};
}

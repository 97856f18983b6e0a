// SPDX-License-Identifier: MIT
// Elements from code. Strings become text nodes, never markup: names from outside stay names.

// props: class, text, on: { event: listener }, and attributes by name (true = present, false and null = absent)
export function h(tag, props = {}, ...children) {
	const element = document.createElement(tag);

	for (const [name, value] of Object.entries(props)) {
		if (name === 'class')
			element.className = value;
		else if (name === 'on')
			Object.entries(value).forEach(([event, listener]) => element.addEventListener(event, listener));
		else if (value !== null && value !== false && value !== undefined)
			element.setAttribute(name, value === true ? '' : value);
	}
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

// These three touch the page only where something changed.
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

export function setAttribute(element, name, value) {
	if (value === null || value === undefined) {
		if (element.hasAttribute(name))
			element.removeAttribute(name);
	} else if (element.getAttribute(name) !== value) {
		element.setAttribute(name, value);
	}
}

export function setHidden(element, hidden) {
	if (element.hidden !== hidden)
		element.hidden = hidden;
}

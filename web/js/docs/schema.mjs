// SPDX-License-Identifier: MIT
// What a schema says, in words; and how an operation is asked from a shell. No document.

export function resolve(api, node) {
	if (!node?.$ref)
		return node;
	return node.$ref.slice(2).split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], api);
}

// -> { text: 'integer or null', members: the object schema whose members it has, or null }
export function kindOf(api, given) {
	const schema = resolve(api, given) ?? {};
	const choices = schema.anyOf ?? (schema.allOf ? schema.allOf : null);

	if (choices) {
		const kinds = choices.map((choice) => kindOf(api, choice));
		const found = kinds.find((kind) => kind.members)?.members ?? null;

		return {
			text: kinds.map((kind) => kind.text).join(' or '),
			members: found && schema.required ? { ...found, required: schema.required } : found,
		};
	}
	if (schema.type === 'array') {
		const { text, members } = kindOf(api, schema.items);

		return { text: `array of ${text}`, members };
	}
	if (schema.properties)
		return { text: 'object', members: schema };
	if (typeof schema.additionalProperties === 'object') {
		const { text, members } = kindOf(api, schema.additionalProperties);

		return { text: `object of ${text}`, members };
	}
	if (schema.enum)
		return { text: schema.enum.map((word) => word ?? 'null').join(', '), members: null };
	if ('const' in schema)
		return { text: String(schema.const), members: null };
	return { text: [schema.type ?? 'any'].flat().join(' or '), members: null };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// A command for a shell; of a POST with the first member that has an example.
export function curlOf(method, target, body = null, operation = {}) {
	const url = quoted((globalThis.location?.origin ?? 'http://localhost:5000') + target);
	const [name, schema] = Object.entries(body?.properties ?? {})[0] ?? [];
	const value = schema?.anyOf?.[0].examples?.[0] ?? schema?.anyOf?.[0].maximum ?? '';

	if (method === 'POST')
		return `curl -H 'Content-Type: application/json' \\\n    -d ${quoted(name ? JSON.stringify({ [name]: value }) : '{}')} \\\n    ${url}`;
	if (operation.responses?.[200]?.content?.['text/event-stream'])
		return `curl -N ${url}`;
	return method === 'GET' ? `curl ${url}` : `curl -X ${method} ${url}`;
}

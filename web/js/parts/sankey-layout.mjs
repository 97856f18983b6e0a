// SPDX-License-Identifier: MIT
// Where the nodes and bands of a Sankey diagram go: d3-sankey, with what it takes from d3-array.

const GAP_PX = 14;
const NODE_PX = 12;
const ROW_PX = 30;	// of the fullest stage
const HEIGHT_PX = 340;	// at least

// What the library would take from d3-array.
const ARRAY = {
	min: (rows, of) => rows.reduce((least, row) => Math.min(least, of(row)), Infinity),
	max: (rows, of) => rows.reduce((most, row) => Math.max(most, of(row)), -Infinity),
	sum: (rows, of) => rows.reduce((sum, row) => sum + of(row), 0),
};

// Those with a name by their weight, then what is summed up: a node keeps its place as long as its rank.
const inOrder = (a, b) => b.weight - a.weight || a.kind.localeCompare(b.kind);

export function heightOf(nodes, stages) {
	const most = Math.max(...stages.map((name, stage) => nodes.filter((node) => node.stage === stage).length));

	return Math.max(HEIGHT_PX, most * ROW_PX);
}

// The library must be there (core/library.mjs). graph: of lib/sankey.mjs. labelPx: room for words right of the last stage. -> { nodes with x0 x1 y0 y1, links with y0 y1 width }
export function layOut({ nodes, links }, { width, height, labelPx, stages }) {
	const layout = Object.assign(globalThis.d3, ARRAY).sankey()
		.nodeId((node) => node.id)
		.nodeAlign((node) => node.stage)
		.nodeSort(inOrder)
		.nodeWidth(NODE_PX)
		.nodePadding(GAP_PX)
		.extent([[1, 4], [width - labelPx, height - 4]]);
	const step = (width - labelPx - 1 - NODE_PX) / (stages.length - 1);
	const graph = layout({ nodes: nodes.map((node) => ({ ...node })), links: links.map((link) => ({ ...link })) });

	// Where the last stages have nothing, the first ones stay where they are.
	graph.nodes.forEach((node) => {
		node.x0 = 1 + node.stage * step;
		node.x1 = node.x0 + NODE_PX;
	});
	return graph;
}

// A band from the middle of one node's side to that of another.
export function bandOf({ source, target, y0, y1 }) {
	const middle = (source.x1 + target.x0) / 2;

	return `M${source.x1},${y0.toFixed(1)}C${middle.toFixed(1)},${y0.toFixed(1)} ${middle.toFixed(1)},${y1.toFixed(1)} ${target.x0},${y1.toFixed(1)}`;
}

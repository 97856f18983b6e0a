#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# web/embed: what it serves of a page, and which modules it refuses to join.

setup() {
	EMBED=$BATS_TEST_DIRNAME/../../web/embed
	W=$BATS_TEST_TMPDIR/web
	mkdir -p "$W/js/lib"
	echo '<script src="js/main.mjs" type="module"></script>' >"$W/index.html"
	echo "export const twice = (x) => 2 * x;" >"$W/js/lib/twice.mjs"
}

# The text of the file at $1 as httpd would send it, from the C that embed writes.
served() {
	"$EMBED" "$W" | /usr/bin/python3 -c '
import re, sys
text = sys.stdin.read()
number = re.search(r"\{ \"/%s\", asset_(\d+)," % sys.argv[1], text).group(1)
body = re.search(r"asset_%s\[\] =\n(.*?);\n" % number, text, re.S).group(1)
print("".join(eval(line.strip()) for line in body.splitlines()), end="")' "$1"
}

@test "modules are joined: each once, names stay apart, the order is that of the imports" {
	cat >"$W/js/lib/four.mjs" <<-'END'
		// Its own name.
		import { twice as double } from './twice.mjs';
		const own = 'four';
		export function four() { return [own, double(2)]; }
	END
	cat >"$W/js/main.mjs" <<-'END'
		import {
			four,
		} from './lib/four.mjs';
		import { twice } from './lib/twice.mjs';

		const own = 'main';
		console.log(JSON.stringify([own, four(), twice(3)]));
		new Worker('js/worker.mjs', { type: 'module' });
	END
	echo "import { twice } from './lib/twice.mjs';" >"$W/js/worker.mjs"
	mkdir "$BATS_TEST_TMPDIR/js"
	for file in main shared worker; do
		served js/$file.mjs >"$BATS_TEST_TMPDIR/js/$file.mjs"
	done
	run node --import 'data:text/javascript,globalThis.Worker=class{}' "$BATS_TEST_TMPDIR/js/main.mjs"
	[ "$output" = '["main",["four",4],6]' ]
	[ "$(cat "$BATS_TEST_TMPDIR"/js/*.mjs | grep -c '2 \* x')" -eq 1 ]
	node "$BATS_TEST_TMPDIR/js/worker.mjs"
	served index.html | grep -q '<link rel="modulepreload" href="js/shared.mjs">'
	run served js/lib/twice.mjs
	[ "$status" -ne 0 ]
}

@test "what cannot be joined is refused, and named" {
	while IFS='|' read -r text words; do
		printf '%b' "$text" >"$W/js/main.mjs"
		run "$EMBED" "$W"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$words"* ]]
	done <<-'END'
		import { thrice } from './lib/twice.mjs';\n|does not export
		import { x } from './lib/gone.mjs';\n|not there
		import { x } from './main.mjs';\nexport const x = 1;\n|imports itself
		import * as all from './lib/twice.mjs';\n|cannot be joined: import * as all
		export default 1;\n|cannot be joined: export default
		const later = import('./lib/twice.mjs');\n|cannot be joined: const later
	END
}

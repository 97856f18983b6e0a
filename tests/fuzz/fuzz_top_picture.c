// SPDX-License-Identifier: MIT
/*
 * Any snapshots and any keys make a picture that a terminal can show: each row is as wide as it is, and no cell has
 * a character that moves the cursor. The first line is keys and sizes, the others are snapshots.
 */
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.c"
#include "top/frame.c"
#include "top/text.c"
#include "top/units.c"
#include "top/value.c"
#include "top/views.c"
#include "top/model.c"
#include "top/table.c"
#include "top/overview.c"
#undef LINE_TEXT
#include "top/compose.c"
#include "top/keys.c"

#define KEYS_MAX 32

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static void check_row(const struct cell *cells, int columns)
{
	for (int i = 0; i < columns; i++) {
		const char *bytes = cells[i].bytes;
		char clean[sizeof(cells->bytes) * TEXT_GROWTH];
		size_t length;
		int width;

		if (bytes[0] >= ' ' && bytes[0] < 0x7f && !bytes[1] && cells[i].style < STYLES)
			continue;
		width = text_glyph(bytes, &length);
		if (cells[i].style >= STYLES || bytes[length])
			abort();
		text_clean(bytes, length, clean, sizeof(clean));
		if (!length || strcmp(clean, bytes))
			abort();
		if (width == 2 && (++i == columns || cells[i].bytes[0]))
			abort();
	}
}

static void draw(struct model *model, int rows, int columns)
{
	struct feed_facts facts = { .age_ms = rows * 1000.0, .unread = (unsigned int)columns };
	struct frame frame = { 0 };

	if (model_update(model) || frame_init(&frame, rows, columns))
		abort();
	compose_screen(&frame, model, &facts);
	for (int row = 0; row < frame.rows; row++)
		check_row(&frame.cells[row * frame.columns], frame.columns);
	frame_free(&frame);
}

/* A byte is a key: characters themselves, others by number. */
static void press(struct model *model, uint8_t byte)
{
	keys_press(model, byte < 0x80 ? byte : byte < 0x90 ? KEYS_UP + (byte & 15) : 0x3000 + byte * 37);
}

/* True if it is one. */
static bool take(struct model *model, const char *line, size_t length)
{
	json_t *snapshot = json_loadb(line, length, JSON_ALLOW_NUL, NULL);

	if (snapshot && model_take(model, snapshot))
		abort();
	return snapshot;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size < KEYS_MAX ? size : KEYS_MAX), *keys_end = line;
	const uint8_t *end = data + size, *next;
	struct model model;

	if (!line)
		return 0;
	model_init(&model, VIEW_PROCESSES);
	for (; line < end; line = next) {
		next = memchr(line + 1, '\n', (size_t)(end - line - 1));
		next = next ? next : end;
		if (!take(&model, (const char *)line + 1, (size_t)(next - line - 1)))
			continue;
		for (const uint8_t *key = data; key < keys_end; key++) {
			press(&model, *key);
			draw(&model, 1 + *key % 40, 1 + *key * 7 % 130);
		}
	}
	model_free(&model);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Drawing a table. Cells are kept until all are known, then printed. Their
 * width is counted in UTF-8 characters, each taken for one column wide.
 */
#include "cli/frame/table.h"

#include "base/array.h"
#include "base/utf8.h"
#include "cli/cli.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GAP 2
#define LAST_WIDTH_MIN 16

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += !is_continuation(*text);
	return n;
}

/* The place behind the first n characters. */
static const char *skip(const char *text, size_t n)
{
	for (; *text && (n > 0 || is_continuation(*text)); text++)
		n -= !is_continuation(*text);
	return text;
}

bool table_add(struct table *t, const char *const *cells)
{
	for (size_t i = 0; i < t->columns; i++) {
		bool right = t->count < t->columns && cells[i][0] == '>';
		char *copy = strdup(cells[i] + right);

		if (!copy || !array_reserve(&t->cells, t->count, &t->room,
					    sizeof(*t->cells))) {
			free(copy);
			return false;
		}
		utf8_clean(copy);
		t->right[i] |= right;
		if (width_of(copy) > t->width[i])
			t->width[i] = width_of(copy);
		t->cells[t->count++] = copy;
	}
	return true;
}

size_t table_terminal_width(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col ? size.ws_col : 80;
}

static void pad(size_t n, FILE *out)
{
	while (n-- > 0)
		putc(' ', out);
}

/* The start and the end of the text, in `width` columns. */
static void put_cut(const char *text, size_t width, FILE *out)
{
	char head[4096];
	size_t n = width_of(text);

	if (n <= width) {
		cli_put(text, out);
		return;
	}
	size_t kept = width > 3 ? width - 3 : 0;
	size_t first = kept / 3, last = kept - first;
	snprintf(head, sizeof(head), "%.*s", (int)(skip(text, first) - text),
		 text);
	cli_put(head, out);
	fputs("...", out);
	cli_put(skip(text, n - last), out);
}

/* How wide each column is to be, in what `out` has room for. */
static void fit(const struct table *t, FILE *out, size_t *widths)
{
	size_t terminal = table_terminal_width(out), last = t->columns - 1;
	size_t most = terminal ? terminal / 3 : SIZE_MAX, used = 0;

	for (size_t i = 0; i < last; i++) {
		widths[i] = t->width[i] < most ? t->width[i] : most;
		used += widths[i] + GAP;
	}
	widths[last] = t->width[last];
	if (terminal && used + widths[last] > terminal)
		widths[last] = terminal > used + LAST_WIDTH_MIN
				       ? terminal - used
				       : LAST_WIDTH_MIN;
}

static void print_row(const struct table *t, char *const *row,
		      const size_t *widths, FILE *out)
{
	for (size_t i = 0; i + 1 < t->columns; i++) {
		size_t n = width_of(row[i]);
		size_t space = n < widths[i] ? widths[i] - n : 0;

		pad(t->right[i] ? space : 0, out);
		put_cut(row[i], widths[i], out);
		pad(t->right[i] ? GAP : space + GAP, out);
	}
	put_cut(row[t->columns - 1], widths[t->columns - 1], out);
}

void table_print(const struct table *t, FILE *out)
{
	size_t widths[TABLE_COLUMNS_MAX];
	const char *bold = cli_bold(out), *plain = cli_plain(out);

	fit(t, out, widths);
	for (size_t i = 0; i < t->count; i += t->columns) {
		fputs(i == 0 ? bold : "", out);
		print_row(t, t->cells + i, widths, out);
		fputs(i == 0 ? plain : "", out);
		putc('\n', out);
	}
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
}

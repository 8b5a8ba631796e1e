/* SPDX-License-Identifier: MIT */
/*
 * Drawing the progress bar: at most every 40 ms, so that it costs nothing
 * beside the work.
 */
#include "cli/frame/progress.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/frame/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_NS 40000000
#define BAR_MAX 40

struct progress progress_begin(const char *label)
{
	const char *term = getenv("TERM");

	return (struct progress){
		.label = label,
		.shown = isatty(STDERR_FILENO) && term && strcmp(term, "dumb"),
	};
}

static void draw(const struct progress *p, size_t done, size_t all)
{
	size_t width = table_terminal_width(stderr), label = strlen(p->label);
	size_t counts = sizeof(" 100000/100000") + 4;
	size_t bar = width > counts + BAR_MAX / 2 ? width - counts : 0;

	if (bar > BAR_MAX)
		bar = BAR_MAX;
	/* The end of a path says most. */
	size_t space = width > counts + bar ? width - counts - bar : 0;
	size_t cut = label > space ? label - space : 0;
	size_t full = all ? bar * done / all : bar;

	fputs("\r", stderr);
	cli_put(p->label + cut, stderr);
	fputs(" [", stderr);
	for (size_t i = 0; i < bar; i++)
		putc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %zu/%zu\033[K", done, all);
	fflush(stderr);
}

void progress_update(size_t done, size_t all, void *data)
{
	struct progress *p = data;

	if (!p->shown)
		return;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	if (p->drawn_ns && done < all && now - p->drawn_ns < REDRAW_NS)
		return;
	p->drawn_ns = now;
	draw(p, done, all);
}

void progress_end(struct progress *p)
{
	if (p->drawn_ns)
		fputs("\r\033[K", stderr);
}

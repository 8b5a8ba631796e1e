/* SPDX-License-Identifier: MIT */
/*
 * A picture viewer: shows a file in the terminal, or writes it as a PPM file.
 * Which of its codec plugins can open the file is asked of the registry, by the
 * file's first bytes and its name; only that one is loaded, so that it starts
 * alike with ten plugins and with a thousand.
 *
 *   viewer DIR FILE [OUT.ppm]
 *   viewer DIR --list
 */
#include "plugins/codec/codec.h"

#include <dlazy/query.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX (64u << 20)
#define HEAD_MAX 4096u

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "viewer: %s: %s\n", what, why);
	return 1;
}

/* A whole file, malloc'd; NULL with errno. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
	FILE *in = fopen(path, "rbe");
	uint8_t *data = in ? malloc(FILE_MAX) : NULL;

	if (data) {
		*ret_size = fread(data, 1, FILE_MAX, in);
		uint8_t *less = realloc(data, *ret_size + 1);
		data = less ? less : data;
	}
	if (in)
		fclose(in);
	return data;
}

static struct dlazy_registry *codecs_of(const char *dir)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (r && dlazy_registry_add_dir(r, dir, 0) == 0 &&
	    dlazy_registry_interface(r, "pic", 1, 0) == 0)
		return r;
	dlazy_registry_free(r);
	return NULL;
}

static int list(struct dlazy_registry *r)
{
	struct dlazy_query q = {.size = sizeof(q), .provides = "codec/*"};
	struct dlazy_cursor *c = dlazy_registry_query(r, &q);
	const struct dlazy_match *match;
	int n = c ? 1 : -1;

	while (n > 0 && (n = dlazy_cursor_next(c, &match, 1)) > 0)
		printf("%-16s %-24s %d\n", match->id,
		       match->description ? match->description : "",
		       match->rank);
	dlazy_cursor_close(c);
	return n < 0 ? fail("the codecs", dlazy_error()) : 0;
}

/* The best codec that decodes the file. */
static int decode(struct dlazy_registry *r, const char *path,
		  const uint8_t *data, size_t size, struct picture *ret)
{
	struct dlazy_query q = {
		.size = sizeof(q),
		.provides = "codec/*",
		.file = path,
		.head = data,
		.head_size = size < HEAD_MAX ? size : HEAD_MAX,
	};
	struct dlazy_cursor *c = dlazy_registry_query(r, &q);
	const struct dlazy_match *match;
	codec_decode_fn *fn;
	int found = 0;

	while (c && !found && dlazy_cursor_next(c, &match, 1) > 0) {
		struct dlazy_module *m = dlazy_cursor_module(c, match);
		void *symbol =
			m && match->symbol ? dlazy_sym(m, match->symbol) : NULL;

		if (!symbol)
			continue;
		memcpy(&fn, &symbol, sizeof(fn));
		*ret = (struct picture){0, 0, NULL};
		found = fn(data, size, ret) == 0;
		if (!found)
			free(ret->rgb);
	}
	dlazy_cursor_close(c);
	return found;
}

static int write_ppm(const struct picture *p, const char *path)
{
	FILE *out = fopen(path, "wbe");
	size_t n = (size_t)p->width * p->height;

	if (!out)
		return fail(path, strerror(errno));
	fprintf(out, "P6\n%u %u\n255\n", p->width, p->height);
	size_t written = fwrite(p->rgb, 3, n, out);
	if (fclose(out) != 0 || written != n)
		return fail(path, strerror(errno));
	return 0;
}

/* Two dots a character, one above the other; smaller pictures as they are. */
static int show(const struct picture *p)
{
	unsigned step = (p->width + 79) / 80;

	for (unsigned y = 0; y < p->height; y += 2 * step) {
		for (unsigned x = 0; x < p->width; x += step) {
			unsigned below = y + step < p->height ? y + step : y;
			const uint8_t *a =
				p->rgb + 3 * ((size_t)y * p->width + x);
			const uint8_t *b =
				p->rgb + 3 * ((size_t)below * p->width + x);

			printf("\033[38;2;%d;%d;%d;48;2;%d;%d;%dm\342\226\200",
			       a[0], a[1], a[2], b[0], b[1], b[2]);
		}
		puts("\033[0m");
	}
	return 0;
}

static int view(struct dlazy_registry *r, const char *path, const char *out)
{
	struct picture picture;
	size_t size = 0;
	uint8_t *data = read_file(path, &size);

	if (!data)
		return fail(path, strerror(errno));
	if (!decode(r, path, data, size, &picture)) {
		free(data);
		return fail(path, "no codec can open it");
	}
	int status = out ? write_ppm(&picture, out) : show(&picture);
	free(picture.rgb);
	free(data);
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 4)
		return fail("usage",
			    "viewer DIR FILE [OUT.ppm], or DIR --list");
	struct dlazy_registry *r = codecs_of(argv[1]);
	if (!r)
		return fail(argv[1], dlazy_error());
	int status = !strcmp(argv[2], "--list") ? list(r)
						: view(r, argv[2], argv[3]);
	dlazy_registry_free(r);
	return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * A host whose plugin is written while it runs. It shows a small picture through the
 * plugin "filter" of a directory, again and again. When the compiler has put another
 * filter.so in its place, the registry's descriptor becomes readable, a refresh tells
 * that the plugin was replaced, and a reload has the next frame go through the new
 * one. The host's function pointer stays the same.
 *
 *   live DIR [FRAMES]
 *
 *   while editing: cc -shared -fPIC filter.c -o DIR/new && mv DIR/new DIR/filter.so
 */
#include <dlazy/dlazy.h>
#include <dlazy/lifecycle.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 48, HEIGHT = 8, FRAME_MS = 40 };

/* What a filter exports: changes a grey picture, a byte for each pixel. */
typedef void filter_fn(unsigned char *pixels, int width, int height);

/* A filter that was replaced since the last frame; NULL: none. */
static struct dlazy_module *replaced;

static void on_event(const struct dlazy_event *event, void *data)
{
	(void)data;
	/* One that was built wrongly was none, and comes back as a new one. */
	if (event->kind == DLAZY_EVENT_REPLACED ||
	    event->kind == DLAZY_EVENT_ADDED)
		replaced = event->module;
}

static void draw(unsigned char *pixels)
{
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			pixels[y * WIDTH + x] =
				(unsigned char)(255 * x / (WIDTH - 1));
}

/* Shows what differs from the frame before. */
static void show(const unsigned char *pixels, int frame)
{
	static unsigned char shown[WIDTH * HEIGHT];
	const char shades[] = " .:-=+*#%@";

	if (frame > 0 && !memcmp(pixels, shown, sizeof(shown)))
		return;
	memcpy(shown, pixels, sizeof(shown));
	printf("frame %d\n", frame);
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++)
			putchar(shades[pixels[y * WIDTH + x] * 9 / 255]);
		putchar('\n');
	}
	fflush(stdout);
}

/* Waits for the next frame; looks at the directory when something has changed. A
 * filter that does not load, as it was built wrongly, leaves the old one in place. */
static void wait_for_frame(struct dlazy_registry *r, int watch)
{
	struct pollfd changed = {.fd = watch, .events = POLLIN};

	if (poll(&changed, 1, FRAME_MS) <= 0)
		return;
	dlazy_registry_refresh(r);
	if (replaced && dlazy_reload(replaced) < 0)
		fprintf(stderr, "live: %s\n", dlazy_error());
	replaced = NULL;
}

static int run(struct dlazy_registry *r, int frames)
{
	unsigned char pixels[WIDTH * HEIGHT];
	int watch = dlazy_registry_watch(r);
	struct dlazy_module *m = dlazy_registry_find(r, "filter");
	void *stub = m ? dlazy_sym(m, "filter") : NULL;
	filter_fn *filter;

	if (watch < 0 || !stub) {
		fprintf(stderr, "live: %s\n", dlazy_error());
		return 1;
	}
	memcpy(&filter, &stub, sizeof(filter));
	for (int frame = 0; frames < 0 || frame < frames; frame++) {
		draw(pixels);
		filter(pixels, WIDTH, HEIGHT);
		show(pixels, frame);
		wait_for_frame(r, watch);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (argc < 2 || !r) {
		fprintf(stderr, "usage: live DIR [FRAMES]\n");
		return 2;
	}
	dlazy_observe(on_event, NULL);
	/* Nobody is in the filter between two frames: the old one can go. */
	if (dlazy_registry_add_dir(r, argv[1], DLAZY_DISCARD) < 0) {
		fprintf(stderr, "live: %s\n", dlazy_error());
		return 1;
	}
	int status = run(r, argc > 2 ? atoi(argv[2]) : -1);
	dlazy_registry_free(r);
	return status;
}

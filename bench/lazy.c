/* SPDX-License-Identifier: MIT */
/*
 * A host with dlazy.
 *
 *   lazy none                      linked to libdlazy, uses nothing of it
 *   lazy declare DIR               declares a directory
 *   lazy query DIR GLOB            and asks for the first match of a glob
 *   lazy one DIR NAME SYMBOL       and uses one plugin
 *   lazy all DIR [SYMBOL]          and touches every one
 *   lazy touch DIR NAME SYMBOL     the first call of a stub, alone
 *   lazy pairs DIR                 pairs of first touches in one process, by
 *                                  hand and by stub; prints both, ns
 *   lazy back DIR ROUNDS           a plugin that is away comes back, by hand and
 *                                  by stub; prints both, ns
 *   lazy uses DIR ROUNDS           a call, one with a pin, and one that is seen
 *                                  after a trim; prints them, ps
 */
#include "bench/host.h"

#include <dlazy/dlazy.h>
#include <dlazy/lifecycle.h>
#include <dlazy/query.h>

#include <dlfcn.h>

static struct dlazy_registry *declare_with(const char *dir, int flags)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (!r || dlazy_registry_add_dir(r, dir, flags) < 0)
		errx(1, "%s: %s", dir, dlazy_error());
	return r;
}

static struct dlazy_registry *declare(const char *dir)
{
	return declare_with(dir, 0);
}

static void query(const char *dir, const char *glob)
{
	const struct dlazy_query q = {.size = sizeof(q), .provides = glob};
	struct dlazy_cursor *c = dlazy_registry_query(declare(dir), &q);
	const struct dlazy_match *match;

	if (!c || dlazy_cursor_next(c, &match, 1) != 1)
		errx(1, "%s: nobody provides %s", dir, glob);
	dlazy_cursor_close(c);
}

static void *stub(struct dlazy_registry *r, const char *name,
		  const char *symbol)
{
	struct dlazy_module *m = dlazy_registry_find(r, name);
	void *function = m ? dlazy_sym(m, symbol) : NULL;

	if (!function)
		errx(1, "%s: %s", name, dlazy_error());
	return function;
}

static void touch_all(const char *dir, const char *symbol)
{
	struct dlazy_registry *r = declare(dir);

	for (struct dlazy_module *m = dlazy_registry_next(r, NULL); m;
	     m = dlazy_registry_next(r, m)) {
		if (symbol)
			dlazy_sym(m, symbol);
		/* One that cannot be loaded cannot be loaded eagerly either. */
		dlazy_load(m);
	}
}

static uint64_t open_by_hand(const char *dir, int i, void **ret_handle)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/p%d.so", dir, i);
	uint64_t start = now_ns();
	*ret_handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	use("f", *ret_handle ? dlsym(*ret_handle, "f") : NULL);
	return now_ns() - start;
}

static uint64_t open_by_stub(struct dlazy_registry *r, int i)
{
	char name[32];

	snprintf(name, sizeof(name), "p%d", i);
	void *function = stub(r, name, "f");
	uint64_t start = now_ns();
	use("f", function);
	return now_ns() - start;
}

#define PAIRS 50

static void pairs(const char *dir)
{
	struct dlazy_registry *r = declare(dir);

	for (int i = 0; i < PAIRS; i++) {
		void *handle;
		uint64_t hand = open_by_hand(dir, 2 * i, &handle);
		uint64_t lazily = open_by_stub(r, 2 * i + 1);

		/* What only the first time costs is another row's. */
		if (i > 0)
			printf("%ju %ju\n", (uintmax_t)hand, (uintmax_t)lazily);
	}
}

static void bring_back(const char *dir, long rounds)
{
	struct dlazy_registry *r = declare_with(dir, DLAZY_DISCARD);
	struct dlazy_module *m = dlazy_registry_find(r, "p0");
	void *handle, *function = stub(r, "p0", "f");

	use("f", function);
	for (long i = 0; i <= rounds; i++) {
		uint64_t hand = open_by_hand(dir, 1, &handle);
		dlclose(handle);
		if (dlazy_unload(m) < 0)
			errx(1, "%s", dlazy_error());
		uint64_t start = now_ns();
		use("f", function);
		uint64_t lazily = now_ns() - start;
		if (i > 0)
			printf("%ju %ju\n", (uintmax_t)hand, (uintmax_t)lazily);
	}
}

#define CALLS 1000
#define USED 10 /* plugins in use */

typedef int plugin_fn(int);

/* So many calls of each; pins around them, or not. Of one, ns. */
static double call_each(struct dlazy_module *const *m, plugin_fn *const *f,
			int calls, int pins)
{
	uint64_t start = now_ns();

	for (int i = 0; i < calls; i++)
		for (int k = 0; k < USED; k++) {
			if (pins)
				dlazy_pin(m[k]);
			f[k](1);
			if (pins)
				dlazy_unpin(m[k]);
		}
	return (double)(now_ns() - start) / (calls * USED);
}

/* What it costs that a registry with a limit knows which plugins are in use. */
static void count_uses(const char *dir, long rounds)
{
	struct dlazy_registry *r = declare_with(dir, DLAZY_DISCARD);
	struct dlazy_module *m[USED];
	plugin_fn *f[USED];
	char name[32];

	dlazy_registry_limit(r, USED, 0);
	for (int k = 0; k < USED; k++) {
		snprintf(name, sizeof(name), "p%d", k);
		m[k] = dlazy_registry_find(r, name);
		f[k] = (plugin_fn *)(uintptr_t)stub(r, name, "f");
	}
	call_each(m, f, 2, 1);
	for (long i = 0; i < rounds; i++) {
		double called = call_each(m, f, CALLS, 0);
		double pinned = call_each(m, f, CALLS, 1);

		if (dlazy_registry_trim(r, 0) != 0)
			errx(1, "%s: they do not fit", dir);
		printf("%.0f %.0f %.0f\n", 1e3 * called, 1e3 * pinned,
		       1e3 * call_each(m, f, 1, 0));
	}
}

int main(int argc, char **argv)
{
	uint64_t start = now_ns();
	const char *mode = argc > 1 ? argv[1] : "none";

	if (argc > 2 && !strcmp(mode, "declare")) {
		declare(argv[2]);
	} else if (argc > 3 && !strcmp(mode, "query")) {
		query(argv[2], argv[3]);
	} else if (argc > 4 && !strcmp(mode, "one")) {
		use(argv[4], stub(declare(argv[2]), argv[3], argv[4]));
	} else if (argc > 2 && !strcmp(mode, "all")) {
		touch_all(argv[2], argv[3]);
	} else if (argc > 4 && !strcmp(mode, "touch")) {
		void *function = stub(declare(argv[2]), argv[3], argv[4]);
		start = now_ns();
		use(argv[4], function);
	} else if (argc > 2 && !strcmp(mode, "pairs")) {
		pairs(argv[2]);
		return 0;
	} else if (argc > 3 && !strcmp(mode, "back")) {
		bring_back(argv[2], strtol(argv[3], NULL, 10));
		return 0;
	} else if (argc > 3 && !strcmp(mode, "uses")) {
		count_uses(argv[2], strtol(argv[3], NULL, 10));
		return 0;
	}
	report(start);
}

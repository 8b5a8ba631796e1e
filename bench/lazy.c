/* SPDX-License-Identifier: MIT */
/*
 * A host with dlazy.
 *
 *   lazy none                      linked to libdlazy, uses nothing of it
 *   lazy declare DIR               declares a directory
 *   lazy one DIR NAME SYMBOL       and uses one plugin
 *   lazy all DIR [SYMBOL]          and touches every one
 *   lazy touch DIR NAME SYMBOL     the first call of a stub, alone
 *   lazy pairs DIR                 pairs of first touches in one process, by
 *                                  hand and by stub; prints both, ns
 */
#include "bench/host.h"

#include <dlazy/dlazy.h>

#include <dlfcn.h>

static struct dlazy_registry *declare(const char *dir)
{
	struct dlazy_registry *r = dlazy_registry_new();

	if (!r || dlazy_registry_add_dir(r, dir, 0) < 0)
		errx(1, "%s: %s", dir, dlazy_error());
	return r;
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

static uint64_t open_by_hand(const char *dir, int i)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/p%d.so", dir, i);
	uint64_t start = now_ns();
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	use("f", handle ? dlsym(handle, "f") : NULL);
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
		uint64_t hand = open_by_hand(dir, 2 * i);
		uint64_t lazily = open_by_stub(r, 2 * i + 1);

		/* What only the first time costs is another row's. */
		if (i > 0)
			printf("%ju %ju\n", (uintmax_t)hand, (uintmax_t)lazily);
	}
}

int main(int argc, char **argv)
{
	uint64_t start = now_ns();
	const char *mode = argc > 1 ? argv[1] : "none";

	if (argc > 2 && !strcmp(mode, "declare")) {
		declare(argv[2]);
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
	}
	report(start);
}

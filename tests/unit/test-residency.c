/* SPDX-License-Identifier: MIT */
/*
 * Limits, trimming and pins: what was used least recently goes, what is pinned or was
 * not promised stays, and pages of idle modules go back while the next call is right.
 */
#include "tests/unit/opened.h"

#include "load/module.h"

#include <dlazy/lifecycle.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of copies p000.so, p001.so, ... of a plugin that answers 42. */
static struct dlazy_registry *begin(int count, int flags)
{
	struct dlazy_registry *r = dlazy_registry_new();
	char file[32];

	mkdir(own_path("d"), 0755);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "d/p%03d.so", i);
		own_copy("good-plain", file);
	}
	CHECK_INT(dlazy_registry_add_dir(r, own_path("d"), flags), 0);
	return r;
}

static struct dlazy_module *plugin(struct dlazy_registry *r, int i)
{
	char name[16];

	snprintf(name, sizeof(name), "p%03d", i);
	struct dlazy_module *m = dlazy_registry_find(r, name);
	CHECK(m != NULL);
	return m;
}

static int answer(struct dlazy_registry *r, int i)
{
	return call_int(symbol_of(plugin(r, i), "plain_answer"));
}

static bool is_loaded(struct dlazy_registry *r, int i)
{
	return dlazy_module_state(plugin(r, i)) == DLAZY_LOADED;
}

TEST(least_recently_used_go_until_the_limit_holds)
{
	needs_stubs();
	struct dlazy_registry *r = begin(4, DLAZY_DISCARD);

	CHECK_INT(dlazy_registry_trim(r, 0), 0);
	CHECK_INT(dlazy_registry_limit(r, 2, 0), 0);
	for (int i = 0; i < 4; i++)
		CHECK_INT(answer(r, i), 42);
	/* Its stub has an address: that it is used is seen all the same. */
	CHECK_INT(answer(r, 0), 42);
	CHECK(is_loaded(r, 1)); /* a limit evicts nothing */
	CHECK_INT(dlazy_registry_trim(r, 0), 2);
	CHECK(is_loaded(r, 0) && !is_loaded(r, 1));
	CHECK(!is_loaded(r, 2) && is_loaded(r, 3));
	CHECK_INT(dlazy_registry_trim(r, 0), 0);
	CHECK_INT(test_mapped("p001.so"), 0);
	CHECK_INT(answer(r, 1), 42);
	CHECK_INT(answer(r, 3), 42);
	CHECK_INT(dlazy_registry_trim(r, 0), 1);
	CHECK(!is_loaded(r, 0));
	dlazy_registry_free(r);
}

TEST(bytes_are_a_limit_too)
{
	needs_stubs();
	struct dlazy_registry *r = begin(3, DLAZY_DISCARD);

	CHECK_INT(dlazy_registry_limit(r, 0, 1), 0);
	for (int i = 0; i < 3; i++)
		CHECK_INT(answer(r, i), 42);
	CHECK_INT(dlazy_registry_trim(r, 0), 3);
	CHECK_INT(test_mapped("/d/p0"), 0);
	CHECK_INT(dlazy_registry_limit(r, 0, 1 << 30), 0);
	CHECK_INT(answer(r, 1), 42);
	CHECK_INT(dlazy_registry_trim(r, 0), 0);
	dlazy_registry_free(r);
}

TEST(what_is_pinned_stays)
{
	needs_stubs();
	struct dlazy_registry *r = begin(2, DLAZY_DISCARD);
	struct dlazy_module *m = plugin(r, 0);

	CHECK_INT(dlazy_registry_limit(r, 0, 1), 0);
	CHECK_INT(dlazy_pin(m), 0);
	CHECK_INT(dlazy_pin(m), 0);
	CHECK_INT(dlazy_module_state(m), DLAZY_DECLARED);
	CHECK_INT(answer(r, 0), 42);
	CHECK_INT(answer(r, 1), 42);
	CHECK_INT(dlazy_unload(m), -DLAZY_EBUSY);
	CHECK_IN(dlazy_error(), "pinned");
	CHECK_INT(dlazy_unpin(m), 0);
	CHECK_INT(dlazy_registry_trim(r, 0), 1);
	CHECK(is_loaded(r, 0));
	CHECK_INT(answer(r, 0), 42);
	CHECK_INT(dlazy_unpin(m), 0);
	CHECK_INT(dlazy_unpin(m), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_trim(r, 0), 1);
	CHECK(!is_loaded(r, 0));
	dlazy_registry_free(r);
	CHECK_INT(dlazy_pin(m), -DLAZY_EINVAL);
	CHECK_INT(dlazy_pin(NULL), -DLAZY_EINVAL);
	CHECK_INT(dlazy_unpin((void *)&r), -DLAZY_EINVAL);
}

TEST(a_pin_of_what_is_open_takes_no_lock)
{
	struct dlazy_registry *r = begin(1, 0);
	struct dlazy_module *m = plugin(r, 0);

	CHECK(atomic_load(&m->is_open));
	CHECK_INT(dlazy_pin(m), 0);
	lock_take(&load_lock);
	CHECK_INT(dlazy_unpin(m), 0);
	lock_drop(&load_lock);
	dlazy_registry_free(r);
	CHECK(!atomic_load(&m->is_open));
}

TEST(what_was_not_promised_stays)
{
	needs_stubs();
	struct dlazy_registry *r = begin(2, 0);

	CHECK_INT(dlazy_registry_limit(r, 1, 1), 0);
	CHECK_INT(answer(r, 0), 42);
	CHECK_INT(answer(r, 1), 42);
	CHECK_INT(dlazy_registry_trim(r, 0), 0);
	CHECK(is_loaded(r, 0) && is_loaded(r, 1));
	CHECK_INT(dlazy_registry_trim(r, 2), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_trim(NULL, 0), -DLAZY_EINVAL);
	CHECK_INT(dlazy_registry_limit(NULL, 0, 0), -DLAZY_EINVAL);
	dlazy_registry_free(r);
}

TEST(pinned_object_outlives_a_reload)
{
	needs_stubs();
	const char *path = own_copy("good-plain", "p.so");
	struct dlazy_module *m = opened(path, DLAZY_DISCARD);
	void *stub = symbol_of(m, "plain_answer");

	CHECK_INT(call_int(stub), 42);
	CHECK_INT(dlazy_pin(m), 0);
	own_copy("good-plain-other", "new");
	CHECK_INT(rename(own_path("new"), path), 0);
	CHECK_INT(dlazy_reload(m), 0);
	CHECK_IN(dlazy_error(), "pinned");
	CHECK(test_mapped("p.so (deleted)") > 0);
	CHECK_INT(call_int(stub), 43);
	CHECK_INT(dlazy_unpin(m), 0);
}

/* KiB of the module's code that are resident. */
static long resident_code(const char *name)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	long all = 0, kib;
	bool inside = false;
	char line[8192], mode[8];

	CHECK(smaps != NULL);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%*x-%*x %7s %*s", mode) == 1 &&
		    strchr(line, '-') < strchr(line, ' '))
			inside = mode[2] == 'x' && strstr(line, name);
		if (inside && sscanf(line, "Rss: %ld", &kib) == 1)
			all += kib;
	}
	fclose(smaps);
	return all;
}

TEST(pages_of_idle_modules_go_back)
{
	if (getenv("TEST_SLOW"))
		test_skip("valgrind runs a translation, not these pages");
	needs_stubs();
	struct dlazy_registry *r = begin(2, 0);

	CHECK_INT(answer(r, 0), 42);
	CHECK(resident_code("p000.so") > 0);
	int given = dlazy_registry_trim(r, DLAZY_TRIM_PAGES);
	if (given == 0)
		test_skip("traced, or /proc does not say what is clean");
	CHECK_INT(given, 1);
	CHECK_INT(resident_code("p000.so"), 0);
	CHECK(is_loaded(r, 0));
	CHECK_INT(answer(r, 0), 42);
	CHECK(resident_code("p000.so") > 0);
	/* Used since: it keeps its pages, the other does not. */
	CHECK_INT(answer(r, 1), 42);
	CHECK_INT(dlazy_pin(plugin(r, 1)), 0);
	CHECK_INT(dlazy_registry_trim(r, DLAZY_TRIM_PAGES), 1);
	CHECK_INT(resident_code("p000.so"), 0);
	CHECK(resident_code("p001.so") > 0);
	dlazy_registry_free(r);
}

/* A call may be in them. */
TEST(pages_of_what_is_pinned_stay)
{
	if (getenv("TEST_SLOW"))
		test_skip("valgrind runs a translation, not these pages");
	needs_stubs();
	struct dlazy_registry *r = begin(2, 0);

	CHECK_INT(answer(r, 0), 42);
	CHECK_INT(answer(r, 1), 42);
	CHECK_INT(dlazy_pin(plugin(r, 0)), 0);
	int given = dlazy_registry_trim(r, DLAZY_TRIM_PAGES);
	if (given == 0)
		test_skip("traced, or /proc does not say what is clean");
	CHECK_INT(given, 1);
	CHECK_INT(resident_code("p001.so"), 0);
	CHECK(resident_code("p000.so") > 0);
	/* Nor when it has not been used since. */
	dlazy_registry_trim(r, DLAZY_TRIM_PAGES);
	CHECK(resident_code("p000.so") > 0);
	CHECK_INT(dlazy_unpin(plugin(r, 0)), 0);
	dlazy_registry_trim(r, DLAZY_TRIM_PAGES);
	CHECK_INT(resident_code("p000.so"), 0);
	CHECK_INT(answer(r, 0), 42);
	dlazy_registry_free(r);
}

enum { PLUGINS = 300, RESIDENT = 10, THREADS = 8 };

static struct dlazy_module *modules[PLUGINS];
static int_fn *stubs[PLUGINS];
static unsigned calls_each;
static _Atomic(int) callers;

/* Mostly a few of them, now and then any. */
static void *call_pinned(void *data)
{
	unsigned random = 1 + (unsigned)(uintptr_t)data;

	for (unsigned i = 0; i < calls_each; i++) {
		random = random * 1103515245u + 12345;
		unsigned n = (random >> 8) % (i % 1000 ? 8 : PLUGINS);
		CHECK_INT(dlazy_pin(modules[n]), 0);
		CHECK_INT(stubs[n](), 42);
		CHECK_INT(dlazy_unpin(modules[n]), 0);
	}
	callers--;
	return NULL;
}

TEST_SECONDS(threads_call_with_pins_while_another_trims, 120)
{
	needs_stubs();
	struct dlazy_registry *r = begin(PLUGINS, DLAZY_DISCARD);
	pthread_t threads[THREADS];
	int gone = 0;

	for (int i = 0; i < PLUGINS; i++) {
		modules[i] = plugin(r, i);
		void *stub = symbol_of(modules[i], "plain_answer");
		memcpy(&stubs[i], &stub, sizeof(stub));
	}
	calls_each = test_rounds(1250000);
	callers = THREADS;
	CHECK_INT(dlazy_registry_limit(r, RESIDENT, 0), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_pinned, (void *)i);
	while (callers) {
		int n = dlazy_registry_trim(r, 0);
		CHECK(n >= 0);
		gone += n;
		usleep(1000);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(gone + dlazy_registry_trim(r, 0) > 0);
	int left = 0;
	for (int i = 0; i < PLUGINS; i++)
		left += dlazy_module_state(modules[i]) == DLAZY_LOADED;
	CHECK_INT(left, RESIDENT);
	dlazy_registry_free(r);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the load layer share: opening what must open, calling what
 * is handed out, copies of plugins in the test's own directory, and running a
 * part of a test inside a plugin's constructor (good-host-constructor).
 */
#ifndef TESTS_UNIT_OPENED_H
#define TESTS_UNIT_OPENED_H

#include "tests/test.h"

#include <dlazy/dlazy.h>

#ifdef __cplusplus
extern "C"
#endif
	bool
	stub_available(void); /* stub/stub.h, which is no C++ */

/* For a test of what is called before it is loaded. */
static inline void needs_stubs(void)
{
	if (!stub_available())
		test_skip("this CPU has no stubs: dlazy_sym() loads at once");
}

typedef int int_fn(void);
typedef void constructor_fn(const char *path);

/* Calls an address as int(void). */
static inline int call_int(void *address)
{
	int_fn *function;

	CHECK(address != NULL);
	memcpy(&function, &address, sizeof(function));
	return function();
}

static inline struct dlazy_module *opened(const char *path, int flags)
{
	struct dlazy_module *m = dlazy_open(path, flags);

	if (!m)
		test_fail(__FILE__, __LINE__, "%s: %s", path, dlazy_error());
	return m;
}

static inline void *symbol_of(struct dlazy_module *m, const char *symbol)
{
	void *address = dlazy_sym(m, symbol);

	if (!address)
		test_fail(__FILE__, __LINE__, "%s: %s", symbol, dlazy_error());
	return address;
}

/* A path in the test's directory; static storage, up to 16 at a time. */
static inline const char *own_path(const char *file)
{
	static char paths[16][4096];
	static unsigned turn;
	char *path = paths[turn++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_directory(), file);
	return path;
}

/* A copy of a plugin in the test's directory, under a name of its own. */
static inline const char *own_copy(const char *plugin, const char *file)
{
	const char *path = own_path(file);

	test_copy(test_plugin(plugin), path);
	return path;
}

/* From now on constructors of good-host-constructor run this. */
static inline void set_constructor(constructor_fn *fn)
{
	char address[32];

	snprintf(address, sizeof(address), "%p", (void *)fn);
	setenv("TEST_CONSTRUCTOR", address, 1);
}

#endif

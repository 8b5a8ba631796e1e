/* SPDX-License-Identifier: MIT */
/*
 * The first call of a function of a library that nobody has loaded: libpng, for
 * which this program has a stub.
 *
 *   first none   an empty process
 *   first stub   through the stub
 *   first hand   by dlopen, dlsym and a call
 */
#include "bench/host.h"

#include <dlfcn.h>

#define SONAME "libpng16.so.16"

unsigned long png_access_version_number(void);

static unsigned long call_by_hand(void)
{
	void *handle = dlopen(SONAME, RTLD_LAZY | RTLD_GLOBAL);
	void *function =
		handle ? dlsym(handle, "png_access_version_number") : NULL;

	if (!function)
		errx(1, "%s", dlerror());
	return ((unsigned long (*)(void))function)();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	uint64_t start = now_ns();
	unsigned long version = 1;

	if (!strcmp(mode, "stub"))
		version = png_access_version_number();
	else if (!strcmp(mode, "hand"))
		version = call_by_hand();
	else if (strcmp(mode, "none") != 0)
		errx(2, "first none | stub | hand");
	if (!version)
		errx(1, SONAME " has no version");
	report(start);
}

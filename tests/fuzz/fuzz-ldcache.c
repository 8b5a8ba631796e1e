/* SPDX-License-Identifier: MIT */
/* libFuzzer: the bytes are an ld.so.cache; names of it, and others, are asked
 * for. Built and run by tests/fuzz/run. */
#include "elf/ldcache.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hwcaps[] = {"x86-64-v2", "x86-64-v3", NULL};
	static const char *const names[] = {"libm.so.6", "libz.so.1", "", "x"};
	_cleanup_close_ int fd = memfd_create("ld.so.cache", MFD_CLOEXEC);
	const char *paths[8];
	struct ldcache cache;
	char path[64];
	size_t length = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ldcache_open(&cache, path);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t n =
			     ldcache_find(&cache, names[i], hwcaps, paths, 8);
		     n > 0; n--)
			length += strlen(paths[n - 1]);
	ldcache_close(&cache);
	return length == (size_t)-1;
}

/* SPDX-License-Identifier: MIT */
/*
 * Finding libdlazy among the objects of the process. It is never unloaded
 * (nodelete), so what was found stays. The dynamic linker is not asked for it by
 * name: where it is not loaded, that would search directories.
 */
#include "alone/peer.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#define LIBDLAZY "libdlazy.so.0"

static struct peer peer;
static _Atomic(int) is_known;

static int find_path(struct dl_phdr_info *info, size_t size, void *data)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	const char *base = slash ? slash + 1 : info->dlpi_name;

	(void)size;
	if (strncmp(base, LIBDLAZY, strlen(LIBDLAZY)) != 0)
		return 0;
	*(const char **)data = info->dlpi_name;
	return 1;
}

static bool find_functions(void *handle, struct peer *ret)
{
	const struct {
		const char *name;
		void *place;
	} functions[] = {
		{"dlazy_linked_ask", &ret->ask},
		{"dlazy_linked_available", &ret->available},
		{"dlazy_linked_has", &ret->has},
		{"dlazy_linked_load", &ret->load},
		{"dlazy_linked_error", &ret->error},
		{"dlazy_linked_module", &ret->module},
		{"dlazy_linked_on_failure", &ret->on_failure},
		{"dlazy_linked_on_load", &ret->on_load},
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *found = dlsym(handle, functions[i].name);

		if (!found)
			return false;
		memcpy(functions[i].place, &found, sizeof(found));
	}
	return true;
}

const struct peer *peer_find(void)
{
	const char *path = NULL;
	struct peer found;

	if (is_known)
		return &peer;
	dl_iterate_phdr(find_path, &path);
	void *handle = path ? dlopen(path, RTLD_LAZY | RTLD_NOLOAD) : NULL;
	if (!handle || !find_functions(handle, &found))
		return NULL;
	/* Several threads write the same. */
	peer = found;
	is_known = 1;
	return &peer;
}

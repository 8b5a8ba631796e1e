/* SPDX-License-Identifier: MIT */
/*
 * The directories that ld.so has built in. They cannot be asked of it without
 * running it, so they are derived from the system: the multiarch directory
 * (Debian and its kin), else lib64 (where 64-bit libraries have their own),
 * else lib. One directory too many does no harm: a library of another class or
 * machine is passed over.
 */
#include "elf/places.h"

#include "base/file.h"
#include "base/status.h"
#include "elf/hwcaps.h"
#include "elf/machine.h"
#include "elf/started.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#ifdef __GLIBC__
#define CACHE_FILE "/etc/ld.so.cache"
#endif

static int add_directory(struct places *places, const char *prefix,
			 const char *lib)
{
	char *path;

	if (asprintf(&path, "%s/%s", prefix, lib) < 0)
		return status_no_memory(NULL);
	places->directories[places->directory_count++] = path;
	return 0;
}

/* 1: it is one; 0: it is none; or a state. */
static int is_directory(const char *prefix, const char *lib)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", prefix, lib);
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode);
	int status = status_from_errno(errno);
	return status_is_state(status)
		       ? status_fail(status, "%s: %s", path, strerror(errno))
		       : 0;
}

static int has_lib(const char *lib)
{
	int r = is_directory("", lib);

	return r ? r : is_directory("/usr", lib);
}

static int find_lib(struct places *places)
{
	const char *multiarch = machine_multiarch();
	int r = 0;

	snprintf(places->lib, sizeof(places->lib), "lib/%s", multiarch);
	if (*multiarch)
		r = has_lib(places->lib);
	if (r != 0)
		return r;
	if (machine_is_wide())
		r = has_lib("lib64");
	strcpy(places->lib, r > 0 ? "lib64" : "lib");
	return r;
}

#ifdef __GLIBC__

static int add_places(struct places *places)
{
	int r = 0;

	if (strcmp(places->lib, "lib") != 0)
		r = add_directory(places, "", places->lib);
	if (r == 0 && strcmp(places->lib, "lib") != 0)
		r = add_directory(places, "/usr", places->lib);
	if (r == 0)
		r = add_directory(places, "", "lib");
	if (r == 0)
		r = add_directory(places, "/usr", "lib");
	return r < 0 ? r : ldcache_open(&places->cache, CACHE_FILE);
}

#else

/* musl: no cache, and these unless /etc/ld-musl-*.path says else. */
static int add_places(struct places *places)
{
	int r = add_directory(places, "", "lib");

	if (r == 0)
		r = add_directory(places, "/usr/local", "lib");
	return r < 0 ? r : add_directory(places, "/usr", "lib");
}

#endif

int places_open(struct places *places)
{
	*places = (struct places){
		.library_path = started_library_path(),
		.hwcaps = hwcaps_active(),
	};
	int r = find_lib(places);

	return r < 0 ? r : add_places(places);
}

#ifdef __GLIBC__
bool places_are_fresh(const struct places *places)
{
	return ldcache_is_fresh(&places->cache, CACHE_FILE);
}
#else
bool places_are_fresh(const struct places *places)
{
	(void)places;
	return false;
}
#endif

void places_begin(struct places *places)
{
	places->library_path = started_library_path();
	places->program = NULL;
	places->denied = false;
}

void places_close(struct places *places)
{
	for (size_t i = 0; i < places->directory_count; i++)
		free(places->directories[i]);
	ldcache_close(&places->cache);
}

/* The length of a token of that name at `at` (behind the $), or 0. */
static size_t token_length(const char *at, const char *end, const char *name)
{
	bool braces = at < end && *at == '{';
	size_t n = strlen(name);

	at += braces;
	if ((size_t)(end - at) < n || memcmp(at, name, n) != 0)
		return 0;
	const char *behind = at + n;
	if (braces)
		return behind < end && *behind == '}' ? n + 2 : 0;
	return behind < end && (isalnum((unsigned char)*behind) ||
				*behind == '_')
		       ? 0
		       : n;
}

struct expansion {
	char *to;
	size_t room; /* the NUL's byte included */
};

static bool put(struct expansion *expansion, const char *text, size_t n)
{
	if (n >= expansion->room)
		return false;
	memcpy(expansion->to, text, n);
	expansion->to += n;
	expansion->room -= n;
	return true;
}

static bool put_origin(struct expansion *expansion, const char *origin)
{
	const char *base = file_base_name(origin);

	if (getauxval(AT_SECURE) || !*origin)
		return false;
	if (base == origin)
		return put(expansion, ".", 1);
	if (base - origin == 1)
		return put(expansion, "/", 1);
	return put(expansion, origin, (size_t)(base - origin) - 1);
}

static bool put_text(struct expansion *expansion, const char *text)
{
	return put(expansion, text, strlen(text));
}

static const char *platform(void)
{
	const char *name = (const char *)getauxval(AT_PLATFORM);

	return name ? name : "";
}

bool places_expand(const struct places *places, const char *element, size_t n,
		   const char *origin, char ret[PATH_MAX])
{
	struct expansion expansion = {ret, PATH_MAX};
	const char *at = element, *end = element + n;

	while (at < end) {
		size_t length;
		bool fits;

		if (*at++ != '$')
			fits = put(&expansion, at - 1, 1), length = 0;
		else if ((length = token_length(at, end, "ORIGIN")))
			fits = put_origin(&expansion, origin);
		else if ((length = token_length(at, end, "LIB")))
			fits = put_text(&expansion, places->lib);
		else if ((length = token_length(at, end, "PLATFORM")))
			fits = put_text(&expansion, platform());
		else
			fits = put(&expansion, "$", 1);
		if (!fits)
			return false;
		at += length;
	}
	*expansion.to = '\0';
	return true;
}

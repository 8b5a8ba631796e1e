/* SPDX-License-Identifier: MIT */
/*
 * A library is named as packagers know it, by its SONAME; a file without one (a
 * plugin) by its name. How important it is to the program, only the program's
 * author knows: "recommended" is what `dlazy stub` says, too.
 */
#include "cli/trace/dlopened.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/status.h"
#include "elf/view.h"

#include <fcntl.h>
#include <string.h>

static void print_entry(struct json *j, const char *soname)
{
	json_begin_object(j);
	json_begin_array_at(j, "soname");
	json_string(j, soname);
	json_end_array(j);
	json_string_at(j, "feature", soname);
	json_string_at(j, "priority", "recommended");
	json_end_object(j);
}

/* If it is the first of its name. */
static void print_object(struct json *j, const struct trace_object *o,
			 struct map *seen)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	const char *soname = "";

	if (file_open(AT_FDCWD, o->path, &fd, NULL) == 0 &&
	    elf_view_open(fd, o->path, &view) == 0)
		soname = elf_view_soname(view);
	status_clear();
	if (!*soname)
		soname = file_base_name(o->path);
	uint64_t key = hash_string(soname);
	if (map_get(seen, key))
		return;
	map_put(seen, key, (void *)o);
	print_entry(j, soname);
}

void trace_print_dlopened(struct json *j, const struct trace *all, size_t count)
{
	struct map seen = {0};

	json_begin_array(j);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < all[i].object_count; k++)
			if (all[i].objects[k].why == TRACEBUF_DLOPEN)
				print_object(j, &all[i].objects[k], &seen);
	json_end_array(j);
	map_clear(&seen);
}

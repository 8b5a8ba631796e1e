/* SPDX-License-Identifier: MIT */
/* libFuzzer: the bytes are a library, twice in one stub file; what that is to
 * export must be found in it. Built and run by tests/fuzz/run. */
#include "base/cleanup.h"
#include "link/stubfile/stubfile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct elf_view *view_of(const void *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("file", MFD_CLOEXEC);
	struct elf_view *view = NULL;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return NULL;
	return elf_view_open(fd, "file", &view) < 0 ? NULL : view;
}

static void check(const struct stubfile *file, const struct library *library)
{
	_cleanup_elf_view_ struct elf_view *view =
		view_of(file->data, file->size);
	struct elf_symbol found;

	for (size_t i = 0; i < library->symbol_count; i++) {
		const struct library_symbol *s = &library->symbols[i];
		const char *version = *s->version ? s->version : NULL;

		/* Of a hidden one without version there is no lookup. */
		if (!s->why_not && (version || s->is_default) &&
		    !elf_view_find(view, s->name, version, &found))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct stubfile_run run = {"/nowhere", "/nowhere/record"};
	struct stubfile_options options = {.cpu = ELF_CPU_X86_64};
	struct elf_view *view = view_of(data, size);
	struct library libraries[2];
	struct stubfile file;

	if (!view || library_of_view(view, "/nowhere/lib", &libraries[0]) < 0)
		return 0;
	libraries[1] = libraries[0];
	if (stubfile_native() == ELF_CPU_AARCH64)
		options.cpu = ELF_CPU_AARCH64;
	if (stubfile_combined(libraries, 2, &run, &options, &file) == 0) {
		check(&file, &libraries[0]);
		stubfile_clear(&file);
	}
	if (stubfile_object(libraries, &options, &file) == 0)
		stubfile_clear(&file);
	library_clear(&libraries[0]);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* libFuzzer: the bytes are a list of symbols, of which stub files are made.
 * Built and run by tests/fuzz/run. */
#include "base/cleanup.h"
#include "link/stubfile/stubfile.h"

#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct stubfile_options options = {
		.cpu = (enum elf_cpu)(size % ELF_CPU_COUNT),
		.note = {"fuzzing", NULL, "suggested"},
	};
	_cleanup_close_ int fd = memfd_create("list", MFD_CLOEXEC);
	struct library library;
	struct stubfile file;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (library_read_list(path, "libx.so.1", &library) < 0)
		return 0;
	if (stubfile_archive(&library, &options, &file) == 0)
		stubfile_clear(&file);
	if (stubfile_shared(&library, &options, &file) == 0)
		stubfile_clear(&file);
	library_clear(&library);
	return 0;
}

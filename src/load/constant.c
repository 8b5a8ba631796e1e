/* SPDX-License-Identifier: MIT */
/*
 * Reading a constant object of a module from its file, whether the module is loaded
 * or not.
 */
#include "load/constant.h"

#include "base/cleanup.h"
#include "elf/constant.h"
#include "load/bind.h"

#include <fcntl.h>

ptrdiff_t constant_read(struct dlazy_module *m, const char *symbol,
			void *buffer, size_t size, bool initial)
{
	_cleanup_(bind_request_free) struct bind_request name = {.name = NULL};
	_cleanup_close_ int fd = -1;
	const char *path = m->path;
	uint64_t found;

	if (module_is_builtin(m))
		return status_fail(
			DLAZY_EKIND,
			"%s: built into the program: \"%s\" is in no "
			"file of its own",
			m->name, symbol);
	int status = bind_parse(symbol, &name);
	if (status == 0)
		status = file_open(AT_FDCWD, path, &fd, NULL);
	if (status < 0)
		return status;
	struct constant_request request = {.symbol = name.name,
					   .version = name.version,
					   .initial = initial};
	status = elf_constant_read(fd, path, &request, buffer, size, &found);
	return status < 0 ? status : (ptrdiff_t)found;
}

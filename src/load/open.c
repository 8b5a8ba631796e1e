/* SPDX-License-Identifier: MIT */
/*
 * A name becomes a path as the dynamic linker would find it for the object that
 * calls; a path becomes a module, which is loaded only if that was asked for.
 */
#include "load/open.h"

#include "base/cleanup.h"
#include "elf/search.h"
#include "load/check.h"
#include "load/dl.h"
#include "load/load.h"
#include "load/policy.h"

#include <dlazy/lifecycle.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int locate_name(const char *name, const struct search_origin *origin,
		       char **ret)
{
	if (strchr(name, '/')) {
		*ret = file_absolute(name);
		return *ret ? 0 : status_last();
	}
	*ret = dl_loaded_path(name);
	return *ret ? 0 : search_library(name, origin, ret);
}

int open_locate(const char *path, const void *caller, char **ret)
{
	_cleanup_free_ char *expanded = NULL;

	if (strchr(path, '/') && !strchr(path, '$'))
		return locate_name(path, NULL, ret);
	struct search_origin program, origin = dl_origin_of(caller);
	origin.program = dl_program_origin(&program) ? &program : NULL;
	if (strchr(path, '$') && access(path, F_OK) < 0) {
		int status = search_expand(path, origin.path, &expanded);
		if (status < 0)
			return status;
		path = expanded;
	}
	return locate_name(path, &origin, ret);
}

/* Is the object in the process, whoever loaded it? */
static bool is_loaded(const char *path)
{
	_cleanup_free_ char *loaded = dl_loaded_path(path);

	if (!loaded)
		status_fail(DLAZY_ENOENT, "%s: not loaded (RTLD_NOLOAD)", path);
	return loaded;
}

/*
 * Whether the path is the name of a descriptor (/proc/self/fd/N), or the file
 * has none: when it is looked for again, the descriptor may be closed, and its
 * number another file's.
 */
static bool is_fleeting(const char *path)
{
	_cleanup_free_ char *directory =
		strndup(path, (size_t)(file_base_name(path) - path));
	struct statfs fs;
	struct stat st;

	return (directory && statfs(directory, &fs) == 0 &&
		fs.f_type == PROC_SUPER_MAGIC) ||
	       (stat(path, &st) == 0 && st.st_nlink == 0);
}

/* A failure is the module's to remember. */
static void obey_files(struct dlazy_module *m, const struct touch *touch)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	if (policy_by_files(m) == DLAZY_POLICY_EAGER &&
	    load_module(m, touch, &loaded) < 0)
		status_clear();
}

static struct dlazy_module *open_file(const char *path, int flags,
				      const void *caller, bool hold)
{
	struct module_declaration declaration = {
		.path = path, .flags = flags, .by = caller};
	struct touch touch = {.caller = caller};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	struct dlazy_module *m;

	if (module_declare(&declaration, false, &m, NULL) < 0)
		return NULL;
	bool early = flags & DLAZY_EAGER || module_flags_global(flags) ||
		     module_mode() != MODULE_LAZY ||
		     (flags & DLAZY_CHECK && is_fleeting(path));
	if ((!(flags & DLAZY_CHECK) || load_check_module(m, NULL) == 0) &&
	    (!early || load_module(m, &touch, &loaded) == 0) &&
	    load_promote(m) == 0) {
		module_confirm_open(m, flags, caller);
		if (hold)
			module_hold(m);
		if (!early)
			obey_files(m, &touch);
		return m;
	}
	module_undo_open(m, caller);
	return NULL;
}

struct dlazy_module *open_module(const char *path, int flags,
				 const void *caller, bool hold)
{
	_cleanup_free_ char *absolute = NULL;

	if (module_check_flags(flags) < 0 ||
	    open_locate(path, caller, &absolute) < 0 ||
	    (dl_flags_noload(flags) && !is_loaded(absolute)))
		return NULL;
	return open_file(absolute, flags, caller, hold);
}

struct dlazy_module *open_again(const char *path, int flags, const void *caller)
{
	_cleanup_free_ char *absolute = NULL;
	struct file_identity identity;

	if (open_locate(path, caller, &absolute) == 0 &&
	    file_identify(AT_FDCWD, absolute, &identity) == 0 &&
	    module_is_open(&identity))
		return open_file(absolute, flags, caller, false);
	status_clear();
	return NULL;
}

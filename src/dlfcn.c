/* SPDX-License-Identifier: MIT */
/*
 * <dlazy/dlfcn.h>: the functions of dlopen's family, for handles of ours and of
 * the dynamic linker's alike. A handle is ours if it is, or was, a module: one
 * that has been closed is an error here, and never given to the linker.
 *
 * dlerror() tells of the last of these calls, if that failed. What the dynamic
 * linker itself was asked leaves its words where they are; each call begins by
 * forgetting both.
 */
#include <dlazy/dlfcn.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "fork.h"
#include "load/absent.h"
#include "load/bind.h"
#include "load/dl.h"
#include "load/load.h"
#include "load/module.h"
#include "load/open.h"

#include <stdbool.h>
#include <stdio.h>

#define CALLER() __builtin_return_address(0)

/* The linker was asked what we could not tell, and its answer counts. */
static _Thread_local bool linker_decides;

static void forget_errors(void)
{
	linker_decides = false;
	status_clear();
	status_drop_kept();
	dl_host_error();
}

/* NULL may be no failure. */
static void *given(void *result)
{
	if (!result && status_is_pending())
		status_keep();
	if (!result)
		status_publish();
	return result;
}

static int told(int status)
{
	if (status >= 0)
		return 0;
	given(NULL);
	return -1;
}

/* Whether the last dlclose() unloads it. */
static int ends(int flags)
{
	return flags & RTLD_NODELETE ? 0 : DLAZY_DISCARD;
}

static struct dlazy_module *open_path(const char *path, int flags,
				      const void *caller)
{
	if (flags & (RTLD_LAZY | RTLD_NOW))
		return open_module(path, flags | DLAZY_CHECK | ends(flags),
				   caller, true);
	status_fail(DLAZY_EINVAL, "dlopen: %s: neither RTLD_LAZY nor RTLD_NOW",
		    path);
	return NULL;
}

/* The file, or one that it needs, is not there for us. The linker opens files
 * by itself, where a preloaded open() hides some of them from everybody else. */
static bool is_for_linker(void)
{
	int status = status_last();

	return status == -DLAZY_ENOENT || status == -DLAZY_EDEPEND;
}

void *dlazy_dlopen(const char *path, int flags)
{
	fork_begin();
	forget_errors();
	if (!path || !path[0])
		return dl_host_open(path, flags);
	void *open =
		flags & RTLD_NOLOAD
			? open_again(path, (flags & ~RTLD_NOLOAD) | ends(flags),
				     CALLER())
			: open_path(path, flags, CALLER());
	if (open)
		return open;
	linker_decides = flags & RTLD_NOLOAD || is_for_linker();
	given(NULL);
	return linker_decides ? dl_host_open(path, flags) : NULL;
}

void *dlazy_dlsym(void *handle, const char *symbol)
{
	struct dlazy_module *m = handle;
	uint64_t key = absent_key(m, symbol);

	forget_errors();
	if (absent_is_known(key)) {
		bind_absent(m, symbol);
		return given(NULL);
	}
	if (!module_is_known(m))
		return dl_host_symbol(handle, symbol);
	if (module_check(m, "dlsym") < 0)
		return given(NULL);
	void *found = bind_sym(m, symbol, true, CALLER());
	if (!found && status_is_pending() && status_last() == -DLAZY_ENOSYM)
		absent_note(key);
	return given(found);
}

void *dlazy_dlvsym(void *handle, const char *symbol, const char *version)
{
	struct dlazy_module *m = handle;
	_cleanup_free_ char *versioned = NULL;

	forget_errors();
	if (!module_is_known(m))
		return dl_host_version(handle, symbol, version);
	if (module_check(m, "dlvsym") < 0)
		return given(NULL);
	if (asprintf(&versioned, "%s@%s", symbol, version) < 0) {
		versioned = NULL;
		status_no_memory(symbol);
		return given(NULL);
	}
	return given(bind_sym(m, versioned, true, CALLER()));
}

int dlazy_dlclose(void *handle)
{
	struct dlazy_module *m = handle;

	forget_errors();
	if (!module_is_known(m))
		return dl_host_close(handle);
	int status = module_check(m, "dlclose");
	if (status == 0)
		status = module_close(m, CALLER());
	if (status == 0)
		load_close(m);
	return told(status);
}

char *dlazy_dlerror(void)
{
	const char *said = status_take_kept();
	char *host = said && !linker_decides ? NULL : dl_host_error();

	/* Ours are better words, for what went wrong. */
	return said && (host || !linker_decides) ? (char *)(uintptr_t)said
						 : host;
}

int dlazy_dlinfo(void *handle, int request, void *arg)
{
	struct dlazy_module *m = handle;
	struct touch touch = {.caller = CALLER()};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	forget_errors();
	if (!module_is_known(m))
		return dl_host_info(handle, request, arg);
	int status = module_check(m, "dlinfo");
	if (status == 0)
		status = load_module(m, &touch, &loaded);
	if (status == 0 && !loaded.handle)
		status = status_fail(DLAZY_EINVAL, "dlinfo: %s is built in",
				     m->name);
	return status < 0 ? told(status)
			  : dl_host_info(loaded.handle, request, arg);
}

int dlazy_dladdr(const void *address, Dl_info *info)
{
	void *behind;
	int status = bind_behind_stub(address, CALLER(), &behind);

	if (status < 0) {
		status_clear();
		return status == -DLAZY_ENOSYM ? dl_host_address(address, info)
					       : 0;
	}
	int known = dl_host_address(behind, info);
	if (known && info->dli_saddr == behind)
		info->dli_saddr = (void *)(uintptr_t)address;
	return known;
}

/* SPDX-License-Identifier: MIT */
/*
 * Data of lazy libraries, bound through a stub file. While the dynamic linker
 * relocates an object, it calls the stub file's resolvers for their addresses.
 * That object may be the very library whose data they are, as the stub file
 * comes before it in the global scope.
 */
#include "stub/linked.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "elf/view.h"
#include "load/bind.h"
#include "load/dl.h"
#include "load/failure.h"
#include "load/load.h"
#include "load/loading.h"
#include "runtime/module.h"
#include "runtime/touched.h"

#include <errno.h>
#include <fcntl.h>

/*
 * A library that is being loaded asks for its own data, as often as it has
 * relocations to them. Its handle is the one that the load in progress will
 * get, so it needs no reference of its own; it holds while nothing is loaded
 * or unloaded.
 */
static _Thread_local struct {
	const struct dlazy_module *module;
	void *handle;
	struct dl_changes changes;
} early __attribute__((tls_model("initial-exec")));

static void *early_handle(const struct dlazy_module *m)
{
	if (early.module != m)
		return NULL;
	struct dl_changes now = dl_changes();
	bool same = now.loaded == early.changes.loaded &&
		    now.unloaded == early.changes.unloaded;

	return same ? early.handle : NULL;
}

/* The library's handle, perhaps of one that is not LOADED yet. */
static int open_data(const struct linked_question *q, struct load_handle *ret)
{
	void *handle = early_handle(q->module);

	*ret = (struct load_handle){handle, true, false};
	if (handle)
		return 0;
	linked_tell_touch(q);
	int status = load_module(q->module, &q->touch, ret);
	if (status < 0)
		return status;
	if (ret->published) {
		linked_count(q->linked, q->module, false);
		return 0;
	}
	early.module = q->module;
	early.handle = ret->handle;
	early.changes = dl_changes();
	/* Who gets the data relies on the library for good. (A reference while
	 * we load it would keep it mapped if that failed.) */
	ret->published = !loading_has_module(q->module);
	return 0;
}

/* What this thread is asking the linker for. */
struct asked {
	const void *name;
	const struct asked *outer;
};

static _Thread_local const struct asked *asked
	__attribute__((tls_model("initial-exec")));

/* If the library does not have the symbol (any more), what the linker finds is
 * our own IFUNC, and that would ask the linker. */
static bool is_asked(const void *name)
{
	for (const struct asked *a = asked; a; a = a->outer)
		if (a->name == name)
			return true;
	return false;
}

/* Where its file says that the data are, from the load address. */
static bool offset_of_data(const struct linked_question *q,
			   const struct elf_view *view, uintptr_t *ret)
{
	struct elf_symbol symbol;

	if (!elf_view_find(view, q->request.name, q->request.version,
			   &symbol) ||
	    symbol.type == ELF_TYPE_IFUNC || symbol.type == ELF_TYPE_TLS)
		return false;
	*ret = (uintptr_t)symbol.value;
	return true;
}

/*
 * A library that nobody has opened by its stubs may be there all the same: as
 * what another needs, if that was found past the stub file (an RPATH came
 * first, or the stub file's directory is gone). Perhaps it is just what is being
 * relocated; to open it would do that a second time, make it read-only, and the
 * linker would go on writing to it. So it is not opened, and nothing keeps it
 * mapped: who opened it by its path must not close it.
 */
static bool find_mapped_data(const struct linked_question *q, void **ret)
{
	const char *path = module_object(q->module);
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;
	uintptr_t base, offset;
	size_t size;

	if (atomic_load(&q->module->handle) || loading_has_module(q->module) ||
	    !dl_load_address(path, NULL, 0, &base))
		return false;
	if (file_open(AT_FDCWD, path, &fd, NULL) < 0 ||
	    elf_view_open(fd, path, &view) < 0 ||
	    !offset_of_data(q, view, &offset))
		return false;
	const uint8_t *id = elf_view_build_id(view, &size);
	if (!dl_load_address(path, id, size, &base))
		return false;
	*ret = (void *)(base + offset);
	touched_count(q->linked, false);
	return true;
}

static int find_data(const struct linked_question *q, void **ret)
{
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};
	struct asked this = {q->name, asked};

	if (find_mapped_data(q, ret))
		return 0;
	status_clear();
	int status = open_data(q, &loaded);

	if (status == 0) {
		asked = &this;
		status = dl_symbol(loaded.handle, q->request.name,
				   q->request.version, ret);
		asked = this.outer;
	}
	return linked_judge(q, status, *ret);
}

static void relocating_end(const bool *before)
{
	dl_set_relocating(*before);
}

/* NULL, and *ret_failure: they are not to be had. */
static void *data_miss(const struct linked *l, uint32_t symbol,
		       const void *caller, struct stub_failure *ret_failure)
{
	UNINTERRUPTED();
	_cleanup_question_ struct linked_question q =
		linked_question(l, symbol);
	void *address = NULL;

	q.touch.relocating = true;
	int status = linked_question_begin(&q, caller);
	if (status == 0)
		status = find_data(&q, &address);
	if (status == 0)
		return address;
	failure_prepare(q.module, &q.touch, status, ret_failure);
	return NULL;
}

void *dlazy_linked_data(const struct linked *l, uint32_t symbol)
{
	struct stub_failure failure;
	int saved = errno;

	if (is_asked(linked_question(l, symbol).name))
		return NULL;
	_cleanup_(relocating_end) bool before = dl_set_relocating(true);
	void *address =
		data_miss(l, symbol, __builtin_return_address(0), &failure);
	if (!address)
		address = failure_instead(&failure);
	errno = saved;
	return address;
}

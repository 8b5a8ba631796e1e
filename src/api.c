/* SPDX-License-Identifier: MIT */
/*
 * The public functions: arguments are checked here, once, and said to be wrong
 * in words; what lies below asserts.
 */
#include <dlazy/dlazy.h>
#include <dlazy/lifecycle.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "base/file.h"
#include "base/status.h"
#include "fork.h"
#include "ledger/ledger.h"
#include "load/bind.h"
#include "load/call.h"
#include "load/check.h"
#include "load/constant.h"
#include "load/dl.h"
#include "load/failure.h"
#include "load/fallback.h"
#include "load/forbid.h"
#include "load/import.h"
#include "load/load.h"
#include "load/metadata.h"
#include "load/onload.h"
#include "load/open.h"
#include "load/policy.h"
#include "load/reload.h"
#include "load/seal.h"
#include "load/use.h"
#include "registry/early.h"
#include "registry/job.h"
#include "registry/prefetch.h"
#include "registry/provider.h"
#include "registry/query.h"
#include "registry/refresh.h"
#include "registry/registry.h"
#include "registry/residency.h"
#include "runtime/file.h"
#include "runtime/module.h"
#include "stub/linked.h"
#include "stub/pool.h"

#include <fcntl.h>
#include <string.h>

/* The address in the host's code from which we were called. */
#define CALLER() __builtin_return_address(0)

/* What a public function returns goes through one of these two: a failure is
 * told to the host. */
static int told(int status)
{
	if (status < 0)
		status_publish();
	return status;
}

static void *given(void *result)
{
	if (!result)
		status_publish();
	return result;
}

static int missing(const char *function, const char *what)
{
	return status_fail(DLAZY_EINVAL, "%s: %s", function, what);
}

static int load(struct dlazy_module *m, const void *caller, bool again)
{
	struct touch touch = {.caller = caller, .again = again};
	_cleanup_load_ struct load_handle loaded = {NULL, true, false};

	return load_module(m, &touch, &loaded);
}

struct dlazy_module *dlazy_open(const char *path, int flags)
{
	struct dlazy_module *m = NULL;

	fork_begin();
	policy_begin();
	if (path && path[0])
		m = open_module(path, flags, CALLER(), false);
	else
		missing("dlazy_open", "path is NULL or empty");
	if (m && policy_by_files(m) == DLAZY_POLICY_PREFETCH &&
	    prefetch_module(m, CALLER()) < 0)
		status_clear();
	return given(m);
}

static bool is_symbol(struct dlazy_module *m, const char *symbol,
		      const char *function)
{
	status_clear(); /* NULL may be no failure */
	if (module_check(m, function) < 0)
		return false;
	if (!symbol)
		missing(function, "symbol is NULL");
	return symbol != NULL;
}

void *dlazy_sym(struct dlazy_module *m, const char *symbol)
{
	return given(is_symbol(m, symbol, "dlazy_sym")
			     ? bind_sym(m, symbol, false, CALLER())
			     : NULL);
}

void *dlazy_sym_closure(struct dlazy_module *m, const char *symbol)
{
	return given(is_symbol(m, symbol, "dlazy_sym_closure")
			     ? bind_sym(m, symbol, true, CALLER())
			     : NULL);
}

void *dlazy_resolve(struct dlazy_module *m, const char *symbol)
{
	return given(is_symbol(m, symbol, "dlazy_resolve")
			     ? bind_resolve(m, symbol, CALLER())
			     : NULL);
}

static ptrdiff_t read_constant(struct dlazy_module *m, const char *symbol,
			       void *buf, size_t size, int flags)
{
	int status = module_check(m, "dlazy_read_constant");

	if (status < 0)
		return status;
	if (!symbol || (size && !buf) || flags & ~DLAZY_READ_INITIAL)
		return missing("dlazy_read_constant",
			       "symbol or buffer is missing, or a flag is "
			       "unknown");
	return constant_read(m, symbol, buf, size, flags & DLAZY_READ_INITIAL);
}

ptrdiff_t dlazy_read_constant(struct dlazy_module *m, const char *symbol,
			      void *buf, size_t size, int flags)
{
	ptrdiff_t found = read_constant(m, symbol, buf, size, flags);

	if (found < 0)
		status_publish();
	return found;
}

int dlazy_load(struct dlazy_module *m)
{
	int status = module_check(m, "dlazy_load");

	return told(status < 0 ? status : load(m, CALLER(), true));
}

int dlazy_check(struct dlazy_module *m)
{
	int status = module_check(m, "dlazy_check");

	return told(status < 0 ? status
			       : load_check_module(m, registry_defines));
}

int dlazy_prefetch(struct dlazy_module *m)
{
	int status = module_check(m, "dlazy_prefetch");

	return told(status < 0 ? status : prefetch_module(m, CALLER()));
}

static struct dlazy_job *load_async(struct dlazy_module *const *m, size_t n,
				    int flags, const void *caller)
{
	if ((n && !m) || flags & ~DLAZY_WARM) {
		missing("dlazy_load_async",
			"modules are NULL, or a flag is unknown");
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (module_check(m[i], "dlazy_load_async") < 0)
			return NULL;
	return job_start(m, n, flags, caller);
}

struct dlazy_job *dlazy_load_async(struct dlazy_module *const *m, size_t n,
				   int flags)
{
	return given(load_async(m, n, flags, CALLER()));
}

int dlazy_job_fd(struct dlazy_job *j)
{
	return told(j ? job_fd(j) : missing("dlazy_job_fd", "job is NULL"));
}

ptrdiff_t dlazy_job_next(struct dlazy_job *j, int *ret_status)
{
	status_clear(); /* that there is none is no failure */
	ptrdiff_t i = j ? job_next(j, ret_status)
			: missing("dlazy_job_next", "job is NULL");

	status_publish();
	return i;
}

int dlazy_job_raise(struct dlazy_job *j, size_t i)
{
	return told(j ? job_raise(j, i)
		      : missing("dlazy_job_raise", "job is NULL"));
}

void dlazy_job_free(struct dlazy_job *j)
{
	if (j)
		job_free(j);
}

int dlazy_unload(struct dlazy_module *m)
{
	int status = module_check(m, "dlazy_unload");

	return told(status < 0 ? status : load_discard(m));
}

int dlazy_reload(struct dlazy_module *m)
{
	status_clear();
	int status = module_check(m, "dlazy_reload");

	if (status == 0)
		status = reload_module(m, CALLER());
	if (status == 0)
		registry_reloaded(m);
	status_publish(); /* with 0, too, there may be words */
	return status;
}

int dlazy_pin(struct dlazy_module *m)
{
	int status = use_pin(m);

	return status < 0 ? told(status) : 0;
}

int dlazy_unpin(struct dlazy_module *m)
{
	int status = use_unpin(m);

	return status < 0 ? told(status) : 0;
}

int dlazy_close(struct dlazy_module *m)
{
	int status = module_check(m, "dlazy_close");

	return told(status < 0 ? status : module_close(m, CALLER()));
}

enum dlazy_state dlazy_module_state(struct dlazy_module *m)
{
	if (!module_is_valid(m))
		return DLAZY_FAILED;
	return (enum dlazy_state)atomic_load_explicit(&m->state,
						      memory_order_acquire);
}

const char *dlazy_module_name(struct dlazy_module *m)
{
	return module_is_valid(m) ? m->name : NULL;
}

const char *dlazy_module_path(struct dlazy_module *m)
{
	return module_is_valid(m) ? m->path : NULL;
}

/* *ret NULL: it has none. */
static int documented(struct dlazy_module *m, const char *function,
		      const struct document **ret)
{
	status_clear(); /* NULL may be no failure */
	int status = module_check(m, function);
	return status < 0 ? status : registry_metadata(m, ret);
}

const char *dlazy_module_metadata(struct dlazy_module *m)
{
	const struct document *document = NULL;
	int status = documented(m, "dlazy_module_metadata", &document);

	status_publish();
	return status == 0 && document ? document_text(document) : NULL;
}

const char *dlazy_module_property(struct dlazy_module *m, const char *key)
{
	const struct document *document = NULL;
	int status = documented(m, "dlazy_module_property", &document);

	if (status == 0 && !key)
		status = missing("dlazy_module_property", "key is NULL");
	status_publish();
	return status == 0 && document ? document_property(document, key)
				       : NULL;
}

const char *dlazy_version(void)
{
	return PACKAGE_VERSION;
}

const char *dlazy_error(void)
{
	return status_take_published();
}

int dlazy_last_status(void)
{
	return status_published();
}

struct dlazy_registry *dlazy_registry_new(void)
{
	fork_begin();
	require_ask_registries(provider_of_required, registry_metadata);
	policy_begin();
	return given(registry_new());
}

void dlazy_registry_free(struct dlazy_registry *r)
{
	if (r)
		registry_free(r);
}

/* A directory as a registry knows it, malloc'd; NULL with message. */
static char *directory_path(const char *dir)
{
	char *absolute = file_absolute(dir);

	for (size_t n = absolute ? strlen(absolute) : 0;
	     n > 1 && absolute[n - 1] == '/'; n--)
		absolute[n - 1] = '\0';
	return absolute;
}

static int add_dir(struct dlazy_registry *r, const char *dir, int flags,
		   const void *caller)
{
	_cleanup_free_ char *absolute = NULL;

	if (!r || !dir || !dir[0])
		return missing("dlazy_registry_add_dir",
			       "registry or directory is missing");
	int status = module_check_flags(flags & ~DLAZY_RECURSIVE);
	if (status < 0)
		return status;
	absolute = directory_path(dir);
	if (!absolute)
		return status_last();
	return registry_add_dir(r, absolute, flags, caller);
}

int dlazy_registry_add_dir(struct dlazy_registry *r, const char *dir, int flags)
{
	int status = add_dir(r, dir, flags, CALLER());

	if (status == 0)
		early_load(r, CALLER());
	return told(status);
}

static bool is_same_directory(const char *a, const char *b)
{
	struct file_identity one, other;
	bool both = file_identify(AT_FDCWD, a, &one) == 0 &&
		    file_identify(AT_FDCWD, b, &other) == 0;

	if (!both)
		status_clear();
	return both && one.dev == other.dev && one.ino == other.ino;
}

/* 1: the directory stands in a path before `end`, by whatever name; 0, or a negated
 * status. */
static int is_named_before(const char *path, const char *end, const char *dir)
{
	size_t n;

	for (; path < end; path += n + 1) {
		n = strcspn(path, ":");
		_cleanup_free_ char *part = strndup(path, n);
		if (!part)
			return status_no_memory(NULL);
		if (n && is_same_directory(part, dir))
			return 1;
	}
	return 0;
}

/* 1, or 0: it is not there, or was added before, or another negated status. */
static int add_dir_of_path(struct dlazy_registry *r, const char *path,
			   const char *dir, size_t n, int flags,
			   const void *caller)
{
	_cleanup_free_ char *own = strndup(dir, n);

	if (!own)
		return status_no_memory(NULL);
	int status = is_named_before(path, dir, own);
	if (status != 0)
		return status < 0 ? status : 0;
	status = add_dir(r, own, flags, caller);
	if (status != -DLAZY_ENOENT)
		return status < 0 ? status : 1;
	status_clear();
	return 0;
}

static int add_path(struct dlazy_registry *r, const char *path, int flags,
		    const void *caller)
{
	const char *part = path;
	int added = 0;

	if (!r || !path)
		return missing("dlazy_registry_add_path",
			       "registry or path is missing");
	int status = module_check_flags(flags & ~DLAZY_RECURSIVE);
	while (status >= 0 && *part) {
		size_t n = strcspn(part, ":");
		if (n)
			status = add_dir_of_path(r, path, part, n, flags,
						 caller);
		if (n && status > 0)
			added++;
		part += n + (part[n] == ':');
	}
	return status < 0 ? status : added;
}

int dlazy_registry_add_path(struct dlazy_registry *r, const char *path,
			    int flags)
{
	int added = add_path(r, path, flags, CALLER());

	/* What a plugin requires may be in a directory behind its own. */
	if (added > 0)
		early_load(r, CALLER());
	return told(added);
}

int dlazy_registry_interface(struct dlazy_registry *r, const char *name,
			     unsigned major, unsigned minor)
{
	if (!r || !name || !name[0])
		return told(missing("dlazy_registry_interface",
				    "registry or name is missing"));
	return told(registry_interface(r, name, major, minor));
}

static int add_file(struct dlazy_registry *r, const char *name,
		    const char *path, int flags, const void *caller)
{
	_cleanup_free_ char *absolute = NULL;

	if (!r || !path || !path[0] || (name && !name[0]))
		return missing("dlazy_registry_add_file",
			       "registry, name or path is missing");
	int status = module_check_flags(flags);
	if (status == 0)
		status = open_locate(path, caller, &absolute);
	return status < 0 ? status
			  : registry_add_file(r, name, absolute, flags, caller);
}

int dlazy_registry_add_file(struct dlazy_registry *r, const char *name,
			    const char *path, int flags)
{
	return told(add_file(r, name, path, flags, CALLER()));
}

static int add_builtin(struct dlazy_registry *r, const char *name,
		       const struct dlazy_symbol *symbols, size_t n,
		       const void *caller)
{
	if (!r || !name || !name[0] || (n && !symbols))
		return missing("dlazy_registry_add_builtin",
			       "registry, name or symbols are missing");
	for (size_t i = 0; i < n; i++)
		if (!symbols[i].name)
			return missing("dlazy_registry_add_builtin",
				       "a symbol has no name");
	return registry_add_builtin(r, name, symbols, n, caller);
}

int dlazy_registry_add_builtin(struct dlazy_registry *r, const char *name,
			       const struct dlazy_symbol *symbols, size_t n)
{
	return told(add_builtin(r, name, symbols, n, CALLER()));
}

struct dlazy_cursor *dlazy_registry_query(struct dlazy_registry *r,
					  const struct dlazy_query *q)
{
	bool valid = r && q && q->size >= sizeof(*q) &&
		     (q->head || !q->head_size) &&
		     !(q->flags & ~DLAZY_QUERY_ALL);

	if (!valid)
		missing("dlazy_registry_query",
			"registry, query, its size or head is missing, or a "
			"flag is unknown");
	return given(valid ? query_begin(r, q) : NULL);
}

int dlazy_cursor_next(struct dlazy_cursor *c, const struct dlazy_match **ret,
		      size_t n)
{
	if (!c || !ret || !n)
		return told(missing("dlazy_cursor_next",
				    "cursor or room for matches is missing"));
	return told(query_next(c, ret, n));
}

struct dlazy_module *dlazy_cursor_module(struct dlazy_cursor *c,
					 const struct dlazy_match *match)
{
	if (c && match)
		return given(query_module(c, match));
	missing("dlazy_cursor_module", "cursor or match is missing");
	return given(NULL);
}

void dlazy_cursor_close(struct dlazy_cursor *c)
{
	query_end(c);
}

static int catalog_state(struct dlazy_registry *r, const char *dir)
{
	if (!r || !dir || !dir[0])
		return missing("dlazy_registry_catalog_state",
			       "registry or directory is missing");
	_cleanup_free_ char *absolute = directory_path(dir);
	return absolute ? registry_catalog_state(r, absolute) : status_last();
}

int dlazy_registry_catalog_state(struct dlazy_registry *r, const char *dir)
{
	status_clear();
	int state = catalog_state(r, dir);

	status_publish(); /* with 0, too, there are words */
	return state;
}

size_t dlazy_registry_count(struct dlazy_registry *r)
{
	return r ? registry_count(r) : 0;
}

struct dlazy_module *dlazy_registry_find(struct dlazy_registry *r,
					 const char *name)
{
	struct dlazy_module *m = NULL;

	if (!r || !name)
		missing("dlazy_registry_find", "registry or name is NULL");
	else
		m = registry_find(r, name);
	if (m && provider_obey_policy(r, m, name, CALLER()) < 0)
		m = NULL;
	if (m && ((registry_flags(r, m) & DLAZY_CHECK &&
		   load_check_module(m, registry_defines) < 0) ||
		  load_promote(m) < 0))
		m = NULL;
	return given(m);
}

struct dlazy_module *dlazy_registry_provider(struct dlazy_registry *r,
					     const char *id, int flags,
					     const char **ret_symbol)
{
	if (ret_symbol)
		*ret_symbol = NULL;
	if (r && id && !(flags & ~DLAZY_EAGER))
		return given(provider_find(r, id, flags, ret_symbol, CALLER()));
	missing("dlazy_registry_provider",
		"registry or id is NULL, or a flag is unknown");
	return given(NULL);
}

int dlazy_registry_filter(struct dlazy_registry *r, dlazy_policy_fn *fn,
			  void *data)
{
	if (!r)
		return told(
			missing("dlazy_registry_filter", "registry is NULL"));
	registry_filter(r, fn, data);
	return 0;
}

struct dlazy_module *dlazy_registry_next(struct dlazy_registry *r,
					 const struct dlazy_module *after)
{
	status_clear(); /* NULL is the end, too */
	if (r)
		return given(registry_next(r, after));
	missing("dlazy_registry_next", "registry is NULL");
	return given(NULL);
}

int dlazy_registry_refresh(struct dlazy_registry *r)
{
	return told(r ? refresh_registry(r)
		      : missing("dlazy_registry_refresh", "registry is NULL"));
}

int dlazy_registry_limit(struct dlazy_registry *r, size_t modules,
			 uint64_t bytes)
{
	return told(r ? residency_limit(r, modules, bytes)
		      : missing("dlazy_registry_limit", "registry is NULL"));
}

int dlazy_registry_trim(struct dlazy_registry *r, int flags)
{
	if (r && !(flags & ~DLAZY_TRIM_PAGES))
		return told(residency_trim(r, flags));
	return told(missing("dlazy_registry_trim",
			    "registry is NULL, or a flag is unknown"));
}

static int quarantine(struct dlazy_registry *r, const char *file)
{
	if (!r || !file || !file[0])
		return missing("dlazy_registry_quarantine",
			       "registry or file is missing");
	_cleanup_free_ char *absolute = file_absolute(file);
	return absolute ? registry_quarantine(r, absolute) : status_last();
}

int dlazy_registry_quarantine(struct dlazy_registry *r, const char *file)
{
	return told(quarantine(r, file));
}

int dlazy_registry_watch(struct dlazy_registry *r)
{
	return told(r ? refresh_watch(r)
		      : missing("dlazy_registry_watch", "registry is NULL"));
}

static int bind(struct dlazy_module *m, const struct dlazy_import *imports,
		size_t n, const void *caller)
{
	int status = module_check(m, "dlazy_bind");

	if (status < 0)
		return status;
	if (n && !imports)
		return missing("dlazy_bind", "imports is NULL");
	for (size_t i = 0; i < n; i++)
		if (!imports[i].symbol || !imports[i].address)
			return missing("dlazy_bind",
				       "an import lacks its symbol or address");
	return import_bind(m, imports, n, caller);
}

int dlazy_bind(struct dlazy_module *m, const struct dlazy_import *imports,
	       size_t n)
{
	return told(bind(m, imports, n, CALLER()));
}

int dlazy_unbind(struct dlazy_module *m, const struct dlazy_import *imports,
		 size_t n)
{
	int status = module_check(m, "dlazy_unbind");

	if (status == 0 && n && !imports)
		status = missing("dlazy_unbind", "imports is NULL");
	if (status < 0)
		return told(status);
	import_unbind(m, imports, n);
	return 0;
}

static int call(struct dlazy_module *m, const char *symbol,
		const char *signature, void *ret, void **args,
		const void *caller)
{
	int status = module_check(m, "dlazy_call");

	if (status < 0)
		return status;
	if (!symbol || !signature)
		return missing("dlazy_call", "symbol or signature is NULL");
	return call_function(m, symbol, signature, ret, args, caller);
}

int dlazy_call(struct dlazy_module *m, const char *symbol,
	       const char *signature, void *ret, void **args)
{
	return told(call(m, symbol, signature, ret, args, CALLER()));
}

int dlazy_on_failure(struct dlazy_module *m, dlazy_failure_fn *fn, void *data)
{
	if (!m) {
		failure_set_hook(fn, data);
		return 0;
	}
	int status = module_check(m, "dlazy_on_failure");
	if (status < 0)
		return told(status);
	return told(module_set_hook(m, fn, data, CALLER()));
}

int dlazy_on_load(struct dlazy_module *m, dlazy_load_fn *fn, void *data)
{
	int status = module_check(m, "dlazy_on_load");

	return told(status < 0 ? status : onload_set(m, fn, data, CALLER()));
}

static int fall_back(struct dlazy_module *m, struct dlazy_module *other,
		     int flags)
{
	int status = module_check(m, "dlazy_fallback");

	if (status == 0 && other)
		status = module_check(other, "dlazy_fallback");
	if (status < 0)
		return status;
	if (m == other || flags & ~DLAZY_WHILE_LOADING)
		return missing("dlazy_fallback",
			       "a module cannot stand in for itself, or a flag "
			       "is unknown");
	if (other && flags & DLAZY_WHILE_LOADING)
		status = prefetch_stay();
	return status < 0 ? status
			  : fallback_set(m, other, flags, prefetch_module);
}

int dlazy_fallback(struct dlazy_module *m, struct dlazy_module *other,
		   int flags)
{
	return told(fall_back(m, other, flags));
}

int dlazy_forbid_loading(const char *phase)
{
	fork_begin(); /* the environment has its say before */
	return told(forbid_loading(phase, CALLER()));
}

int dlazy_seal(void)
{
	fork_begin();
	return told(seal_process(CALLER()));
}

int dlazy_observe(dlazy_event_fn *fn, void *data)
{
	return told(fn ? event_observe(fn, data)
		       : missing("dlazy_observe", "fn is NULL"));
}

int dlazy_unobserve(dlazy_event_fn *fn, void *data)
{
	return told(fn ? event_unobserve(fn, data)
		       : missing("dlazy_unobserve", "fn is NULL"));
}

int dlazy_trace_write(const char *path)
{
	return told(ledger_write(path));
}

struct dlazy_module *dlazy_linked_module(const struct linked *l)
{
	return given(linked_module(l));
}

int dlazy_linked_available(const struct linked *l)
{
	return linked_available(l);
}

int dlazy_linked_load(const struct linked *l)
{
	return told(linked_load(l, CALLER()));
}

void *dlazy_linked_ask(void *slot, const void *caller, const struct linked *l)
{
	return stub_miss(slot, caller, l);
}

const char *dlazy_linked_error(const struct linked *l)
{
	(void)l;
	return dlazy_error();
}

int dlazy_linked_has(const char *symbol, const void *unused,
		     const struct linked *l)
{
	(void)unused;
	return symbol && linked_has(l, symbol);
}

int dlazy_linked_on_load(dlazy_load_fn *fn, void *data, const struct linked *l)
{
	struct dlazy_module *m = linked_module(l);

	if (!m)
		return told(status_no_memory(NULL));
	return told(onload_set(m, fn, data, CALLER()));
}

int dlazy_linked_on_failure(dlazy_failure_fn *fn, void *data,
			    const struct linked *l)
{
	struct dlazy_module *m = linked_module(l);

	if (!m)
		return told(status_no_memory(NULL));
	return told(module_set_hook(m, fn, data, CALLER()));
}

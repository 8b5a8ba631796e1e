/* SPDX-License-Identifier: MIT */
/*
 * The symbols of a plugin are looked up as ld.so would: in the order of its
 * DT_NEEDED closure, with versions; what is not there is the host's to supply.
 */
#include "cli/check/inspect.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/search.h"
#include "elf/view.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* One library file; view NULL: it cannot be read, for this reason. */
struct library {
	char *path;
	struct elf_view *view;
	char *reason;
};

static void library_free(struct library *l)
{
	elf_view_close(l->view);
	free(l->path);
	free(l->reason);
	free(l);
}

static int read_view(const char *path, struct elf_view **ret)
{
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	int status = file_open(AT_FDCWD, path, &fd, &identity);

	return status < 0 ? status : elf_view_open(fd, path, ret);
}

/* NULL: out of memory. */
static const struct library *library_of(struct inspection *in, const char *path)
{
	uint64_t key = hash_string(path);
	struct library *l = map_get(&in->libraries, key);

	if (l && !strcmp(l->path, path))
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->path = strdup(path);
	if (read_view(path, &l->view) < 0)
		l->reason = strdup(status_message());
	status_clear();
	if (!l->path || !map_put(&in->libraries, key, l)) {
		library_free(l);
		return NULL;
	}
	return l;
}

/* The libraries in which a plugin's symbols are looked up. */
struct scope {
	struct inspection *in;
	struct subject *subject; /* NULL: the host's */
	const struct elf_view **views;
	size_t count;
	size_t room;
	bool incomplete; /* a library is missing, and with it its symbols */
};

static bool scope_add(struct scope *scope, const struct elf_view *view)
{
	if (!array_reserve(&scope->views, scope->count, &scope->room,
			   sizeof(*scope->views)))
		return false;
	scope->views[scope->count++] = view;
	return true;
}

static void cleanup_scope(struct scope *scope)
{
	free(scope->views);
}

/* Has the host brought an object of that name into the process? */
static bool is_hosts(const struct inspection *in, const char *name)
{
	for (size_t i = 0; i < in->host_count; i++)
		if (!strcmp(elf_view_soname(in->host[i]), name))
			return true;
	return false;
}

static void note_missing(struct scope *scope, const char *name,
			 const char *needed_by)
{
	if (!scope->subject || is_hosts(scope->in, name))
		return;
	scope->incomplete = true;
	if (!strcmp(needed_by, scope->subject->path))
		subject_add(scope->subject, PROBLEM_MISSING_LIBRARY, "%s",
			    name);
	else
		subject_add(scope->subject, PROBLEM_MISSING_LIBRARY,
			    "%s, needed by %s", name, needed_by);
}

/* A search_closure_fn. */
static bool collect(const char *name, const char *found, const char *needed_by,
		    void *data)
{
	struct scope *scope = data;

	if (!found) {
		note_missing(scope, name, needed_by);
		return true;
	}
	const struct library *l = library_of(scope->in, found);
	if (!l)
		return false;
	if (l->view)
		return scope_add(scope, l->view);
	if (scope->subject)
		subject_add(scope->subject, PROBLEM_DAMAGED, "%s", l->reason);
	scope->incomplete = true;
	return true;
}

static bool is_in(const struct elf_view *const *views, size_t count,
		  const struct elf_symbol *wanted)
{
	const char *version = *wanted->version ? wanted->version : NULL;
	struct elf_symbol found;

	for (size_t i = 0; i < count; i++)
		if (elf_view_find(views[i], wanted->name, version, &found))
			return true;
	return false;
}

static void note_undefined(const struct scope *scope,
			   const struct elf_symbol *symbol)
{
	/* A version names the library it is of: no host supplies that. */
	bool host = !scope->in->has_host && !*symbol->library;

	scope->subject->needs_host |= host;
	subject_add(scope->subject,
		    host ? PROBLEM_NEEDS_HOST : PROBLEM_UNDEFINED_SYMBOL,
		    "%s%s%s%s%s%s", symbol->name, *symbol->version ? "@" : "",
		    symbol->version, *symbol->library ? " (of " : "",
		    symbol->library, *symbol->library ? ")" : "");
}

/* The symbols that `view` wants of others; weak ones may stay undefined. */
static void check_imports(const struct scope *scope,
			  const struct elf_view *view)
{
	const struct inspection *in = scope->in;
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol) || symbol.defined ||
		    symbol.binding != ELF_BINDING_GLOBAL ||
		    is_in(scope->views, scope->count, &symbol))
			continue;
		if (is_in(in->host, in->host_count, &symbol))
			scope->subject->needs_host = true;
		else
			note_undefined(scope, &symbol);
	}
}

static void check_flags(struct subject *s, const struct elf_view *view)
{
	unsigned flags = elf_view_flags(view);

	/* Without a TLS segment it is libc's errno that is reached so, and
	 * there is always room for that. */
	if (flags & ELF_STATIC_TLS && flags & ELF_TLS)
		subject_add(s, PROBLEM_STATIC_TLS,
			    "opened late, its thread-local storage may find "
			    "no room left");
	if (flags & ELF_EXEC_STACK)
		subject_add(s, PROBLEM_EXEC_STACK,
			    "makes the stack executable");
	if (flags & ELF_NOOPEN)
		subject_add(s, PROBLEM_NO_OPEN, "marked DF_1_NOOPEN");
}

static enum problem_kind kind_of_format(int fd)
{
	uint8_t start[64];
	char words[64];

	return file_read_at(fd, 0, start, sizeof(start)) &&
			       elf_machine_name(start, sizeof(start), words,
						sizeof(words))
		       ? PROBLEM_DAMAGED
		       : PROBLEM_NOT_ELF;
}

static enum problem_kind kind_of_failure(int status, int fd)
{
	switch (-status) {
	case DLAZY_ENOENT:
		return PROBLEM_NOT_FOUND;
	case DLAZY_EMACHINE:
		return PROBLEM_WRONG_MACHINE;
	case DLAZY_EFORMAT:
		return fd >= 0 ? kind_of_format(fd) : PROBLEM_NOT_ELF;
	default:
		return PROBLEM_UNREADABLE;
	}
}

/* The message, without the path that the reader sees beside it. */
static void note_failure(struct subject *s, enum problem_kind kind)
{
	const char *message = status_message();
	size_t n = strlen(s->path);

	if (!strncmp(message, s->path, n) && message[n] == ':')
		message += n + 1 + strspn(message + n + 1, " ");
	subject_add(s, kind, "%s", message);
	status_clear();
}

/* The plugin's own view; NULL: its problem is noted. */
static struct elf_view *open_subject(struct subject *s)
{
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	struct file_identity identity;
	int status = file_open(AT_FDCWD, s->path, &fd, &identity);

	if (status == 0)
		status = elf_view_open(fd, s->path, &view);
	if (status < 0) {
		note_failure(s, kind_of_failure(status, fd));
		return NULL;
	}
	if (elf_view_check_plugin(view, s->path) < 0) {
		note_failure(s, PROBLEM_NOT_LOADABLE);
		return NULL;
	}
	return TAKE_PTR(view);
}

void inspect_file(struct inspection *in, struct subject *s)
{
	_cleanup_elf_view_ struct elf_view *view = open_subject(s);
	_cleanup_(cleanup_scope) struct scope scope = {.in = in, .subject = s};

	if (!view)
		return;
	check_flags(s, view);
	if (search_closure(s->path, collect, &scope) < 0)
		note_failure(s, PROBLEM_UNREADABLE);
	else if (!scope.incomplete)
		check_imports(&scope, view);
}

int inspect_host(struct inspection *in, const char *path)
{
	struct scope scope = {.in = in};
	const struct library *host = library_of(in, path);

	if (!host)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	if (!host->view)
		return status_fail(DLAZY_EFORMAT, "--host: %s",
				   host->reason ? host->reason : path);
	in->has_host = true;
	if (!scope_add(&scope, host->view))
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	int status = search_closure(path, collect, &scope);
	in->host = scope.views;
	in->host_count = scope.count;
	in->host_room = scope.room;
	return status;
}

void inspection_end(struct inspection *in)
{
	for (size_t i = 0; i < in->libraries.room; i++)
		if (in->libraries.entries[i].value)
			library_free(in->libraries.entries[i].value);
	map_clear(&in->libraries);
	free(in->host);
}

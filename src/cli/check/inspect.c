/* SPDX-License-Identifier: MIT */
/*
 * Checking by reading. The symbols of a plugin are looked up as ld.so would:
 * in the order of its DT_NEEDED closure, with versions. Symbols that are not
 * found there are the host's to define.
 */
#include "cli/check/inspect.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/status.h"
#include "elf/check.h"
#include "elf/view.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* One plugin that is looked at. */
struct look {
	struct inspection *in;
	struct subject *subject;
	bool no_version; /* a library lacks one that is asked for */
};

/* Has the host brought an object of that name into the process? */
static bool is_hosts(const char *name, void *data)
{
	const struct look *look = data;
	const struct walk *host = &look->in->host;

	for (size_t i = 0; i < host->count; i++)
		if (host->objects[i]->view &&
		    !strcmp(elf_view_soname(host->objects[i]->view), name))
			return true;
	return false;
}

static bool is_hosts_symbol(const struct elf_symbol *wanted, void *data)
{
	const struct look *look = data;
	const struct walk *host = &look->in->host;
	const char *version = *wanted->version ? wanted->version : NULL;
	struct elf_symbol found;

	for (size_t i = 0; i < host->count; i++) {
		const struct elf_view *view = host->objects[i]->view;
		if (view && elf_view_find(view, wanted->name, version, &found))
			return look->subject->needs_host = true;
	}
	return false;
}

static bool is_known(uint64_t key, void *data)
{
	const struct look *look = data;

	return map_get(&look->in->known, key);
}

static void know(uint64_t key, void *data)
{
	struct look *look = data;

	map_put(&look->in->known, key, look);
}

static void note_undefined(struct look *look, const struct elf_symbol *symbol,
			   const char *by)
{
	/* A version names the library it is of: no host supplies that. */
	bool host = !look->in->has_host && !*symbol->library;

	look->subject->needs_host |= host;
	subject_add(look->subject,
		    host ? PROBLEM_NEEDS_HOST : PROBLEM_UNDEFINED_SYMBOL,
		    "%s%s%s%s%s%s%s%s", symbol->name,
		    *symbol->version ? "@" : "", symbol->version,
		    *symbol->library ? " (of " : "", symbol->library,
		    *symbol->library ? ")" : "", *by ? ", needed by " : "", by);
}

static bool note_problem(const struct check_problem *p, void *data)
{
	struct look *look = data;
	struct subject *s = look->subject;
	const char *by = strcmp(p->needed_by, s->path) ? p->needed_by : "";

	switch (p->kind) {
	case CHECK_MISSING:
		subject_add(s, PROBLEM_MISSING_LIBRARY, "%s%s%s", p->name,
			    *by ? ", needed by " : "", by);
		break;
	case CHECK_DAMAGED:
		subject_add(s, PROBLEM_DAMAGED, "%s", p->words);
		break;
	case CHECK_VERSION:
		look->no_version = true;
		subject_add(s, PROBLEM_UNDEFINED_SYMBOL, "version %s of %s%s%s",
			    p->version, p->name, *by ? ", needed by " : "", by);
		break;
	case CHECK_SYMBOL:
		/* Said already: the version that it would be of. */
		if (!look->no_version || !*p->symbol->version)
			note_undefined(look, p->symbol, by);
		break;
	}
	return true;
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
	_cleanup_walk_ struct walk walk = {.count = 0};
	struct look look = {in, s, false};
	const struct check check = {
		.path = s->path,
		.has_library = is_hosts,
		.has_symbol = is_hosts_symbol,
		.is_known = is_known,
		.know = know,
		.problem = note_problem,
		.data = &look,
	};

	if (!view)
		return;
	check_flags(s, view);
	if (check_file(&check, &walk) < 0)
		note_failure(s, PROBLEM_UNREADABLE);
}

int inspect_host(struct inspection *in, const char *path)
{
	const struct walk_options options = {.symbols = true};

	in->has_host = true;
	int status = walk_run(&in->host, path, &options);
	return status < 0 && !status_is_state(status) ? status_prefix("--host")
						      : status;
}

void inspection_end(struct inspection *in)
{
	map_clear(&in->known);
	walk_end(&in->host);
}

/* SPDX-License-Identifier: MIT */
/*
 * Making records of plugin files. A record is drafted in one growing block:
 * the head, the arrays, the strings; its checksum finishes it. Equal files
 * give equal bytes: what is written here depends on the file alone.
 */
#include "catalog/record.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"
#include "catalog/format.h"
#include "elf/view.h"

#include <dlazy/plugin.h>

#include <errno.h>
#include <time.h>

#define DLOPEN_NOTE_MAX 65536

/*
 * How large a record may be: so many times its file, and this for a small one.
 * Names in a file can overlap, so a small one could ask for any amount. Link
 * editors share the ends of names, but not this much. The most is what the
 * largest tables that are read give (image.h), as a file may be sparse.
 */
#define DRAFT_FACTOR 16
#define DRAFT_LEAST 65536
#define DRAFT_MAX (1u << 28)

/* How far into a file its build-id is looked for. */
#define BUILD_ID_REACH 4096

struct draft {
	uint8_t *data;
	size_t size;
	size_t room;
	size_t most;  /* bytes it may grow to */
	bool failed;  /* out of memory, or: */
	bool too_big; /* more was asked for */
	int state;    /* the file could not be read: why, with message */
	/* The versions of late: there are few, and each has many symbols. */
	uint32_t versions[64];
};

static void cleanup_draft(struct draft *d)
{
	free(d->data);
}

static struct record *head(struct draft *d)
{
	return (struct record *)d->data;
}

/* Appends zeroed room and returns its offset; 0 if there is none. */
static uint32_t draft_room(struct draft *d, uint64_t size)
{
	size_t offset = d->size;

	if (d->failed || size > d->most - d->size) {
		d->too_big |= !d->failed;
		d->failed = true;
		return 0;
	}
	if (size > d->room - d->size) {
		size_t room = (d->size + size) * 2;
		if (room > d->most)
			room = d->most;
		uint8_t *data = realloc(d->data, room);
		if (!data) {
			d->failed = true;
			return 0;
		}
		d->data = data;
		d->room = room;
	}
	memset(d->data + offset, 0, size);
	d->size += size;
	return (uint32_t)offset;
}

static void draft_bytes(struct draft *d, uint32_t offset, const void *bytes,
			size_t size)
{
	if (!d->failed)
		memcpy(d->data + offset, bytes, size);
}

/* The empty string is the head's own first unused byte: always there. */
static uint32_t draft_string(struct draft *d, const char *s)
{
	size_t size = strlen(s) + 1;

	if (size == 1)
		return offsetof(struct record, unused);
	uint32_t offset = draft_room(d, size);
	draft_bytes(d, offset, s, size);
	return offset;
}

static uint32_t draft_version(struct draft *d, const char *version)
{
	uint32_t *known =
		&d->versions[hash_string(version) % ARRAY_SIZE(d->versions)];

	if (*known == 0 || d->failed ||
	    strcmp((const char *)d->data + *known, version) != 0)
		*known = draft_string(d, version);
	return *known;
}

static struct record_array draft_array(struct draft *d, size_t count,
				       size_t each)
{
	draft_room(d, format_align(d->size) - d->size);
	return (struct record_array){draft_room(d, (uint64_t)count * each),
				     (uint32_t)count};
}

static void draft_array_string(struct draft *d, struct record_array array,
			       size_t i, const char *s)
{
	uint32_t string = draft_string(d, s);

	draft_bytes(d, array.offset + (uint32_t)(i * sizeof(string)), &string,
		    sizeof(string));
}

static size_t draft_most(uint64_t file_size)
{
	if (file_size > (DRAFT_MAX - DRAFT_LEAST) / DRAFT_FACTOR)
		return DRAFT_MAX;
	return DRAFT_LEAST + DRAFT_FACTOR * (size_t)file_size;
}

/* The head, with what is known of any file. */
static void draft_begin(struct draft *d, const char *file,
			const struct file_identity *identity)
{
	_cleanup_free_ char *name = record_plugin_name(file);

	*d = (struct draft){.failed = !name,
			    .most = draft_most(identity->size)};
	draft_room(d, sizeof(struct record));
	if (d->failed)
		return;
	uint32_t empty = draft_string(d, "");
	uint32_t name_at = draft_string(d, name);
	uint32_t file_at = draft_string(d, file_base_name(file));
	if (d->failed)
		return;
	struct record *r = head(d);
	r->identity = *identity;
	r->name = name_at;
	r->file = file_at;
	r->soname = r->rpath = r->runpath = r->machine = r->message = empty;
}

/* Reads from the file; false: it is not so long, or the draft has failed. */
static bool draft_read(struct draft *d, int fd, void *buffer, size_t size)
{
	if (file_read_at(fd, 0, buffer, size))
		return true;
	if (errno && !d->failed) {
		d->state = status_fail(status_from_errno(errno),
				       "cannot read: %s", strerror(errno));
		d->failed = true;
	}
	return false;
}

static int draft_finish(struct draft *d, struct record **ret)
{
	/* One byte more: the block's last must be NUL. */
	draft_room(d, format_align(d->size + 1) - d->size);
	if (d->state < 0)
		return d->state;
	if (d->failed)
		return status_fail(DLAZY_ENOMEM, "no memory for a record");
	struct record *r = head(d);
	r->size = (uint32_t)d->size;
	r->checksum = record_checksum(r);
	*ret = head(d);
	d->data = NULL;
	return 0;
}

static void draft_failure(struct draft *d, int status, const char *message)
{
	uint32_t at = draft_string(d, message);

	if (d->failed)
		return;
	head(d)->status = status;
	head(d)->message = at;
}

static bool is_export(const struct elf_symbol *s)
{
	return s->defined && s->name[0] != '\0' &&
	       (s->binding == ELF_BINDING_GLOBAL ||
		s->binding == ELF_BINDING_WEAK ||
		s->binding == ELF_BINDING_UNIQUE) &&
	       (s->visibility == 0 || s->visibility == 3);
}

static int compare_symbols(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = y->is_default - x->is_default;
	if (order == 0)
		order = strcmp(x->version, y->version);
	if (order == 0)
		order = (x->value > y->value) - (x->value < y->value);
	return order;
}

/* The exports, sorted, malloc'd; NULL: the draft has failed. Their names are
 * counted before they are compared with each other. */
static struct elf_symbol *collect_exports(struct draft *d,
					  const struct elf_view *view,
					  size_t *ret_count)
{
	size_t count = 0, names = 0, all = elf_view_symbol_count(view);
	_cleanup_free_ struct elf_symbol *symbols =
		calloc(all + 1, sizeof(*symbols));

	for (size_t i = 1; symbols && names <= d->most && i < all; i++)
		if (elf_view_symbol(view, i, &symbols[count]) &&
		    is_export(&symbols[count]))
			names += strlen(symbols[count++].name);
	d->too_big |= names > d->most;
	if (!symbols || d->too_big) {
		d->failed = true;
		return NULL;
	}
	qsort(symbols, count, sizeof(*symbols), compare_symbols);
	*ret_count = count;
	return TAKE_PTR(symbols);
}

static struct record_export draft_export(struct draft *d,
					 const struct elf_symbol *s,
					 const struct elf_symbol *before,
					 uint32_t name_before)
{
	bool same = before && !strcmp(before->name, s->name);

	return (struct record_export){
		.value = s->value,
		.size = s->size,
		.name = same ? name_before : draft_string(d, s->name),
		.version = draft_version(d, s->version),
		.type = s->type,
		.binding = s->binding,
		.flags = (uint8_t)((s->is_default ? EXPORT_DEFAULT : 0) |
				   (s->variant ? EXPORT_VARIANT : 0)),
	};
}

static void draft_symbols(struct draft *d, const struct elf_view *view)
{
	size_t count;
	_cleanup_free_ struct elf_symbol *symbols =
		collect_exports(d, view, &count);
	uint32_t name = 0;

	if (!symbols)
		return;
	struct record_array array =
		draft_array(d, count, sizeof(struct record_export));
	for (size_t i = 0; i < count; i++) {
		struct record_export e = draft_export(
			d, &symbols[i], i ? &symbols[i - 1] : NULL, name);
		name = e.name;
		draft_bytes(d, array.offset + (uint32_t)(i * sizeof(e)), &e,
			    sizeof(e));
	}
	if (!d->failed)
		head(d)->symbols = array;
}

static void draft_needs(struct draft *d, const struct elf_view *view)
{
	size_t count = elf_view_needed_count(view);
	struct record_array array = draft_array(d, count, sizeof(uint32_t));

	for (size_t i = 0; i < count; i++)
		draft_array_string(d, array, i, elf_view_needed(view, i));
	if (!d->failed)
		head(d)->needs = array;
}

/* The JSON text of a dlopen note: an array, ended, of sane length; or NULL. */
static const char *dlopen_text(const struct elf_note *note)
{
	const char *text = (const char *)note->data;

	if (strcmp(note->owner, ELF_NOTE_DLOPEN_OWNER) != 0 ||
	    note->type != ELF_NOTE_DLOPEN || note->size > DLOPEN_NOTE_MAX)
		return NULL;
	const char *end = note->size ? memchr(text, '\0', note->size) : NULL;
	if (!end)
		return NULL;
	for (const char *at = text; at < end; at++)
		if ((uint8_t)*at < ' ' && !strchr("\t\n\r", *at))
			return NULL;
	text += strspn(text, " \t\n\r");
	while (end > text && strchr(" \t\n\r", end[-1]))
		end--;
	return end - text >= 2 && text[0] == '[' && end[-1] == ']' ? text
								   : NULL;
}

static void draft_notes(struct draft *d, const struct elf_view *view)
{
	size_t all = elf_view_note_count(view), count = 0;

	for (size_t i = 0; i < all; i++) {
		struct elf_note note = elf_view_note(view, i);
		count += dlopen_text(&note) != NULL;
	}
	struct record_array array = draft_array(d, count, sizeof(uint32_t));
	for (size_t i = 0, k = 0; i < all && k < count; i++) {
		struct elf_note note = elf_view_note(view, i);
		const char *text = dlopen_text(&note);
		if (text)
			draft_array_string(d, array, k++, text);
	}
	if (!d->failed)
		head(d)->notes = array;
}

/* Where in the file's first bytes the build-id stands; 0: not there. */
static uint32_t find_build_id(struct draft *d, int fd, const uint8_t *id,
			      size_t size)
{
	uint64_t file_size = head(d)->identity.size;
	uint8_t start[BUILD_ID_REACH];
	size_t n = file_size < sizeof(start) ? file_size : sizeof(start);

	if (!draft_read(d, fd, start, n))
		return 0;
	const uint8_t *found = memmem(start, n, id, size);
	return found ? (uint32_t)(found - start) : 0;
}

static void draft_build_id(struct draft *d, const struct elf_view *view, int fd)
{
	size_t size;
	const uint8_t *id = elf_view_build_id(view, &size);
	struct record_array array = draft_array(d, size, 1);

	if (size == 0 || d->failed)
		return;
	draft_bytes(d, array.offset, id, size);
	head(d)->build_id = array;
	head(d)->build_id_at = find_build_id(d, fd, id, size);
}

static void draft_view(struct draft *d, const struct elf_view *view, int fd)
{
	draft_symbols(d, view);
	draft_needs(d, view);
	draft_notes(d, view);
	draft_build_id(d, view, fd);
	uint32_t soname = draft_string(d, elf_view_soname(view));
	uint32_t rpath = draft_string(d, elf_view_rpath(view));
	uint32_t runpath = draft_string(d, elf_view_runpath(view));
	if (d->failed)
		return;
	head(d)->soname = soname;
	head(d)->rpath = rpath;
	head(d)->runpath = runpath;
	head(d)->flags |= elf_view_flags(view) & ~RECORD_FLAGS;
}

/* Whether the file has metadata, which are read by who wants them. */
static void draft_noted(struct draft *d, struct elf_view *view, int fd,
			const char *file)
{
	int has = elf_view_has_note(view, fd, file, DLAZY_PLUGIN_OWNER,
				    DLAZY_PLUGIN_TYPE);

	if (has > 0 && !d->failed)
		head(d)->flags |= RECORD_NOTED;
	if (has < 0 && !d->failed) {
		d->state = has;
		d->failed = true;
	}
}

/* Works for any ELF file, also one that the reader refuses. */
static void draft_machine(struct draft *d, int fd)
{
	uint8_t start[64];
	char buffer[64];

	if (!draft_read(d, fd, start, sizeof(start)))
		return;
	const char *machine =
		elf_machine_name(start, sizeof(start), buffer, sizeof(buffer));
	uint32_t at = draft_string(d, machine ? machine : "");
	if (!d->failed)
		head(d)->machine = at;
}

/* Begins again, to say that the file is not usable. */
static void draft_refuse(struct draft *d, int fd, const char *file)
{
	struct file_identity identity = head(d)->identity;
	uint32_t young = head(d)->flags & RECORD_YOUNG;

	cleanup_draft(d);
	draft_begin(d, file, &identity);
	if (!d->failed)
		head(d)->flags |= young;
	draft_machine(d, fd);
	draft_failure(d, -DLAZY_EFORMAT,
		      "not a usable ELF file: its names are too long");
}

/* 0, also for a file that is no plugin, which the draft then says; or a state. */
static int draft_elf(struct draft *d, int fd, const char *file)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	int status = elf_view_open(fd, file, &view);

	if (status == 0)
		status = elf_view_check_plugin(view, file);
	if (status_is_state(status))
		return status;
	draft_machine(d, fd);
	if (status < 0)
		draft_failure(d, status, status_message());
	if (view) /* told, too, of what cannot be opened: a program */
		draft_view(d, view, fd);
	if (view)
		draft_noted(d, view, fd, file);
	if (d->too_big)
		draft_refuse(d, fd, file);
	if (d->state < 0)
		return status_prefix("%s", file);
	status_clear();
	return 0;
}

static int draft_portable(struct draft *d, int fd, const char *file)
{
	struct record *r = head(d);

	if (d->failed)
		return 0; /* draft_finish() says so */
	r->identity = (struct file_identity){.size = r->identity.size};
	r->flags |= RECORD_PORTABLE;
	if (r->build_id.count == 0 && !record_content(fd, &r->content))
		return status_fail(status_from_errno(errno),
				   "%s: cannot read: %s", file,
				   strerror(errno));
	return 0;
}

static int read_file(int dirfd, const char *file, bool portable,
		     struct record **ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_(cleanup_draft) struct draft draft = {0};
	struct file_identity identity;
	const char *base = file_base_name(file);
	uint64_t opened_ns = clock_ns(CLOCK_REALTIME);
	int status = file_open(dirfd, file, &fd, &identity);

	/* A directory or a device: no times to know it by, looked at again. */
	if (status == -DLAZY_EFORMAT)
		return record_unreadable(file, ret);
	if (status < 0)
		return status;
	draft_begin(&draft, file, &identity);
	if (!draft.failed && !portable &&
	    !file_time_is_past(identity.ctime_ns, opened_ns))
		head(&draft)->flags |= RECORD_YOUNG;
	status = draft_elf(&draft, fd, base);
	if (status == 0 && portable)
		status = draft_portable(&draft, fd, base);
	if (status < 0)
		return status;
	return draft_finish(&draft, ret);
}

int record_read(int dirfd, const char *file, struct record **ret)
{
	return read_file(dirfd, file, false, ret);
}

int record_read_portable(int dirfd, const char *file, struct record **ret)
{
	return read_file(dirfd, file, true, ret);
}

int record_unreadable(const char *file, struct record **ret)
{
	_cleanup_(cleanup_draft) struct draft draft = {0};
	struct file_identity none = {0};

	draft_begin(&draft, file, &none);
	draft_failure(&draft, status_last(), status_message());
	status_clear();
	return draft_finish(&draft, ret);
}

size_t record_plugin_name_length(const char *file)
{
	const char *end = file;

	while ((end = strchr(end, '.')) != NULL) {
		if (end[1] == 's' && end[2] == 'o' &&
		    (!end[3] || end[3] == '.'))
			return (size_t)(end - file);
		end++;
	}
	return strlen(file);
}

char *record_plugin_name(const char *file)
{
	const char *base = file_base_name(file);

	return strndup(base, record_plugin_name_length(base));
}

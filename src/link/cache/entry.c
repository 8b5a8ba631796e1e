/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing an entry's file: a header, the inputs, the libraries and
 * the strings, in host byte order, as it never leaves this machine. The files
 * that it names are run, so it is used only if it belongs to the user (or
 * root) and nobody else can write to it.
 */
#include "link/cache/entry.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#define ENTRY_MAGIC 0x54455a44 /* "DZET" */
#define ENTRY_FORMAT 3
#define ENTRY_SIZE_MAX (64u << 20)

struct header {
	uint32_t magic;
	uint32_t format;
	uint64_t checksum; /* of all behind it */
	uint32_t inputs;
	uint32_t libraries;
	uint32_t strings; /* bytes */
	uint32_t lazy;
	uint32_t key, generation, plain; /* in the strings */
	uint32_t version;		 /* of dlazy, in the strings */
	uint32_t tls;
	uint32_t reserved;
};

#define CHECKED_FROM offsetof(struct header, inputs)

static const struct header *header_of(const struct entry *entry)
{
	return (const struct header *)entry->data;
}

static size_t inputs_at(void)
{
	return sizeof(struct header);
}

static size_t libraries_at(const struct header *h)
{
	return inputs_at() + h->inputs * sizeof(struct entry_input);
}

static size_t strings_at(const struct header *h)
{
	return libraries_at(h) + h->libraries * sizeof(struct entry_library);
}

const char *entry_string(const struct entry *entry, uint32_t offset)
{
	const struct header *h = header_of(entry);

	/* The last byte is a NUL: entry_read() saw it. */
	if (offset >= h->strings)
		return "";
	return (const char *)entry->data + strings_at(h) + offset;
}

/* NULL: it is sound; else what is wrong. */
static const char *flaw_of(const struct entry *entry)
{
	const struct header *h = header_of(entry);

	if (entry->size < sizeof(*h) || h->magic != ENTRY_MAGIC)
		return "not an entry of dlazy's";
	if (h->format != ENTRY_FORMAT)
		return "of another version of dlazy";
	if (h->checksum !=
	    hash_bytes(entry->data + CHECKED_FROM, entry->size - CHECKED_FROM))
		return "damaged";
	if (h->inputs > ENTRY_SIZE_MAX / sizeof(struct entry_input) ||
	    h->libraries > ENTRY_SIZE_MAX / sizeof(struct entry_library) ||
	    h->strings == 0 || strings_at(h) + h->strings != entry->size ||
	    entry->data[entry->size - 1])
		return "damaged";
	if (strcmp(entry_string(entry, h->version), PACKAGE_VERSION) != 0)
		return "of another version of dlazy";
	return NULL;
}

int entry_read(int dirfd, const char *name, struct entry *ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_entry_ struct entry entry = {NULL, 0};
	uint64_t size;
	int status = file_open_trusted(dirfd, name, O_RDONLY, &fd, &size);

	if (status < 0)
		return status;
	if (size > ENTRY_SIZE_MAX)
		return status_fail(DLAZY_EFORMAT, "%s: too large", name);
	entry.size = (size_t)size;
	entry.data = malloc(entry.size + 1);
	if (!entry.data)
		return status_no_memory(name);
	if (!file_read_at(fd, 0, entry.data, entry.size))
		return status_fail(errno ? status_from_errno(errno)
					 : DLAZY_EFORMAT,
				   "%s: cannot be read", name);
	const char *flaw = flaw_of(&entry);
	if (flaw)
		return status_fail(DLAZY_EFORMAT, "%s: %s", name, flaw);
	*ret = entry;
	entry.data = NULL;
	return 0;
}

void entry_clear(struct entry *entry)
{
	free(entry->data);
	entry->data = NULL;
}

struct entry_facts entry_facts(const struct entry *entry)
{
	const struct header *h = header_of(entry);

	return (struct entry_facts){
		.key = entry_string(entry, h->key),
		.generation = entry_string(entry, h->generation),
		.plain = entry_string(entry, h->plain),
		.lazy = h->lazy,
		.tls = h->tls,
	};
}

size_t entry_library_count(const struct entry *entry)
{
	return header_of(entry)->libraries;
}

struct entry_library entry_library(const struct entry *entry, size_t i)
{
	const struct entry_library *all =
		(const void *)(entry->data + libraries_at(header_of(entry)));

	return all[i];
}

static const struct entry_input *inputs_of(const struct entry *entry)
{
	return (const void *)(entry->data + inputs_at());
}

/* What a failed look says: that it is not there (0), or a state. */
static int absent(const char *path)
{
	int error = errno, status = status_from_errno(error);

	if (!status_is_state(status))
		return 0;
	return status_fail(status, "%s: %s", path, strerror(error));
}

/*
 * Whether `name` in a directory is nothing that ld.so would take in place of
 * the input that has this name. 1, 0 or a state.
 */
static int is_unshadowed(int dirfd, const struct entry_input *input,
			 const char *name)
{
	struct file_identity identity;
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) < 0) {
		bool none = errno == ENOENT;
		int status = absent(name);

		return status < 0 ? status : none;
	}
	identity = file_identity_of(&st);
	return file_identity_equal(&identity, &input->identity);
}

/*
 * A directory that has changed may still hold nothing of interest: somebody's
 * LD_LIBRARY_PATH may name one where files come and go.
 */
static int holds_nothing_new(const struct entry *entry, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct entry_input *inputs = inputs_of(entry);

	if (fd < 0)
		return absent(path);
	for (size_t i = 0; i < header_of(entry)->inputs; i++) {
		const struct entry_input *input = &inputs[i];

		if (input->kind == ENTRY_DIRECTORY || input->name == 0)
			continue;
		int status = is_unshadowed(fd, input,
					   entry_string(entry, input->name));
		if (status <= 0)
			return status;
	}
	return true;
}

static int input_is_fresh(const struct entry *entry,
			  const struct entry_input *input)
{
	const char *path = entry_string(entry, input->path);
	struct file_identity now;
	struct stat st;

	if (stat(path, &st) < 0) {
		bool none = errno == ENOENT || errno == ENOTDIR;
		int status = absent(path);

		return status < 0 ? status
				  : none && input->kind == ENTRY_ABSENT;
	}
	now = file_identity_of(&st);
	if (file_identity_equal(&now, &input->identity))
		return true;
	return input->kind == ENTRY_DIRECTORY ? holds_nothing_new(entry, path)
					      : false;
}

int entry_is_fresh(const struct entry *entry)
{
	const struct entry_input *inputs = inputs_of(entry);
	int status = true;

	for (size_t i = 0; status > 0 && i < header_of(entry)->inputs; i++)
		status = input_is_fresh(entry, &inputs[i]);
	return status;
}

static void out_of_memory(struct entry_draft *draft)
{
	draft->status = status_no_memory("entry");
}

/* The offset of a copy; offset 0 is "". */
static uint32_t draft_string(struct entry_draft *draft, const char *s)
{
	size_t n = strlen(s) + 1;
	size_t at = draft->strings_size ? draft->strings_size : 1;

	if (*s == '\0' && draft->strings_size)
		return 0;
	if (!draft->status && at + n > ENTRY_SIZE_MAX)
		out_of_memory(draft);
	if (draft->status)
		return 0;
	if (at + n > draft->strings_room) {
		size_t room = (at + n) * 2;
		char *grown = realloc(draft->strings, room);
		if (!grown) {
			out_of_memory(draft);
			return 0;
		}
		draft->strings = grown;
		draft->strings_room = room;
	}
	draft->strings[0] = '\0';
	memcpy(draft->strings + at, s, n);
	draft->strings_size = at + n;
	return *s ? (uint32_t)at : 0;
}

void entry_draft_input(struct entry_draft *draft, enum entry_kind kind,
		       const char *path, const struct file_identity *identity)
{
	static const struct file_identity none;

	if (!array_reserve(&draft->inputs, draft->input_count,
			   &draft->input_room, sizeof(*draft->inputs))) {
		out_of_memory(draft);
		return;
	}
	uint32_t at = draft_string(draft, path);
	draft->inputs[draft->input_count++] = (struct entry_input){
		.identity = identity ? *identity : none,
		.kind = kind,
		.path = at,
		.name = at + (uint32_t)(file_base_name(path) - path),
	};
}

static bool has_input(const struct entry_draft *draft, const char *path)
{
	for (size_t i = 0; i < draft->input_count; i++)
		if (strcmp(draft->strings + draft->inputs[i].path, path) == 0)
			return true;
	return false;
}

void entry_draft_path(struct entry_draft *draft, const char *path)
{
	struct file_identity identity;
	struct stat st;

	if (draft->status || has_input(draft, path))
		return;
	if (stat(path, &st) < 0) {
		draft->status = absent(path);
		if (draft->status == 0)
			entry_draft_input(draft, ENTRY_ABSENT, path, NULL);
		return;
	}
	identity = file_identity_of(&st);
	entry_draft_input(draft,
			  S_ISDIR(st.st_mode) ? ENTRY_DIRECTORY : ENTRY_FILE,
			  path, &identity);
}

uint64_t entry_draft_youth(const struct entry_draft *draft, uint64_t read_ns)
{
	uint64_t most = 0, now = clock_ns(CLOCK_REALTIME);

	for (size_t i = 0; i < draft->input_count; i++) {
		uint64_t changed = draft->inputs[i].identity.ctime_ns;

		/* A time to come is a clock's that was put back: the next
		 * change will have another. */
		if (changed == 0 || changed > now ||
		    file_time_is_past(changed, read_ns))
			continue;
		uint64_t grain = file_time_grain(changed);
		most = grain > most ? grain : most;
	}
	return most;
}

void entry_draft_library(struct entry_draft *draft, const char *path,
			 const char *why, const char *detail, uint32_t number)
{
	if (!array_reserve(&draft->libraries, draft->library_count,
			   &draft->library_room, sizeof(*draft->libraries))) {
		out_of_memory(draft);
		return;
	}
	struct entry_library library = {
		.path = draft_string(draft, path),
		.why = draft_string(draft, why),
		.detail = draft_string(draft, detail),
		.number = number,
	};
	draft->libraries[draft->library_count++] = library;
}

void entry_draft_learned(struct entry_draft *draft)
{
	if (!draft->status)
		draft->libraries[draft->library_count - 1].learned = 1;
}

static void *append(void *at, const void *data, size_t size)
{
	if (size > 0)
		memcpy(at, data, size);
	return (char *)at + size;
}

int entry_draft_finish(struct entry_draft *draft,
		       const struct entry_facts *facts, struct entry *ret)
{
	struct header h = {
		.magic = ENTRY_MAGIC,
		.format = ENTRY_FORMAT,
		.lazy = facts->lazy,
		.tls = facts->tls,
		.key = draft_string(draft, facts->key),
		.generation = draft_string(draft, facts->generation),
		.plain = draft_string(draft, facts->plain),
		.version = draft_string(draft, PACKAGE_VERSION),
		.inputs = (uint32_t)draft->input_count,
		.libraries = (uint32_t)draft->library_count,
	};

	h.strings = (uint32_t)draft->strings_size;
	size_t size = strings_at(&h) + h.strings;
	uint8_t *data = draft->status ? NULL : malloc(size);
	if (draft->status)
		return draft->status;
	if (!data)
		return status_no_memory("entry");
	void *at = append(data, &h, sizeof(h));
	at = append(at, draft->inputs,
		    draft->input_count * sizeof(*draft->inputs));
	at = append(at, draft->libraries,
		    draft->library_count * sizeof(*draft->libraries));
	append(at, draft->strings, draft->strings_size);
	h.checksum = hash_bytes(data + CHECKED_FROM, size - CHECKED_FROM);
	memcpy(data, &h, sizeof(h));
	*ret = (struct entry){data, size};
	return 0;
}

void entry_draft_clear(struct entry_draft *draft)
{
	free(draft->inputs);
	free(draft->libraries);
	free(draft->strings);
	*draft = (struct entry_draft){.inputs = NULL};
}

/* SPDX-License-Identifier: MIT */
/*
 * Texts come out of files, so they are hostile: their length, their depth and
 * their bytes are looked at before anything else reads them.
 */
#include "meta/texts.h"

#include "base/json.h"
#include "base/status.h"
#include "catalog/record.h"
#include "elf/view.h"

#include <dlazy/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* malloc'd; NULL, with message: out of memory. */
static char *sidecar_path(const char *path)
{
	const char *base = file_base_name(path);
	size_t length = (size_t)(base - path) + record_plugin_name_length(base);
	char *sidecar = malloc(length + sizeof(METADATA_SIDECAR_SUFFIX));

	if (!sidecar) {
		status_no_memory(path);
		return NULL;
	}
	memcpy(sidecar, path, length);
	strcpy(sidecar + length, METADATA_SIDECAR_SUFFIX);
	return sidecar;
}

/* Each load asks, and few plugins have a sidecar: no message is made of that. */
static int identify(const char *path, struct file_identity *ret)
{
	struct stat st;

	*ret = (struct file_identity){.dev = 0};
	if (stat(path, &st) == 0) {
		*ret = file_identity_of(&st);
		return 0;
	}
	if (!status_is_state(status_from_errno(errno)))
		return 0;
	return status_fail(status_from_errno(errno), "%s: %s", path,
			   strerror(errno));
}

int meta_identify(const char *path, struct meta_files *ret)
{
	_cleanup_free_ char *sidecar = sidecar_path(path);
	int status = sidecar ? identify(path, &ret->plugin) : status_last();

	return status < 0 ? status : identify(sidecar, &ret->sidecar);
}

/* A fact about a source is its problem; a state is returned. */
static int take_problem(struct json_source *source, int status)
{
	if (status_is_state(status))
		return status;
	if (status < 0 && status != -DLAZY_ENOENT)
		snprintf(source->problem, sizeof(source->problem), "%s",
			 status_message());
	if (status < 0)
		status_clear();
	return 0;
}

/* A text of that many bytes was read. */
static int check_text(const char *text, size_t size, const char *name)
{
	struct json_flaw flaw;

	if (size > META_TEXT_MAX)
		return status_fail(DLAZY_EFORMAT,
				   "%s: metadata of more than %u bytes", name,
				   META_TEXT_MAX);
	if (strlen(text) != size)
		return status_fail(DLAZY_EFORMAT,
				   "%s: metadata with a NUL at byte %zu", name,
				   strlen(text));
	if (!json_check(text, &flaw))
		return status_fail(DLAZY_EFORMAT,
				   "%s: metadata are no JSON: at byte %zu %s "
				   "was expected",
				   name, flaw.offset, flaw.expected);
	if (text[strspn(text, " \t\r\n")] != '{')
		return status_fail(DLAZY_EFORMAT,
				   "%s: metadata are no JSON object", name);
	return 0;
}

static int read_sidecar(const char *path, char **ret)
{
	struct file_identity identity;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	int status = file_open(AT_FDCWD, path, &fd, &identity);

	if (status < 0)
		return status;
	if (identity.size > META_TEXT_MAX)
		return check_text("", identity.size, path);
	text = malloc(identity.size + 1);
	if (!text)
		return status_no_memory(path);
	if (!file_read_at(fd, 0, text, identity.size))
		return status_fail(errno ? status_from_errno(errno)
					 : DLAZY_EFORMAT,
				   "%s: cannot be read: %s", path,
				   errno ? strerror(errno) : "it has changed");
	text[identity.size] = '\0';
	status = check_text(text, identity.size, path);
	if (status == 0)
		*ret = TAKE_PTR(text);
	return status;
}

static int read_note(const char *path, char **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t size;
	int status = file_open(AT_FDCWD, path, &fd, NULL);

	if (status == 0)
		status = elf_note_read(fd, path, DLAZY_PLUGIN_OWNER,
				       DLAZY_PLUGIN_TYPE, &text, &size);
	if (status < 0)
		return status;
	while (size && !text[size - 1])
		size--;
	status = check_text(text, size, path);
	if (status == 0)
		*ret = TAKE_PTR(text);
	return status;
}

int meta_texts_read(const char *path, unsigned which, struct meta_texts *ret)
{
	struct json_source *sidecar = &ret->sources[METADATA_SIDECAR];
	struct json_source *note = &ret->sources[METADATA_NOTE];
	int status = 0;

	*ret = (struct meta_texts){
		.sources = {[METADATA_SIDECAR].name = "sidecar",
			    [METADATA_NOTE].name = "note",
			    [METADATA_STATIC].name = "static",
			    [METADATA_PROBE].name = "probe"}};
	_cleanup_free_ char *beside = sidecar_path(path);
	if (!beside)
		return status_last();
	if (which & 1u << METADATA_SIDECAR)
		status = take_problem(
			sidecar, read_sidecar(beside, (char **)&sidecar->text));
	if (status < 0 || !(which & 1u << METADATA_NOTE))
		return status;
	return take_problem(note, read_note(path, (char **)&note->text));
}

int meta_texts_add(struct meta_texts *texts, enum metadata_source source,
		   const char *text)
{
	struct json_source *to = &texts->sources[source];

	if (!text)
		return 0;
	int status = check_text(text, strlen(text), to->name);
	if (status < 0)
		return take_problem(to, status);
	to->text = strdup(text);
	return to->text ? 0 : status_no_memory(NULL);
}

void meta_texts_clear(struct meta_texts *texts)
{
	for (size_t i = 0; i < METADATA_SOURCES; i++) {
		free((char *)texts->sources[i].text);
		texts->sources[i].text = NULL;
	}
}

bool meta_texts_are_there(const struct meta_texts *texts)
{
	for (size_t i = 0; i < METADATA_SOURCES; i++)
		if (texts->sources[i].text)
			return true;
	return false;
}

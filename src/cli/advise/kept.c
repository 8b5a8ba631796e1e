/* SPDX-License-Identifier: MIT */
/*
 * The file of kept findings. It is text: a first line says for which dlazy and
 * which index it holds, then there is one line for each program, "IDENTITY
 * LIBRARIES LAZY REASON\tPATH". A line is appended whole; one that is not
 * whole is not read.
 */
#include "cli/advise/kept.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "link/index/index.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "advise"
#define SIZE_LARGEST (16u << 20)

static uint64_t identity_key(const struct file_identity *identity)
{
	return hash_bytes(identity, sizeof(*identity));
}

/* The first line; NULL: there is no index, or no memory. */
static char *head_of(const char *cache)
{
	_cleanup_free_ char *index = NULL;
	struct file_identity identity;
	char *head;

	if (asprintf(&index, "%s/" INDEX_CACHE_NAME, cache) < 0) {
		index = NULL;
		return NULL;
	}
	if (file_identify(AT_FDCWD, index, &identity) < 0 ||
	    asprintf(&head, "dlazy " PACKAGE_VERSION " advise 1 %016" PRIx64,
		     identity_key(&identity)) < 0)
		return NULL;
	return head;
}

static char *read_text(const char *path)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;

	if (file_open_trusted(AT_FDCWD, path, O_RDONLY, &fd, &size) < 0 ||
	    size > SIZE_LARGEST)
		return NULL;
	char *text = calloc(1, (size_t)size + 1);
	if (text && file_read_at(fd, 0, text, (size_t)size))
		return text;
	free(text);
	return NULL;
}

/* Lines by their paths, the latest of each; a torn one at the end is none. */
static void take_lines(struct kept *kept)
{
	char *line = strchr(kept->text, '\n') + 1, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		char *path = strchr(line, '\t');
		if (path)
			map_put(&kept->lines, hash_string(path + 1), line);
	}
}

void kept_open(struct kept *kept, const char *cache)
{
	_cleanup_free_ char *head = head_of(cache), *path = NULL;

	*kept = (struct kept){.file = NULL};
	if (!head || asprintf(&path, "%s/" FILE_NAME, cache) < 0) {
		status_clear();
		return;
	}
	size_t n = strlen(head);
	kept->text = read_text(path);
	bool is_same = kept->text && strncmp(kept->text, head, n) == 0 &&
		       kept->text[n] == '\n';
	status_clear();
	if (is_same) {
		kept->file = fopen(path, "ae");
		take_lines(kept);
		return;
	}
	unlink(path);
	kept->file = fopen(path, "axe");
	if (kept->file)
		fprintf(kept->file, "%s\n", head);
}

void kept_close(struct kept *kept)
{
	if (kept->file)
		fclose(kept->file);
	free(kept->text);
	map_clear(&kept->lines);
}

bool kept_find(const struct kept *kept, const char *path,
	       struct kept_program *ret)
{
	const char *line = map_get(&kept->lines, hash_string(path));
	struct file_identity identity;
	uint64_t key;
	int reason = 0;

	if (!line || strcmp(strchr(line, '\t') + 1, path) != 0 ||
	    file_identify(AT_FDCWD, path, &identity) < 0) {
		status_clear();
		return false;
	}
	if (sscanf(line, "%" SCNx64 " %zu %zu%n", &key, &ret->libraries,
		   &ret->lazy, &reason) < 3 ||
	    key != identity_key(&identity) || reason == 0 ||
	    line[reason] != ' ')
		return false;
	/* The reason ends where the path begins. */
	char *text = (char *)line + reason + 1;
	*strchr(line, '\t') = '\0';
	ret->plain = *text ? text : NULL;
	return true;
}

void kept_add(struct kept *kept, const char *path,
	      const struct kept_program *program)
{
	const char *plain = program->plain ? program->plain : "";
	struct file_identity identity;

	if (!kept->file || strpbrk(path, "\t\n") || strpbrk(plain, "\t\n") ||
	    file_identify(AT_FDCWD, path, &identity) < 0) {
		status_clear();
		return;
	}
	fprintf(kept->file, "%016" PRIx64 " %zu %zu %s\t%s\n",
		identity_key(&identity), program->libraries, program->lazy,
		plain, path);
	fflush(kept->file);
}

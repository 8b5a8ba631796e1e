/* SPDX-License-Identifier: MIT */
/*
 * Deciding whether a library may be loaded in a changed root directory. The
 * dynamic linker is given a path, and opens it a moment after we looked at it,
 * so nobody else may be able to put another file there meanwhile: each
 * directory on the way must be root's or ours, and not writable by others. Nor
 * may the linker search for what the file needs: that must be loaded already.
 */
#include "runtime/root.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/status.h"
#include "elf/view.h"
#include "load/dl.h"
#include "stub/linked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct file_identity started_in; /* all 0: not known */

void root_remember(void)
{
	if (file_identify(AT_FDCWD, "/", &started_in) < 0)
		status_clear();
}

bool root_is_changed(void)
{
	struct file_identity now;

	if (!started_in.ino)
		return false;
	if (file_identify(AT_FDCWD, "/", &now) < 0) {
		status_clear();
		return true;
	}
	return now.dev != started_in.dev || now.ino != started_in.ino;
}

/* Whether nobody else can change what an absolute path leads to; the path is
 * changed while this runs. */
static bool is_nobody_elses(char *path)
{
	struct stat st;
	bool is_root = true;

	for (char *at = path; at; at = strchr(at + 1, '/')) {
		char c = at[is_root];

		at[is_root] = '\0';
		bool trusted = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
			       file_is_trusted(&st);
		at[is_root] = c;
		if (!trusted)
			return false;
		is_root = false;
	}
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       file_is_trusted(&st);
}

/* A library that it needs, and that is not there yet; NULL: all are. */
static const char *find_absent(const struct elf_view *view)
{
	for (size_t i = 0; i < elf_view_needed_count(view); i++) {
		const char *name = elf_view_needed(view, i);
		void *handle = dl_open_again(name, 0);

		if (!handle)
			return name;
		dl_close(handle);
	}
	return NULL;
}

static int refuse(const char *path, const char *why)
{
	return status_fail(DLAZY_EUNTRUSTED,
			   "%s: the root directory is another than at the "
			   "program's start (chroot), and %s",
			   path, why);
}

int root_check(const struct linked *l, const char *path,
	       const struct file_identity *identity, char **ret_path)
{
	char recorded[32];
	struct file_identity its;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_close_ int fd = -1;

	snprintf(recorded, sizeof(recorded), LINKED_FILE_HASH,
		 (unsigned long long)hash_bytes(identity, sizeof(*identity)));
	if (strcmp(recorded, linked_string(l, l->file)) != 0)
		return refuse(path, "there this is another file");
	_cleanup_free_ char *real = realpath(path, NULL);
	if (!real || !is_nobody_elses(real))
		return refuse(path, "there others can put another file in its "
				    "place");
	int status = file_open(AT_FDCWD, real, &fd, &its);
	if (status == 0)
		status = elf_view_open_needs(fd, real, &view);
	if (status < 0)
		return status;
	if (!file_identity_equal(&its, identity))
		return refuse(path, "there this is another file");
	if (find_absent(view))
		return refuse(path, "what it needs would be looked for there");
	*ret_path = TAKE_PTR(real);
	return 0;
}

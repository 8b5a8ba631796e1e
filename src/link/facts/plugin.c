/* SPDX-License-Identifier: MIT */
/*
 * The table of families, by what their hosts look for.
 */
#include "link/facts/plugin.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "link/facts/sources.h"

#include <fcntl.h>

static const struct {
	const char *symbol;
	facts_source_fn *read;
} sources[] = {
	{"f0r_get_plugin_info", facts_frei0r},
	{"Pg_magic_func", facts_postgresql},
	{"weechat_plugin_name", facts_weechat},
};

bool plugin_facts_likely(const struct record *record)
{
	struct record_symbol ignored;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (record_find(record, sources[i].symbol, NULL, &ignored))
			return true;
	return false;
}

static char *read_file(const struct facts_file *file)
{
	struct elf_symbol symbol;
	char *text = NULL;

	for (size_t i = 0; !text && i < ARRAY_SIZE(sources); i++)
		if (elf_view_find(file->view, sources[i].symbol, NULL, &symbol))
			text = sources[i].read(file);
	return text;
}

int plugin_facts_read(const char *path, char **ret)
{
	_cleanup_elf_view_ struct elf_view *view = NULL;
	_cleanup_elf_data_ struct elf_data *data = NULL;
	_cleanup_close_ int fd = -1;
	unsigned states = status_state_count();
	int status = file_open(AT_FDCWD, path, &fd, NULL);

	*ret = NULL;
	if (status == 0)
		status = elf_view_open(fd, path, &view);
	if (status == 0)
		status = elf_data_open(fd, path, &data);
	if (status == 0)
		*ret = read_file(&(struct facts_file){fd, path, view, data});
	/* What was not read for a state is not known for good. */
	if (states != status_state_count()) {
		free(*ret);
		*ret = NULL;
		return status_last();
	}
	status_clear();
	return 0;
}

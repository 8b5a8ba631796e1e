/* SPDX-License-Identifier: MIT */
/*
 * Judging programs. The index of this machine is opened once for all programs
 * that are judged.
 */
#include "cli/run/judge.h"

#include "base/cleanup.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "cli/frame/beside.h"
#include "cli/frame/progress.h"
#include "link/index/index.h"

#include <stdlib.h>
#include <string.h>

static int open_index(struct judge *judge)
{
	struct progress progress = progress_begin("reading this machine");
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" INDEX_CACHE_NAME, judge->cache) < 0) {
		path = NULL;
		return status_no_memory(NULL);
	}
	int status =
		index_open(&(struct index_options){.cache_path = path,
						   .progress = progress_update,
						   .data = &progress},
			   &judge->index);
	progress_end(&progress);
	return status;
}

int judge_begin(struct judge *judge)
{
	*judge = (struct judge){.cache = catalog_cache_dir()};
	if (!judge->cache)
		return status_fail(DLAZY_ENOENT, "no cache directory: set "
						 "DLAZY_CACHE_DIR or HOME");
	int found = beside_find(RUN_LIBDLAZY, DLAZY_BIN_TO_LIB, DLAZY_LIBDIR,
				judge->libdlazy);
	if (found < 0)
		return found;
	if (!found)
		return status_fail(DLAZY_ENOENT,
				   "%s: not there: dlazy is not installed "
				   "whole",
				   judge->libdlazy);
	return open_index(judge);
}

void judge_end(struct judge *judge)
{
	index_close(judge->index);
	free(judge->cache);
	*judge = (struct judge){.cache = NULL};
}

static bool is_lazy_at(const struct judgement *j, size_t i)
{
	struct entry_library l = entry_library(&j->entry, i);

	return *entry_string(&j->entry, l.why) == '\0';
}

int judge_program(const struct judge *judge, const struct program *program,
		  const struct request *request, struct judgement *ret)
{
	const struct program_options options = {
		.eager = request ? request->eager.list : NULL,
		.lazy = request ? request->lazy.list : NULL,
		.cache = judge->cache,
		.libdlazy = judge->libdlazy,
		.index = judge->index,
	};
	struct judgement j = {.plain = NULL};
	int status = program_judge(program, &options, &j.entry);

	if (status < 0)
		return status;
	const char *plain = entry_facts(&j.entry).plain;
	j.plain = *plain ? plain : NULL;
	j.libraries = entry_library_count(&j.entry);
	for (size_t i = 0; i < j.libraries; i++)
		j.lazy += is_lazy_at(&j, i);
	*ret = j;
	return 0;
}

void judgement_clear(struct judgement *judgement)
{
	entry_clear(&judgement->entry);
}

bool judgement_is_lazy(const struct judgement *judgement, const char *path)
{
	for (size_t i = 0; i < judgement->libraries; i++) {
		struct entry_library l = entry_library(&judgement->entry, i);

		if (strcmp(entry_string(&judgement->entry, l.path), path) == 0)
			return is_lazy_at(judgement, i);
	}
	return false;
}

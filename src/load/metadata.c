/* SPDX-License-Identifier: MIT */
/*
 * A module keeps what it has given out, as pointers into it stay valid; with it,
 * which files that was read from. It is read anew when one of these has changed.
 * That there are no metadata is not kept: the next who asks looks again.
 */
#include "load/metadata.h"

#include "load/part.h"

static struct part json = {.file = "json.so", .for_what = "metadata"};

void metadata_use_module(const char *path)
{
	json.chosen = path;
}

/* One answer that was given; guarded by load_lock. */
struct module_metadata {
	struct meta_files files;
	struct json_document *document;
	struct module_metadata *earlier;
};

int metadata_read(const char *path, struct metadata *ret)
{
	void *merge;

	ret->document = NULL;
	int status = meta_texts_read(path, &ret->texts);
	if (status < 0 || !meta_texts_are_there(&ret->texts))
		return status;
	status = part_find(&json, "dlazy_json_merge", &merge);
	if (status == 0)
		status = ((__typeof__(&dlazy_json_merge))merge)(
			ret->texts.sources, META_SOURCES, &ret->document);
	return status < 0 ? status_prefix("%s", path) : 0;
}

void metadata_clear(struct metadata *metadata)
{
	meta_texts_clear(&metadata->texts);
	if (metadata->document)
		metadata->document->free(metadata->document);
	metadata->document = NULL;
}

/* If all there is are problems, the first one is the failure. */
static int check_problems(const struct metadata *metadata, const char *path)
{
	for (size_t i = 0; !metadata->document && i < META_SOURCES; i++) {
		const struct json_source *source = &metadata->texts.sources[i];
		if (source->problem[0])
			return status_fail(DLAZY_EFORMAT, "%s: %s: %s", path,
					   source->name, source->problem);
	}
	return 0;
}

static bool are_same(const struct meta_files *a, const struct meta_files *b)
{
	return file_identity_equal(&a->plugin, &b->plugin) &&
	       file_identity_equal(&a->sidecar, &b->sidecar);
}

/* What was given out already, if it is of these files. */
static const struct json_document *find_kept(struct dlazy_module *m,
					     const struct meta_files *files)
{
	LOCKED(&load_lock);
	return m->metadata && are_same(&m->metadata->files, files)
		       ? m->metadata->document
		       : NULL;
}

/* Gives a document to the module, unless another thread was first. */
static const struct json_document *keep(struct dlazy_module *m,
					struct module_metadata *new)
{
	const struct json_document *kept = find_kept(m, &new->files);

	if (!kept) {
		LOCKED(&load_lock);
		new->earlier = m->metadata;
		m->metadata = new;
		return new->document;
	}
	new->document->free(new->document);
	free(new);
	return kept;
}

static int read_anew(struct dlazy_module *m, const struct meta_files *files,
		     const struct json_document **ret)
{
	_cleanup_(metadata_clear) struct metadata metadata;
	const char *path = m->path;
	int status = metadata_read(path, &metadata);

	if (status == 0)
		status = check_problems(&metadata, path);
	if (status < 0 || !metadata.document)
		return status;
	struct module_metadata *new = calloc(1, sizeof(*new));
	if (!new)
		return status_fail(DLAZY_ENOMEM, "%s: out of memory", path);
	new->files = *files;
	new->document = TAKE_PTR(metadata.document);
	*ret = keep(m, new);
	return 0;
}

int metadata_of_module(struct dlazy_module *m, const struct json_document **ret)
{
	struct meta_files files;

	*ret = NULL;
	if (module_is_builtin(m) || *m->path != '/')
		return 0;
	int status = meta_identify(m->path, &files);
	if (status < 0)
		return status;
	*ret = find_kept(m, &files);
	return *ret ? 0 : read_anew(m, &files, ret);
}

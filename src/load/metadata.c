/* SPDX-License-Identifier: MIT */
/*
 * A module keeps the metadata that it has given out, as pointers into them stay
 * valid, and which files they were read from. They are read anew when one of these
 * files has changed. That a module has none is kept of a file whose times would tell
 * a change, and compared with it each time.
 */
#include "load/metadata.h"

#include "base/clock.h"
#include "catalog/format.h"
#include "load/part.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static struct part json = {.file = "json.so", .for_what = "metadata"};

void metadata_use_module(const char *path)
{
	json.chosen = path;
}

/* One answer that was given; guarded by load_lock. */
struct module_metadata {
	struct meta_files files;
	uint64_t
		said; /* checksum of what a catalog said; 0: of the files alone */
	struct document *document;
	struct catalog_metadata *block; /* what a catalog said, or NULL */
	struct module_metadata *earlier;
};

/* The texts that there are. -DLAZY_ENOSYS: there is no JSON module. */
static int merge(struct metadata *metadata)
{
	void *merge;

	if (!meta_texts_are_there(&metadata->texts))
		return 0;
	int status = part_find(&json, "dlazy_json_merge", &merge);
	if (status < 0)
		return status;
	_cleanup_free_ char *text = NULL, *sources = NULL;
	status = ((__typeof__(&dlazy_json_merge))merge)(
		metadata->texts.sources, METADATA_SOURCES, &text, &sources);
	if (status < 0 || !text)
		return status;
	return document_new(text, sources, &metadata->document);
}

int metadata_read(const char *path, struct metadata *ret)
{
	ret->document = NULL;
	int status = meta_texts_read(path, META_TEXTS_ALL, &ret->texts);

	if (status == 0)
		status = merge(ret);
	return status < 0 ? status_prefix("%s", path) : 0;
}

void metadata_clear(struct metadata *metadata)
{
	meta_texts_clear(&metadata->texts);
	document_free(metadata->document);
	metadata->document = NULL;
}

/* If all there is are problems, the first one is the failure. */
static int check_problems(const struct metadata *metadata, const char *path)
{
	for (size_t i = 0; !metadata->document && i < METADATA_SOURCES; i++) {
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

/* What was given out already, if it is of these files, and of that catalog. */
static const struct document *find_kept(struct dlazy_module *m,
					const struct meta_files *files,
					uint64_t said)
{
	LOCKED(&load_lock);
	return m->metadata && m->metadata->said == said &&
			       are_same(&m->metadata->files, files)
		       ? m->metadata->document
		       : NULL;
}

/* Gives a document to the module, unless another thread was first. */
static const struct document *keep(struct dlazy_module *m,
				   struct module_metadata *new)
{
	const struct document *kept = find_kept(m, &new->files, new->said);

	if (!kept) {
		LOCKED(&load_lock);
		new->earlier = m->metadata;
		m->metadata = new;
		return new->document;
	}
	document_free(new->document);
	free(new->block);
	free(new);
	return kept;
}

/* `document` and `block` are taken over. */
static int give(struct dlazy_module *m, const struct meta_files *files,
		struct catalog_metadata *block, struct document *document,
		const struct document **ret)
{
	struct module_metadata *new = calloc(1, sizeof(*new));

	if (!new) {
		free(block);
		document_free(document);
		return status_no_memory(m->path);
	}
	*new = (struct module_metadata){.files = *files,
					.said = block ? block->checksum : 0,
					.document = document,
					.block = block};
	*ret = keep(m, new);
	return 0;
}

/* The files were looked at after `now`, which is before the file was read. */
static void keep_none(struct dlazy_module *m, const struct meta_files *files,
		      uint64_t now_ns)
{
	if (files->sidecar.ino ||
	    !file_time_is_past(files->plugin.ctime_ns, now_ns))
		return;
	LOCKED(&load_lock);
	m->without_metadata = files->plugin;
}

static int read_anew(struct dlazy_module *m, const struct meta_files *files,
		     uint64_t now_ns, const struct document **ret)
{
	_cleanup_(metadata_clear) struct metadata metadata;
	int status = metadata_read(m->path, &metadata);

	if (status == 0)
		status = check_problems(&metadata, m->path);
	if (status == 0 && !metadata.document)
		keep_none(m, files, now_ns);
	if (status < 0 || !metadata.document)
		return status;
	return give(m, files, NULL, TAKE_PTR(metadata.document), ret);
}

/* It has no sidecar now, and is a file in which there is no note: as each load asks,
 * it is not read for that again. */
static bool says_nothing(const struct dlazy_module *m,
			 const struct meta_files *files)
{
	if (!files->plugin.ino || files->sidecar.ino)
		return false;
	LOCKED(&load_lock);
	const struct record *record = m->record;

	return file_identity_equal(&m->without_metadata, &files->plugin) ||
	       (record && !record_is_noted(record) &&
		record_identity(record).ino &&
		record_is_current(record, -1, &files->plugin));
}

int metadata_of_module(struct dlazy_module *m, const struct document **ret)
{
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	struct meta_files files;

	*ret = NULL;
	if (module_is_builtin(m) || *m->path != '/')
		return 0;
	int status = meta_identify(m->path, &files);
	if (status < 0)
		return status;
	*ret = find_kept(m, &files, 0);
	if (*ret || says_nothing(m, &files))
		return 0;
	return read_anew(m, &files, now_ns, ret);
}

static int copy_metadata(const struct catalog_metadata *m,
			 struct catalog_metadata **ret)
{
	*ret = malloc(metadata_size(m));
	if (!*ret)
		return status_no_memory(NULL);
	memcpy(*ret, m, metadata_size(m));
	return 0;
}

const struct catalog_metadata *metadata_said(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m->metadata ? m->metadata->block : NULL;
}

int metadata_of_catalog(struct dlazy_module *m, const struct meta_files *files,
			const struct catalog_metadata *said,
			const struct document **ret)
{
	const char *text = metadata_text(said),
		   *problem = metadata_problem(said);
	_cleanup_free_ struct catalog_metadata *block = NULL;
	struct document *document;

	*ret = NULL;
	if (!text && problem)
		return status_fail(DLAZY_EFORMAT, "%s: %s", m->path, problem);
	if (!text)
		return 0;
	*ret = find_kept(m, files, said->checksum);
	if (*ret)
		return 0;
	int status = copy_metadata(said, &block);
	if (status == 0)
		status = document_new(text, metadata_sources(said), &document);
	if (status < 0)
		return status;
	return give(m, files, TAKE_PTR(block), document, ret);
}

/* ------------------------------------------------------------------ */
/* For catalogs                                                       */

#define PROBLEMS_MAX 1024

/* The problems of all sources, in words; NULL: there are none. */
static const char *tell_problems(const struct metadata *metadata,
				 char words[PROBLEMS_MAX])
{
	size_t size = 0;

	words[0] = '\0';
	for (size_t i = 0; i < METADATA_SOURCES; i++) {
		const struct json_source *s = &metadata->texts.sources[i];

		if (s->problem[0] && size < PROBLEMS_MAX - 1)
			size += (size_t)snprintf(
				words + size, PROBLEMS_MAX - size, "%s%s: %s",
				size ? "; " : "", s->name, s->problem);
	}
	return size ? words : NULL;
}

/* Reads what the plugin has, and merges it with what is given. *ret_later: there is
 * no JSON module, with message. */
static int read_for_scan(const struct scan_plugin *plugin, const char *path,
			 const struct metadata_given *given,
			 struct metadata *ret, bool *ret_later)
{
	unsigned which = 0;

	*ret_later = false;
	if (plugin->sidecar.ino)
		which |= 1u << METADATA_SIDECAR;
	if (record_is_noted(plugin->record))
		which |= 1u << METADATA_NOTE;
	int status = meta_texts_read(path, which, &ret->texts);
	for (size_t i = METADATA_STATIC; status == 0 && i < METADATA_SOURCES;
	     i++)
		status = meta_texts_add(&ret->texts, (enum metadata_source)i,
					given->text[i]);
	if (status == 0)
		status = merge(ret);
	*ret_later = status == -DLAZY_ENOSYS;
	return *ret_later ? 0 : status;
}

/* What tells the sidecar that was read from another in a catalog that travels. */
static int hash_sidecar(const struct scan_plugin *plugin, uint64_t *ret)
{
	_cleanup_free_ char *file = NULL;
	_cleanup_close_ int fd = -1;

	*ret = 0;
	if (!plugin->portable || !plugin->sidecar.ino)
		return 0;
	if (asprintf(&file, "%s" METADATA_SIDECAR_SUFFIX,
		     record_name(plugin->record)) < 0) {
		file = NULL;
		return status_no_memory(NULL);
	}
	int status = file_open(plugin->dirfd, file, &fd, NULL);
	if (status < 0)
		return status;
	if (record_content(fd, ret))
		return 0;
	return status_fail(status_from_errno(errno), "%s: cannot read: %s",
			   file, strerror(errno));
}

static int encode(const struct scan_plugin *plugin,
		  const struct metadata_given *given,
		  const struct metadata *metadata, bool later,
		  struct catalog_metadata **ret)
{
	const struct document *document = metadata->document;
	char words[PROBLEMS_MAX], why[PROBLEMS_MAX];
	struct metadata_draft draft = {
		.name = record_name(plugin->record),
		.file = record_file(plugin->record),
		.plugin = record_identity(plugin->record),
		.text = document ? document_text(document) : NULL,
		.sources = document ? document_sources(document) : NULL,
		.given = *given,
	};

	snprintf(why, sizeof(why), "%s", status_message());
	draft.problem = later ? why : tell_problems(metadata, words);
	if (later || (plugin->sidecar.ino && plugin->is_young))
		draft.given.flags |= METADATA_YOUNG;
	if (plugin->portable)
		draft.plugin = (struct file_identity){.dev = 0};
	else
		draft.sidecar = plugin->sidecar;
	if (later)
		status_clear();
	int status = hash_sidecar(plugin, &draft.sidecar_content);
	if (status < 0)
		return status;
	if (!draft.text && !draft.problem && !draft.given.flags &&
	    !draft.given.probe && !plugin->sidecar.ino)
		return 0;
	return metadata_encode(&draft, ret);
}

int metadata_scan_given(const struct scan_plugin *plugin,
			const struct metadata_given *given,
			struct catalog_metadata **ret)
{
	_cleanup_(metadata_clear) struct metadata metadata = {.document = NULL};
	_cleanup_free_ char *path = NULL;
	bool later;

	*ret = NULL;
	if (asprintf(&path, "%s/%s", plugin->dir, record_file(plugin->record)) <
	    0) {
		path = NULL;
		return status_no_memory(NULL);
	}
	int status = read_for_scan(plugin, path, given, &metadata, &later);
	if (status == 0)
		status = encode(plugin, given, &metadata, later, ret);
	return status < 0 ? status_prefix("%s", path) : 0;
}

/* Whether that was made of the sidecar that is there now. */
static bool is_of_sidecar(const struct catalog_metadata *m,
			  const struct scan_plugin *plugin)
{
	struct file_identity then = metadata_sidecar(m);

	if (metadata_flags(m) & METADATA_YOUNG)
		return false;
	if (plugin->portable)
		return !plugin->sidecar.ino && !metadata_sidecar_content(m);
	return file_identity_equal(&then, &plugin->sidecar);
}

/* The same file can have another device's number. */
static bool is_of_plugin(const struct catalog_metadata *m,
			 const struct scan_plugin *plugin)
{
	struct file_identity then = metadata_plugin(m);
	struct file_identity now = record_identity(plugin->record);

	return plugin->portable || file_identity_equal(&then, &now);
}

int metadata_scan(const struct scan_plugin *plugin, void *data,
		  struct catalog_metadata **ret)
{
	const struct catalog_metadata *former = plugin->former;
	struct metadata_given given;

	(void)data;
	if (former && plugin->same_file && is_of_sidecar(former, plugin) &&
	    is_of_plugin(former, plugin))
		return copy_metadata(former, ret);
	metadata_keep(plugin->same_file ? former : NULL, &given);
	if (!plugin->same_file && plugin->was_probed)
		given.flags |= METADATA_DUE;
	if (!plugin->sidecar.ino && !record_is_noted(plugin->record) &&
	    !given.flags)
		return 0;
	return metadata_scan_given(plugin, &given, ret);
}

int metadata_of_file(const char *path, const char *name,
		     struct catalog_metadata **ret)
{
	_cleanup_(metadata_clear) struct metadata metadata = {.document = NULL};
	char words[PROBLEMS_MAX];
	int status = metadata_read(path, &metadata);

	*ret = NULL;
	if (status < 0)
		return status;
	struct metadata_draft draft = {
		.name = name,
		.file = file_base_name(path),
		.problem = tell_problems(&metadata, words),
	};
	if (metadata.document) {
		draft.text = document_text(metadata.document);
		draft.sources = document_sources(metadata.document);
	}
	return draft.text || draft.problem ? metadata_encode(&draft, ret) : 0;
}

/* ------------------------------------------------------------------ */
/* Whether they are current                                           */

/* A file of a directory; all 0: absent, or it cannot be looked at. */
static struct file_identity identity_of(int dirfd, const char *file)
{
	struct file_identity identity = {.dev = 0};

	if (file_identify(dirfd, file, &identity) < 0) {
		status_clear();
		return (struct file_identity){.dev = 0};
	}
	return identity;
}

static struct file_identity sidecar_of(int dirfd, const char *name)
{
	char file[NAME_MAX + 1];

	if (snprintf(file, sizeof(file), "%s" METADATA_SIDECAR_SUFFIX, name) >=
	    (int)sizeof(file))
		return (struct file_identity){.dev = 0};
	return identity_of(dirfd, file);
}

/* Of a catalog that travels: nothing was put in its place later than the catalog,
 * and there is a sidecar where one was read. */
static bool is_current_portable(const struct catalog_metadata *m,
				const struct file_identity *plugin,
				const struct file_identity *sidecar,
				uint64_t placed_ns)
{
	return plugin->ctime_ns <= placed_ns &&
	       sidecar->ctime_ns <= placed_ns &&
	       (sidecar->ino != 0) == (metadata_sidecar_content(m) != 0);
}

bool metadata_is_of(const struct catalog_metadata *m,
		    const struct meta_files *files, uint64_t placed_ns)
{
	struct meta_files then = {metadata_plugin(m), metadata_sidecar(m)};

	if (metadata_flags(m) & METADATA_YOUNG)
		return false;
	if (then.plugin.ino == 0)
		return is_current_portable(m, &files->plugin, &files->sidecar,
					   placed_ns);
	return are_same(files, &then);
}

bool metadata_is_current(const char *dir, const struct catalog_metadata *m,
			 uint64_t placed_ns)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct meta_files files = {
		.plugin = identity_of(dirfd, metadata_file(m)),
		.sidecar = sidecar_of(dirfd, metadata_name(m)),
	};

	return metadata_is_of(m, &files, placed_ns);
}

int metadata_again(const char *dir, const char *file,
		   const struct catalog_metadata *old,
		   struct catalog_metadata **ret)
{
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ struct record *record = NULL;
	int status = dirfd < 0 ? status_fail(status_from_errno(errno), "%s: %s",
					     dir, strerror(errno))
			       : record_read(dirfd, file, &record);

	*ret = NULL;
	if (status < 0)
		return status;
	struct file_identity then = {.dev = 0}, now = record_identity(record);
	if (old)
		then = metadata_plugin(old);
	struct scan_plugin plugin = {
		.dirfd = dirfd,
		.dir = dir,
		.record = record,
		.sidecar = sidecar_of(dirfd, record_name(record)),
		.former = old,
		.same_file = file_identity_equal(&then, &now),
		.was_probed = old && metadata_flags(old) &
					     (METADATA_PROBED | METADATA_DUE),
	};
	return metadata_scan(&plugin, NULL, ret);
}

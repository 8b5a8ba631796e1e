/* SPDX-License-Identifier: MIT */
/*
 * What a load of a shared object would fail on, as far as reading tells: the
 * libraries that it needs, at any remove, the versions that these must have, and
 * the symbols that somebody must define. Loads nothing.
 *
 * It knows nothing of this process: the caller's functions say which libraries and
 * symbols are there already.
 */
#ifndef ELF_CHECK_H
#define ELF_CHECK_H

#include "elf/view.h"
#include "elf/walk.h"

enum check_kind {
	CHECK_MISSING, /* `name`, a library, is not found */
	CHECK_DAMAGED, /* `name`, a library's path, is not usable: `words` */
	CHECK_VERSION, /* `name`, a library, has no version `version` */
	CHECK_SYMBOL,  /* nobody defines `symbol` */
};

/* One thing that is wrong; all is valid during the call. */
struct check_problem {
	enum check_kind kind;
	const char *needed_by; /* path of who needs it */
	const char *name;
	const char *version;
	const char *words;
	const struct elf_symbol *symbol;
};

struct check {
	const char *path;
	bool lazy; /* opened with RTLD_LAZY: functions may be bound late */
	/* Is a library, or a symbol, there from elsewhere? Asked only for what
	 * the file's own needs do not give. NULL: no. */
	bool (*has_library)(const char *name, void *data);
	bool (*has_symbol)(const struct elf_symbol *symbol, void *data);
	/*
	 * An object whose symbols are all defined by what it needs itself is not
	 * looked at again as long as none of these files changes: `key` stands for
	 * them. NULL: nothing is remembered.
	 */
	bool (*is_known)(uint64_t key, void *data);
	void (*know)(uint64_t key, void *data);
	struct view_cache *views; /* of the walk: see walk.h; or NULL */
	/* false: no more is wanted. */
	bool (*problem)(const struct check_problem *problem, void *data);
	void *data;
};

/*
 * Tells of each problem. 0, whatever was found; or the status of reading
 * the file itself, or the state (status_is_state()) that kept something from
 * being read. `walk`: all that is needed, for who wants to remember it;
 * walk_end() in any case.
 */
int check_file(const struct check *check, struct walk *walk);

#endif

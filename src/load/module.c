/* SPDX-License-Identifier: MIT */
/*
 * The table of modules: by device and inode, so that one file is one module
 * (as it is one object for the dynamic linker), whatever becomes of its times,
 * mode and links; and by address, so that a stale or foreign handle is an error
 * and not a crash.
 *
 * Invariants: a module in the table is never freed and keeps its name and
 * path; `handle` is set exactly while the state is LOADED. What is mapped stays
 * what it is: a file that was overwritten in place meanwhile is refused, as it
 * is neither the old nor the new one.
 *
 * A file that was put in the place of a loaded one is another module, or, by a
 * reload, the same one with another object; but the linker would take its path for
 * the object it has under that name. So each object gets another spelling, by its
 * number, between DIR/ and FILE: of the binary digits, 1 is "./" and 0 is "/".
 * (PATH_MAX would soon be reached with "././././"; the ten thousandth object's
 * path is 28 bytes longer.)
 */
#include "load/module.h"

#include "base/atomic.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/setting.h"
#include "load/dl.h"
#include "load/held.h"
#include "load/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_FLAGS (DLAZY_EAGER | DLAZY_ON_SYM | DLAZY_DISCARD | DLAZY_CHECK)

struct lock load_lock = LOCK_INIT(LOCK_LOAD);

static struct map by_file;    /* hash of device and inode -> module */
static struct map by_path;    /* hash of the path -> its latest module; also of
			       * a name that means one file for all */
static struct map by_address; /* module -> module */
static struct map kept_paths; /* hash -> a path where something was found */
static bool has_files;	      /* a plugin file was ever declared */

/* As many as other threads will put between the two locks: one to see how much
 * memory is needed, one to use it. */
#define ROOM_AHEAD 7

enum module_mode module_mode(void)
{
	static _Atomic(int) known; /* mode + 1 */
	int mode = atomic_load_explicit(&known, memory_order_relaxed) - 1;

	if (mode >= 0)
		return (enum module_mode)mode;
	const char *said = secure_getenv("DLAZY");
	ATOMIC_SHARED(&known);
	mode = MODULE_LAZY;
	if (said && !strcmp(said, "eager"))
		mode = MODULE_EAGER;
	else if (said && !strcmp(said, "off"))
		mode = MODULE_OFF;
	else if (said && *said && strcmp(said, "lazy") != 0)
		setting_refuse("DLAZY", said,
			       "it is lazy, eager or off: taken as lazy");
	atomic_store_explicit(&known, mode + 1, memory_order_relaxed);
	return (enum module_mode)mode;
}

int module_check_flags(int flags)
{
	if (!dl_flags_known(flags & ~MODULE_FLAGS))
		return status_fail(DLAZY_EINVAL,
				   "flags %#x: neither dlopen's nor dlazy's",
				   (unsigned)flags);
	return 0;
}

bool module_flags_global(int flags)
{
	return dl_flags_global(flags);
}

static uint64_t file_key(const struct file_identity *identity)
{
	const uint64_t file[] = {identity->dev, identity->ino};

	return hash_bytes(file, sizeof(file));
}

static struct dlazy_module *module_of_file_locked(
	const struct file_identity *identity)
{
	struct dlazy_module *m = map_get(&by_file, file_key(identity));

	return m && file_identity_same_inode(&m->identity, identity) ? m : NULL;
}

bool module_is_valid(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m && map_get(&by_address, map_pointer_key(m)) &&
	       (m->opens || m->borrows);
}

bool module_is_open(const struct file_identity *identity)
{
	LOCKED(&load_lock);
	const struct dlazy_module *m = module_of_file_locked(identity);

	return m && (m->opens || m->borrows);
}

bool module_is_known(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m && map_get(&by_address, map_pointer_key(m));
}

/* Returns how many there are; all of them are in the list if it has the room. */
static size_t list_modules(struct module_seen *list, size_t room)
{
	LOCKED(&load_lock);
	for (size_t i = 0, n = 0; i < by_address.room && n < room; i++) {
		const struct dlazy_module *m = by_address.entries[i].value;
		if (m)
			list[n++] = (struct module_seen){
				m, m->identity, atomic_load(&m->state)};
	}
	return by_address.count;
}

size_t module_list(struct module_seen **ret)
{
	size_t n = list_modules(NULL, 0), room = 0;

	*ret = NULL;
	while (!*ret || n > room) {
		free(*ret);
		room = n + ROOM_AHEAD; /* that others declare meanwhile */
		*ret = calloc(room, sizeof(**ret));
		if (!*ret)
			return 0;
		n = list_modules(*ret, room);
	}
	return n;
}

void module_each_locked(void (*fn)(struct dlazy_module *m, void *data),
			void *data)
{
	for (size_t i = 0; i < by_address.room; i++)
		if (by_address.entries[i].value)
			fn(by_address.entries[i].value, data);
}

int module_check(const struct dlazy_module *m, const char *function)
{
	if (module_is_valid(m))
		return 0;
	return status_fail(DLAZY_EINVAL, "%s: %s", function,
			   m ? "not an open module" : "module is NULL");
}

/* Of any module: its state, its file's contents, an opener that has gone. */
static _Atomic(unsigned) changes;

static void note_change(void)
{
	ATOMIC_SHARED(&changes);
	atomic_fetch_add(&changes, 1);
}

unsigned module_changes(void)
{
	return atomic_load(&changes);
}

/* What the file itself says; the caller owns *ret. */
static int read_view(const char *path, struct elf_view **ret,
		     struct file_identity *ret_identity)
{
	_cleanup_close_ int fd = -1;
	_cleanup_elf_view_ struct elf_view *view = NULL;
	int status = file_open(AT_FDCWD, path, &fd, ret_identity);

	if (status == 0)
		status = elf_view_open(fd, path, &view);
	if (status == 0)
		status = elf_view_check_plugin(view, path);
	if (status == 0)
		*ret = TAKE_PTR(view);
	return status;
}

/* Why an object of this ELF cannot be unloaded safely, or NULL. */
static const char *reason_to_stay(const struct elf_view *view)
{
	struct elf_symbol symbol;

	if (elf_view_flags(view) & ELF_NODELETE)
		return "it is marked NODELETE";
	if (elf_view_flags(view) & (ELF_TLS | ELF_STATIC_TLS))
		return "it has thread-local storage";
	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) && symbol.defined &&
		    symbol.binding == ELF_BINDING_UNIQUE)
			return "it defines a unique symbol (STB_GNU_UNIQUE)";
	return NULL;
}

/* Is the object mapped, or about to be? Then it stays what it is, whatever becomes
 * of its file. */
static bool is_mapped_locked(const struct dlazy_module *m)
{
	for (struct loading_frame *f = m->loaders; f; f = f->other)
		if (atomic_load(&f->was_asked))
			return true;
	return atomic_load(&m->handle);
}

static bool has_room_locked(const struct map *map, size_t *ret_room)
{
	*ret_room = map_room(map, map->count + ROOM_AHEAD);
	return *ret_room == map->room;
}

static bool grow(struct map *map, size_t room)
{
	_cleanup_free_ struct map_entry *entries =
		room ? calloc(room, sizeof(*entries)) : NULL;

	if (!entries)
		return false;
	LOCKED(&load_lock);
	if (map->room < room)
		entries = map_replace(map, entries, room);
	return true;
}

bool module_make_room(struct map *map)
{
	size_t room;
	{
		LOCKED(&load_lock);
		if (has_room_locked(map, &room))
			return true;
	}
	return grow(map, room);
}

/* Room for one more module in all tables, and for a path that is kept. */
static bool make_room_for_module(void)
{
	struct map *const maps[] = {&by_address, &by_path, &by_file,
				    &kept_paths};
	size_t n = sizeof(maps) / sizeof(*maps), room[4];
	bool has_room[4];
	{
		LOCKED(&load_lock);
		for (size_t i = 0; i < n; i++)
			has_room[i] = has_room_locked(maps[i], &room[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (!has_room[i] && !grow(maps[i], room[i]))
			return false;
	return true;
}

/* What the file says. */
struct reading {
	struct elf_view *view;
	struct file_identity identity;
};

static void reading_end(struct reading *reading)
{
	elf_view_close(reading->view);
}

/* Takes it in place of what was known, which is left to be ended. */
static int take_reading_locked(struct dlazy_module *m, struct reading *reading)
{
	struct elf_view *old = m->view;
	struct file_identity identity = reading->identity;

	if ((is_mapped_locked(m) || m->held) &&
	    !file_identity_same_inode(&identity, &m->identity))
		return status_fail(DLAZY_EFORMAT,
				   "%s: it was replaced while it is in use",
				   m->path);
	m->view = reading->view;
	reading->view = old;
	m->record = NULL;
	m->contents += !file_identity_equal(&m->identity, &identity);
	note_change();
	m->identity = identity;
	m->undiscardable = reason_to_stay(m->view);
	if (!module_of_file_locked(&identity))
		map_put(&by_file, file_key(&identity), m);
	return 0;
}

int module_read_replaced(struct dlazy_module *m, struct elf_view **ret,
			 struct file_identity *ret_identity)
{
	struct file_identity known;
	bool mapped;
	int status = read_view(m->path, ret, ret_identity);

	if (status < 0)
		return status;
	{
		LOCKED(&load_lock);
		known = m->identity;
		mapped = is_mapped_locked(m);
	}
	if (mapped ? !file_identity_same_inode(ret_identity, &known)
		   : !file_identity_equal(ret_identity, &known))
		return 0;
	elf_view_close(TAKE_PTR(*ret));
	return status_fail(DLAZY_EFORMAT,
			   "%s: not reloaded: it is the file that is %s (inode "
			   "%llu); write the new one beside it and rename that "
			   "over it",
			   m->path, mapped ? "loaded" : "known already",
			   (unsigned long long)known.ino);
}

static int module_read(struct dlazy_module *m)
{
	_cleanup_(reading_end) struct reading reading = {.view = NULL};
	const char *path = m->path;
	int status = read_view(path, &reading.view, &reading.identity);

	if (status < 0)
		return status;
	if (!module_make_room(&by_file))
		return status_no_memory(path);
	LOCKED(&load_lock);
	return take_reading_locked(m, &reading);
}

static bool is_known_locked(const struct dlazy_module *m,
			    const struct file_identity *now)
{
	bool current = file_identity_equal(now, &m->identity);

	return current && (m->view || (m->record && m->keep));
}

int module_refresh(struct dlazy_module *m)
{
	struct file_identity now;

	if (module_mode() == MODULE_OFF) /* as plain dlopen: reads nothing */
		return 0;
	int status = file_identify(AT_FDCWD, m->path, &now);
	if (status < 0)
		return status;
	{
		LOCKED(&load_lock);
		if (is_known_locked(m, &now))
			return 0;
	}
	return module_read(m);
}

bool module_is_left_by_file(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return (m->held || atomic_load(&m->handle)) &&
	       !module_is_current_locked(m);
}

static bool can_be_held(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return module_mode() != MODULE_OFF && module_is_file(m) && !m->held &&
	       !is_mapped_locked(m);
}

void module_hold(struct dlazy_module *m)
{
	struct file_identity identity = module_identity(m);
	struct held *held = held_is_due(&identity) && can_be_held(m)
				    ? held_new(m->path, &identity)
				    : NULL;

	if (!held)
		return;
	{
		LOCKED(&load_lock);
		if (!m->held && !is_mapped_locked(m) &&
		    file_identity_equal(&identity, &m->identity) &&
		    (m->view || m->record))
			m->held = TAKE_PTR(held);
	}
	held_free(held);
}

/* What is mapped from it needs it as long, or its inode would be given to another
 * file. */
static struct held *take_held_locked(struct dlazy_module *m)
{
	struct held *held = m->held;
	bool in_use = held && m->object == held->object;

	if (!held || (is_mapped_locked(m) ? in_use : m->opens || m->borrows))
		return NULL;
	if (in_use)
		m->object = held->before;
	m->held = NULL;
	return held;
}

void module_release(struct dlazy_module *m)
{
	struct held *held;
	{
		LOCKED(&load_lock);
		held = take_held_locked(m);
	}
	held_free(held);
}

bool module_is_current_locked(const struct dlazy_module *m)
{
	struct file_identity now;

	return file_identify(AT_FDCWD, m->path, &now) == 0 &&
	       file_identity_equal(&now, &m->identity);
}

static int find_in_view(const struct dlazy_module *m, const char *name,
			const char *version, struct module_export *ret)
{
	struct elf_symbol symbol;

	if (!elf_view_find(m->view, name, version, &symbol))
		return status_fail(DLAZY_ENOSYM, "%s does not export %s%s%s",
				   m->path, name, version ? "@" : "",
				   version ? version : "");
	*ret = (struct module_export){symbol.value, symbol.type,
				      symbol.is_default, symbol.variant};
	return 0;
}

bool module_find_known_locked(const struct dlazy_module *m, const char *name,
			      const char *version, struct module_export *ret)
{
	struct record_symbol symbol;

	if (m->record && record_find(m->record, name, version, &symbol)) {
		*ret = (struct module_export){symbol.value, symbol.type,
					      symbol.is_default,
					      symbol.variant};
		return true;
	}
	return m->view && find_in_view(m, name, version, ret) == 0;
}

/* As find_in_view(), 1: the file has to be read; its record may be old. */
static int find_known(const struct dlazy_module *m, const char *name,
		      const char *version, struct module_export *ret)
{
	LOCKED(&load_lock);
	if (module_find_known_locked(m, name, version, ret))
		return 0;
	return m->view ? find_in_view(m, name, version, ret) : 1;
}

static bool is_current(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return module_is_current_locked(m);
}

int module_find_export(struct dlazy_module *m, const char *name,
		       const char *version, struct module_export *ret)
{
	int status = find_known(m, name, version, ret);

	while (status > 0) {
		status = module_read(m);
		if (status == 0)
			status = find_known(m, name, version, ret);
	}
	/* What was read may be old; what is loaded stays as it is. */
	if (status != -DLAZY_ENOSYM || atomic_load(&m->handle) || is_current(m))
		return status;
	status = module_read(m);
	return status < 0 ? status : find_known(m, name, version, ret);
}

bool module_defines(struct dlazy_module *m, const char *name,
		    const char *version)
{
	struct module_export export;

	if (module_is_builtin(m))
		return false;
	if (module_find_export(m, name, version, &export) == 0)
		return true;
	status_clear();
	return false;
}

bool module_has_soname(struct dlazy_module *m, const char *soname)
{
	LOCKED(&load_lock);
	const char *own = m->view     ? elf_view_soname(m->view)
			  : m->record ? record_soname(m->record)
				      : "";

	return !strcmp(own, soname);
}

void module_move_locked(struct dlazy_module *m, enum dlazy_state to)
{
	note_change();
	int from = atomic_load_explicit(&m->state, memory_order_relaxed);

	switch (to) {
	case DLAZY_DECLARED: /* discarded; or loading left no trace */
		assert(from == DLAZY_LOADED || from == DLAZY_LOADING);
		break;
	case DLAZY_LOADING:
		assert(from == DLAZY_DECLARED || from == DLAZY_FAILED);
		break;
	case DLAZY_LOADED: /* from DECLARED: discard found it still there */
		assert(from != DLAZY_LOADED);
		break;
	case DLAZY_FAILED:
		assert(from == DLAZY_LOADING);
		break;
	}
	(void)from;
	atomic_store_explicit(&m->state, to, memory_order_release);
}

/* Two bytes for each digit at most, and the path. */
#define NUMBER_MAX (2 * 8 * sizeof(unsigned))

static void spell_number(char *to, const char *path, unsigned number)
{
	size_t length = (size_t)(file_base_name(path) - path);

	memcpy(to, path, length);
	to += length;
	for (unsigned digit = ~(~0u >> 1); digit; digit >>= 1) {
		if (number < digit)
			continue;
		if (number & digit)
			*to++ = '.';
		*to++ = '/';
	}
	strcpy(to, path + length);
}

static unsigned last_spelling;

/* The next of its other paths that is its file; those of other files are passed
 * over. */
static bool next_other_path(struct module_search *search)
{
	const struct dlazy_module *m = search->module;
	struct file_identity now;

	LOCKED(&load_lock);
	while (search->own) {
		const struct module_path *p = search->own;

		search->own = p->next;
		search->object = p->object;
		if (file_identify(AT_FDCWD, p->path, &now) == 0 &&
		    file_identity_same_inode(&now, &m->identity))
			return true;
		status_clear();
	}
	return false;
}

static void begin_other_paths(struct module_search *search)
{
	LOCKED(&load_lock);
	search->begun = true;
	search->own = search->module->other_paths;
}

static bool is_at_path_locked(const struct dlazy_module *m)
{
	struct file_identity now;
	bool is_there = file_identify(AT_FDCWD, m->path, &now) == 0;

	status_clear();
	return is_there && file_identity_same_inode(&now, &m->identity);
}

/* None of its paths has it any more. Nothing is allocated: a stub was called,
 * perhaps by an interposed malloc(). 1: there is nothing, or no need for it. */
static int next_held(struct module_search *search)
{
	LOCKED(&load_lock);
	struct dlazy_module *m = search->module;
	struct held *held = m->held;
	char path[64];

	if (!held || search->tried || is_at_path_locked(m))
		return 1;
	bool is_open = held->fd >= 0;
	int status = held_open(held, m->path);
	if (status < 0)
		return status;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held->fd);
	if (!is_open)
		spell_number(held->object, path, ++last_spelling);
	search->object = held->object;
	return 0;
}

/* A plugin's one file: is it there, and still what was declared? By its first
 * path, and then by others. */
static int next_plugin_file(struct module_search *search)
{
	struct dlazy_module *m = search->module;
	bool is_first = !search->begun;

	if (is_first) {
		begin_other_paths(search);
		if (module_refresh(m) == 0)
			return 0;
	}
	status_clear();
	if (next_other_path(search))
		return 0;
	int status = next_held(search);
	if (status <= 0)
		return status;
	return search->tried ? -DLAZY_ENOENT : module_refresh(m);
}

static void identify_plugin_file(const struct dlazy_module *m,
				 struct file_identity *ret)
{
	if (file_identify(AT_FDCWD, m->path, ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

static const struct module_kind plugin_file = {
	.next_file = next_plugin_file,
	.identify = identify_plugin_file,
	.is_plugin_file = true,
};

static const struct module_kind builtin = {.is_builtin = true};

bool module_is_kept(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m->keep;
}

static const char *soname_locked(const struct dlazy_module *m)
{
	if (m->view)
		return elf_view_soname(m->view);
	return m->record ? record_soname(m->record) : "";
}

bool module_needs(const struct dlazy_module *m,
		  const struct dlazy_module *other)
{
	LOCKED(&load_lock);
	const char *soname = soname_locked(other);
	size_t n = m->view     ? elf_view_needed_count(m->view)
		   : m->record ? record_needs_count(m->record)
			       : 0;

	for (size_t i = 0; *soname && i < n; i++)
		if (!strcmp(m->view ? elf_view_needed(m->view, i)
				    : record_need(m->record, i),
			    soname))
			return true;
	return false;
}

bool module_is_file(const struct dlazy_module *m)
{
	return m->kind == &plugin_file;
}

static struct dlazy_module *module_new(const struct module_kind *kind,
				       const char *name, const char *path,
				       const void *by)
{
	_cleanup_free_ struct dlazy_module *m = calloc(1, sizeof(*m));
	_cleanup_free_ char *own_name =
		name ? strdup(name) : record_plugin_name(file_base_name(path));
	_cleanup_free_ char *own_path = strdup(path);

	if (!m || !own_name || !own_path)
		return NULL;
	ATOMIC_SHARED(&m->path);
	ATOMIC_SHARED(&m->object);
	ATOMIC_SHARED(&m->generation);
	ATOMIC_SHARED(&m->is_open);
	ATOMIC_SHARED(&m->pins);
	ATOMIC_SHARED(&m->quarantine);
	ATOMIC_SHARED(&m->used);
	ATOMIC_SHARED(&m->next_handle);
	ATOMIC_SHARED(&m->handle);
	ATOMIC_SHARED(&m->state);
	ATOMIC_SHARED(&m->flags);
	ATOMIC_SHARED(&m->asked);
	ATOMIC_SHARED(&m->on_sym);
	ATOMIC_SHARED(&m->has_fallback);
	ATOMIC_SHARED(&m->of_one_build);
	ATOMIC_SHARED(&m->host_policy);
	m->name = TAKE_PTR(own_name);
	m->path = TAKE_PTR(own_path);
	m->declared_by = by;
	m->kind = kind;
	return TAKE_PTR(m);
}

/* Who reads a spelling holds no lock, so none is freed before its module. */
struct spelling {
	struct spelling *next;
	char text[];
};

static void module_free(struct dlazy_module *m)
{
	if (!m)
		return;
	elf_view_close(m->view);
	free((void *)m->name);
	free((void *)m->path);
	while (m->spellings) {
		struct spelling *spelling = m->spellings;

		m->spellings = spelling->next;
		free(spelling);
	}
	for (size_t i = 0; i < m->symbols_count; i++)
		free((void *)m->symbols[i].name);
	free((void *)m->symbols);
	free(m);
}

static void cleanup_module(struct dlazy_module **m)
{
	module_free(*m);
}

const char *module_object(const struct dlazy_module *m)
{
	const char *object = m->object;

	return object ? object : m->path;
}

static struct opener *opener_locked(const struct dlazy_module *m,
				    const void *object)
{
	for (struct opener *o = m->openers; o; o = o->next)
		if (o->object == object)
			return o;
	return NULL;
}

static struct opener *opener_take_locked(struct dlazy_module *m,
					 const void *object)
{
	for (struct opener **at = &m->openers; *at; at = &(*at)->next) {
		struct opener *o = *at;

		if (o->object != object)
			continue;
		*at = o->next;
		return o;
	}
	return NULL;
}

static void opener_add_locked(struct dlazy_module *m, struct opener *o,
			      const void *object)
{
	o->object = object;
	o->next = m->openers;
	m->openers = o;
}

/* The flags of all that have it now. */
static int flags_of_all_locked(const struct dlazy_module *m)
{
	int flags = m->borrowed_flags;

	for (const struct opener *o = m->openers; o; o = o->next)
		flags |= o->flags;
	return flags;
}

static bool is_on_sym_for_any_locked(const struct dlazy_module *m)
{
	bool on_sym = m->borrowed_on_sym;

	for (const struct opener *o = m->openers; o; o = o->next)
		on_sym |= o->on_sym;
	return on_sym;
}

int module_flags_locked(const struct dlazy_module *m, const void *object)
{
	const struct opener *own = object ? opener_locked(m, object) : NULL;

	return own && own->flags ? own->flags : m->flags;
}

bool module_is_on_sym_locked(const struct dlazy_module *m, const void *object)
{
	const struct opener *own = object ? opener_locked(m, object) : NULL;

	return own && own->flags ? own->on_sym : m->on_sym;
}

static int lasting(int flags)
{
	return dl_flags_lasting(flags & ~MODULE_FLAGS);
}

/* One more user of a module that is in the table. An open has yet to succeed (see
 * module_confirm_open()). Flags of those before the last close are over. */
static void module_count_locked(struct dlazy_module *m, int flags,
				bool borrowed)
{
	if (!m->opens && !m->borrows) {
		m->flags = 0;
		m->on_sym = false;
	}
	atomic_store(&m->is_open, true);
	m->flags |= lasting(flags);
	if (!borrowed) {
		m->opens++;
		return;
	}
	m->borrows++;
	m->borrowed_flags |= lasting(flags);
	m->borrowed_on_sym |= (flags & DLAZY_ON_SYM) != 0;
	m->keep |= !(flags & DLAZY_DISCARD);
	m->on_sym = is_on_sym_for_any_locked(m);
}

static struct spelling *spelling_new(const char *path)
{
	struct spelling *spelling;

	return malloc(sizeof(*spelling) + strlen(path) + NUMBER_MAX + 1);
}

/* The module is the latest of that path, in a spelling that the linker has not heard
 * yet: `*fresh`, which is taken. NULL, with message: out of memory. */
static const char *spell_path_locked(struct dlazy_module *m, const char *path,
				     struct spelling **fresh)
{
	bool was_heard = map_get(&by_path, hash_string(path));

	if (!*fresh || !map_put(&by_path, hash_string(path), m)) {
		status_no_memory(path);
		return NULL;
	}
	struct spelling *spelling = TAKE_PTR(*fresh);
	spell_number(spelling->text, path, was_heard ? ++last_spelling : 0);
	spelling->next = m->spellings;
	m->spellings = spelling;
	return spelling->text;
}

/* A path that will not be freed, as who reads a module's holds no lock: `*copy`,
 * which is taken then, or one that was kept before. */
static const char *keep_path_locked(char **copy)
{
	uint64_t key = hash_string(*copy);
	const char *kept = map_get(&kept_paths, key);

	if (kept && !strcmp(kept, *copy))
		return kept;
	kept = TAKE_PTR(*copy);
	map_put(&kept_paths, key, (void *)kept);
	return kept;
}

/* Only what the file needs could be found by the one path and not by the other. */
static bool is_beside(const char *path, const char *other)
{
	size_t length = (size_t)(file_base_name(path) - path);

	return length == (size_t)(file_base_name(other) - other) &&
	       !memcmp(path, other, length);
}

/* A host may name one file in any number of ways; no load is tried so often. */
#define OTHER_PATHS_MAX 16

static struct module_path **place_of_path_locked(struct dlazy_module *m,
						 const char *path)
{
	struct module_path **at = &m->other_paths;
	unsigned n = 0;

	if (!module_is_file(m) || is_beside(m->path, path))
		return NULL;
	for (; *at; at = &(*at)->next)
		if (is_beside((*at)->path, path) || ++n == OTHER_PATHS_MAX)
			return NULL;
	return at;
}

/* Memory that a declaration may need, as under the lock none is allocated. */
struct supply {
	struct opener *opener; /* NULL: the module is borrowed */
	struct spelling *spelling;
	struct module_path *path;
	char *copy; /* of the path */
};

static void supply_end(struct supply *supply)
{
	free(supply->opener);
	free(supply->spelling);
	free(supply->path);
	free(supply->copy);
}

/* false: it does not do for a new module. */
static bool supply_paths(struct supply *supply, const char *path)
{
	supply->path = calloc(1, sizeof(*supply->path));
	supply->copy = strdup(path);
	supply->spelling = spelling_new(path);
	return supply->spelling && make_room_for_module();
}

/* Without memory it is done without. */
static void add_path_locked(struct dlazy_module *m, const char *path,
			    struct supply *supply)
{
	struct module_path **at = place_of_path_locked(m, path);

	if (!at || !supply->path || !supply->copy)
		return;
	supply->path->object = spell_path_locked(m, path, &supply->spelling);
	if (!supply->path->object) {
		status_clear();
		return;
	}
	supply->path->path = keep_path_locked(&supply->copy);
	*at = TAKE_PTR(supply->path);
	m->path_count++;
}

void module_opened_as_locked(struct dlazy_module *m, const char *object)
{
	if (m->held && m->held->object == object) {
		m->held->before = m->object;
		m->object = object;
		held_close(m->held);
		return;
	}
	for (struct module_path *p = m->other_paths; p; p = p->next) {
		const struct module_path was = {NULL, m->path, m->object};

		if (p->object != object)
			continue;
		m->path = p->path;
		m->object = p->object;
		p->path = was.path;
		p->object = was.object;
		return;
	}
}

/* Nobody has it by another path any more. */
static void prefer_path_locked(struct dlazy_module *m, const char *path)
{
	for (struct module_path *p = m->other_paths; p; p = p->next)
		if (is_beside(p->path, path))
			module_opened_as_locked(m, p->object);
}

/* The same of a declaration. Takes of the supply what it needs. */
static void module_open_locked(struct dlazy_module *m,
			       const struct module_declaration *d,
			       bool borrowed, const void *object,
			       struct supply *supply)
{
	add_path_locked(m, d->path, supply);
	if (!m->opens && !m->borrows && !is_mapped_locked(m))
		prefer_path_locked(m, d->path);
	module_count_locked(m, d->flags, borrowed);
	if (borrowed)
		return;
	if (!opener_locked(m, object))
		opener_add_locked(m, TAKE_PTR(supply->opener), object);
	opener_locked(m, object)->opens++;
}

static int module_insert_locked(struct dlazy_module *m,
				struct spelling **spelling)
{
	/* Room in all tables first: it is in all of them, or in none. */
	if (!map_reserve(&by_address, by_address.count) ||
	    !map_reserve(&by_path, by_path.count) ||
	    !map_reserve(&by_file, by_file.count))
		return status_no_memory(m->path);
	if (m->path[0]) {
		m->object = spell_path_locked(m, m->path, spelling);
		if (!m->object)
			return -DLAZY_ENOMEM;
	}
	map_put(&by_address, map_pointer_key(m), m);
	if (!m->path[0])
		return 0;
	map_put(&by_file, file_key(&m->identity), m);
	has_files = true;
	return 0;
}

/* Is the record of the file as it is now? Only a portable one, which has no
 * identity to compare, needs the directory that it is relative to. */
static bool record_fits(const struct record *record, const char *path,
			const struct file_identity *now)
{
	size_t length = (size_t)(file_base_name(path) - path);
	_cleanup_free_ char *dir = NULL;
	_cleanup_close_ int dirfd = -1;

	if (record_identity(record).ino)
		return record_is_current(record, -1, now);
	dir = strndup(path, length);
	if (dir)
		dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dirfd >= 0 && record_is_current(record, dirfd, now);
}

/* What tells two builds apart: their build-ids, else what they export. */
static bool exports_are_same(const struct elf_view *a, const struct elf_view *b)
{
	size_t n = elf_view_symbol_count(a);
	struct elf_symbol x, y;

	if (elf_view_symbol_count(b) != n)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (elf_view_symbol(a, i, &x) != elf_view_symbol(b, i, &y))
			return false;
		if (elf_view_symbol(a, i, &x) &&
		    (strcmp(x.name, y.name) || x.value != y.value ||
		     x.size != y.size || x.defined != y.defined))
			return false;
	}
	return true;
}

static const uint8_t *build_id_of(const struct dlazy_module *m,
				  size_t *ret_size)
{
	*ret_size = 0;
	if (m->view)
		return elf_view_build_id(m->view, ret_size);
	return m->record ? record_build_id(m->record, ret_size) : NULL;
}

/* Has a file that was touched or overwritten the contents that were known? */
static bool contents_are_same(const struct dlazy_module *m,
			      const struct dlazy_module *fresh)
{
	size_t size, fresh_size;
	const uint8_t *id = build_id_of(m, &size);
	const uint8_t *fresh_id = build_id_of(fresh, &fresh_size);

	if (m->identity.size != fresh->identity.size || size != fresh_size ||
	    (size && memcmp(id, fresh_id, size) != 0))
		return false;
	return size || !m->view || !fresh->view ||
	       exports_are_same(m->view, fresh->view);
}

/* A module that nobody sees yet, with what its file says. */
static int module_prepare(const struct module_declaration *d,
			  const struct file_identity *identity,
			  struct dlazy_module **ret)
{
	_cleanup_(cleanup_module) struct dlazy_module *m =
		module_new(&plugin_file, d->name, d->path, d->by);

	if (!m)
		return status_no_memory(d->path);
	m->identity = *identity;
	if (d->record && record_fits(d->record, d->path, identity)) {
		m->record = d->record;
	} else if (module_mode() != MODULE_OFF) {
		int status = read_view(d->path, &m->view, &m->identity);
		if (status < 0)
			return status;
		m->undiscardable = reason_to_stay(m->view);
	}
	*ret = TAKE_PTR(m);
	return 0;
}

/* What a new declaration has read of the file goes to the module that has it, and
 * what was known before to the other. */
static void module_renew_locked(struct dlazy_module *m,
				struct dlazy_module *fresh)
{
	struct elf_view *old = m->view;

	m->view = fresh->view;
	fresh->view = old;
	m->record = fresh->record;
	m->contents++;
	note_change();
	m->identity = fresh->identity;
	m->undiscardable = fresh->undiscardable;
}

/* The file of a module was changed, `fresh` is what it says now. 0, or it cannot
 * be used. */
static int module_follow_locked(struct dlazy_module *m,
				struct dlazy_module *fresh)
{
	if (!is_mapped_locked(m)) {
		module_renew_locked(m, fresh);
		return 0;
	}
	if (!contents_are_same(m, fresh))
		return status_fail(
			DLAZY_EFORMAT,
			"%s: it was overwritten while it is loaded, so that "
			"what is mapped is neither the old nor the new one; "
			"write a new file beside it and rename that",
			m->path);
	m->identity = fresh->identity;
	return 0;
}

/* The module of a file that is in the table as it is now; NULL: it has to be
 * read. */
static struct dlazy_module *module_current_locked(
	const struct file_identity *identity)
{
	struct dlazy_module *m = module_of_file_locked(identity);

	return m && file_identity_equal(&m->identity, identity) ? m : NULL;
}

/* Is it the module of that file still? What is mapped keeps its inode; of what is
 * not, the inode can be another file's by now. */
static bool is_of_file_locked(const struct dlazy_module *m,
			      const struct file_identity *identity)
{
	return is_mapped_locked(m) ||
	       file_identity_equal(&m->identity, identity) ||
	       is_at_path_locked(m);
}

/* Puts it into the table, unless the file has a module already. */
static int module_settle_locked(struct dlazy_module **fresh,
				struct spelling **spelling,
				struct dlazy_module **ret, bool *ret_adopted)
{
	const struct file_identity *identity = &(*fresh)->identity;
	const struct record *record = (*fresh)->record;
	struct dlazy_module *m = module_of_file_locked(identity);
	int status = 0;

	if (m && !is_of_file_locked(m, identity))
		m = NULL;
	if (!m)
		status = module_insert_locked(*fresh, spelling);
	else if (!file_identity_equal(&m->identity, identity))
		status = module_follow_locked(m, *fresh);
	if (status < 0)
		return status;
	*ret = m ? m : TAKE_PTR(*fresh);
	if (ret_adopted)
		*ret_adopted = record && (*ret)->record == record;
	return 0;
}

const char *module_respell(struct dlazy_module *m)
{
	/* Once: a load that ends meanwhile can give it a longer one. */
	const char *path = m->path;
	_cleanup_free_ struct spelling *fresh = spelling_new(path);

	if (!fresh || !make_room_for_module()) {
		status_no_memory(path);
		return NULL;
	}
	LOCKED(&load_lock);
	return spell_path_locked(m, path, &fresh);
}

void module_replace_locked(struct dlazy_module *m, const char *object,
			   struct elf_view **view,
			   const struct file_identity *identity)
{
	struct elf_view *old = m->view;

	m->view = *view;
	*view = old;
	m->record = NULL;
	m->identity = *identity;
	m->contents++;
	note_change();
	m->undiscardable = reason_to_stay(m->view);
	m->object = object;
	map_put(&by_file, file_key(identity), m);
}

/* true: the file's module is open, as it was known. If it has one that needs a
 * supply of paths for that, false and *ret. */
static bool open_current(const struct module_declaration *d, bool borrowed,
			 const void *object,
			 const struct file_identity *identity,
			 struct supply *supply, struct dlazy_module **ret)
{
	LOCKED(&load_lock);
	*ret = module_current_locked(identity);
	if (!*ret || (!supply->path && place_of_path_locked(*ret, d->path)))
		return false;
	module_open_locked(*ret, d, borrowed, object, supply);
	return true;
}

static int declare_file(const struct module_declaration *d, bool borrowed,
			struct supply *supply, struct dlazy_module **ret,
			bool *ret_adopted)
{
	_cleanup_(cleanup_module) struct dlazy_module *fresh = NULL;
	const void *object = borrowed ? NULL : dl_object(d->by);
	struct file_identity identity;
	int status = file_identify(AT_FDCWD, d->path, &identity);

	if (status < 0)
		return status;
	if (open_current(d, borrowed, object, &identity, supply, ret))
		return 0;
	if (!supply_paths(supply, d->path) && !*ret)
		return status_no_memory(d->path);
	if (*ret && open_current(d, borrowed, object, &identity, supply, ret))
		return 0;
	/* Reading takes its time: not under the lock. */
	status = module_prepare(d, &identity, &fresh);
	if (status < 0)
		return status;

	LOCKED(&load_lock);
	status = module_settle_locked(&fresh, &supply->spelling, ret,
				      ret_adopted);
	if (status == 0)
		module_open_locked(*ret, d, borrowed, object, supply);
	return status;
}

int module_declare(const struct module_declaration *d, bool borrowed,
		   struct dlazy_module **ret, bool *ret_adopted)
{
	_cleanup_(supply_end) struct supply supply = {
		.opener = borrowed ? NULL : calloc(1, sizeof(*supply.opener))};

	if (ret_adopted)
		*ret_adopted = false;
	if (!borrowed && !supply.opener)
		return status_no_memory(d->path);
	return declare_file(d, borrowed, &supply, ret, ret_adopted);
}

int module_declare_builtin(const char *name, const struct dlazy_symbol *symbols,
			   size_t n, const void *by, struct dlazy_module **ret)
{
	_cleanup_(cleanup_module) struct dlazy_module *m =
		module_new(&builtin, name, "", by);
	struct dlazy_symbol *copy = calloc(n + 1, sizeof(*copy));

	if (!m || !copy) {
		free(copy);
		return status_no_memory(name);
	}
	m->symbols = copy;
	m->symbols_count = n;
	for (size_t i = 0; i < n; i++) {
		copy[i].address = symbols[i].address;
		copy[i].name = strdup(symbols[i].name);
		if (!copy[i].name)
			return status_no_memory(name);
	}
	if (!make_room_for_module())
		return status_no_memory(name);
	LOCKED(&load_lock);
	int status = module_insert_locked(m, NULL);
	if (status < 0)
		return status;
	m->borrows = 1;
	atomic_store(&m->is_open, true);
	m->keep = true;
	module_move_locked(m, DLAZY_LOADED);
	*ret = TAKE_PTR(m);
	return 0;
}

/* There is room in the maps. What the linker finds has no identity before it is
 * loaded. Returns a view, to be closed without the lock. */
static struct elf_view *module_found_locked(
	struct dlazy_module *m, char **path,
	const struct file_identity *identity)
{
	if (!strcmp(m->path, *path) &&
	    file_identity_equal(&m->identity, identity))
		return NULL;
	const char *kept =
		strcmp(m->path, *path) ? keep_path_locked(path) : m->path;
	if (kept[0] == '/')
		map_put(&by_path, hash_string(kept), m);
	if (identity->ino)
		map_put(&by_file, file_key(identity), m);
	/* Who reads the old one holds no lock: it stays, and is not lost. */
	if (kept != m->path && !map_get(&kept_paths, hash_string(m->path)))
		map_put(&kept_paths, hash_string(m->path), (void *)m->path);
	m->path = kept;
	m->identity = *identity;
	return TAKE_PTR(m->view); /* of another file */
}

int module_found(struct dlazy_module *m, const char *path,
		 const struct file_identity *identity)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_elf_view_ struct elf_view *old = NULL;

	if (!copy || !make_room_for_module())
		return status_no_memory(path);
	LOCKED(&load_lock);
	old = module_found_locked(m, &copy, identity);
	return 0;
}

struct file_identity module_identity(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m->identity;
}

bool module_has_files(void)
{
	LOCKED(&load_lock);
	return has_files;
}

bool module_is_new(const struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return !m->failure;
}

bool module_is_fresh(struct dlazy_module *m)
{
	LOCKED(&load_lock);
	return m->identity.ino && !m->failure;
}

static struct dlazy_module *module_of_name_locked(const char *name)
{
	struct dlazy_module *m = map_get(&by_path, hash_string(name));

	return m && m->looked_for && !strcmp(m->looked_for, name) ? m : NULL;
}

int module_declare_late(const struct module_declaration *d,
			const struct module_kind *kind, const void *source,
			const char *looked_for,
			const struct file_identity *identity,
			struct dlazy_module **ret)
{
	_cleanup_(cleanup_module) struct dlazy_module *m =
		module_new(kind, NULL, looked_for, d->by);
	_cleanup_free_ char *path = d->path ? strdup(d->path) : NULL;

	if (!m || (d->path && !path) || !make_room_for_module())
		return status_no_memory(NULL);
	m->source = source;
	if (d->by_name)
		m->looked_for = m->path;
	LOCKED(&load_lock);
	struct dlazy_module *older =
		path ? module_of_file_locked(identity) : NULL;
	if (!older && d->by_name)
		older = module_of_name_locked(looked_for);
	*ret = older ? older : m;
	if (d->by_name)
		map_put(&by_path, hash_string(looked_for), *ret);
	if (!older) {
		map_put(&by_address, map_pointer_key(m), m);
		if (path)
			module_found_locked(m, &path, identity);
		m = NULL;
	}
	module_count_locked(*ret, d->flags, true);
	return 0;
}

void module_forget_imports_locked(struct dlazy_module *m, const void *object,
				  void *const *address, struct import **ended)
{
	struct import **at = &m->imports;

	while (*at) {
		struct import *import = *at;

		if (address ? import->address != address
			    : object && import->object != object) {
			at = &import->next;
			continue;
		}
		*at = import->next;
		import->next = *ended;
		*ended = import;
	}
}

void module_free_imports(struct import **ended)
{
	while (*ended) {
		struct import *import = *ended;

		*ended = import->next;
		free(import);
	}
}

/* What nobody has any more, to be freed without the lock. */
struct ended {
	struct import *imports;
	struct opener *openers;
};

static void ended_free(struct ended *ended)
{
	module_free_imports(&ended->imports);
	while (ended->openers) {
		struct opener *o = ended->openers;

		ended->openers = o->next;
		free(o);
	}
}

static void end_opener_locked(struct dlazy_module *m, const void *object,
			      struct ended *ended)
{
	struct opener *o = opener_take_locked(m, object);

	if (!o)
		return;
	o->next = ended->openers;
	ended->openers = o;
}

/* Somebody has it no more. After the last one, what a stub loads is as it was. */
static void forget_flags_locked(struct dlazy_module *m)
{
	if (!m->borrows) {
		m->borrowed_flags = 0;
		m->borrowed_on_sym = false;
	}
	if (!m->opens && !m->borrows)
		return;
	m->flags = flags_of_all_locked(m);
	m->on_sym = is_on_sym_for_any_locked(m);
}

/* Ends one open of that object; of one that has none, but was handed the module,
 * somebody's. */
static void close_opener_locked(struct dlazy_module *m, const void *object,
				struct ended *ended)
{
	struct opener *o = opener_locked(m, object);

	for (struct opener *other = m->openers; other; other = other->next)
		if (!o || !o->opens)
			o = other;
	if (!o || !o->opens)
		return;
	module_forget_imports_locked(m, o->object, NULL, &ended->imports);
	if (--o->opens == 0) {
		end_opener_locked(m, o->object, ended);
		forget_flags_locked(m);
	}
}

/* After the last the handle is invalid: what the host gave is forgotten. */
static void module_forget_locked(struct dlazy_module *m, struct ended *ended)
{
	if (m->opens || m->borrows)
		return;
	atomic_store(&m->is_open, false);
	module_forget_imports_locked(m, NULL, NULL, &ended->imports);
	while (m->openers)
		end_opener_locked(m, m->openers->object, ended);
}

struct opener *module_opener_locked(struct dlazy_module *m, const void *object,
				    struct opener **fresh)
{
	struct opener *o = opener_locked(m, object);

	if (o || !*fresh)
		return o;
	opener_add_locked(m, TAKE_PTR(*fresh), object);
	return opener_locked(m, object);
}

int module_set_hook(struct dlazy_module *m, dlazy_failure_fn *fn, void *data,
		    const void *by)
{
	const void *object = dl_object(by);
	_cleanup_free_ struct opener *fresh = calloc(1, sizeof(*fresh));

	LOCKED(&load_lock);
	struct opener *o = opener_take_locked(m, object);
	if (!o && !fresh)
		return status_no_memory(m->name);
	if (!o)
		o = TAKE_PTR(fresh);
	opener_add_locked(m, o, object);
	o->on_failure = fn;
	o->on_failure_data = data;
	return 0;
}

const struct opener *module_hook_locked(const struct dlazy_module *m,
					const void *object)
{
	const struct opener *own = opener_locked(m, object);

	if (own && own->on_failure)
		return own;
	for (const struct opener *o = m->openers; o; o = o->next)
		if (o->on_failure)
			return o;
	return NULL;
}

void module_confirm_open(struct dlazy_module *m, int flags, const void *by)
{
	const void *object = dl_object(by);

	LOCKED(&load_lock);
	struct opener *o = opener_locked(m, object);

	m->flags |= lasting(flags);
	m->keep |= !(flags & DLAZY_DISCARD);
	if (!o)
		return;
	o->flags |= lasting(flags);
	o->on_sym |= (flags & DLAZY_ON_SYM) != 0;
	m->on_sym = is_on_sym_for_any_locked(m);
}

void module_undo_open(struct dlazy_module *m, const void *by)
{
	_cleanup_(ended_free) struct ended ended = {NULL, NULL};
	const void *object = dl_object(by);
	{
		LOCKED(&load_lock);
		struct opener *o = opener_locked(m, object);

		m->opens--;
		if (o && o->opens && --o->opens == 0 && !o->on_failure &&
		    !o->on_load) {
			module_forget_imports_locked(m, object, NULL,
						     &ended.imports);
			end_opener_locked(m, object, &ended);
		}
		forget_flags_locked(m);
		module_forget_locked(m, &ended);
	}
	module_release(m);
}

int module_close(struct dlazy_module *m, const void *by)
{
	_cleanup_(ended_free) struct ended ended = {NULL, NULL};
	const void *object = dl_object(by);
	{
		LOCKED(&load_lock);
		if (m->opens == 0)
			return status_fail(DLAZY_EINVAL,
					   "%s: a borrowed module is not "
					   "closed; it ends with its registry",
					   m->name);
		m->opens--;
		note_change();
		close_opener_locked(m, object, &ended);
		module_forget_locked(m, &ended);
	}
	module_release(m);
	return 0;
}

void module_return(struct dlazy_module *m)
{
	_cleanup_(ended_free) struct ended ended = {NULL, NULL};
	{
		LOCKED(&load_lock);
		m->borrows--;
		note_change();
		forget_flags_locked(m);
		module_forget_locked(m, &ended);
	}
	module_release(m);
}

void module_fork_prepare(void)
{
	lock_take(&load_lock);
}

void module_fork_done(void)
{
	lock_drop(&load_lock);
}

/* A load that another thread had begun, and that nobody will end. */
static void module_end_in_child_locked(struct dlazy_module *m, bool waited)
{
	if (waited || !m->failure) {
		module_move_locked(m, DLAZY_DECLARED);
		return;
	}
	*m->failure =
		(struct module_failure){.status = -DLAZY_ELOAD, .final = true};
	snprintf(m->failure->message, sizeof(m->failure->message),
		 "%s: this process was forked while another thread was loading "
		 "it; load it before fork(), or exec",
		 m->path);
	module_move_locked(m, DLAZY_FAILED);
}

/* false: it fails, and has nothing to keep that in. */
static bool leave_loaders_locked(struct dlazy_module *m, bool waited,
				 struct module_failure **spare)
{
	struct loading_frame *own = loading_frames_of(m);
	bool ends = !own && atomic_load(&m->state) == DLAZY_LOADING;

	if (ends && !waited && !m->failure)
		m->failure = TAKE_PTR(*spare);
	if (ends && !waited && !m->failure)
		return false;
	m->loaders = own;
	if (!own) /* of a reload */
		atomic_store(&m->next_handle, NULL);
	if (m->preparer && !loading_is_own(m->preparer))
		m->preparer = NULL;
	if (ends)
		module_end_in_child_locked(m, waited);
	return true;
}

static bool leave_all_loaders(bool waited, struct module_failure **spare)
{
	LOCKED(&load_lock);
	for (size_t i = 0; i < by_address.room; i++) {
		struct dlazy_module *m = by_address.entries[i].value;

		if (m && m->loaders && !leave_loaders_locked(m, waited, spare))
			return false;
	}
	return true;
}

void module_after_fork(bool all_waited)
{
	_cleanup_free_ struct module_failure *spare = NULL;

	while (!leave_all_loaders(all_waited, &spare)) {
		spare = calloc(1, sizeof(*spare));
		all_waited |= !spare; /* is tried again then */
	}
}

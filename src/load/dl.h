/* SPDX-License-Identifier: MIT */
/*
 * The dynamic linker, as the rest of the library sees it: dl.c is the only file
 * of libdlazy and the tool that includes <dlfcn.h>, and <link.h>. (hook/ and
 * alone/ live without libdlazy.) Every call here may run code that is not ours,
 * or wait for the linker's own lock: no lock is held (asserted).
 */
#ifndef LOAD_DL_H
#define LOAD_DL_H

#include "elf/search.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether dlopen knows all of these flags (RTLD_...). */
bool dl_flags_known(int flags);

/* Whether RTLD_GLOBAL is among them. */
bool dl_flags_global(int flags);

/* As near as can be to having been mapped at the program's start. Not while that
 * start is still before its constructors: glibc (2.36) then takes the number of
 * objects in the global scope for the number of constructors to run. */
int dl_flags_linked(bool early);

/* Those that hold for later loads too, not for one call only; without RTLD_LAZY,
 * RTLD_NOW is one of them. */
int dl_flags_lasting(int flags);

/* Whether functions may be bound late; and the flag for it. */
bool dl_flags_lazy(int flags);
int dl_flags_late(void);

/* Whether they ask for what is loaded already, and nothing else. */
bool dl_flags_noload(int flags);

/* dlopen; without RTLD_LAZY or RTLD_NOW, RTLD_NOW. 0 and a handle, or
 * -DLAZY_ELOAD with the linker's words as the message. */
int dl_open(const char *path, int flags, void **ret_handle);

/* The same of an object that is there already: the flags stay. */
int dl_widen(const char *path, int flags);

/* Whether the linker's words for a refusal name a state of this process or of
 * the system (too many files, no memory, an I/O error) and no fact about a
 * file: they end with the text of an errno, or with one that glibc has for memory
 * that could not be had. */
bool dl_refusal_passes(const char *words);

/* Of these, whether it had no memory or descriptors, by the errno that it told. */
bool dl_lacks_means(const char *words);

/* One more reference to an object that is there already (a constructor may
 * still be running in it); NULL: not there. Sets no message. */
void *dl_open_again(const char *path, int flags);

/*
 * An object, by its path or SONAME, that the linker is about to relocate, found
 * without asking it for that: glibc 2.41 and later then end the process. A
 * handle for dl_symbol(), which is not to be closed; NULL: there is none. Only
 * for a thread that is inside the linker: to another it may vanish.
 */
void *dl_unrelocated(const char *name);

/*
 * Notes whether this thread is inside the linker, which relocates an object
 * and asks for data. Returns what was noted before.
 */
bool dl_set_relocating(bool relocating);

/* dlclose. false: the linker refused; its words are the message. */
bool dl_close(void *handle);

/* dlsym, or dlvsym where version is not NULL. 0 and the address, which can be
 * NULL, or -DLAZY_ENOSYM with the linker's words. */
int dl_symbol(void *handle, const char *name, const char *version,
	      void **ret_address);

/*
 * The same of a function that the object itself defines, without a lock of the
 * linker's: another thread may hold that, in a constructor, and wait for this
 * one. The object's constructors have ended. false: dl_symbol() has to be asked.
 */
bool dl_own_function(void *handle, const char *name, const char *version,
		     void **ret_address);

/* Whether any object of this process defines a symbol; with a version (else ""),
 * whether that library does, if it is loaded, or the global scope. */
bool dl_is_defined(const char *library, const char *name, const char *version);

/* The file of an object that is loaded and that the linker would take for
 * `name`: malloc'd absolute path, or NULL. */
char *dl_loaded_path(const char *name);

/* The file of an open object: malloc'd absolute path, or NULL. */
char *dl_path_of(void *handle);

/* The object that contains a code address, for a search in its name. Its
 * strings live as long as the object. */
struct search_origin dl_origin_of(const void *code);

/* The RUNPATH alone, "" if it has none. */
const char *dl_runpath_of(const void *code);

/* Whether the linker may take the object that contains a code address for
 * that bare name. */
bool dl_has_name(const void *code, const char *name);

/* The same of the program. false: it is not known here. */
bool dl_program_origin(struct search_origin *ret);

/*
 * Whether dlopen() of a bare name, called by this library, is sure to find what
 * it would if the object with that code called it, as long as no directory of
 * that object's RUNPATH has the library.
 */
bool dl_searches_alike(const void *code, const char *name);

/* Has the object that contains an address stay mapped. Not needed for what the
 * program was started with, which does anyway. */
void dl_keep(const void *address);

/*
 * The load address of the object mapped from `path`, found without taking the
 * lock that a running constructor's thread holds. false: none, or, where a
 * build-id is given, not that build.
 */
bool dl_load_address(const char *path, const uint8_t *build_id, size_t id_size,
		     uintptr_t *ret);

/* The file of an object that the linker has mapped, and may take for that bare
 * name, found in the same way: malloc'd, or NULL. */
char *dl_mapped_path(const char *name);

/* What stands for the object in which an address lies, for comparing; NULL: none
 * that is known. */
const void *dl_object(const void *address);

/* Whether two addresses lie in one object. */
bool dl_is_same_object(const void *a, const void *b);

/* The load address of an open object. */
uintptr_t dl_base(void *handle);

/* The address range in which an open object is mapped. false: not known. */
bool dl_range(void *handle, uintptr_t *ret_start, uintptr_t *ret_end);

/* Whether another object that is loaded has this one as DT_NEEDED; if so, its
 * path. */
bool dl_needed_by(void *handle, char *buffer, size_t size);

/*
 * What is opened from now on, and needs the SONAME of this object, does not get this
 * object for that. For one that stays mapped though another has taken its place.
 * The linker compares the names in memory, so the name there is taken away.
 */
void dl_hide_soname(void *handle);

/* Flags for an object that takes the place of one that may stay: in the global
 * scope, the older's symbols would come first, also for its own references. */
int dl_flags_apart(int flags);

/* How many objects the linker has loaded and unloaded so far, in all. */
struct dl_changes {
	unsigned long long loaded, unloaded;
};
struct dl_changes dl_changes(void);

/* Whether a data address is the dynamic linker's own (its locks are there). */
bool dl_is_linker_data(uintptr_t address);

/* "function+0x12 (/path/of/object)" for a code address; always ends it. Where
 * the linker's lock must not be asked for: "/path/of/object+0x12". */
void dl_describe(const void *code, bool may_wait, char *buffer, size_t size);

/*
 * The linker's functions as they are, for a handle or a question that is not
 * ours (src/dlfcn.c): their words stay the host's dlerror().
 */
void *dl_host_open(const char *path, int flags);
void *dl_host_symbol(void *handle, const char *name);
void *dl_host_version(void *handle, const char *name, const char *version);
int dl_host_close(void *handle);
int dl_host_info(void *handle, int request, void *arg);
int dl_host_address(const void *address, void *ret_info); /* a Dl_info */
char *dl_host_error(void);

/* The file of the object that contains this library's code; "" on failure. */
const char *dl_own_path(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Loading: from DECLARED to LOADED, and back by discarding. Exactly one load,
 * under any number of threads, without a lock of ours held over it.
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "load/module.h"

struct loading_frame;

/*
 * The linker's handle of a loaded module, for the time of a look-up. While the
 * module's constructors run on this very thread it is there too, but nothing
 * found through it may be published yet.
 */
struct load_handle {
	void *handle;
	bool published; /* the module is LOADED */
	bool borrowed;	/* no reference: the load in progress has it */
};

/*
 * Loads the module unless it is loaded. 0, or, with message, what dlazy_load()
 * returns.
 */
int load_module(struct dlazy_module *m, const struct touch *touch,
		struct load_handle *ret);

/*
 * A later open can ask for more than the load was made with: RTLD_GLOBAL,
 * RTLD_NOW, RTLD_NODELETE. Whether a loaded module is behind what was asked for;
 * and to ask the linker for it: 0 (also if it is not loaded), or a status.
 */
bool load_is_behind(const struct dlazy_module *m);
int load_promote(struct dlazy_module *m);

/* 0: a (or another) try is due; else the remembered failure, said again. */
int load_recall(struct dlazy_module *m, const struct touch *touch);

/*
 * Asks whether load_module() is allowed now: 0, or -DLAZY_EBUSY with a
 * message, of which observers are told (load/forbid.h).
 */
int load_permit(struct dlazy_module *m, const struct touch *touch);
/* The same of a module that is loaded, and would be loaded once more. */
int load_permit_again(struct dlazy_module *m, const struct touch *touch);

/* Begins a load that was permitted (loading_enter()), unless the process was sealed
 * since. 0 and the frame, or a status with message. */
int load_enter(struct dlazy_module *m, const struct touch *touch,
	       struct loading_frame **ret);

/* What a module requires, loaded: a malloc'd array. */
struct load_required {
	struct dlazy_module **modules;
	size_t count;
	struct dlazy_module *failed; /* NULL: it is none that is known */
};

/*
 * What plugins say of themselves and a load goes by. It is given once, by a file that
 * itself needs loads (load/require.c), before any registry is made.
 */
struct load_demand {
	/* Loads what the module of a frame requires, on this thread; of a file that
	 * is to take the place of the module's, what that requires (`file`, else
	 * NULL). 0, or, with message, why it cannot. */
	int (*require)(struct loading_frame *frame, const struct touch *touch,
		       const struct elf_view *file, struct load_required *ret);
	/* Adds a hint to the pending words; returns the status again. */
	int (*add_hint)(struct dlazy_module *m, int status);
};
void load_set_demand(const struct load_demand *given);

/* Loads what is required (see above), before the module of a frame; `file` as there. */
int load_require(struct loading_frame *frame, const struct touch *touch,
		 const struct elf_view *file, struct load_required *ret);

/* The module has required those, and not what it did; exchanges the two. */
void load_keep_required_locked(struct dlazy_module *m,
			       struct load_required *required);

/* An object of the module stays mapped for good, and so does what that required. */
void load_keep_for_good_locked(struct dlazy_module *m,
			       const struct load_required *required);

/* Gives back what is not the module's own; call it whatever was returned. */
void load_release(struct load_handle *h);
#define _cleanup_load_ _cleanup_(load_release)

/* Tells observers; start_ns: when it began, or 0. */
void load_tell(enum dlazy_event_kind kind, struct dlazy_module *m,
	       const struct touch *touch, int status, uint64_t start_ns);

/* Makes words of what the linker said when it refused a file of the module; returns
 * the status to give. */
int load_explain(struct dlazy_module *m);

/* As dlazy_unload(). */
int load_discard(struct dlazy_module *m);

/*
 * A handle was closed by dlclose(), whose caller promises what dlazy_unload() asks
 * for, and knows that real addresses end with the last handle: if that was it, and
 * each of them was opened with DLAZY_DISCARD, the object goes as it does there.
 */
void load_close(struct dlazy_module *m);

#endif

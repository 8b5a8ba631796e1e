/* SPDX-License-Identifier: MIT */
/*
 * Probes (USDT). A probe is a nop, a note that says where it is and where its
 * arguments are, and a counter, which is greater than 0 while somebody
 * watches. While all counters are 0, no events are made for probes. There are
 * no probes without <sys/sdt.h>, or when configured with --disable-probes.
 *
 * Names and arguments are an interface, as exported symbols are. Two
 * underscores are SystemTap's way to write a hyphen.
 */
#include "ledger/usdt.h"

#include "base/event.h"
#include "load/module.h"

#include <stdbool.h>

/* The header is per CPU; tests build for another with this CPU's config.h. */
#if defined(ENABLE_PROBES) && __has_include(<sys/sdt.h>)

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* The names are those that the notes have: provider_probe_semaphore. */
#define PROBE_COUNTER(probe)                                                   \
	__extension__ unsigned short dlazy_##probe##_semaphore __attribute__(( \
		section(".probes"), visibility("hidden"), used))

PROBE_COUNTER(first__touch);
PROBE_COUNTER(module__loading);
PROBE_COUNTER(module__loaded);
PROBE_COUNTER(module__unloaded);
PROBE_COUNTER(failed);
PROBE_COUNTER(bind);

static bool read_counter(const unsigned short *counter)
{
	return *(const volatile unsigned short *)counter != 0;
}

/* Does anybody watch what events tell? */
static bool is_watched(void)
{
	return read_counter(&dlazy_first__touch_semaphore) ||
	       read_counter(&dlazy_module__loading_semaphore) ||
	       read_counter(&dlazy_module__loaded_semaphore) ||
	       read_counter(&dlazy_module__unloaded_semaphore) ||
	       read_counter(&dlazy_failed_semaphore);
}

static void tell(const struct dlazy_event *e)
{
	const char *name = e->module ? e->module->name : e->name;
	const char *path = e->module ? e->module->path : "";

	switch (e->kind) {
	case DLAZY_EVENT_TOUCH:
		STAP_PROBE4(dlazy, first__touch, name, path, e->symbol,
			    e->caller);
		break;
	case DLAZY_EVENT_LOADING:
		STAP_PROBE4(dlazy, module__loading, name, path, e->symbol,
			    e->caller);
		break;
	case DLAZY_EVENT_LOADED:
		STAP_PROBE5(dlazy, module__loaded, name, path, e->symbol,
			    e->caller, e->duration_ns);
		break;
	case DLAZY_EVENT_FAILED:
		STAP_PROBE6(dlazy, failed, name, path, e->symbol, e->caller,
			    e->duration_ns, e->status);
		break;
	case DLAZY_EVENT_UNLOADED:
		STAP_PROBE2(dlazy, module__unloaded, name, path);
		break;
	case DLAZY_EVENT_ADDED: /* of files, not of modules: no probe */
	case DLAZY_EVENT_REMOVED:
	case DLAZY_EVENT_REPLACED:
		break;
	}
}

static void tell_bound(const struct dlazy_module *m, const char *symbol,
		       const void *caller, const void *address)
{
	if (read_counter(&dlazy_bind_semaphore))
		STAP_PROBE5(dlazy, bind, m->name, m->path, symbol, caller,
			    address);
}

void probe_begin(void)
{
	static const struct event_probe probe = {is_watched, tell, tell_bound};

	event_set_probe(&probe);
}

#else

void probe_begin(void)
{
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Functions of libc and libstdc++ that plugins' initialisers call, as far as the
 * machine has to know of them. Texts are those of the new ABI of libstdc++: a
 * pointer, a length, and 16 bytes that hold a short text or the capacity.
 */
#include "link/facts/machine.h"

#include "base/array.h"

#include <string.h>

#define TEXT_LOCAL 16 /* bytes, the NUL included */

struct text {
	uint64_t pointer, length, capacity;
};

static uint64_t argument(const struct machine *m, unsigned i)
{
	static const uint8_t registers[] = {MACHINE_RDI, MACHINE_RSI,
					    MACHINE_RDX, MACHINE_RCX, 8};

	return m->registers[registers[i]];
}

static bool give(struct machine *m, uint64_t value)
{
	m->registers[MACHINE_RAX] = value;
	return m->trouble == MACHINE_FINE;
}

static bool do_nothing(struct machine *m)
{
	return give(m, 0);
}

static bool do_allocate(struct machine *m)
{
	return give(m, machine_allocate(m, argument(m, 0)));
}

static bool do_allocate_array(struct machine *m)
{
	uint64_t size;

	if (__builtin_mul_overflow(argument(m, 0), argument(m, 1), &size))
		return false;
	return give(m, machine_allocate(m, size));
}

static bool do_copy(struct machine *m)
{
	uint64_t size = argument(m, 2);

	if (size) {
		const void *from = machine_at(m, argument(m, 1), size, false);
		void *to = machine_at(m, argument(m, 0), size, true);
		if (!from || !to)
			return false;
		memmove(to, from, size);
	}
	return give(m, argument(m, 0));
}

static bool do_fill(struct machine *m)
{
	uint64_t size = argument(m, 2);
	void *to = size ? machine_at(m, argument(m, 0), size, true) : NULL;

	if (to)
		memset(to, (int)argument(m, 1), size);
	return give(m, argument(m, 0));
}

static bool do_length(struct machine *m)
{
	const char *text = machine_text(m, argument(m, 0));

	return text && give(m, strlen(text));
}

static bool do_compare(struct machine *m)
{
	const char *a = machine_text(m, argument(m, 0));
	const char *b = machine_text(m, argument(m, 1));

	return a && b && give(m, (uint64_t)(int64_t)strcmp(a, b));
}

static bool do_compare_bytes(struct machine *m)
{
	uint64_t size = argument(m, 2);
	const void *a = machine_at(m, argument(m, 0), size ? size : 1, false);
	const void *b = machine_at(m, argument(m, 1), size ? size : 1, false);

	return a && b && give(m, (uint64_t)(int64_t)memcmp(a, b, size));
}

/* std::string::_M_create(size_t &capacity, size_t old) */
static bool do_create(struct machine *m)
{
	uint64_t wanted, old = argument(m, 2);
	void *at = machine_at(m, argument(m, 1), sizeof(wanted), true);

	if (!at)
		return false;
	memcpy(&wanted, at, sizeof(wanted));
	if (wanted > INT32_MAX)
		return false;
	if (wanted > old && wanted < 2 * old)
		wanted = 2 * old;
	memcpy(at, &wanted, sizeof(wanted));
	return give(m, machine_allocate(m, wanted + 1));
}

/* Puts `size` bytes into the text at an address, in the place of what it has. */
static bool set_text(struct machine *m, uint64_t address, const void *bytes,
		     uint64_t size)
{
	void *at =
		machine_at(m, address, 2 * sizeof(uint64_t) + TEXT_LOCAL, true);
	struct text text;

	if (!at)
		return false;
	memcpy(&text, at, sizeof(text));
	bool is_local = text.pointer == address + 2 * sizeof(uint64_t);
	if (size > (is_local ? TEXT_LOCAL - 1 : text.capacity)) {
		text.pointer = machine_allocate(m, size + 1);
		text.capacity = size;
		memcpy(at, &text, sizeof(text));
	}
	char *to = machine_at(m, text.pointer, size + 1, true);
	if (!to)
		return false;
	memmove(to, bytes, size);
	to[size] = '\0';
	memcpy((uint8_t *)at + sizeof(uint64_t), &size, sizeof(size));
	return true;
}

/* std::string::_M_assign(const std::string &) */
static bool do_assign(struct machine *m)
{
	const void *at =
		machine_at(m, argument(m, 1), sizeof(struct text), false);
	struct text from;

	if (!at)
		return false;
	memcpy(&from, at, sizeof(from));
	const void *bytes = machine_at(m, from.pointer, from.length + 1, false);
	return bytes &&
	       (argument(m, 0) == argument(m, 1) ||
		set_text(m, argument(m, 0), bytes, from.length)) &&
	       give(m, 0);
}

/* std::string::_M_replace(size_t at, size_t size, const char *, size_t), of all
 * there is: an assignment. */
static bool do_replace(struct machine *m)
{
	const void *at =
		machine_at(m, argument(m, 0), sizeof(struct text), false);
	struct text text;

	if (!at)
		return false;
	memcpy(&text, at, sizeof(text));
	uint64_t size = argument(m, 4);
	if (argument(m, 1) != 0 || argument(m, 2) != text.length)
		return false;
	const void *bytes =
		machine_at(m, argument(m, 3), size ? size : 1, false);
	return bytes && set_text(m, argument(m, 0), bytes, size) &&
	       give(m, argument(m, 0));
}

#define STRING "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE"

static const struct {
	const char *name;
	bool (*act)(struct machine *m);
} known[] = {
	{STRING "10_M_disposeEv", do_nothing},
	{STRING "10_M_replaceEmmPKcm", do_replace},
	{STRING "9_M_assignERKS4_", do_assign},
	{STRING "9_M_createERmm", do_create},
	{"_ZNSt8ios_base4InitC1Ev", do_nothing},
	{"_ZdaPv", do_nothing},
	{"_ZdaPvm", do_nothing},
	{"_ZdlPv", do_nothing},
	{"_ZdlPvm", do_nothing},
	{"_Znam", do_allocate},
	{"_Znwm", do_allocate},
	{"__cxa_atexit", do_nothing},
	{"calloc", do_allocate_array},
	{"free", do_nothing},
	{"malloc", do_allocate},
	{"memcmp", do_compare_bytes},
	{"memcpy", do_copy},
	{"memmove", do_copy},
	{"memset", do_fill},
	{"strcmp", do_compare},
	{"strlen", do_length},
};

/* Back to the caller. */
static bool return_from(struct machine *m)
{
	uint64_t *rsp = &m->registers[MACHINE_RSP];
	const void *at = machine_at(m, *rsp, sizeof(m->next), false);

	if (!at)
		return false;
	memcpy(&m->next, at, sizeof(m->next));
	*rsp += sizeof(m->next);
	return true;
}

bool machine_call_outside(struct machine *m, uint64_t address)
{
	const char *name = machine_outside_name(m, address);

	for (size_t i = 0; name && i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].act(m) && return_from(m);
	return false; /* not modelled */
}

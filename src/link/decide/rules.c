/* SPDX-License-Identifier: MIT */
/*
 * The reasons to stay eager that a library's own file gives. Each rule is a
 * function that looks at one file, and the comment above it says why the rule
 * is needed. doc/design.md describes how the verdict is reached.
 */
#include "link/decide/rules.h"

#include "base/array.h"
#include "elf/view.h"

#include <fnmatch.h>
#include <string.h>

/* A rule: true, and a reason, if it holds. */
typedef bool rule_fn(const struct elf_view *view, struct rules_reason *ret);

static bool matches_any(const char *const *patterns, size_t count,
			const char *soname)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(patterns[i], soname, 0) == 0)
			return true;
	return false;
}

/* Where libc's own functions live; since glibc 2.34 that is one file. */
bool rules_is_libc(const struct elf_view *view)
{
	static const char *const patterns[] = {
		"libc.so.[0-9]*",
		"libpthread.so.[0-9]*",
		"libdl.so.[0-9]*",
		"libc.musl-*.so.[0-9]*",
	};

	return matches_any(patterns, ARRAY_SIZE(patterns),
			   elf_view_soname(view));
}

/* A part of glibc itself: it has symbols of the version GLIBC_PRIVATE, by which
 * glibc's libraries reach each other. */
static bool is_private_of_libc(const struct elf_view *view)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++)
		if (elf_view_symbol(view, i, &symbol) &&
		    strcmp(symbol.version, "GLIBC_PRIVATE") == 0)
			return true;
	return false;
}

/*
 * The C and C++ runtimes: everybody needs them from the start, they know of
 * each other's insides, and dlazy's own slow path stands on them.
 */
static bool rule_runtime(const struct elf_view *view, struct rules_reason *ret)
{
	static const char *const patterns[] = {
		"ld-*.so.[0-9]*",	 "ld.so.[0-9]*",
		"libc.so.[0-9]*",	 "libm.so.[0-9]*",
		"libdl.so.[0-9]*",	 "libpthread.so.[0-9]*",
		"librt.so.[0-9]*",	 "libresolv.so.[0-9]*",
		"libutil.so.[0-9]*",	 "libanl.so.[0-9]*",
		"libnss_*.so.[0-9]*",	 "libmvec.so.[0-9]*",
		"libnsl.so.1",		 "libthread_db.so.[0-9]*",
		"libBrokenLocale.so.*",	 "libc_malloc_debug.so.*",
		"libc.musl-*.so.[0-9]*", "libstdc++.so.[0-9]*",
		"libgcc_s.so.[0-9]*",	 "libc++.so.[0-9]*",
		"libc++abi.so.[0-9]*",	 "libunwind.so.1",
		"libdlazy.so.[0-9]*",
	};

	*ret = (struct rules_reason){VERDICT_RUNTIME, NULL, NULL};
	if (matches_any(patterns, ARRAY_SIZE(patterns), elf_view_soname(view)))
		return true;
	ret->kind = "GLIBC_PRIVATE";
	return is_private_of_libc(view);
}

/*
 * A library that asks the dynamic linker for a place or a time of its own, or
 * that dlopen would refuse.
 */
static bool rule_special(const struct elf_view *view, struct rules_reason *ret)
{
	static const struct {
		unsigned flag;
		const char *kind;
	} flags[] = {
		{ELF_PIE, "a program, not a library"},
		{ELF_NOOPEN, "DF_1_NOOPEN: dlopen refuses it"},
		{ELF_INITFIRST, "DF_1_INITFIRST: initialised before others"},
		{ELF_INTERPOSE, "DF_1_INTERPOSE: looked up before others"},
		{ELF_FILTER, "DT_FILTER or DT_AUXILIARY: stands for another"},
		{ELF_EXEC_STACK, "executable stack: glibc 2.41 and later "
				 "refuse it when opened late"},
	};

	*ret = (struct rules_reason){VERDICT_SPECIAL, NULL, NULL};
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!(elf_view_flags(view) & flags[i].flag))
			continue;
		ret->kind = flags[i].kind;
		return true;
	}
	return false;
}

uint64_t rules_static_tls(const struct elf_view *view)
{
	return elf_view_flags(view) & ELF_STATIC_TLS ? elf_view_tls_size(view)
						     : 0;
}

/*
 * Opened late, it may find no room left. Without a segment of its own it is
 * libc's errno that is reached so, and that is there. (Every library of a
 * Debian 12 machine that has TPOFF relocations says so by the flag.)
 */
static bool rule_static_tls(const struct elf_view *view,
			    struct rules_reason *ret)
{
	*ret = (struct rules_reason){VERDICT_STATIC_TLS, NULL, NULL};
	return rules_static_tls(view) > RULES_LATE_TLS;
}

/* A stub would have to keep registers that nobody knows. */
static bool rule_variant(const struct elf_view *view, struct rules_reason *ret)
{
	struct elf_symbol symbol;

	for (size_t i = 1; i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol) || !symbol.defined ||
		    !symbol.variant)
			continue;
		*ret = (struct rules_reason){VERDICT_VARIANT, symbol.name,
					     elf_type_name(symbol.type)};
		return true;
	}
	return false;
}

bool rules_exports_tls(const struct elf_view *view, struct rules_reason *ret)
{
	struct elf_symbol symbol;

	if (!(elf_view_flags(view) & ELF_TLS))
		return false;
	for (size_t i = 1; i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol) || !symbol.defined ||
		    symbol.type != ELF_TYPE_TLS)
			continue;
		*ret = (struct rules_reason){VERDICT_TLS, symbol.name,
					     elf_type_name(symbol.type)};
		return true;
	}
	return false;
}

size_t rules_of_file(const struct elf_view *view,
		     struct rules_reason ret[RULES_MAX])
{
	static rule_fn *const rules[] = {rule_runtime, rule_special,
					 rule_static_tls, rule_variant};
	size_t n = 0;

	_Static_assert(ARRAY_SIZE(rules) < RULES_MAX,
		       "and rules_exports_tls()");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		n += rules[i](view, &ret[n]);
	return n;
}

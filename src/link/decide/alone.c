/* SPDX-License-Identifier: MIT */
/*
 * The reasons that keep one library eager in every program, told by its own
 * file and by the index. That it defines a name of libc's is among them,
 * though in a program the order of look-up could make it harmless.
 */
#include "link/decide/verdict.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "elf/search.h"
#include "elf/view.h"
#include "link/resolve/closure.h"
#include "link/copy/copy.h"
#include "link/decide/rules.h"
#include "link/decide/imported.h"

#include <fcntl.h>
#include <string.h>

/* The reasons, while they are collected. */
struct reasons {
	struct verdict list[RULES_MAX + 2];
	size_t count;
};

static void cleanup_reasons(struct reasons *reasons)
{
	for (size_t i = 0; i < reasons->count; i++) {
		free(reasons->list[i].symbol);
		free(reasons->list[i].importer);
	}
}

/* Takes the strings over. */
static void reasons_add(struct reasons *reasons, enum verdict_why why,
			char *symbol, char *importer, const char *kind)
{
	reasons->list[reasons->count++] = (struct verdict){
		.why = why,
		.symbol = symbol,
		.importer = importer,
		.kind = kind,
	};
}

static bool add_own(struct reasons *reasons, const struct elf_view *view,
		    bool indexed)
{
	struct rules_reason own[RULES_MAX];
	size_t n = rules_of_file(view, own);
	bool fits = true;

	/* Whoever could import it counts as an importer. */
	if (!indexed && rules_exports_tls(view, &own[n]))
		n++;
	for (size_t i = 0; i < n; i++) {
		char *symbol = own[i].symbol ? strdup(own[i].symbol) : NULL;

		fits &= symbol || !own[i].symbol;
		reasons_add(reasons, own[i].why, symbol, NULL, own[i].kind);
	}
	return fits;
}

static struct elf_view *open_libc(void)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct file_identity identity;
	struct elf_view *view = NULL;

	if (search_library("libc.so.6", NULL, &path) < 0 ||
	    file_open(AT_FDCWD, path, &fd, &identity) < 0 ||
	    elf_view_open(fd, path, &view) < 0)
		status_clear();
	return view;
}

static bool add_libc_name(struct reasons *reasons, const struct elf_view *view)
{
	_cleanup_elf_view_ struct elf_view *libc = open_libc();
	struct elf_symbol symbol, other;

	for (size_t i = 1; libc && i < elf_view_symbol_count(view); i++) {
		if (!elf_view_symbol(view, i, &symbol) || !symbol.defined ||
		    symtab_is_marker(&symbol) ||
		    !elf_view_find(libc, symbol.name, NULL, &other))
			continue;
		char *name = strdup(symbol.name);
		reasons_add(reasons, VERDICT_LIBC_NAME, name, NULL,
			    elf_type_name(symbol.type));
		return name;
	}
	return true;
}

/* The library, as if it were a program, with what it needs. */
struct alone {
	struct closure closure;
	struct symtab *symtab;
	struct copy copy;
	bool *imported, *resident;
};

static void cleanup_alone(struct alone *a)
{
	copy_clear(&a->copy);
	symtab_free(a->symtab);
	closure_clear(&a->closure);
	free(a->imported);
	free(a->resident);
}

static bool is_resident(const struct closure_object *object)
{
	struct rules_reason reasons[RULES_MAX];

	return object->view && rules_of_file(object->view, reasons) > 0;
}

/* Copies what others import. */
static int copy_alone(struct alone *a, const struct index *index)
{
	size_t n;
	int r = symtab_build(&a->closure, &a->symtab);

	if (r < 0)
		return r;
	symtab_of_object(a->symtab, 0, &n);
	a->imported = calloc(n + 1, sizeof(*a->imported));
	a->resident = calloc(a->closure.count, sizeof(*a->resident));
	if (!a->imported || !a->resident)
		return status_no_memory(a->closure.objects[0].path);
	for (size_t i = 1; i < a->closure.count; i++)
		a->resident[i] = is_resident(&a->closure.objects[i]);
	r = imported_by_index(&a->closure, a->symtab, index, 0, a->imported);
	if (r < 0)
		return r;
	const struct copy_request request = {&a->closure, a->symtab, 0,
					     a->imported, a->resident};
	return copy_make(&request, &a->copy);
}

/* Does anybody import from it what has no copy? */
static int ask_index(struct reasons *reasons, const char *path,
		     const struct index *index)
{
	_cleanup_(cleanup_alone) struct alone a = {.symtab = NULL};
	char *symbol = NULL, *importer = NULL;
	bool imported;
	int r = closure_read(path, &a.closure);

	if (r == 0)
		r = copy_alone(&a, index);
	if (r == 0)
		r = imported_unready(&a.closure, a.symtab, index, 0, &imported,
				     &symbol, &importer);
	if (r == 0 && imported)
		reasons_add(reasons, VERDICT_DATA, symbol, importer, NULL);
	return r;
}

int verdict_alone(const struct elf_view *view, const char *path,
		  const struct index *index, struct verdicts *ret)
{
	_cleanup_(cleanup_reasons) struct reasons reasons = {.count = 0};

	if (!add_own(&reasons, view, index != NULL))
		return status_no_memory(path);
	bool runtime = reasons.count && reasons.list[0].why == VERDICT_RUNTIME;
	if (!runtime && !add_libc_name(&reasons, view))
		return status_no_memory(path);
	int r = index ? ask_index(&reasons, path, index) : 0;
	if (r < 0)
		return r;
	struct verdict *list = calloc(reasons.count + 1, sizeof(*list));
	if (!list)
		return status_no_memory(path);
	memcpy(list, reasons.list, reasons.count * sizeof(*list));
	*ret = (struct verdicts){.list = list, .count = reasons.count};
	reasons.count = 0; /* handed over */
	return 0;
}

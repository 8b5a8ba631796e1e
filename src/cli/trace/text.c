/* SPDX-License-Identifier: MIT */
/*
 * A trace for people, in 80 columns: where the time went, which objects cost
 * most, which did nothing, and what to do about it.
 */
#include "cli/trace/text.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/frame/table.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ROWS 15	     /* objects that are shown unless all are wanted */
#define NAME_MAX_ 24 /* columns of a name */
#define BY_MAX 14
#define BAR_MAX 40
#define WIDTH 78

/* How many bytes of a text have room in `width`: whole characters. */
static int fitting(const char *text, size_t width)
{
	size_t n = strnlen(text, width);

	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

/* A file's name in `width` columns: its version says least, then its end. */
static void cut_name(const char *path, size_t width, char *buffer, size_t size)
{
	const char *name = file_base_name(path);
	const char *version = strstr(name, ".so.");
	size_t stem = version ? (size_t)(version - name) : strlen(name);

	if (strlen(name) <= width)
		snprintf(buffer, size, "%s", name);
	else if (version && stem <= width)
		snprintf(buffer, size, "%.*s", (int)stem, name);
	else
		snprintf(buffer, size, "%.*s...", fitting(name, width - 3),
			 name);
}

/* ------------------------------------------------------------------ */
/* What it was                                                        */

static void print_command(FILE *out, const struct trace *t)
{
	size_t width = 0;

	fputs(cli_bold(out), out);
	for (size_t i = 0; i < t->command_count; i++) {
		width += strlen(t->command[i]) + 1;
		if (width > 48 && i) {
			fputs(" ...", out);
			break;
		}
		fputs(i ? " " : "", out);
		cli_put(t->command[i], out);
	}
	fputs(cli_plain(out), out);
}

/* Did the linker give up, as where a library is missing? */
static bool was_refused(const struct trace *t, int how)
{
	return WIFEXITED(how) && WEXITSTATUS(how) == 127 &&
	       !t->tracebuf->init_count && !t->tracebuf->main.ticks;
}

static void print_signal(FILE *out, int signal)
{
	fprintf(out,
		"It was ended by a signal (%s);\nthis is what was seen until "
		"then.\n",
		strsignal(signal));
	if (signal == SIGSYS)
		fputs("If it filters its own system calls (seccomp), those of "
		      "the tracer may have\nended it.\n",
		      out);
}

static void print_end(FILE *out, const struct trace *t, int how)
{
	if (WIFSIGNALED(how))
		print_signal(out, WTERMSIG(how));
	else if (was_refused(t, how))
		fputs("The dynamic linker ended it, before any code of it ran; "
		      "its message is above.\n",
		      out);
	else if (!t->has_exited)
		fputs("It ended without exit() (by _exit, or it executed "
		      "another program,\nwhich --children would follow); this "
		      "is what was seen until then.\n",
		      out);
}

static void print_summary(FILE *out, const struct trace *t, int how)
{
	struct trace_waste w = trace_waste(t);

	print_command(out, t);
	fprintf(out, ": %zu librar%s", w.libraries,
		w.libraries == 1 ? "y" : "ies");
	if (!t->wall_us.unknown)
		fprintf(out, ", %.1f ms", trace_wall(t) / 1e3);
	if (t->runs > 1)
		fprintf(out,
			"\nTimes are medians over %zu runs, the rest is "
			"that of the last",
			t->runs);
	putc('\n', out);
	if (how >= 0)
		print_end(out, t, how);
	if (t->tracebuf->arguments_missing)
		fprintf(out, "(%u arguments are not shown)\n",
			t->tracebuf->arguments_missing);
	putc('\n', out);
}

/* ------------------------------------------------------------------ */
/* Where the time went                                                */

struct phase {
	const char *name;
	struct trace_value us;
};

static void print_phase(FILE *out, const struct phase *p, double most)
{
	int bar = most > 0 && !p->us.unknown
			  ? (int)(BAR_MAX * p->us.value / most + 0.5)
			  : 0;

	if (p->us.unknown) {
		fprintf(out, "%-22s        ?     %s\n", p->name,
			strlen(p->us.unknown) <= 44 ? p->us.unknown : "");
		return;
	}
	fprintf(out, "%-22s %8.2f ms ", p->name, p->us.value / 1e3);
	for (int i = 0; i < bar; i++)
		putc('#', out);
	putc('\n', out);
}

/* The linker's time against the program's own, in shares of what the tracer did
 * not take. */
static void print_shares(FILE *out, const struct trace *t)
{
	double whole = trace_wall(t);
	double linker = t->map_us.value + t->relocate_us.value;
	double own = t->program_us.value + t->constructors_us.value;

	if (t->wall_us.unknown || t->map_us.unknown || t->relocate_us.unknown ||
	    whole <= 0)
		return;
	fprintf(out, "Dynamic linker: %.1f ms, %.0f %%; ", linker / 1e3,
		100 * linker / whole);
	if (t->program_us.unknown || t->constructors_us.unknown)
		fputs("the program's own code: not known.\n", out);
	else
		fprintf(out, "the program's own code: %.1f ms, %.0f %%.\n",
			own / 1e3, 100 * own / whole);
}

static void print_phases(FILE *out, const struct trace *t)
{
	const struct phase phases[] = {
		{"exec, until ld.so", t->exec_us},
		{"linker: mapping", t->map_us},
		{"linker: relocating", t->relocate_us},
		{"constructors", t->constructors_us},
		{"the program itself", t->program_us},
		{"exit", t->exit_us},
		{"(the tracer)", trace_known(t->own_us)},
	};
	double most = 0;

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (trace_or_zero(phases[i].us) > most)
			most = phases[i].us.value;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		print_phase(out, &phases[i], most);
	print_shares(out, t);
	putc('\n', out);
}

/* ------------------------------------------------------------------ */
/* Objects                                                            */

static void put_value(struct trace_value v, char buffer[32])
{
	if (v.unknown)
		strcpy(buffer, "-");
	else
		snprintf(buffer, 32, "%.0f", v.value);
}

static const char *used_of(const struct trace_object *o)
{
	return o->did_nothing ? "no" : trace_used_word(o->used);
}

static void put_by(const struct trace *t, const struct trace_object *o,
		   char buffer[64])
{
	char name[48];

	if (o->by == TRACE_NONE) {
		snprintf(buffer, 64, "(%s)", trace_why_word(o->why));
		return;
	}
	/* A name behind an arrow: it was opened, not needed. */
	cut_name(t->objects[o->by].path,
		 o->why == TRACEBUF_DLOPEN ? BY_MAX - 2 : BY_MAX, name,
		 sizeof(name));
	snprintf(buffer, 64, "%s%s", o->why == TRACEBUF_DLOPEN ? "> " : "",
		 name);
}

static bool add_row(struct table *table, const struct trace *t,
		    const struct trace_object *o)
{
	char name[64], by[64], map[32], relocate[32], init[32], kib[32];

	cut_name(o->path, NAME_MAX_, name, sizeof(name));
	put_by(t, o, by);
	put_value(o->map_us, map);
	put_value(o->relocate_us, relocate);
	put_value(o->init_us, init);
	put_value(o->private_kib, kib);
	return table_add(table, (const char *[]){name, by, map, relocate, init,
						 kib, used_of(o)});
}

static bool fill_table(struct table *table, const struct trace *t, size_t rows)
{
	_cleanup_free_ struct trace_object **sorted =
		calloc(t->object_count, sizeof(*sorted));

	if (!sorted)
		return false;
	for (size_t i = 0; i < t->object_count; i++)
		sorted[i] = &t->objects[i];
	qsort(sorted, t->object_count, sizeof(*sorted), trace_compare_cost);
	for (size_t i = 0; i < rows; i++)
		if (!add_row(table, t, sorted[i]))
			return false;
	return true;
}

static void print_objects(FILE *out, const struct trace *t, bool all)
{
	static const char *const heading[] = {
		"OBJECT", "BY", ">MAP us", ">RELOC", ">INIT", ">KiB", "USED",
	};
	_cleanup_(table_free) struct table table = {
		.columns = ARRAY_SIZE(heading)};
	size_t rows = t->object_count;

	if (!all && rows > ROWS)
		rows = ROWS;
	if (!table_add(&table, heading) || !fill_table(&table, t, rows)) {
		cli_say("trace: out of memory");
		return;
	}
	table_print(&table, out);
	if (rows < t->object_count)
		fprintf(out, "and %zu more: --all shows them\n",
			t->object_count - rows);
	fputs("BY > is who opened it by dlopen; - is not known (--json says "
	      "why);\nUSED no: nothing of it was used since main began.\n\n",
	      out);
}

/* ------------------------------------------------------------------ */
/* What to do                                                         */

/* As a shell takes it for one word. */
static void put_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";
	const char *rest = word;

	if (*word && word[strspn(word, plain)] == '\0') {
		fputs(word, out);
		return;
	}
	putc('\'', out);
	while (*rest) {
		size_t n = strcspn(rest, "'");
		_cleanup_free_ char *part = strndup(rest, n);

		cli_put(part ? part : "", out);
		fputs(rest[n] ? "'\\''" : "", out);
		rest += n + (rest[n] != '\0');
	}
	putc('\'', out);
}

/* Whole, as it is to be typed. */
static void print_run(FILE *out, const struct trace *t)
{
	fputs("  dlazy run --", out);
	for (size_t i = 0; i < t->command_count; i++) {
		putc(' ', out);
		put_word(out, t->command[i]);
	}
	fputs(t->tracebuf->arguments_missing ? " ...\n" : "\n", out);
}

static const char *link_name(const struct trace_object *o)
{
	return o->requested ? o->requested : file_base_name(o->path);
}

/* Names between commas, in lines of their own. */
static void print_names(FILE *out, const struct trace_object **list,
			size_t count)
{
	size_t column = WIDTH;

	for (size_t i = 0; i < count; i++) {
		size_t width = strlen(link_name(list[i])) + 2;

		if (column + width > WIDTH)
			column = (size_t)fprintf(out, i ? "\n  " : "  ");
		else
			putc(' ', out);
		cli_put(link_name(list[i]), out);
		fputs(i + 1 < count ? "," : "\n", out);
		column += width;
	}
}

/* Those that a stub would spare, the costliest first. */
static void print_stubs(FILE *out, const struct trace_advice *advice)
{
	const struct trace_object **list = advice->stubs;

	if (advice->stub_count == 0)
		return;
	fprintf(out,
		"%s build the program with a stub of what it is itself linked "
		"with, which\ncan save up to %.1f ms:\n  dlazy stub ",
		advice->run ? "Or" : "You can", advice->stub_saving_us / 1e3);
	put_word(out, link_name(list[0]));
	fputs(" -o stub.o\n", out);
	if (advice->stub_count == 1)
		return;
	fputs("and likewise of\n", out);
	print_names(out, list + 1, advice->stub_count - 1);
}

/* What to do, or why nothing is to be done. */
static void print_way(FILE *out, const struct trace *t,
		      const struct trace_advice *advice)
{
	double whole = trace_wall(t);

	if (!advice->is_known) {
		int n = fprintf(out,
				"Whether dlazy run can help is not known:");
		cli_put_sentence(advice->why, (size_t)n, out);
		return;
	}
	if (advice->run) {
		fprintf(out,
			"To load libraries only when they are called, which "
			"can "
			"save up to %.1f ms",
			advice->saving_us / 1e3);
		if (whole > 0)
			fprintf(out, "\n(%.0f %%)",
				100 * advice->saving_us / whole);
		fputs(":\n", out);
		print_run(out, t);
	} else {
		int n = fprintf(out, "dlazy run is of no use here:");
		cli_put_sentence(advice->why, (size_t)n, out);
	}
	print_stubs(out, advice);
}

/* Of some, that they were used is only not ruled out. */
static void print_no_waste(FILE *out, const struct trace *t)
{
	bool all_seen = true;

	for (size_t i = 0; i < t->object_count; i++)
		if (trace_is_library(&t->objects[i]) &&
		    !t->objects[i].called_since_main &&
		    t->objects[i].touched_kib.unknown)
			all_seen = false;
	fputs(all_seen ? "Every library was used since main began.\n"
		       : "No library is known to have done nothing.\n",
	      out);
}

static void print_advice(FILE *out, const struct trace *t,
			 const struct trace_advice *advice)
{
	struct trace_waste w = trace_waste(t);

	if (w.count == 0) {
		print_no_waste(out, t);
		if (advice && *advice->why)
			print_way(out, t, advice);
		return;
	}
	fprintf(out,
		"%s%zu of %zu libraries did nothing%s since main began: at "
		"least %.1f ms,\n%.0f %% of all relocations, %.1f MiB of "
		"memory.\n",
		cli_bold(out), w.count, w.libraries, cli_plain(out), w.us / 1e3,
		w.all_relocations > 0 ? 100 * w.relocations / w.all_relocations
				      : 0,
		w.private_kib / 1024);
	if (w.opened)
		fprintf(out,
			"%zu of them came by dlopen: a host that declares its "
			"plugins with dlazy(3)\nloads those that it uses.\n",
			w.opened);
	if (w.count > w.opened && advice)
		print_way(out, t, advice);
}

static void print_lost(FILE *out, const struct tracebuf *tracebuf)
{
	const struct {
		uint32_t count;
		const char *what;
	} lost[] = {
		{tracebuf->objects_lost, "objects are not in this trace"},
		{tracebuf->loads_lost, "dlopens are not told apart"},
		{tracebuf->trampolines_lost,
		 "symbols could not be watched: they count "
		 "as bound"},
		{tracebuf->bindings_lost, "symbols are not counted"},
		{tracebuf->edges_lost, "bound symbols are not counted"},
		{tracebuf->strings_lost, "names did not fit"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		if (lost[i].count)
			fprintf(out, "Too many for the trace: %u %s.\n",
				lost[i].count, lost[i].what);
}

void trace_print_text(FILE *out, const struct trace *t, int how, bool all,
		      const struct trace_advice *advice)
{
	print_summary(out, t, how);
	print_phases(out, t);
	print_objects(out, t, all);
	print_lost(out, t->tracebuf);
	print_advice(out, t, advice);
}

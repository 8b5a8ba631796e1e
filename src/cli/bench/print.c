/* SPDX-License-Identifier: MIT */
/*
 * Printing the result of a measurement: as JSON, with the keys that dlazy(1)
 * lists; for people, as a table and a chart of 80 columns.
 */
#include "cli/bench/bench.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/frame/table.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *key;
	const char *name;
} ways[HOST_WAYS] = {
	[HOST_EMPTY] = {"empty", "empty process"},
	[HOST_EAGER] = {"eager", "eager"},
	[HOST_LAZY] = {"lazy", "lazy"},
	[HOST_ALL_TOUCHED] = {"all_touched", "lazy, all touched"},
};

const char *bench_side_name(enum host_way way, bool command, bool env)
{
	if (!command)
		return ways[way].name;
	if (env)
		return way == HOST_LAZY ? "DLAZY=lazy" : "DLAZY=off";
	return way == HOST_LAZY ? "dlazy run" : "plain";
}

static const char *side_name(const struct bench *b, enum host_way way)
{
	return bench_side_name(way, b->command != NULL, b->env);
}

/* Is the side one that was measured? */
static bool has_side(const struct bench *b, size_t way)
{
	return b->sides[way].wall_us.count > 0;
}

struct reason {
	const char *key;
	const char *why; /* NULL: it is known */
};

static void print_reasons(struct json *j, const struct reason *list, size_t n)
{
	json_begin_object_at(j, "unknown");
	for (size_t i = 0; i < n; i++) {
		if (!list[i].why)
			continue;
		json_string_at(j, list[i].key, list[i].why);
	}
	json_end_object(j);
}

static void print_side(struct json *j, const struct bench *b,
		       const struct bench_side *side)
{
	const char *unwatched = side->pss_kib.count
					? NULL
					: "the process could not be watched "
					  "(ptrace)";
	const struct reason reasons[] = {
		{"pss_kib", unwatched},
		{"maps", unwatched},
		{"instructions", side->instructions.count ? NULL
				 : b->baseline.instructions
					 ? "they could not be counted"
					 : "nobody asked (--instructions)"},
		{"failed", b->command ? "what a command loads is its own "
					"business"
				      : NULL},
	};
	const struct {
		const char *key;
		const struct sample *sample;
	} medians[] = {
		{"cpu_us", &side->cpu_us},
		{"pss_kib", &side->pss_kib},
		{"maps", &side->maps},
		{"faults", &side->faults},
		{"instructions", &side->instructions},
	};

	json_begin_object(j);
	json_begin_object_at(j, "wall_us");
	json_double_at(j, "median", sample_median(&side->wall_us));
	json_double_at(j, "min", sample_min(&side->wall_us));
	json_double_at(j, "max", sample_max(&side->wall_us));
	json_end_object(j);
	for (size_t i = 0; i < ARRAY_SIZE(medians); i++) {
		json_double_at(j, medians[i].key,
			       medians[i].sample->count
				       ? sample_median(medians[i].sample)
				       : NAN);
	}
	json_key(j, "failed");
	if (b->command)
		json_null(j);
	else
		json_unsigned(j, side->failed);
	print_reasons(j, reasons, ARRAY_SIZE(reasons));
	json_end_object(j);
}

/* A host that could not load what it was to use has not done its work. */
static bool has_failed(const struct bench *b)
{
	return !b->command && b->sides[HOST_LAZY].failed > 0;
}

/* Whether eager and lazy differ, and not by chance. */
static bool is_sure(const struct bench *b, double *low, double *high)
{
	return sample_interval(&b->ratio, low, high) &&
	       (*low > 1 || *high < 1) && !has_failed(b);
}

static void print_speedup(struct json *j, const struct bench *b)
{
	double low, high;
	bool sure = is_sure(b, &low, &high);

	json_double_at(j, "speedup", sure ? sample_median(&b->ratio) : NAN);
	json_begin_array_at(j, "speedup_interval");
	json_double(j, low);
	json_double(j, high);
	json_end_array(j);
}

static void print_names(struct json *j, const struct bench *b)
{
	json_begin_array_at(j, "touched_names");
	for (size_t i = 0; i < b->touched; i++)
		json_string(j, b->names[i]);
	json_end_array(j);
}

static void print_counts(struct json *j, const struct bench *b)
{
	json_unsigned_at(j, "declared", b->declared);
	json_unsigned_at(j, "touched", b->touched);
	print_names(j, b);
}

/* How many are declared, and which are touched, is the command's business. */
static void print_command(struct json *j, const struct bench *b)
{
	static const char *const counts[] = {"declared", "touched"};

	json_begin_array_at(j, "command");
	for (size_t i = 0; b->command[i]; i++)
		json_string(j, b->command[i]);
	json_end_array(j);
	json_string_at(j, "by", b->env ? "env" : "run");
	json_string_at(j, "plain", b->plain);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		json_null_at(j, counts[i]);
	}
}

static const char *doubt(const struct bench *b)
{
	double low, high;

	if (is_sure(b, &low, &high))
		return NULL;
	if (has_failed(b))
		return "what was to be touched could not be loaded";
	return b->ratio.count < SAMPLE_ENOUGH
		       ? "there were too few rounds for an interval"
		       : "the interval includes 1";
}

static void print_unknown(struct json *j, const struct bench *b)
{
	const char *own = "what a command declares is its own business";
	const char *none = "it is no side of a command";
	const struct reason reasons[] = {
		{"declared", b->command ? own : NULL},
		{"touched", b->command ? own : NULL},
		{"empty", has_side(b, HOST_EMPTY) ? NULL : none},
		{"all_touched", has_side(b, HOST_ALL_TOUCHED) ? NULL : none},
		{"speedup", doubt(b)},
	};

	print_reasons(j, reasons, ARRAY_SIZE(reasons));
}

static void print_baseline(struct json *j, const struct bench *b)
{
	json_key(j, "baseline");
	if (!b->baseline.path) {
		json_null(j);
		return;
	}
	json_begin_object(j);
	json_string_at(j, "file", b->baseline.path);
	json_string_at(j, "of",
		       b->baseline.instructions ? "instructions" : "wall_us");
	json_double_at(j, "value", b->baseline.value);
	json_double_at(j, "change_percent", baseline_change(&b->baseline, b));
	json_bool_at(j, "failed", baseline_is_missed(&b->baseline, b));
	json_end_object(j);
}

void bench_print_json(const struct bench *b)
{
	struct json j = json_to(stdout);

	json_begin_object(&j);
	json_string_at(&j, "format", "dlazy-bench");
	json_unsigned_at(&j, "version", 1);
	cli_json_version(&j);
	json_string_at(&j, "subject", b->subject);
	if (b->command)
		print_command(&j, b);
	else
		print_counts(&j, b);
	json_unsigned_at(&j, "runs", b->ratio.count);
	json_bool_at(&j, "cold", b->cold);
	for (size_t way = 0; way < HOST_WAYS; way++) {
		json_key(&j, ways[way].key);
		if (has_side(b, way))
			print_side(&j, b, &b->sides[way]);
		else
			json_null(&j);
	}
	print_speedup(&j, b);
	print_baseline(&j, b);
	print_unknown(&j, b);
	json_end_object(&j);
	json_finish(&j);
}

/* ------------------------------------------------------------------ */
/* For people                                                         */

#define NAMES_WIDTH 60

static void print_rounds(const struct bench *b)
{
	size_t n = b->ratio.count;

	printf("%zu round%s of fresh processes", n, n == 1 ? "" : "s");
	if (b->cpu >= 0)
		printf(", on CPU %d", b->cpu);
	if (b->cold)
		fputs(", each with a cold page cache", stdout);
}

static void print_subject(const struct bench *b)
{
	size_t width = 0;

	cli_put(b->subject, stdout);
	if (b->command) {
		putchar('\n');
		print_rounds(b);
		putchar('\n');
		return;
	}
	printf(": %zu plugin%s declared, %zu touched", b->declared,
	       b->declared == 1 ? "" : "s", b->touched);
	for (size_t i = 0; i < b->touched; i++) {
		width += strlen(b->names[i]) + 2;
		fputs(i ? ", " : " (", stdout);
		if (width > NAMES_WIDTH) {
			fputs("...", stdout);
			break;
		}
		cli_put(b->names[i], stdout);
	}
	puts(b->touched ? ")" : "");
	print_rounds(b);
	puts(b->was_fresh ? "; the catalog was fresh"
			  : "; the directory was scanned first");
}

static void put_median(const struct sample *s, char text[32])
{
	if (s->count)
		snprintf(text, 32, "%.0f", sample_median(s));
	else
		strcpy(text, "?");
}

static bool add_row(struct table *t, const struct bench *b, size_t way)
{
	const struct bench_side *side = &b->sides[way];
	char wall[32], spread[64], cpu[32], pss[32], maps[32], faults[32];

	snprintf(wall, sizeof(wall), "%.2f",
		 sample_median(&side->wall_us) / 1e3);
	snprintf(spread, sizeof(spread), "%.2f-%.2f",
		 sample_min(&side->wall_us) / 1e3,
		 sample_max(&side->wall_us) / 1e3);
	snprintf(cpu, sizeof(cpu), "%.2f", sample_median(&side->cpu_us) / 1e3);
	put_median(&side->pss_kib, pss);
	put_median(&side->maps, maps);
	put_median(&side->faults, faults);
	return table_add(t, (const char *[]){side_name(b, way), wall, spread,
					     cpu, pss, maps, faults});
}

static void print_table(const struct bench *b)
{
	const char *const heading[] = {
		b->command ? "RUN" : "HOST",
		b->command ? ">TIME ms" : ">START-UP ms",
		">SPREAD",
		">CPU ms",
		">PSS KiB",
		">MAPS",
		">FAULTS",
	};
	_cleanup_(table_free) struct table t = {.columns = ARRAY_SIZE(heading)};
	bool fits = table_add(&t, heading);

	for (size_t way = 0; way < HOST_WAYS && fits; way++)
		if (has_side(b, way))
			fits = add_row(&t, b, way);
	if (fits)
		table_print(&t, stdout);
	else
		cli_say("bench: out of memory");
}

#define BAR_MAX 48

static void print_chart(const struct bench *b)
{
	double most = 0;

	for (size_t way = HOST_EAGER; way < HOST_WAYS; way++) {
		if (!has_side(b, way))
			continue;
		double wall = sample_median(&b->sides[way].wall_us);
		most = wall > most ? wall : most;
	}
	for (size_t way = HOST_EAGER; way < HOST_WAYS; way++) {
		if (!has_side(b, way))
			continue;
		double wall = sample_median(&b->sides[way].wall_us);
		int bar = most > 0 ? (int)(BAR_MAX * wall / most + 0.5) : 0;

		printf("%-17s  ", side_name(b, way));
		for (int i = 0; i < bar; i++)
			putchar('#');
		printf("%s%.2f ms\n", bar ? " " : "| ", wall / 1e3);
	}
}

static void print_doubt(const struct bench *b, const char *eager, double low,
			double high)
{
	const char *of = b->command ? "as long" : "lazy's time";

	if (has_failed(b))
		puts("Nothing to compare: what was to be touched could not be "
		     "loaded.");
	else if (b->ratio.count >= SAMPLE_ENOUGH)
		printf("No sure difference: %s takes %.2f to %.2f times %s.\n",
		       eager, low, high, of);
	else if (low > 1 || high < 1)
		printf("In each of these few rounds %s takes %.2f to %.2f "
		       "times "
		       "%s;\nfor a 95 %% interval take %d rounds or more "
		       "(--runs).\n",
		       eager, low, high, of, SAMPLE_ENOUGH);
	else
		printf("Too few rounds to tell: %s takes %.2f to %.2f times "
		       "%s; take %d\nor more (--runs).\n",
		       eager, low, high, of, SAMPLE_ENOUGH);
}

static void print_verdict(const struct bench *b)
{
	double low, high, ratio = sample_median(&b->ratio);
	const char *eager = b->command ? side_name(b, HOST_EAGER) : "eager";
	const char *lazy = b->command ? side_name(b, HOST_LAZY) : "Lazy";
	const char *does = b->command ? "is" : "starts";

	if (!is_sure(b, &low, &high))
		print_doubt(b, eager, low, high);
	else if (ratio >= 1)
		printf("%s%s %s %.1f times as fast%s (95 %% sure of %.1f "
		       "to %.1f).\n",
		       cli_bold(stdout), lazy, does, ratio, cli_plain(stdout),
		       low, high);
	else
		printf("%s%s %s %.2f times slower%s (95 %% sure of %.2f "
		       "to %.2f).\n",
		       cli_bold(stdout), lazy, does, 1 / ratio,
		       cli_plain(stdout), 1 / high, 1 / low);
}

/* What to do: what dlazy run leaves as it is needs no launcher. */
static void print_advice(const struct bench *b)
{
	double low, high;

	if (b->plain) {
		int n = printf("dlazy run leaves it as it is:");
		cli_put_sentence(b->plain, (size_t)n, stdout);
	} else if (b->command && !b->env && is_sure(b, &low, &high) &&
		   low > 1) {
		fputs("To have that each time: dlazy run --install ", stdout);
		cli_put(b->command[0], stdout);
		putchar('\n');
	}
}

void bench_print_text(const struct bench *b)
{
	print_subject(b);
	putchar('\n');
	print_table(b);
	putchar('\n');
	print_chart(b);
	putchar('\n');
	print_verdict(b);
	print_advice(b);
}

static void print_change(const struct bench *b)
{
	double change = baseline_change(&b->baseline, b);

	printf("%.1f %% %s %s than in ", change < 0 ? -change : change,
	       change < 0 ? "fewer" : "more",
	       b->baseline.instructions ? "instructions" : "time");
	cli_put(b->baseline.path, stdout);
	puts(baseline_is_missed(&b->baseline, b) ? ": that is too much." : ".");
}

int bench_print(const struct bench *b, bool json)
{
	(json ? bench_print_json : bench_print_text)(b);
	if (!json && b->baseline.path)
		print_change(b);
	return baseline_is_missed(&b->baseline, b) ? CLI_PROBLEMS : CLI_DONE;
}

/* SPDX-License-Identifier: MIT */
/*
 * dlazy policy: a policy file (load/policy.c reads it) out of ledgers of a program's
 * runs. What is not named there stays lazy.
 */
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/memstream.h"
#include "base/status.h"
#include "cli/frame/output.h"
#include "cli/policy/evidence.h"
#include "cli/report/report.h"
#include "load/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dlazy policy LEDGER... [-o FILE] [--json]\n"
	"\n"
	"Makes a policy file of what a program's runs have touched. LEDGER is "
	"what\n"
	"  DLAZY_TRACE=LEDGER HOST\n"
	"wrote. What every run touched in its first second is loaded early:\n"
	"prefetch (by a thread), or eager (at once) where a thread would not "
	"be "
	"done\n"
	"in time. What more than one forked child loaded is eager, so that "
	"they\n"
	"share it. DLAZY_POLICY="
	"FILE\n"
	"or /etc/dlazy.d/NAME.conf puts it into force.\n"
	"\n"
	"  -o, --output=FILE  where to write it, instead of standard output\n"
	"      --json         what was found, as JSON on standard output\n"
	"  -h, --help         this text\n";

/* ------------------------------------------------------------------ */
/* The file                                                           */

/*
 * A name as a pattern that it alone matches, as far as a line can hold it: what
 * fnmatch(3) or the reader of lines would take for something else is quoted.
 */
static void put_pattern(const char *name, FILE *out)
{
	for (const char *s = name; *s; s++) {
		if ((unsigned char)*s < ' ')
			putc('?', out);
		else if (*s == ' ')
			fputs("[ ]", out);
		else if (strchr("*?[\\", *s) || (s == name && strchr("#;", *s)))
			fprintf(out, "\\%c", *s);
		else
			putc(*s, out);
	}
}

static void put_reason(const struct evidence_program *p,
		       const struct evidence_plugin *plugin, int policy,
		       FILE *out)
{
	double gain = evidence_gain(plugin);

	if (evidence_is_forked(plugin))
		fprintf(out,
			"# %zu of %zu forked children loaded it. Expected "
			"gain: "
			"%.0f us of theirs, and up to %.0f KiB\n",
			plugin->children, p->children, gain,
			plugin->child_kib * (double)(plugin->children - 1) /
				(double)plugin->children);
	else
		fprintf(out,
			"# Touched early by each of %zu runs, after %.0f us. "
			"Expected gain: first touch %.0f us sooner%s\n",
			p->runs, plugin->first_us, gain,
			policy == DLAZY_POLICY_EAGER ? ", which the start takes"
						     : "");
}

static void put_program(const struct evidence_program *p, FILE *out)
{
	fputs("\n[", out);
	if (strcmp(p->name, "*"))
		put_pattern(p->name, out);
	else
		putc('*', out);
	fprintf(out, "]\n# Ledgers: %zu of runs, %zu of forked children\n",
		p->runs, p->children);
	for (size_t i = 0; i < p->count; i++) {
		int policy = evidence_policy(p, &p->plugins[i]);

		if (policy == DLAZY_POLICY_LAZY)
			continue;
		put_reason(p, &p->plugins[i], policy, out);
		put_pattern(p->plugins[i].name, out);
		fprintf(out, " = %s\n", policy_word(policy));
	}
}

static int make_text(const struct evidence *e, char **ret, size_t *ret_size)
{
	FILE *memory = open_memstream(ret, ret_size);

	if (!memory)
		return status_no_memory("policy");
	fputs("# Made by dlazy policy. What is not named here is loaded when "
	      "it is touched.\n",
	      memory);
	for (size_t i = 0; i < e->count; i++)
		put_program(&e->programs[i], memory);
	return memstream_end(memory, ret) ? 0 : status_no_memory("policy");
}

static int write_file(const char *path, const char *text, size_t size)
{
	_cleanup_(output_close) struct output output = {NULL, -1};
	int status = output_open(path, &output);

	return status < 0 ? status : output_write(&output, text, size);
}

/* ------------------------------------------------------------------ */
/* JSON                                                               */

static void print_plugin(struct json *j, const struct evidence_program *p,
			 const struct evidence_plugin *plugin)
{
	json_begin_object(j);
	json_string_at(j, "name", plugin->name);
	json_string_at(j, "policy", policy_word(evidence_policy(p, plugin)));
	json_unsigned_at(j, "runs", plugin->runs);
	json_unsigned_at(j, "children", plugin->children);
	json_double_at(j, "gain_us",
		       evidence_policy(p, plugin) == DLAZY_POLICY_LAZY
			       ? NAN
			       : evidence_gain(plugin));
	json_end_object(j);
}

static void policy_print_json(const struct evidence *e, const char *output)
{
	struct json j = json_to(stdout);

	cli_json_begin(&j);
	json_string_at(&j, "output", output);
	json_begin_array_at(&j, "programs");
	for (size_t i = 0; i < e->count; i++) {
		const struct evidence_program *p = &e->programs[i];

		json_begin_object(&j);
		json_string_at(&j, "program", p->name);
		json_unsigned_at(&j, "runs", p->runs);
		json_unsigned_at(&j, "children", p->children);
		json_begin_array_at(&j, "plugins");
		for (size_t k = 0; k < p->count; k++)
			print_plugin(&j, p, &p->plugins[k]);
		json_end_array(&j);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

/* ------------------------------------------------------------------ */

static int add_ledger(const char *path, struct evidence *e)
{
	_cleanup_(report_file_clear) struct report_file file = {.text = NULL};
	int status = report_read(path, &file);

	if (status < 0)
		return status;
	if (strcmp(file.kind, "ledger") != 0)
		return status_fail(DLAZY_EFORMAT,
				   "%s: a %s: expected a ledger, which a host "
				   "writes with DLAZY_TRACE=FILE",
				   path, file.kind);
	return evidence_add(e, path, file.text);
}

/* All of them, so that each bad one is told of. 0 or the last one's status. */
static int add_ledgers(char **paths, bool json, struct evidence *e)
{
	int worst = CLI_DONE;

	for (; *paths; paths++) {
		int status = add_ledger(*paths, e);

		if (status == 0)
			continue;
		status = cli_fail(status, json && worst == CLI_DONE);
		worst = status > worst ? status : worst;
	}
	return worst;
}

static int make_policy(char **paths, const char *output, bool json)
{
	_cleanup_(evidence_clear) struct evidence e = {.programs = NULL};
	_cleanup_free_ char *text = NULL;
	size_t size;
	int exit = add_ledgers(paths, json, &e);

	if (exit != CLI_DONE)
		return exit;
	int status = make_text(&e, &text, &size);
	if (status == 0 && output)
		status = write_file(output, text, size);
	if (status < 0)
		return cli_fail(status, json);
	if (json)
		policy_print_json(&e, output);
	else if (!output)
		fwrite(text, 1, size, stdout);
	return CLI_DONE;
}

int cli_policy(int argc, char **argv)
{
	const char *output = NULL;
	bool json = false;
	const struct cli_option options[] = {
		{"output", 'o', .text = &output},
		{"json", .flag = &json},
		{.name = NULL},
	};
	int status = cli_options(argc, argv, help, options);

	if (status >= 0)
		return status;
	if (optind == argc)
		return cli_usage("policy", "policy: of which ledger?");
	return make_policy(argv + optind, output, json);
}

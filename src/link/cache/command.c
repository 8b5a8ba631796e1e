/* SPDX-License-Identifier: MIT */
/*
 * From a command to the ELF file that ld.so will start: PATH as execvp(3)
 * searches it, "#!" lines as the kernel reads them (fs/binfmt_script.c), and
 * env(1) in such lines. Where a "#!" line is not understood, its interpreter
 * counts as the program that is started: it runs plainly, and so does
 * everything that it starts.
 */
#include "link/cache/program.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * The kernel reads this many bytes of a file's begin for "#!", and follows
 * "#!" this often: BINPRM_BUF_SIZE, and the loop of exec_binprm() in
 * fs/exec.c.
 */
#define HEAD_SIZE 256
#define SCRIPTS_MAX 5

/* execvp's, where PATH is not set. */
#define PATH_DEFAULT "/bin:/usr/bin"

/* The two words between "#!" and the end of its line. */
struct script {
	char interpreter[HEAD_SIZE];
	char argument[HEAD_SIZE]; /* "" if there is none */
};

/* How many bytes there are; 0: it cannot be read. */
static size_t read_head(const char *path, char head[HEAD_SIZE + 1])
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, HEAD_SIZE, 0);

	head[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

bool program_is_text(const char *path)
{
	char head[HEAD_SIZE + 1];
	size_t n = read_head(path, head);

	return !memchr(head, '\0', n);
}

static char *skip_blanks(char *s)
{
	return s + strspn(s, " \t");
}

static void trim(char *s)
{
	for (size_t n = strlen(s); n > 0 && strchr(" \t", s[n - 1]); n--)
		s[n - 1] = '\0';
}

/* false: no script, or one that the kernel will not start. */
static bool script_parse(char head[HEAD_SIZE + 1], struct script *ret)
{
	if (strncmp(head, "#!", 2) != 0)
		return false;
	char *at = skip_blanks(head + 2), *line = strchr(at, '\n');
	if (line)
		*line = '\0';
	size_t n = strcspn(at, " \t");
	/* A path that is cut off is not followed. */
	if (n == 0 || (!line && at[n] == '\0' && strlen(head) == HEAD_SIZE))
		return false;
	snprintf(ret->interpreter, sizeof(ret->interpreter), "%.*s", (int)n,
		 at);
	char *argument = skip_blanks(at + n);
	trim(argument);
	snprintf(ret->argument, sizeof(ret->argument), "%s", argument);
	return true;
}

/* What dlazy wrote for `dlazy run --install`. */
static bool is_launcher(const char *head)
{
	const char *line = strchr(head, '\n');

	return strncmp(head, "#!", 2) == 0 && line &&
	       strncmp(line + 1, PROGRAM_LAUNCHER_MARK,
		       strlen(PROGRAM_LAUNCHER_MARK)) == 0;
}

bool program_is_launcher(const char *path)
{
	char head[HEAD_SIZE + 1];

	return read_head(path, head) > 0 && is_launcher(head);
}

static bool is_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return false;
	}
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

static int not_found(const char *command)
{
	return status_fail(DLAZY_ENOENT, "%s: command not found", command);
}

static int not_executable(const char *command)
{
	return status_fail(DLAZY_EIO, "%s: cannot be executed: %s", command,
			   strerror(errno));
}

/* The file in one element of PATH; "" is the current directory. */
static bool join(const char *element, size_t n, const char *name,
		 char ret[PATH_MAX])
{
	int length = snprintf(ret, PATH_MAX, "%.*s%s%s", (int)n, element,
			      n ? "/" : "", name);

	return length > 0 && length < PATH_MAX;
}

/*
 * As execvp goes through PATH: what is there and may not be executed is
 * remembered, and gone past. A launcher that dlazy installed is gone past too:
 * it stands for what comes behind it.
 */
static int find_in_path(const char *name, char ret[PATH_MAX],
			char **ret_launcher)
{
	const char *path = getenv("PATH");
	bool denied = false;

	for (const char *at = path ? path : PATH_DEFAULT;; at++) {
		size_t n = strcspn(at, ":");

		if (join(at, n, name, ret)) {
			if (!is_executable(ret))
				denied |= errno == EACCES;
			else if (!program_is_launcher(ret))
				return 0;
			else if (!*ret_launcher)
				*ret_launcher = strdup(ret);
		}
		at += n;
		if (*at == '\0')
			break;
	}
	errno = EACCES;
	return denied ? not_executable(name) : not_found(name);
}

/* ret_launcher: the first one that was gone past, malloc'd; or NULL. */
static int find_file(const char *command, char ret[PATH_MAX],
		     char **ret_launcher)
{
	*ret_launcher = NULL;
	if (*command == '\0')
		return not_found("\"\"");
	if (!strchr(command, '/'))
		return strlen(command) < NAME_MAX + 1u
			       ? find_in_path(command, ret, ret_launcher)
			       : not_found(command);
	if (strlen(command) >= PATH_MAX)
		return not_found(command);
	strcpy(ret, command);
	if (is_executable(command))
		return 0;
	return errno == ENOENT || errno == ENOTDIR ? not_found(command)
						   : not_executable(command);
}

/* "env -S": the words of its argument. Quotes, escapes and variables are left
 * to env: then it is not seen through. */
static bool split_words(char *text, char *words[HEAD_SIZE], size_t *ret)
{
	size_t n = 0;

	if (strpbrk(text, "\"'\\$#"))
		return false;
	for (char *word = strtok_r(text, " \t", &text); word;
	     word = strtok_r(NULL, " \t", &text))
		words[n++] = word;
	*ret = n;
	return true;
}

/* Does this change which files are found? */
static bool is_risky_assignment(const char *word)
{
	return strncmp(word, "PATH=", 5) == 0 || strncmp(word, "LD_", 3) == 0;
}

/* The command among the words that env would take; NULL: not understood. */
static char *command_of_env(char *argument)
{
	char *words[HEAD_SIZE];
	size_t n;

	if (strncmp(argument, "-S", 2) != 0)
		/* One word, whatever is in it. */
		return *argument != '-' && !strchr(argument, '=') ? argument
								  : NULL;
	if (!split_words(argument + 2, words, &n))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (words[i][0] == '-' || is_risky_assignment(words[i]))
			return NULL;
		if (!strchr(words[i], '='))
			return words[i];
	}
	return NULL;
}

/* What a script is run by; false: it ends here. */
static bool follow(const char *path, char ret[PATH_MAX])
{
	char head[HEAD_SIZE + 1];
	struct script script;

	if (read_head(path, head) == 0 || !script_parse(head, &script))
		return false;
	if (strcmp(file_base_name(script.interpreter), "env") == 0) {
		char *command = command_of_env(script.argument), *launcher;
		bool found = command && find_file(command, ret, &launcher) == 0;

		if (command)
			free(launcher);
		if (found)
			return true;
		status_clear();
	}
	strcpy(ret, script.interpreter);
	return true;
}

int program_find(const char *command, struct program *ret)
{
	char path[PATH_MAX], next[PATH_MAX];
	_cleanup_(program_clear) struct program program = {.command = NULL};
	int status = find_file(command, path, &program.launcher);

	if (status < 0)
		return status;
	program.command = strdup(path);
	for (int i = 0; i < SCRIPTS_MAX && follow(path, next); i++)
		strcpy(path, next);
	program.executable = file_absolute(path);
	if (!program.command || !program.executable)
		return status_no_memory(command);
	*ret = program;
	program = (struct program){.command = NULL};
	return 0;
}

void program_clear(struct program *program)
{
	free(program->command);
	free(program->executable);
	free(program->launcher);
	*program = (struct program){.command = NULL};
}

/* SPDX-License-Identifier: MIT */
/*
 * Launchers: small files in a directory of the user's, found in PATH before a
 * program and starting it as `dlazy run` does. The kernel starts dlazy for them:
 *
 *     #!/usr/bin/dlazy --launcher
 *     # dlazy launcher: ...
 *     target /usr/bin/ffmpeg
 *     eager libx264*
 *
 * The target is absolute: a launcher never finds itself.
 */
#ifndef CLI_RUN_LAUNCHER_H
#define CLI_RUN_LAUNCHER_H

#include "cli/run/request.h"

/* Both return an exit status, after a message. */
int launcher_install(const struct request *request, const char *command);
int launcher_uninstall(const struct request *request, const char *command);

/* Finds a command as program_find() does, and what a launcher stands for in its
 * place, which is said: who measures a program is not to measure that. */
struct program;
int launcher_see_through(const char *command, struct program *ret);

/* The directory of launchers, absolute, malloc'd; NULL after a message. */
char *launcher_directory(const struct request *request);

/* What one says; NULL after a message. */
struct launcher {
	char *text; /* its lines */
	char *target;
	struct request request;
};
struct launcher *launcher_read(const char *path);
void launcher_free(struct launcher *launcher);
static inline void cleanup_launcher(struct launcher **launcher)
{
	launcher_free(*launcher);
}
#define _cleanup_launcher_ _cleanup_(cleanup_launcher)

/* What the kernel makes of starting one: argv is --launcher FILE ARGUMENT... */
int launcher_start(int argc, char **argv);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What `dlazy run` would do with a program, for commands that advise to use
 * it. The verdict is the same, but nothing of it is kept.
 */
#ifndef CLI_RUN_JUDGE_H
#define CLI_RUN_JUDGE_H

#include "cli/run/request.h"
#include "link/cache/program.h"

#include <limits.h>

struct judge {
	char *cache;
	char libdlazy[PATH_MAX];
	struct index *index;
};

/* Opens what every judgement needs. 0 or a status with message. */
int judge_begin(struct judge *judge);
void judge_end(struct judge *judge);
#define _cleanup_judge_ _cleanup_(judge_end)

struct judgement {
	struct entry entry;
	size_t libraries;
	size_t lazy;	   /* that could be lazy, whether run makes them so */
	const char *plain; /* why run leaves it as it is; NULL: it does not */
};

/* request: which libraries are wished to be lazy or eager; or NULL. 0 or a
 * status with message. */
int judge_program(const struct judge *judge, const struct program *program,
		  const struct request *request, struct judgement *ret);
void judgement_clear(struct judgement *judgement);
#define _cleanup_judgement_ _cleanup_(judgement_clear)

/* Could the library of that path be lazy? */
bool judgement_is_lazy(const struct judgement *judgement, const char *path);

#endif

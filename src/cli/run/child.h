/* SPDX-License-Identifier: MIT */
/*
 * dlazy --child: one program, started by a program that runs with --children,
 * which the audit object of that run sent here.
 */
#ifndef CLI_RUN_CHILD_H
#define CLI_RUN_CHILD_H

/* What the audit object starts: argv is --child FILE ARGV... */
int child_start(int argc, char **argv);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * dlazy --child: one program, started by a program that runs with --children,
 * which the audit object of that run sent here.
 */
#ifndef CLI_RUN_FOLLOW_H
#define CLI_RUN_FOLLOW_H

/* What the audit object starts: argv is --child FILE ARGV... */
int children_start(int argc, char **argv);

#endif

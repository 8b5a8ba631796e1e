/* SPDX-License-Identifier: MIT */
/*
 * A registry's inotify descriptor: it is readable when a name or a file has changed
 * in one of its directories. What has changed is not read from it, as a queue can
 * overflow: a refresh looks at the directories themselves.
 */
#ifndef REGISTRY_WATCH_H
#define REGISTRY_WATCH_H

/* The descriptor, or, with message, -DLAZY_EIO or -DLAZY_ENOSYS. */
int watch_new(void);

/* Watches a directory, once more or for the first time; where there is none, the
 * nearest above it. 0, or, with message, -DLAZY_EIO: too many are watched. */
int watch_directory(int watch, const char *dir);

/* The same of it and all below, also those in which there is no plugin yet. One that
 * cannot be read is passed over. */
int watch_below(int watch, const char *dir);

/* What is there to be read is no news any more. */
void watch_drain(int watch);

#endif

/* SPDX-License-Identifier: MIT */
/* Threads of the library: detached, and they take no signals. */
#ifndef REGISTRY_WORKER_H
#define REGISTRY_WORKER_H

/* Starts one that runs fn(data). 0 or -DLAZY_ENOMEM; what: for the message. */
int worker_start(void *(*fn)(void *), void *data, const char *what);

#endif

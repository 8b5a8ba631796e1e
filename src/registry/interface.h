/* SPDX-License-Identifier: MIT */
/* Interfaces that a host offers (dlazy_registry_interface()). */
#ifndef REGISTRY_INTERFACE_H
#define REGISTRY_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

struct dlazy_module;
struct dlazy_registry;

/* One that the host offers. */
struct interface {
	char *name;
	unsigned major, minor;
};

/* Whether a plugin made for "NAME/MAJOR.MINOR" can be used: one of these is of the
 * same major and no earlier minor; or none is of that name, so that the host has
 * said nothing. */
bool interface_offered(const struct interface *interfaces, size_t count,
		       const char *wanted);

/* Whether the host has said anything. */
bool interface_any_offered(struct dlazy_registry *r);

/* Whether a module was made for what is offered. 0, -DLAZY_EINTERFACE or a state, with
 * message. */
int interface_check(struct dlazy_registry *r, struct dlazy_module *m);

#endif

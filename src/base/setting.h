/* SPDX-License-Identifier: MIT */
/*
 * Settings in the environment that cannot be obeyed. The library does not
 * print. But a user who sets a variable speaks to the library and not to the
 * host, which knows nothing of the setting and could not tell. Without a
 * message the user would believe that the setting had been obeyed.
 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

/* One line on standard error: "dlazy: VARIABLE=value: why". errno is kept. */
void setting_refuse(const char *variable, const char *value, const char *why);

#endif

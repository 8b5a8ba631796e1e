/* SPDX-License-Identifier: MIT */
/*
 * For plugins: what a host can know of them without loading them.
 *
 *   #include <dlazy/plugin.h>
 *
 *   DLAZY_PLUGIN("{\"schema\":1, \"name\":\"png\", \"version\":\"2.1\"}")
 *
 * The text, one JSON object, goes into an ELF note of the plugin's file, from
 * which hosts and the tool read it. Nothing of it is run, and the plugin needs
 * no library for it. Of several notes in one file the first counts.
 */
#ifndef DLAZY_PLUGIN_H
#define DLAZY_PLUGIN_H

#include <stdint.h>

/* The note's owner and type, and the section that it is in. */
#define DLAZY_PLUGIN_OWNER "dlazy"
#define DLAZY_PLUGIN_TYPE 1
#define DLAZY_PLUGIN_SECTION ".note.dlazy.plugin"

/*
 * Puts TEXT, a string literal (UTF-8, at most 1 MiB), into the note. Stands at
 * file scope, once in a source file, without a semicolon. C11 and C++17.
 *
 * The note is part of the loaded file and kept by strip, by the linker's
 * --gc-sections and by link-time optimisation; it is found with and without
 * section headers. Since: 0.2
 */
#define DLAZY_PLUGIN(TEXT)                                                   \
	__attribute__((used, aligned(4),                                     \
		       section(DLAZY_PLUGIN_SECTION))) static const struct { \
		uint32_t owner_size, text_size, type;                        \
		char owner[(sizeof(DLAZY_PLUGIN_OWNER) + 3) & ~(unsigned)3]; \
		char text[sizeof(TEXT)];                                     \
	} dlazy_plugin_note = {sizeof(DLAZY_PLUGIN_OWNER), sizeof(TEXT),     \
			       DLAZY_PLUGIN_TYPE, DLAZY_PLUGIN_OWNER, TEXT};

#endif /* DLAZY_PLUGIN_H */

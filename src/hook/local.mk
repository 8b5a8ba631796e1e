# SPDX-License-Identifier: MIT
# The audit object of `dlazy trace`: it lives in other programs' dynamic linker,
# without a C library. Its flags stand behind the user's (configure.ac).

HOOK_SOURCES = \
	%D%/bound.c \
	%D%/cpu.h \
	%D%/environment.h %D%/tunables.h \
	%D%/hook.c %D%/hook.h \
	%D%/kernel.h \
	%D%/memory.c \
	%D%/object.c \
	%D%/start.c \
	%D%/tracebuf.h
HOOK_X86_64_FILES = %D%/call-x86_64.S %D%/cpu-x86_64.c %D%/cpu-x86_64.S
# That of `dlazy run --children`.
FOLLOW_SOURCES = %D%/follow.c %D%/follow.h %D%/kernel.h %D%/cpu.h \
	%D%/environment.h %D%/tunables.h
# That of `dlazy advise --measure`.
STOP_SOURCES = %D%/stop.c %D%/kernel.h %D%/cpu.h
# That of launchers: a program, which is linked with nothing.
LAUNCH_SOURCES = %D%/launch.c %D%/launch.h %D%/environment.h %D%/tunables.h \
	%D%/kernel.h %D%/cpu.h
EXTRA_DIST += $(LAUNCH_SOURCES) %D%/launch-x86_64.S $(HOOK_SOURCES) $(HOOK_X86_64_FILES) $(FOLLOW_SOURCES) \
	$(STOP_SOURCES)

NOT_SANITIZED = $(filter-out -fsanitize% -fno-sanitize%,$(1))

if HOOK_X86_64
pkglib_LTLIBRARIES += hook.la
hook_la_SOURCES = $(HOOK_SOURCES) $(HOOK_X86_64_FILES)
hook_la_CFLAGS = -std=gnu11 $(call NOT_SANITIZED,$(OUR_CFLAGS))
hook_la_LDFLAGS = -module -avoid-version -Wc,-nostdlib \
	$(call NOT_SANITIZED,$(OUR_LDFLAGS)) -Wl,--no-undefined
pkglib_LTLIBRARIES += follow.la
follow_la_SOURCES = $(FOLLOW_SOURCES) %D%/call-x86_64.S
follow_la_CFLAGS = $(hook_la_CFLAGS)
follow_la_LDFLAGS = -module -avoid-version -Wc,-nostdlib \
	$(call NOT_SANITIZED,$(OUR_LDFLAGS)) -Wl,--no-undefined \
	-Wl,--gc-sections
pkglib_LTLIBRARIES += stop.la
stop_la_SOURCES = $(STOP_SOURCES) %D%/call-x86_64.S
stop_la_CFLAGS = $(hook_la_CFLAGS)
stop_la_LDFLAGS = $(follow_la_LDFLAGS)
launcherdir = $(pkglibdir)
launcher_PROGRAMS = launch
launch_SOURCES = $(LAUNCH_SOURCES) %D%/call-x86_64.S %D%/launch-x86_64.S
launch_CFLAGS = $(hook_la_CFLAGS) -fno-pie
launch_CCASFLAGS = $(AM_CCASFLAGS)
# The fewer pages it has, the sooner it starts.
launch_LDFLAGS = -Wc,-nostdlib -Wc,-static -Wc,-no-pie \
	$(call NOT_SANITIZED,$(OUR_LDFLAGS)) -Wl,--gc-sections \
	-Wl,-z,noseparate-code -Wl,-z,norelro -Wl,--build-id=none
launch_LDADD =
$(hook_la_OBJECTS) $(follow_la_OBJECTS) $(stop_la_OBJECTS) $(launch_OBJECTS): override CFLAGS += $(HOOK_CFLAGS)
endif

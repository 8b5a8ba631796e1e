# SPDX-License-Identifier: MIT
# The example program, and its twin that is linked plainly (for `make bench`).
# Real files without libtool's wrapper (-no-install).

CONVERT_SOURCES = %D%/convert/convert.c %D%/convert/jxl.c \
	%D%/convert/picture.h %D%/convert/ppm.c %D%/convert/svg.c
EXTRA_DIST += $(CONVERT_SOURCES)

# What the program is linked with in place of -lrsvg-2 and so on: a line per
# backend, and how such a file is made.
SVG_STUBS = $(addprefix %D%/convert/,rsvg-2.o cairo.o gobject-2.0.o glib-2.0.o)
JXL_STUBS = $(addprefix %D%/convert/,jxl.o)
$(SVG_STUBS): WORDS = --feature='SVG input' --package=librsvg2-2
$(JXL_STUBS): WORDS = --feature='JPEG XL output' --package=libjxl0.7

if EXAMPLES
noinst_PROGRAMS += %D%/convert/dlazy-convert %D%/convert/plain-convert

%C%_convert_dlazy_convert_SOURCES = $(CONVERT_SOURCES)
%C%_convert_dlazy_convert_CFLAGS = $(AM_CFLAGS) $(RSVG_CFLAGS) $(JXL_CFLAGS)
%C%_convert_dlazy_convert_LDADD = $(SVG_STUBS) $(JXL_STUBS) libdlazy.la -lm
%C%_convert_dlazy_convert_LDFLAGS = $(AM_LDFLAGS) -no-install

%C%_convert_plain_convert_SOURCES = $(CONVERT_SOURCES)
%C%_convert_plain_convert_CPPFLAGS = $(AM_CPPFLAGS) -DDLAZY_PLAIN
%C%_convert_plain_convert_CFLAGS = $(AM_CFLAGS) $(RSVG_CFLAGS) $(JXL_CFLAGS)
%C%_convert_plain_convert_LDADD = $(RSVG_LIBS) $(JXL_LIBS) -lm
endif

$(SVG_STUBS) $(JXL_STUBS): dlazy$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./dlazy stub -l$(basename $(@F)) -o $@ \
		$(filter -L%,$(RSVG_LIBS) $(JXL_LIBS)) $(WORDS) >/dev/null
CLEANFILES += $(SVG_STUBS) $(JXL_STUBS)

# A host whose plugin is built anew while it runs; the plugin is built by who tries
# it, and by tests/cli/test-live.sh.
noinst_PROGRAMS += %D%/live/live
%C%_live_live_SOURCES = %D%/live/live.c
%C%_live_live_LDADD = libdlazy.la
%C%_live_live_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_DIST += %D%/live/filter.c

# SPDX-License-Identifier: MIT
# Probes: modules of their own, which a child of `dlazy scan` loads. Those that
# need a library are built where it is.

EXTRA_DIST += %D%/gstreamer.c %D%/lv2.c
PROBE_TEXT = %D%/probe.h %D%/text.c %D%/text.h src/base/json.c src/base/utf8.c
PROBE_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -Wl,--no-undefined

pkglib_LTLIBRARIES += probe-frei0r.la probe-gio.la probe-ladspa.la
probe_frei0r_la_SOURCES = %D%/frei0r.c %D%/frei0r-text.c %D%/frei0r-text.h \
	$(PROBE_TEXT)
probe_frei0r_la_CFLAGS = $(AM_CFLAGS)
probe_frei0r_la_LDFLAGS = $(PROBE_LDFLAGS)
probe_frei0r_la_LIBADD = -lm
probe_gio_la_SOURCES = %D%/gio.c $(PROBE_TEXT)
probe_gio_la_CFLAGS = $(AM_CFLAGS)
probe_gio_la_LDFLAGS = $(PROBE_LDFLAGS)
probe_gio_la_LIBADD = -lm
probe_ladspa_la_SOURCES = %D%/ladspa.c $(PROBE_TEXT)
probe_ladspa_la_CFLAGS = $(AM_CFLAGS)
probe_ladspa_la_LDFLAGS = $(PROBE_LDFLAGS)
probe_ladspa_la_LIBADD = -lm

if HAVE_SERD
pkglib_LTLIBRARIES += probe-lv2.la
probe_lv2_la_SOURCES = %D%/lv2.c $(PROBE_TEXT)
probe_lv2_la_CFLAGS = $(AM_CFLAGS) $(SERD_CFLAGS)
probe_lv2_la_LDFLAGS = $(PROBE_LDFLAGS)
probe_lv2_la_LIBADD = $(SERD_LIBS) -lm
endif
if HAVE_GSTREAMER
pkglib_LTLIBRARIES += probe-gstreamer.la
probe_gstreamer_la_SOURCES = %D%/gstreamer.c $(PROBE_TEXT)
probe_gstreamer_la_CFLAGS = $(AM_CFLAGS) $(GSTREAMER_CFLAGS)
probe_gstreamer_la_LDFLAGS = $(PROBE_LDFLAGS)
probe_gstreamer_la_LIBADD = $(GSTREAMER_LIBS) -lm
endif

# SPDX-License-Identifier: MIT
# The project's own plugins, for where no others are installed: each effect is
# one source, each plugin file that source with the number in its name.

AUDIO_EFFECTS = \
	$(addprefix bandpass-,200 400 800 1600 3200 6400) \
	$(addprefix clip-,10 20 30 40 50 60) \
	$(addprefix crush-,2 3 4 6 8 10) \
	$(addprefix delay-,10 20 50 100 200 500) \
	$(addprefix echo-,10 20 50 100 200 500) \
	$(addprefix fold-,10 20 30 40 50 60) \
	$(addprefix gain-,10 20 30 60 120 240) \
	$(addprefix gate-,1 2 5 10 20 40) \
	$(addprefix highpass-,50 100 200 500 1000 2000) \
	$(addprefix lowpass-,200 500 1000 2000 4000 8000) \
	$(addprefix ring-,30 60 120 240 480 960) \
	$(addprefix tremolo-,10 20 40 60 80 100)
PICTURE_EFFECTS = \
	$(addprefix blur-,1 2 3 4 5 6) \
	$(addprefix bright-,10 20 30 40 50 60) \
	$(addprefix contrast-,10 20 30 40 50 60) \
	$(addprefix emboss-,0 45 90 135 180 225) \
	$(addprefix lines-,2 3 4 5 6 8) \
	$(addprefix mosaic-,4 8 12 16 24 32) \
	$(addprefix noise-,5 10 20 30 40 50) \
	$(addprefix poster-,2 3 4 5 6 8) \
	$(addprefix threshold-,20 30 40 50 60 70) \
	$(addprefix wave-,2 4 6 8 12 16)

# What the picture viewer can open.
CODECS = bmp farbfeld pam pcx pnm qoi sunras tga wbmp xbm
EXTRA_DIST += %D%/codec/codec.h $(CODECS:%=%D%/codec/%.c)

effects_of = $(sort $(foreach e,$(1),$(firstword $(subst -, ,$(e)))))
EXTRA_DIST += \
	%D%/audio/plugin.h \
	$(patsubst %,%D%/audio/%.c,$(call effects_of,$(AUDIO_EFFECTS))) \
	%D%/picture/plugin.h %D%/picture/pixel.h \
	$(patsubst %,%D%/picture/%.c,$(call effects_of,$(PICTURE_EFFECTS)))

OWN_PLUGINS = \
	$(AUDIO_EFFECTS:%=%D%/audio/%.so) \
	$(PICTURE_EFFECTS:%=%D%/picture/%.so) \
	$(CODECS:%=%D%/codec/%.so)
all-local: $(OWN_PLUGINS)
CLEANFILES += $(OWN_PLUGINS)

PLUGIN_COMPILE = $(CC) -std=gnu11 -O2 -fPIC -shared -I$(top_srcdir) \
	-DAMOUNT=$(lastword $(subst -, ,$*)) -o $@ $< -lm

# The second expansion gives the source its name: gain-10.so is from gain.c.
.SECONDEXPANSION:
%D%/audio/%.so: %D%/audio/$$(firstword $$(subst -, ,$$*)).c \
		%D%/audio/plugin.h %D%/ladspa.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(PLUGIN_COMPILE)
%D%/picture/%.so: %D%/picture/$$(firstword $$(subst -, ,$$*)).c \
		%D%/picture/plugin.h %D%/picture/pixel.h %D%/frei0r.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(PLUGIN_COMPILE)

%D%/codec/%.so: %D%/codec/%.c %D%/codec/codec.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -fPIC \
		-shared -I$(top_srcdir) -I$(top_srcdir)/include -o $@ $<

# The example hosts, real files without libtool's wrapper (-no-install).
noinst_PROGRAMS += %D%/hosts/frei0r-host %D%/hosts/ladspa-host
%C%_hosts_frei0r_host_SOURCES = %D%/frei0r.h %D%/hosts/frei0r-host.c \
	%D%/hosts/compare.c %D%/hosts/compare.h
%C%_hosts_frei0r_host_LDADD = libdlazy.la
%C%_hosts_frei0r_host_LDFLAGS = $(AM_LDFLAGS) -no-install
%C%_hosts_ladspa_host_SOURCES = %D%/ladspa.h %D%/hosts/ladspa-host.c \
	%D%/hosts/compare.c %D%/hosts/compare.h
%C%_hosts_ladspa_host_LDADD = libdlazy.la -lm
%C%_hosts_ladspa_host_LDFLAGS = $(AM_LDFLAGS) -no-install

noinst_PROGRAMS += %D%/hosts/viewer
%C%_hosts_viewer_SOURCES = %D%/codec/codec.h %D%/hosts/viewer.c
%C%_hosts_viewer_LDADD = libdlazy.la
%C%_hosts_viewer_LDFLAGS = $(AM_LDFLAGS) -no-install

demo: all stage
	$(TEST_ENVIRONMENT) $(srcdir)/%D%/hosts/demo
PHONY += demo
EXTRA_DIST += %D%/hosts/demo

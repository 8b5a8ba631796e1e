# SPDX-License-Identifier: MIT
# What `dlazy stub --standalone` puts into an archive: one object for each CPU
# that there is a compiler for, of this folder and the slow path of stub/. It
# ends up in programs of others, so it is compiled for any C library, with
# neither the user's flags nor a sanitizer; names that stub/ has here, too, get
# names of their own.

ALONE_C = %D%/alone.c %D%/peer.c src/stub/stack.c
ALONE_FILES = $(ALONE_C) %D%/peer.h
EXTRA_DIST += $(ALONE_FILES)

ALONE_FLAGS = -std=gnu11 -Os -g0 -fPIC -fvisibility=hidden \
	-fno-stack-protector -fexceptions -fasynchronous-unwind-tables \
	-fno-lto -fno-sanitize=all -U_FORTIFY_SOURCE -DDLAZY_ALONE -D_GNU_SOURCE \
	-I$(top_srcdir)/include -I$(top_srcdir)/src \
	-Dstub_miss=dlazy_alone_miss -Dstack_call=dlazy_alone_stack_call \
	-Dstub_call_on=dlazy_alone_call_on -Dpeer_find=dlazy_alone_peer_find \
	-Dstub_save_way=dlazy_alone_save_way \
	-Dstub_save_size=dlazy_alone_save_size \
	-Dstub_save_choose=dlazy_alone_save_choose \
	-Ddlazy_linked_slow_named=dlazy_alone_slow_named \
	-Ddlazy_linked_slow=dlazy_alone_slow

alonedir = $(pkglibdir)
nodist_alone_DATA =
if ALONE_X86_64
nodist_alone_DATA += standalone-x86_64.o
endif
if ALONE_AARCH64
nodist_alone_DATA += standalone-aarch64.o
endif
CLEANFILES += standalone-x86_64.o standalone-aarch64.o

# alone COMPILER FLAGS SOURCES: compiles each and makes one object of them.
alone = d=`mktemp -d` && n=0 && \
	for f in $(3); do \
		n=`expr $$n + 1` && \
		$(1) $(ALONE_FLAGS) $(2) -c $(top_srcdir)/$$f -o $$d/$$n.o || \
			{ rm -rf $$d; exit 1; }; \
	done && \
	$(1) -r -nostdlib -o $@ $$d/*.o; r=$$?; rm -rf $$d; exit $$r

standalone-x86_64.o: $(ALONE_FILES) src/stub/stub-x86_64.S \
		src/stub/marks-x86_64.S src/stub/save-x86_64.c \
		src/stub/linked.h src/stub/pool.h
	$(AM_V_GEN)$(call alone,$(ALONE_X86_64_CC),-fcf-protection=full,\
		$(ALONE_C) src/stub/save-x86_64.c src/stub/stub-x86_64.S)
standalone-aarch64.o: $(ALONE_FILES) src/stub/stub-aarch64.S \
		src/stub/linked.h src/stub/pool.h
	$(AM_V_GEN)$(call alone,$(ALONE_AARCH64_CC),-mbranch-protection=standard \
		-mno-outline-atomics,$(ALONE_C) src/stub/stub-aarch64.S)

# SPDX-License-Identifier: MIT
# dlazy scan --probe: plugins are asked what they are, in child processes.

dlazy_SOURCES += \
	%D%/child.c %D%/child.h \
	%D%/families.c %D%/families.h \
	%D%/prober.c %D%/prober.h

# SPDX-License-Identifier: MIT
# dlazy policy: a policy file out of ledgers.

dlazy_SOURCES += \
	%D%/evidence.c %D%/evidence.h \
	%D%/policy.c

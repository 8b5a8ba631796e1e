/* SPDX-License-Identifier: MIT */
/* The one variable of base/lock.h. */
#include "base/lock.h"

_Thread_local unsigned lock_held;

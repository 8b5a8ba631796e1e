/* SPDX-License-Identifier: MIT */
/*
 * The module ffi.so: calls of functions whose type is known only at run time.
 * It is what needs libffi, so that libdlazy does not; dlazy loads it when it is
 * first asked for (dlazy_call; dlazy_bind on a CPU without stubs).
 *
 * Exports exactly these two functions; any thread may call them.
 */
#ifndef FFI_FFI_H
#define FFI_FFI_H

/*
 * Calls `function` of the type `signature` (base/signature.h). ret: an object
 * of exactly the result's type, NULL for void, or to drop the result; args[k]
 * points at argument k. 0, -DLAZY_EINVAL (signature; args NULL where there are
 * arguments), -DLAZY_ENOSYS (libffi does not do it here).
 */
int dlazy_ffi_call(void *function, const char *signature, void *ret,
		   void **args);

/*
 * Makes a function of the type `signature` that at each call asks
 * miss(owner, caller) for an address, never NULL, and calls it with the same
 * arguments. caller is NULL: libffi does not tell. The code is never freed,
 * as it may be called at any time. libffi may need a mapping that is writable
 * and executable: this is the last resort, for CPUs without stubs.
 * 0, -DLAZY_EINVAL, -DLAZY_ENOMEM, -DLAZY_ENOSYS.
 */
int dlazy_ffi_closure(const char *signature,
		      void *(*miss)(void *owner, const void *caller),
		      void *owner, void **ret_code);

#endif

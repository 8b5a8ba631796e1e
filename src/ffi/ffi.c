/* SPDX-License-Identifier: MIT */
/*
 * Calls and closures by libffi, with dlazy's signatures. libffi widens integer
 * results that are narrower than a register (ffi_arg), in calls and in
 * closures: a call copies a result down to the type's own size, a closure
 * hands the wide form on.
 */
#include "ffi/ffi.h"

#include "base/signature.h"

#include <errno.h>
#include <ffi.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* A prepared type; libffi keeps pointers into it. */
struct type {
	ffi_cif cif;
	ffi_type *arguments[SIGNATURE_ARGUMENTS_MAX];
};

static ffi_type *ffi_type_of(char letter)
{
	switch (letter) {
	case 'b':
		return &ffi_type_sint8;
	case 'B':
		return &ffi_type_uint8;
	case 'h':
		return &ffi_type_sint16;
	case 'H':
		return &ffi_type_uint16;
	case 'i':
		return &ffi_type_sint32;
	case 'I':
		return &ffi_type_uint32;
	case 'l':
		return &ffi_type_slong;
	case 'L':
		return &ffi_type_ulong;
	case 'q':
		return &ffi_type_sint64;
	case 'Q':
		return &ffi_type_uint64;
	case 'f':
		return &ffi_type_float;
	case 'd':
		return &ffi_type_double;
	case 'D':
		return &ffi_type_longdouble;
	case 'v':
		return &ffi_type_void;
	default: /* p, s */
		return &ffi_type_pointer;
	}
}

static int prepare(struct type *type, const struct signature *s)
{
	ffi_type *result = ffi_type_of(s->result);
	ffi_status status;

	for (unsigned i = 0; i < s->count; i++)
		type->arguments[i] = ffi_type_of(s->arguments[i]);
	if (s->variadic)
		status = ffi_prep_cif_var(&type->cif, FFI_DEFAULT_ABI, s->fixed,
					  s->count, result, type->arguments);
	else
		status = ffi_prep_cif(&type->cif, FFI_DEFAULT_ABI, s->count,
				      result, type->arguments);
	return status == FFI_OK ? 0 : -DLAZY_ENOSYS;
}

/* What libffi writes: the value, or a whole register of it. */
union result {
	ffi_arg wide;
	uint8_t bytes[16];
	long double long_double;
};

static void copy_down(void *ret, const union result *result, char letter)
{
	size_t size = signature_size(letter);

	if (size >= sizeof(ffi_arg) || letter == 'f')
		memcpy(ret, result, size);
	else if (size == 4)
		memcpy(ret, &(uint32_t){(uint32_t)result->wide}, 4);
	else if (size == 2)
		memcpy(ret, &(uint16_t){(uint16_t)result->wide}, 2);
	else
		memcpy(ret, &(uint8_t){(uint8_t)result->wide}, size);
}

EXPORT int dlazy_ffi_call(void *function, const char *signature, void *ret,
			  void **args)
{
	struct signature s;
	struct type type;
	union result result;
	size_t at;

	if (signature_parse(signature, &s, &at) || (s.count && !args))
		return -DLAZY_EINVAL;
	int status = prepare(&type, &s);
	if (status < 0)
		return status;
	ffi_call(&type.cif, FFI_FN(function), &result, args);
	if (ret && s.result != 'v')
		copy_down(ret, &result, s.result);
	return 0;
}

struct closure {
	struct type type;
	void *(*miss)(void *owner, const void *caller);
	void *owner;
	struct closure *next;
};

/* All of them: never freed, and a leak checker can see so. */
static _Atomic(struct closure *) closures;

static void closure_run(ffi_cif *cif, void *ret, void **args, void *data)
{
	struct closure *closure = data;
	int saved = errno;
	void *function = closure->miss(closure->owner, NULL);

	errno = saved;
	ffi_call(cif, FFI_FN(function), ret, args);
}

/* Takes over `closure` on success. */
static int closure_make(struct closure *closure, void **ret_code)
{
	void *code;
	ffi_closure *writable = ffi_closure_alloc(sizeof(*writable), &code);

	if (!writable)
		return -DLAZY_ENOMEM;
	if (ffi_prep_closure_loc(writable, &closure->type.cif, closure_run,
				 closure, code) != FFI_OK) {
		ffi_closure_free(writable);
		return -DLAZY_ENOSYS;
	}
	closure->next = atomic_load(&closures);
	while (!atomic_compare_exchange_weak(&closures, &closure->next,
					     closure))
		;
	*ret_code = code;
	return 0;
}

EXPORT int dlazy_ffi_closure(const char *signature,
			     void *(*miss)(void *owner, const void *caller),
			     void *owner, void **ret_code)
{
	struct signature s;
	size_t at;

	if (signature_parse(signature, &s, &at))
		return -DLAZY_EINVAL;
	struct closure *closure = malloc(sizeof(*closure));
	if (!closure)
		return -DLAZY_ENOMEM;
	closure->miss = miss;
	closure->owner = owner;
	int status = prepare(&closure->type, &s);
	if (status == 0)
		status = closure_make(closure, ret_code);
	if (status < 0)
		free(closure);
	return status;
}

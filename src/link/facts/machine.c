/* SPDX-License-Identifier: MIT */
/*
 * Following a function from its begin to its return, and what the linker calls
 * when it has loaded a file.
 */
#include "link/facts/machine.h"

#include <string.h>

#define RETURN_ADDRESS UINT64_C(0x500000000) /* of the first call */
#define STEPS_MAX 2000000

/* A function of others returns at once. */
static bool step(struct machine *m)
{
	struct machine_insn insn;

	if (m->steps++ > STEPS_MAX)
		return machine_fail(m);
	if (!machine_is_in(&m->image, m->next, 1))
		return machine_call_outside(m, m->next) || machine_fail(m);
	return machine_decode(m, &insn) &&
	       (machine_do_integer(m, &insn) || machine_do_vector(m, &insn) ||
		machine_fail(m)) &&
	       m->trouble == MACHINE_FINE;
}

bool machine_call(struct machine *m, uint64_t function, uint64_t first,
		  uint64_t second, uint64_t *ret)
{
	uint64_t top = m->stack.start + m->stack.size - 64,
		 back = RETURN_ADDRESS;

	if (m->trouble != MACHINE_FINE || !function)
		return machine_fail(m);
	memset(m->registers, 0, sizeof(m->registers));
	m->registers[MACHINE_RSP] = top - sizeof(back);
	m->registers[MACHINE_RDI] = first;
	m->registers[MACHINE_RSI] = second;
	memcpy(m->stack.bytes + (top - sizeof(back) - m->stack.start), &back,
	       sizeof(back));
	m->next = function;
	while (m->next != RETURN_ADDRESS)
		if (!step(m))
			return machine_fail(m);
	if (m->registers[MACHINE_RSP] != top)
		return machine_fail(m);
	if (ret)
		*ret = m->registers[MACHINE_RAX];
	return true;
}

bool machine_initialise(struct machine *m)
{
	struct elf_calls calls = elf_data_constructors(m->data);
	uint64_t function;

	m->is_initialised = true;
	if (calls.function &&
	    !machine_call(m, m->image.start + calls.function, 0, 0, NULL))
		return false;
	for (uint64_t at = calls.pointers.start; at < calls.pointers.end;
	     at += sizeof(function)) {
		void *pointer = machine_at(m, m->image.start + at,
					   sizeof(function), false);
		if (!pointer)
			return false;
		memcpy(&function, pointer, sizeof(function));
		if (!machine_call(m, function, 0, 0, NULL))
			return false;
	}
	return true;
}

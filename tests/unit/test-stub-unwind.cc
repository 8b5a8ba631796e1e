/* SPDX-License-Identifier: MIT */
/*
 * Unwinding through stubs and the slow path: exceptions pass, backtraces are
 * whole, and (on x86-64, where a program can step itself) the description of
 * the frame is right at every single instruction.
 */
#include "tests/unit/stub-target.h"

#ifdef __x86_64__
extern "C" {
#include "stub/save-x86_64.h"
}
#endif

#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <ucontext.h>
#include <unwind.h>

namespace
{

template <typename F> F *stub_to(F *function)
{
	return reinterpret_cast<F *>(
		target_stub(reinterpret_cast<void *>(function)));
}

struct counted {
	static int destroyed;
	~counted()
	{
		destroyed++;
	}
};

int counted::destroyed;

int throws(int n, double x)
{
	counted here;

	if (n == 42 && x == 1.5)
		throw std::runtime_error("from the callee");
	return n;
}

/* Catches around a call, with something to destroy on the way. */
template <typename F> const char *what_is_thrown(F *function)
{
	static std::string what;

	try {
		counted here;
		function(42, 1.5);
		return "nothing";
	} catch (const std::exception &e) {
		what = e.what();
		return what.c_str();
	}
}

} // namespace

TEST_BOTH(exceptions_pass_out_of_the_callee)
{
	auto *f = stub_to(throws);

	CHECK_STR(what_is_thrown(f), "from the callee");
	CHECK_STR(what_is_thrown(f), "from the callee");
	CHECK_INT(counted::destroyed, 4);
	CHECK_INT(target_misses, 1);
	CHECK_INT(f(7, 0), 7);
}

/* As a constructor of the module would. */
static void *miss_that_throws(struct slot *, const void *)
{
	counted here;

	throw std::runtime_error("from a constructor");
}

TEST_BOTH(exceptions_pass_out_of_the_miss_function)
{
	auto *f = stub_to(throws);

	target_miss = miss_that_throws;
	CHECK_STR(what_is_thrown(f), "from a constructor");
	CHECK_STR(what_is_thrown(f), "from a constructor");
	CHECK_INT(counted::destroyed, 4);
	target_miss = target_find;
	CHECK_INT(f(7, 0), 7);
	CHECK_INT(target_misses, 3);
}

namespace
{

/* Return addresses from the innermost frame outwards, and where the stack
 * pointer of each is. */
struct trace {
	static constexpr int most = 64;
	uintptr_t address[most];
	uintptr_t stack[most];
	int count;
};

_Unwind_Reason_Code add_frame(_Unwind_Context *context, void *data)
{
	auto *trace = static_cast<struct trace *>(data);

	if (trace->count == trace->most)
		return _URC_NORMAL_STOP;
	trace->address[trace->count] = _Unwind_GetIP(context);
	trace->stack[trace->count] = _Unwind_GetCFA(context);
	trace->count++;
	return _URC_NO_REASON;
}

__attribute__((noinline)) void take(struct trace *trace)
{
	trace->count = 0;
	_Unwind_Backtrace(add_frame, trace);
	__asm__ volatile(""); /* not a tail call: this frame is counted */
}

/* Whether `trace` holds the frame `address`, and beyond it the same frames as
 * `whole` does beyond its own frame number `from`. */
bool continues_as(const struct trace *trace, uintptr_t address,
		  const struct trace *whole, int from)
{
	int n = whole->count - from - 1;
	int at = trace->count - n - 1;

	if (n < 3 || at < 0 || trace->address[at] != address)
		return false;
	for (int i = 1; i <= n; i++)
		if (trace->address[at + i] != whole->address[from + i] ||
		    trace->stack[at + i] != whole->stack[from + i])
			return false;
	return true;
}

struct trace in_miss, in_callee;
const void *caller_seen;

void *miss_that_traces(struct slot *slot, const void *caller)
{
	take(&in_miss);
	caller_seen = caller;
	return target_find(slot, caller);
}

int callee_that_traces(int n, double)
{
	take(&in_callee);
	return n;
}

} // namespace

TEST_BOTH(backtraces_are_whole)
{
	auto *f = stub_to(callee_that_traces);
	struct trace here;

	target_miss = miss_that_traces;
	CHECK_INT(f(1, 2), 1);
	take(&here);
	auto caller = reinterpret_cast<uintptr_t>(caller_seen);
	/* The frame of this function is the second one of `here`, behind
	 * take()'s. */
	CHECK(continues_as(&in_miss, caller, &here, 1));
	CHECK(continues_as(&in_callee, caller, &here, 1));
}

#ifdef __x86_64__
extern "C" const unsigned char stub_pool[];
extern "C" const unsigned char stub_slow[], dlazy_linked_slow[];
extern "C" const unsigned char target_linked_0[], target_linked_7[];

namespace
{

/* What was true when the stub was entered. */
struct {
	uintptr_t caller;      /* the return address */
	uintptr_t stack, base; /* the caller's rsp, behind the call, and rbp */
	struct trace whole;    /* of a call from the same place */
	int from, steps, wrong;
	uintptr_t first_wrong;
} entry;

struct found {
	bool right;
};

_Unwind_Reason_Code check_frame(_Unwind_Context *context, void *data)
{
	if (_Unwind_GetIP(context) != entry.caller)
		return _URC_NO_REASON;
	static_cast<struct found *>(data)->right =
		_Unwind_GetCFA(context) == entry.stack &&
		_Unwind_GetGR(context, 6) == entry.base;
	return _URC_NORMAL_STOP;
}

/* The linked stubs, and before them what they have in common. */
bool is_linked_stub(uintptr_t ip)
{
	return ip >= reinterpret_cast<uintptr_t>(target_linked_0) - 32 &&
	       ip < reinterpret_cast<uintptr_t>(target_linked_7) + 32;
}

bool is_ours(uintptr_t ip)
{
	const void *function =
		_Unwind_FindEnclosingFunction(reinterpret_cast<char *>(ip) + 1);

	return function == stub_pool || function == stub_slow ||
	       function == dlazy_linked_slow || is_linked_stub(ip);
}

void on_step(int, siginfo_t *, void *data)
{
	auto *registers = static_cast<ucontext_t *>(data)->uc_mcontext.gregs;
	auto ip = static_cast<uintptr_t>(registers[REG_RIP]);

	if (!is_ours(ip))
		return;
	if (entry.steps++ == 0) {
		auto *stack = reinterpret_cast<uintptr_t *>(registers[REG_RSP]);
		entry.caller = *stack;
		entry.stack = reinterpret_cast<uintptr_t>(stack + 1);
		entry.base = static_cast<uintptr_t>(registers[REG_RBP]);
	}
	struct found found = {false};
	struct trace trace;
	_Unwind_Backtrace(check_frame, &found);
	take(&trace);
	if (found.right &&
	    continues_as(&trace, entry.caller, &entry.whole, entry.from))
		return;
	if (entry.wrong++ == 0)
		entry.first_wrong = ip;
}

int identity(int n)
{
	return n;
}

void trap_each_instruction(bool on)
{
	uint64_t flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | 0x100 : flags & ~0x100UL);
}

/* Steps through one first call that keeps registers in the way given. */
__attribute__((noinline)) void step_through(int way)
{
	auto *f = stub_to(identity);

	entry.steps = entry.wrong = 0;
	take(&entry.whole);
	entry.from = 1;
	stub_save_size = 8192;
	stub_save_way = way;
	trap_each_instruction(true);
	int n = f(5);
	trap_each_instruction(false);
	CHECK_INT(n, 5);
	if (entry.wrong)
		test_fail(__FILE__, __LINE__,
			  "%d of %d instructions unwind wrongly; the first is "
			  "at slow path %+ld",
			  entry.wrong, entry.steps,
			  static_cast<long>(entry.first_wrong -
					    reinterpret_cast<uintptr_t>(
						    dlazy_linked_slow)));
	printf("# %d instructions\n", entry.steps);
	CHECK(entry.steps >= 35);
}

} // namespace

TEST_BOTH(every_instruction_unwinds)
{
#ifdef __SANITIZE_THREAD__
	test_skip("ThreadSanitizer can be stepped into, and waits for itself");
#endif
	struct sigaction action = {};

	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGTRAP, &action, nullptr);
	int best = stub_save_choose();
	step_through(STUB_SAVE_UNKNOWN);
	for (int way = STUB_SAVE_SSE; way <= best; way++)
		step_through(way);
}
#endif

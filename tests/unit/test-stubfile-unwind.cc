/* SPDX-License-Identifier: MIT */
/*
 * Unwinding through the code of stub files: exceptions pass, and (on x86-64,
 * where a program can step itself) the description of the frame is right at
 * every instruction of a first call, up to where libdlazy takes over.
 */
#include "tests/unit/stubfile-made.h"

#include <csignal>
#include <cstdint>
#include <dlfcn.h>
#include <stdexcept>
#include <string>
#include <ucontext.h>
#include <unwind.h>

extern "C" bool stub_available(void);
/* The run-time half is in this program. */
extern "C" char dlazy_linked_slow[], dlazy_linked_data[], dlazy_linked_start[];
extern const void *const linked_functions[];
const void *const linked_functions[] = {dlazy_linked_slow, dlazy_linked_data,
					dlazy_linked_start};

namespace
{

using function_type = int(int);

const char *stub_path;

/* A function of a test plugin, through one of two kinds of stub file. */
function_type *stub_of(const char *plugin, const char *symbol, bool combined)
{
	if (!stub_available())
		test_skip("this CPU has no stubs");
	struct library libraries[] = {made_library(test_plugin("good-plain")),
				      made_library(test_plugin(plugin))};
	stub_path = combined ? made_combined(libraries, 2)
			     : made_shared(&libraries[1]);
	library_clear(&libraries[0]);
	library_clear(&libraries[1]);
	void *handle = dlopen(stub_path, RTLD_NOW);
	if (!handle)
		test_fail(__FILE__, __LINE__, "%s", dlerror());
	void *address = dlsym(handle, symbol);
	CHECK(address != nullptr);
	return reinterpret_cast<function_type *>(address);
}

struct counted {
	static int destroyed;
	~counted()
	{
		destroyed++;
	}
};

int counted::destroyed;

const char *thrown_by(function_type *function)
{
	static std::string what;

	try {
		counted here;
		function(42);
		return "nothing";
	} catch (const std::exception &e) {
		what = e.what();
		return what.c_str();
	}
}

} // namespace

TEST(exceptions_pass_through_stub_files)
{
	for (bool combined : {false, true}) {
		auto *f = stub_of("stub-throws", "stub_throws", combined);

		counted::destroyed = 0;
		CHECK_STR(thrown_by(f), "from the library");
		CHECK_STR(thrown_by(f), "from the library");
		CHECK_INT(counted::destroyed, 2);
		CHECK_INT(f(7), 7);
	}
}

#ifdef __x86_64__

namespace
{

/* Where the stub was called from. */
struct {
	uintptr_t low, high;   /* the stub file's code */
	uintptr_t caller;      /* the return address */
	uintptr_t stack, base; /* the caller's rsp, behind the call, and rbp */
	int steps, wrong;
} entry;

_Unwind_Reason_Code check_frame(_Unwind_Context *context, void *data)
{
	if (_Unwind_GetIP(context) != entry.caller)
		return _URC_NO_REASON;
	*static_cast<bool *>(data) = _Unwind_GetCFA(context) == entry.stack &&
				     _Unwind_GetGR(context, 6) == entry.base;
	return _URC_NORMAL_STOP;
}

void on_step(int, siginfo_t *, void *data)
{
	auto *registers = static_cast<ucontext_t *>(data)->uc_mcontext.gregs;
	auto ip = static_cast<uintptr_t>(registers[REG_RIP]);
	bool right = false;

	if (ip < entry.low || ip >= entry.high)
		return;
	if (entry.steps++ == 0) {
		auto *stack = reinterpret_cast<uintptr_t *>(registers[REG_RSP]);
		entry.caller = *stack;
		entry.stack = reinterpret_cast<uintptr_t>(stack + 1);
		entry.base = static_cast<uintptr_t>(registers[REG_RBP]);
	}
	_Unwind_Backtrace(check_frame, &right);
	entry.wrong += !right;
}

void trap_each_instruction(bool on)
{
	uint64_t flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | 0x100 : flags & ~0x100UL);
}

/* The executable lines of /proc/self/maps that are of the stub file. */
void find_code()
{
	char line[4352];
	FILE *maps = fopen("/proc/self/maps", "re");

	CHECK(maps != nullptr);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long low, high;
		char mode[8];

		if (strstr(line, stub_path) &&
		    sscanf(line, "%lx-%lx %7s", &low, &high, mode) == 3 &&
		    mode[2] == 'x') {
			entry.low = low;
			entry.high = high;
		}
	}
	fclose(maps);
	CHECK(entry.high != 0);
}

__attribute__((noinline)) int step_through(function_type *f)
{
	trap_each_instruction(true);
	int n = f(5);
	trap_each_instruction(false);
	return n;
}

} // namespace

TEST(every_instruction_of_a_stub_file_unwinds)
{
#ifdef __SANITIZE_THREAD__
	test_skip("ThreadSanitizer can be stepped into, and waits for itself");
#endif
	struct sigaction action = {};

	for (bool combined : {false, true}) {
		auto *f = stub_of("stub-throws", "stub_throws", combined);

		entry = {};
		find_code();
		action.sa_sigaction = on_step;
		action.sa_flags = SA_SIGINFO;
		sigaction(SIGTRAP, &action, nullptr);
		CHECK_INT(step_through(f), 5);
		/* endbr64, mov, test, je, lea, jmp; push, lea, jmp */
		CHECK_INT(entry.steps, 9);
		CHECK_INT(entry.wrong, 0);
		CHECK_INT(step_through(f), 5);
		/* endbr64, mov, test, je, jmp */
		CHECK_INT(entry.steps, 9 + 5);
		CHECK_INT(entry.wrong, 0);
	}
}

#endif

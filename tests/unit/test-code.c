/* SPDX-License-Identifier: MIT */
/*
 * Constant functions, and constructors that nobody would
 * notice, as compilers make them and as nobody would.
 */
#include "base/cleanup.h"
#include "link/code/functions.h"
#include "link/code/insn.h"
#include "tests/unit/world.h"

#include <fcntl.h>

struct file {
	int fd;
	struct elf_view *view;
	struct elf_data *data;
};

static void file_close(struct file *file)
{
	elf_data_close(file->data);
	elf_view_close(file->view);
	close(file->fd);
}
#define _cleanup_file_ _cleanup_(file_close)

static struct file file_of(void)
{
	struct file file = {
		.fd = open(world_path("library.so"), O_RDONLY | O_CLOEXEC)};

	CHECK_INT(elf_view_open(file.fd, "library.so", &file.view), 0);
	CHECK_INT(elf_data_open(file.fd, "library.so", &file.data), 0);
	return file;
}

static void look_at(const char *source, const char *options)
{
	char all[512];

#ifndef __x86_64__
	test_skip("code is read of x86-64");
#endif
	snprintf(all, sizeof(all), "-shared -fPIC %s", options);
	world_compile("library.so", source, all, "");
}

static bool find_constant(const char *function, struct code_constant *ret)
{
	_cleanup_file_ struct file file = file_of();
	struct elf_symbol symbol;

	CHECK(elf_view_find(file.view, function, NULL, &symbol));
	return code_returns_constant(file.data, symbol.value, symbol.size, ret);
}

static void check_number(const char *function, uint64_t number)
{
	struct code_constant constant;

	if (!find_constant(function, &constant))
		test_fail(__FILE__, __LINE__, "%s is not constant", function);
	CHECK_INT(constant.kind, CODE_CONSTANT_NUMBER);
	CHECK(constant.value == number);
}

static void check_text(const char *function, const char *text)
{
	_cleanup_file_ struct file file = file_of();
	_cleanup_free_ uint8_t *bytes = NULL;
	struct code_constant constant;

	if (!find_constant(function, &constant))
		test_fail(__FILE__, __LINE__, "%s is not constant", function);
	CHECK_INT(constant.kind, CODE_CONSTANT_ADDRESS);
	CHECK_INT(elf_data_read(
			  file.data,
			  (struct elf_range){constant.value,
					     constant.value + strlen(text) + 1},
			  &bytes),
		  0);
	CHECK_STR((char *)bytes, text);
}

static void check_nothing(const char *function)
{
	struct code_constant constant;

	if (!find_constant(function, &constant))
		test_fail(__FILE__, __LINE__, "%s is not constant", function);
	CHECK_INT(constant.kind, CODE_CONSTANT_NOTHING);
}

static void check_silent(const char *function)
{
	struct code_constant constant;

	if (find_constant(function, &constant))
		test_fail(__FILE__, __LINE__, "%s returns %d, %#llx", function,
			  constant.kind, (unsigned long long)constant.value);
}

/* ------------------------------------------------------------------ */

static const char constants[] = "int number() { return 42; }"
				"int zero() { return 0; }"
				"int minus() { return -1; }"
				"long large() { return 0x123456789abcdefL; }"
				"const char *text() { return \"some text\"; }";

static void check_constants(const char *options)
{
	look_at(constants, options);
	check_number("number", 42);
	check_number("zero", 0);
	check_number("minus", UINT32_MAX);
	check_number("large", 0x123456789abcdefU);
	check_text("text", "some text");
}

TEST(constants_are_known)
{
	check_constants("-O1");
	check_constants("-O2");
}

TEST(constants_are_known_behind_what_compilers_put_before_them)
{
	check_constants("-O0");
	check_constants("-O2 -fcf-protection");
	check_constants("-O2 -fno-omit-frame-pointer");
	check_constants("-O2 -fstack-protector-all");
	check_constants("-O1 -fstack-protector-all -fno-omit-frame-pointer");
}

TEST(functions_that_do_nothing_are_known)
{
	look_at("void f() {}", "-O1");
	check_nothing("f");
	look_at("void f() {}", "-O1 -fcf-protection -fno-omit-frame-pointer");
	check_nothing("f");
}

TEST(what_does_more_is_not_constant)
{
	look_at("int v; int reads() { return v; }"
		"int writes() { v = 1; return 1; }"
		"int calls() { far(); return 1; }"
		"int argument(a) { return a; }"
		"int tests(a) { if (a) v = 1; return 7; }"
		"int *points() { return &v; }"
		"int forever() { for (;;); return 1; }"
		"int traps() { __builtin_trap(); return 1; }",
		"-O2");
	check_silent("reads");
	check_silent("writes");
	check_silent("calls");
	check_silent("argument");
	check_silent("tests");
	check_silent("points");
	check_silent("forever");
	check_silent("traps");
}

TEST(results_of_two_registers_are_not_halved)
{
	look_at("struct p { long a, b; };"
		"struct p f() { struct p p; p.a = 1; p.b = 2; return p; }"
		"struct p g() { struct p p; p.a = 1; p.b = 0; return p; }",
		"-O2");
	check_silent("f");
	check_silent("g");
}

TEST(results_of_other_registers_are_not_lost)
{
	look_at("double f() { return 1.5; }"
		"struct s { char c[40]; };"
		"struct s g() { struct s s = {{1}}; return s; }",
		"-O2");
	check_silent("f");
	check_silent("g");
}

/* What no compiler would make of C. */
static void look_at_assembly(const char *body)
{
	char source[512];

	snprintf(source, sizeof(source),
		 "asm(\".globl f\\n.type f, @function\\nf:\\n%s\\n.size f, . - "
		 "f\");",
		 body);
	look_at(source, "-O1");
}

TEST(stack_and_registers_have_to_be_as_they_were)
{
	look_at_assembly("sub $8, %rsp\\nmov $1, %eax\\nadd $8, %rsp\\nret");
	check_number("f", 1);
	look_at_assembly("sub $8, %rsp\\nmov $1, %eax\\nret");
	check_silent("f");
	look_at_assembly("mov $1, %ebx\\nmov $1, %eax\\nret");
	check_silent("f");
	look_at_assembly("push %rax\\nmov $1, %eax\\npop %rbx\\nret");
	check_silent("f");
	look_at_assembly("push %rbx\\nmov $5, %ebx\\nmov $1, %eax\\npop "
			 "%rbx\\nret");
	check_number("f", 1);
	look_at_assembly("push %rax\\npop %rsp\\nret");
	check_silent("f");
	look_at_assembly("mov $1, %esp\\nmov $1, %eax\\nret");
	check_silent("f");
}

/* What is not its own it neither reads nor writes. */
TEST(memory_of_others_is_not_touched)
{
	look_at_assembly("mov 8(%rsp), %rax\\nret");
	check_silent("f");
	look_at_assembly("mov %rax, 8(%rsp)\\nmov $1, %eax\\nret");
	check_silent("f");
	look_at_assembly("mov %rax, (%rsp)\\nmov $1, %eax\\nret");
	check_silent("f");
	look_at_assembly("mov -64(%rsp), %rax\\nret");
	check_silent("f");
	look_at_assembly("mov -8(%rbp), %rax\\nret");
	check_silent("f");
}

/* A number that was put down and taken up again. */
TEST(the_stack_is_remembered)
{
	look_at_assembly("mov $3, %eax\\npush %rax\\nmov $4, %eax\\nmov "
			 "(%rsp), %rax\\npop %rcx\\nret");
	check_number("f", 3);
	look_at_assembly("mov $3, %eax\\nmov %rax, -8(%rsp)\\nmov $4, "
			 "%eax\\nmov -8(%rsp), %rax\\nret");
	check_number("f", 3);
}

/* Only what is seen to be equal is. */
TEST(a_check_that_could_fail_is_not_passed)
{
	look_at_assembly("mov %fs:40, %rax\\nsub %fs:40, %rax\\njne f\\nmov "
			 "$1, %eax\\nret");
	check_number("f", 1);
	look_at_assembly("mov $1, %eax\\nsub %fs:40, %rax\\njne f\\nmov $1, "
			 "%eax\\nret");
	check_silent("f");
	look_at_assembly("mov %fs:40, %rax\\njne f\\nmov $1, %eax\\nret");
	check_silent("f");
	look_at_assembly("mov %fs:40, %rax\\nret");
	check_silent("f");
	look_at_assembly("mov %fs:40, %rcx\\npush %rcx\\nmov $1, "
			 "%eax\\ncmp (%rsp), %rax\\njne f\\nmov $1, "
			 "%eax\\npop %rcx\\nret");
	check_silent("f");
	look_at_assembly("mov $1, %ecx\\npush %rcx\\nmov %fs:40, "
			 "%rax\\ncmp (%rsp), %rax\\njne f\\nmov $1, "
			 "%eax\\npop %rcx\\nret");
	check_silent("f");
}

TEST(a_function_without_an_end_is_not_constant)
{
	look_at_assembly("mov $1, %eax");
	check_silent("f");
	look_at_assembly("mov $1, %eax\\n.size f, . - f\\nret\\nnop");
	check_number("f", 1);
}

TEST(code_that_is_relocated_is_not_constant)
{
	look_at("extern char far[]; asm(\".globl f\\n.type f, @function\\n"
		"f: movabs $far, %rax\\nret\\n.size f, . - f\");"
		"char *p() { return far; }",
		"-O1 -Wl,-z,notext");
	check_silent("f");
}

/* Instructions are not read behind the end of what is there. */
TEST(instructions_that_are_cut_off_are_none)
{
	static const uint8_t lea[] = {0x48, 0x8d, 0x05, 1, 2, 3, 4};
	struct insn insn;

	for (size_t n = 0; n < sizeof(lea); n++) {
		uint8_t *copy = malloc(n + 1);

		/* A byte of another's, poisoned where that can be seen. */
		copy = realloc(copy, n ? n : 1);
		memcpy(copy, lea, n);
		CHECK(!insn_read(copy, n, 0, &insn));
		free(copy);
	}
	CHECK(insn_read(lea, sizeof(lea), 0x1000, &insn));
	CHECK_INT(insn.op, INSN_ADDRESS);
	CHECK(insn.value == 0x1000 + 7 + 0x04030201);
}

/* ------------------------------------------------------------------ */

static bool destructs(void)
{
	_cleanup_file_ struct file file = file_of();

	return code_destructs(file.data, file.view);
}

static bool constructs(void)
{
	_cleanup_file_ struct file file = file_of();

	return code_constructs(file.data, file.view);
}

#define STREAMS                                                             \
	"extern void _ZNSt8ios_base4InitC1Ev(), _ZNSt8ios_base4InitD1Ev();" \
	"extern char __dso_handle __attribute__((visibility(\"hidden\")));" \
	"static char init;"
#define SET_UP                            \
	"_ZNSt8ios_base4InitC1Ev(&init);" \
	"__cxa_atexit(_ZNSt8ios_base4InitD1Ev, &init, &__dso_handle);"

TEST(what_every_file_has_does_not_construct)
{
	look_at("int f() { return 1; }", "-O2");
	CHECK(!constructs());
	CHECK(!destructs());
	look_at("int f() { return 1; }", "-O0 -fcf-protection -Wl,-z,now");
	CHECK(!constructs());
	CHECK(!destructs());
}

/* A call more in the section that is one function of all objects'. */
TEST(the_init_section_can_do_more)
{
	look_at("void g() {} asm(\".section .init\\ncall g\\n.text\");", "-O2");
	CHECK(constructs());
	CHECK(!destructs());
	look_at("void g() {} asm(\".section .fini\\ncall g\\n.text\");", "-O2");
	CHECK(!constructs());
	CHECK(destructs());
	/* As large as that of others. */
	look_at("void _init() { f(1); } void _fini() { f(2); }",
		"-O2 -nostartfiles");
	CHECK(constructs());
	CHECK(destructs());
}

#define OBJECT(name) "$(${PLAIN_CC:-cc} -print-file-name=" name ")"

/* Without GCC's crtbegin, the one entry is the file's own. */
TEST(one_entry_can_be_its_own)
{
	look_at("void g(void); __attribute__((constructor)) static void c() { "
		"g(); }",
		"-O2 -nostartfiles " OBJECT("crti.o") " " OBJECT("crtn.o"));
	CHECK(constructs());
	CHECK(!destructs());
	look_at("void g(void); __attribute__((destructor)) static void c() { "
		"g(); }",
		"-O2 -nostartfiles " OBJECT("crti.o") " " OBJECT("crtn.o"));
	CHECK(!constructs());
	CHECK(destructs());
}

TEST(destructors_are_told_from_the_compilers)
{
	look_at("void g(void); __attribute__((destructor)) static void c() { "
		"g(); }",
		"-O2");
	CHECK(!constructs());
	CHECK(destructs());
}

/* What G++ makes of #include <iostream>. */
TEST(the_standard_streams_are_set_up_unnoticed)
{
	look_at(STREAMS
		"__attribute__((constructor)) static void c() {" SET_UP
		"} __attribute__((constructor)) static void d() {" SET_UP "}",
		"-O2");
	CHECK(!constructs());
}

TEST(own_variables_are_set_up_unnoticed)
{
	look_at(STREAMS "static int a, *b; int *f() { a++; return b; }"
			"__attribute__((constructor)) static void c() {" SET_UP
			"a = 7; b = &a; }",
		"-O2");
	CHECK(!constructs());
}

TEST(a_constructor_that_does_more_constructs)
{
	look_at("void g(); __attribute__((constructor)) static void c() {"
		" g(); }",
		"-O2");
	CHECK(constructs());
	/* What others may have. */
	look_at("volatile int v; __attribute__((constructor)) static void c() {"
		" v = 1; }",
		"-O2");
	CHECK(constructs());
	look_at("static volatile int v; int f() { return v; }"
		"__attribute__((constructor)) static void c() { v++; }",
		"-O2");
	CHECK(constructs());
	/* A destructor of its own. */
	look_at(STREAMS "static void own() { init = 1; }"
			"__attribute__((constructor)) static void c() {"
			"__cxa_atexit(own, &init, &__dso_handle); }",
		"-O2");
	CHECK(constructs());
	/* One of several. */
	look_at(STREAMS "void g(); __attribute__((constructor)) static void "
			"c() {" SET_UP "}"
			"__attribute__((constructor)) static void d() { g(); }",
		"-O2");
	CHECK(constructs());
}

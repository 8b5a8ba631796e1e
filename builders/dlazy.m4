# SPDX-License-Identifier: MIT
# dlazy.m4: link heavy libraries lazily, or plainly. See stub.md of dlazy.
# serial 3

# DLAZY_LAZY_LIB(PREFIX, LIBRARY, [OPTION...])
#
# In Makefiles, the word LIBRARY (-lNAME) of $(PREFIX_LIBS), as PKG_CHECK_MODULES
# left them, becomes a lazy stub, made by "dlazy stub LIBRARY OPTION...". In all
# other files (.pc files, say) @PREFIX_LIBS@ stays as it is: who links with what
# is installed needs the library itself. Without automake, @PREFIX_LIBS@ has the
# stub in every file. Where libraries are linked plainly, because the user says
# so (--disable-lazy-libs), dlazy is not installed, or has no stubs for the host's
# CPU, PREFIX_CFLAGS gets -DDLAZY_PLAIN, which <dlazy/stub.h> knows.
#
# Makefile.am needs one line for "make distclean":
#
#     DISTCLEANFILES = $(DLAZY_STUBS)
AC_DEFUN([DLAZY_LAZY_LIB],
[AC_REQUIRE([DLAZY_CHECK])dnl
dlazy_words=$$1_LIBS
AS_IF([test "x$dlazy_lazy" = xyes],
      [AC_MSG_CHECKING([for a lazy stub of $2])
       dlazy_name=dlazy-stub-`AS_ECHO(["$2"]) | sed 's/^-l//; s/:/_/'`
       dlazy_stub=dlazy-stubs/lib$dlazy_name.a
       AS_MKDIR_P([dlazy-stubs])
       # Where the linker would look first.
       dlazy_dirs=
       for dlazy_word in $LDFLAGS $$1_LIBS; do
	 AS_CASE([$dlazy_word], [-L?*], [dlazy_dirs="$dlazy_dirs $dlazy_word"])
       done
       AS_IF([dlazy_said=`"$DLAZY_TOOL" stub $2 $dlazy_dirs -o "$dlazy_stub" --machine=$dlazy_machine $3 2>&1`],
	     [dlazy_line=`AS_ECHO(["$dlazy_said"]) | sed 1q`
	      AC_MSG_RESULT([$dlazy_line])],
	     [AC_MSG_RESULT([no])
	      AC_MSG_ERROR([$dlazy_said
--disable-lazy-libs links plainly])])
       DLAZY_STUBS="$DLAZY_STUBS $dlazy_stub"
       # libtool hands -L and -l on from convenience libraries, and drops paths.
       dlazy_with="-L$dlazy_dir/dlazy-stubs -l$dlazy_name"
       m4_bmatch([$3], [--standalone], [],
		 [dlazy_with="$dlazy_with $DLAZY_LIBS"])
       # The stub takes the library's place among the words.
       dlazy_words= dlazy_found_it=no
       for dlazy_word in $$1_LIBS; do
	 AS_IF([test "x$dlazy_word" = "x$2"],
	       [dlazy_word=$dlazy_with dlazy_found_it=yes])
	 dlazy_words="$dlazy_words $dlazy_word"
       done
       AS_IF([test $dlazy_found_it = no],
	     [AC_MSG_ERROR([$2 is not in $1_LIBS ($$1_LIBS)])])
       $1_CFLAGS="$$1_CFLAGS $DLAZY_CFLAGS"],
      [$1_CFLAGS="$$1_CFLAGS -DDLAZY_PLAIN $DLAZY_CFLAGS"])
# In Makefile.in, DLAZY_VARIABLES is a line of its own, and so is what stands in it.
AC_PROVIDE_IFELSE([AM_INIT_AUTOMAKE],
	[AM_SUBST_NOTMAKE([$1_LIBS])dnl
	 DLAZY_VARIABLES="$DLAZY_VARIABLES
$1_LIBS = $dlazy_words"],
	[$1_LIBS=$dlazy_words])
AC_SUBST([$1_LIBS])dnl
AC_SUBST([$1_CFLAGS])dnl
])

# DLAZY_CHECK: is dlazy here, is it wanted, and has the host's CPU stubs? Called
# by DLAZY_LAZY_LIB.
AC_DEFUN([DLAZY_CHECK],
[AC_REQUIRE([PKG_PROG_PKG_CONFIG])dnl
AC_REQUIRE([AC_CANONICAL_HOST])dnl
AC_ARG_ENABLE([lazy-libs],
	[AS_HELP_STRING([--disable-lazy-libs],
			[link heavy libraries plainly (default: lazily where
			 dlazy is installed)])],
	[AS_CASE([$enableval], [yes|no], [],
		 [AC_MSG_ERROR([--enable-lazy-libs=$enableval: yes or no])])],
	[enable_lazy_libs=auto])
AC_PATH_PROG([DLAZY_TOOL], [dlazy])
PKG_CHECK_MODULES([DLAZY], [dlazy], [dlazy_found=yes], [dlazy_found=no])
dlazy_dir=`pwd`
AS_CASE([$host_cpu-$host_os],
	[*x32], [dlazy_machine=none],
	[x86_64-linux*|aarch64-linux*], [dlazy_machine=$host_cpu],
	[dlazy_machine=none])
dlazy_lazy=no dlazy_why=
AS_IF([test "x$enable_lazy_libs" = xno], [],
      [test $dlazy_machine = none],
      [dlazy_why=" (there are no stubs for $host)"],
      [test -n "$DLAZY_TOOL" && test $dlazy_found = yes], [dlazy_lazy=yes],
      [test "x$enable_lazy_libs" = xyes],
      [AC_MSG_ERROR([--enable-lazy-libs: dlazy is not installed])],
      [dlazy_why=" (dlazy is not installed)"])
AC_MSG_CHECKING([whether heavy libraries are linked lazily])
AC_MSG_RESULT([$dlazy_lazy$dlazy_why])
DLAZY_VARIABLES=
AC_SUBST([DLAZY_STUBS])dnl
AC_SUBST([DLAZY_VARIABLES])dnl
])

# SPDX-License-Identifier: MIT
# dlazy.m4: link heavy libraries lazily, or plainly. See stub.md of dlazy.
# serial 2

# DLAZY_LAZY_LIB(PREFIX, LIBRARY, [OPTION...])
#
# In PREFIX_LIBS, as PKG_CHECK_MODULES left it, LIBRARY (-lNAME) becomes a lazy
# stub of it, made by "dlazy stub LIBRARY OPTION..."; where libraries are linked
# plainly, PREFIX_LIBS stays as it is and PREFIX_CFLAGS gets -DDLAZY_PLAIN, which
# <dlazy/stub.h> knows. The user's switch is --disable-lazy-libs.
#
# Makefile.am needs one line for "make distclean":
#
#     DISTCLEANFILES = $(DLAZY_STUBS)
AC_DEFUN([DLAZY_LAZY_LIB],
[AC_REQUIRE([DLAZY_CHECK])dnl
AS_IF([test "x$dlazy_lazy" = xyes],
      [AC_MSG_CHECKING([for a lazy stub of $2])
       dlazy_stub=dlazy-stubs/lib`AS_ECHO(["$2"]) | sed 's/^-l//; s/:/_/'`.a
       AS_MKDIR_P([dlazy-stubs])
       # Where the linker would look first.
       dlazy_dirs=
       for dlazy_word in $LDFLAGS $$1_LIBS; do
	 AS_CASE([$dlazy_word], [-L?*], [dlazy_dirs="$dlazy_dirs $dlazy_word"])
       done
       AS_IF([dlazy_said=`"$DLAZY_TOOL" stub $2 $dlazy_dirs -o "$dlazy_stub" $3 2>&1`],
	     [AC_MSG_RESULT([`AS_ECHO(["$dlazy_said"]) | sed 1q`])],
	     [AC_MSG_RESULT([no])
	      AC_MSG_ERROR([$dlazy_said
--disable-lazy-libs links plainly])])
       DLAZY_STUBS="$DLAZY_STUBS $dlazy_stub"
       # The stub takes the library's place among the words.
       dlazy_libs=
       for dlazy_word in $$1_LIBS; do
	 AS_IF([test "x$dlazy_word" = "x$2"],
	       [dlazy_word="\$(top_builddir)/$dlazy_stub $DLAZY_LIBS"
		dlazy_stub=])
	 dlazy_libs="$dlazy_libs $dlazy_word"
       done
       # Left over: LIBRARY was none of them.
       AS_IF([test -n "$dlazy_stub"],
	     [AC_MSG_ERROR([$2 is not in $1_LIBS ($$1_LIBS)])])
       $1_LIBS=$dlazy_libs
       $1_CFLAGS="$$1_CFLAGS $DLAZY_CFLAGS"],
      [$1_CFLAGS="$$1_CFLAGS -DDLAZY_PLAIN $DLAZY_CFLAGS"])
AC_SUBST([$1_LIBS])dnl
AC_SUBST([$1_CFLAGS])dnl
])

# DLAZY_CHECK: is dlazy here, and is it wanted? Called by DLAZY_LAZY_LIB.
AC_DEFUN([DLAZY_CHECK],
[AC_REQUIRE([PKG_PROG_PKG_CONFIG])dnl
AC_ARG_ENABLE([lazy-libs],
	[AS_HELP_STRING([--disable-lazy-libs],
			[link heavy libraries plainly (default: lazily where
			 dlazy is installed)])],
	[AS_CASE([$enableval], [yes|no], [],
		 [AC_MSG_ERROR([--enable-lazy-libs=$enableval: yes or no])])],
	[enable_lazy_libs=auto])
AC_PATH_PROG([DLAZY_TOOL], [dlazy])
PKG_CHECK_MODULES([DLAZY], [dlazy], [dlazy_found=yes], [dlazy_found=no])
AS_IF([test "x$enable_lazy_libs" = xno], [dlazy_lazy=no],
      [test -n "$DLAZY_TOOL" && test $dlazy_found = yes], [dlazy_lazy=yes],
      [test "x$enable_lazy_libs" = xyes],
      [AC_MSG_ERROR([--enable-lazy-libs: dlazy is not installed])],
      [dlazy_lazy=no])
AC_MSG_CHECKING([whether heavy libraries are linked lazily])
AC_MSG_RESULT([$dlazy_lazy])
AC_SUBST([DLAZY_STUBS])dnl
])

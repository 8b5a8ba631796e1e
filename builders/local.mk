# SPDX-License-Identifier: MIT
# For those who build programs with stubs: what their build systems find.

aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = %D%/dlazy.m4
cmakedir = $(libdir)/cmake/dlazy
dist_cmake_DATA = %D%/dlazy-config.cmake
nodist_cmake_DATA = %D%/dlazy-config-version.cmake
# To be copied into a tree: Meson finds no files elsewhere.
mesondir = $(datadir)/dlazy/meson
dist_meson_DATA = %D%/meson/meson.build

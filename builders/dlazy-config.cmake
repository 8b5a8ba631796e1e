# SPDX-License-Identifier: MIT
#[[
find_package(dlazy): lazy stubs of heavy libraries. See stub.md of dlazy.

  dlazy_link_library(TARGET LIBRARY [OPTION...])

links TARGET with a stub of LIBRARY, made by "dlazy stub LIBRARY OPTION...", so
that LIBRARY is loaded when it is first called. LIBRARY is a path, -lNAME, or a
target: its includes, definitions and options are used. A target that is no
library itself (PkgConfig::NAME, and what many find modules make) stands for the
first library among its link words; the others are linked plainly.

With DLAZY=OFF, or for a CPU that has no stubs, the library is linked plainly, and
<dlazy/stub.h> is told so (DLAZY_PLAIN). dlazy itself is not needed then: a project
that is to be built without it has a copy of this file, as cmake/Finddlazy.cmake,
and of <dlazy/stub.h>.

Sets dlazy_FOUND and, where libraries are linked lazily, the target dlazy::dlazy.
]]

option(DLAZY "Load heavy libraries when they are first called" ON)

# Found from here, so that a tree which was moved as a whole is found, too.
get_filename_component(_dlazy_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(_dlazy_up "${_dlazy_libdir}/.." "${_dlazy_libdir}/../..")
find_program(DLAZY_TOOL dlazy HINTS ${_dlazy_up} PATH_SUFFIXES bin)
find_library(DLAZY_LIBRARY dlazy HINTS "${_dlazy_libdir}")
find_path(DLAZY_INCLUDE_DIR dlazy/dlazy.h
	HINTS ${_dlazy_up} PATH_SUFFIXES include)
mark_as_advanced(DLAZY_TOOL DLAZY_LIBRARY DLAZY_INCLUDE_DIR)

# The CPU as "dlazy stub --machine" calls it; "": none that it knows.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^([xX]86_64|amd64|AMD64)$" AND
   NOT CMAKE_SIZEOF_VOID_P EQUAL 4)
	set(_dlazy_machine x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$" AND
       NOT CMAKE_SIZEOF_VOID_P EQUAL 4)
	set(_dlazy_machine aarch64)
else()
	set(_dlazy_machine "")
endif()

if(DLAZY AND NOT _dlazy_machine)
	message(STATUS "dlazy: no stubs for ${CMAKE_SYSTEM_PROCESSOR}: "
		"libraries are linked plainly")
endif()
if(DLAZY AND _dlazy_machine)
	include(FindPackageHandleStandardArgs)
	find_package_handle_standard_args(dlazy
		REQUIRED_VARS DLAZY_LIBRARY DLAZY_TOOL DLAZY_INCLUDE_DIR
		REASON_FAILURE_MESSAGE "-DDLAZY=OFF links plainly")
	set(_dlazy_lazy ${dlazy_FOUND})
else()
	set(dlazy_FOUND TRUE)
	set(_dlazy_lazy FALSE)
endif()
set(DLAZY_IS_LAZY ${_dlazy_lazy} CACHE INTERNAL "" FORCE)
set(DLAZY_MACHINE "${_dlazy_machine}" CACHE INTERNAL "" FORCE)

if(_dlazy_lazy AND NOT TARGET dlazy::dlazy)
	add_library(dlazy::dlazy UNKNOWN IMPORTED)
	set_target_properties(dlazy::dlazy PROPERTIES
		IMPORTED_LOCATION "${DLAZY_LIBRARY}"
		INTERFACE_INCLUDE_DIRECTORIES "${DLAZY_INCLUDE_DIR}")
endif()

# What a word for the linker stands for: the library in _dlazy_file, what else is
# to be linked in _dlazy_rest, directories in _dlazy_dirs.
function(_dlazy_resolve word)
	if(TARGET ${word})
		get_target_property(type ${word} TYPE)
		if(type STREQUAL "STATIC_LIBRARY")
			message(FATAL_ERROR "dlazy_link_library: ${word} is a "
				"static library: there is nothing to load")
		endif()
		if(NOT type STREQUAL "INTERFACE_LIBRARY")
			set(_dlazy_file "$<TARGET_FILE:${word}>" PARENT_SCOPE)
			return()
		endif()
		get_target_property(words ${word} INTERFACE_LINK_LIBRARIES)
		get_target_property(options ${word} INTERFACE_LINK_OPTIONS)
		get_target_property(dirs ${word} INTERFACE_LINK_DIRECTORIES)
		foreach(dir IN LISTS dirs options)
			if(dir MATCHES "^-L(.+)$")
				list(APPEND _dlazy_dirs "${CMAKE_MATCH_1}")
			elseif(IS_ABSOLUTE "${dir}")
				list(APPEND _dlazy_dirs "${dir}")
			endif()
		endforeach()
		foreach(each IN LISTS words)
			if(NOT each)
				continue()
			elseif(_dlazy_file)
				list(APPEND _dlazy_rest "${each}")
			elseif(each MATCHES "^\\$<" OR
			       each MATCHES "^-[^l]")
				list(APPEND _dlazy_rest "${each}")
			else()
				_dlazy_resolve("${each}")
			endif()
		endforeach()
	elseif(IS_ABSOLUTE "${word}" OR word MATCHES "^-l" OR
	       word MATCHES "\\.so(\\.|$)")
		set(_dlazy_file "${word}")
	else()
		set(_dlazy_file "-l${word}")
	endif()
	foreach(each file rest dirs)
		set(_dlazy_${each} "${_dlazy_${each}}" PARENT_SCOPE)
	endforeach()
endfunction()

# Links as before, and says so to <dlazy/stub.h>.
function(_dlazy_link_plainly target library)
	target_link_libraries(${target} PRIVATE ${library})
	target_compile_definitions(${target} PRIVATE DLAZY_PLAIN)
	if(DLAZY_INCLUDE_DIR)
		target_include_directories(${target} PRIVATE
			"${DLAZY_INCLUDE_DIR}")
	endif()
endfunction()

function(dlazy_link_library target library)
	if(NOT DLAZY_IS_LAZY)
		_dlazy_link_plainly(${target} "${library}")
		return()
	endif()
	set(_dlazy_file "")
	set(_dlazy_rest "")
	set(_dlazy_dirs "")
	_dlazy_resolve("${library}")
	if(NOT _dlazy_file)
		message(FATAL_ERROR "dlazy_link_library: the interface target "
			"${library} names no library: name it by its path, or "
			"as -lNAME")
	endif()

	set(depends "")
	if(_dlazy_file MATCHES "^\\$<" OR IS_ABSOLUTE "${_dlazy_file}")
		set(depends "${_dlazy_file}")
	endif()
	if(TARGET ${library})
		foreach(what INCLUDE_DIRECTORIES COMPILE_DEFINITIONS
			COMPILE_OPTIONS)
			set_property(TARGET ${target} APPEND PROPERTY ${what}
				$<TARGET_PROPERTY:${library},INTERFACE_${what}>)
		endforeach()
	endif()
	set(options "--machine=${DLAZY_MACHINE}")
	foreach(dir IN LISTS _dlazy_dirs)
		list(APPEND options -L "${dir}")
	endforeach()
	string(MAKE_C_IDENTIFIER "${target} ${library}" name)
	set(stub "${CMAKE_CURRENT_BINARY_DIR}/dlazy-stubs/${name}.a")
	file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/dlazy-stubs")
	add_custom_command(OUTPUT "${stub}"
		COMMAND "${DLAZY_TOOL}" stub "${_dlazy_file}" -o "${stub}"
			${options} ${ARGN}
		DEPENDS ${depends}
		COMMENT "Lazy stub of ${library}" VERBATIM)
	add_custom_target(dlazy_stub_${name} DEPENDS "${stub}")
	add_dependencies(${target} dlazy_stub_${name})
	target_link_libraries(${target} PRIVATE "${stub}" ${_dlazy_rest})
	set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${stub}")
	target_include_directories(${target} PRIVATE "${DLAZY_INCLUDE_DIR}")
	if(NOT "--standalone" IN_LIST ARGN)
		target_link_libraries(${target} PRIVATE dlazy::dlazy)
	endif()
endfunction()

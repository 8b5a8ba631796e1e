# SPDX-License-Identifier: MIT
#[[
find_package(dlazy): lazy stubs of heavy libraries. See stub.md of dlazy.

  dlazy_link_library(TARGET LIBRARY [OPTION...])

links TARGET with a stub of LIBRARY, made by "dlazy stub LIBRARY OPTION...", so
that LIBRARY is loaded when it is first called. LIBRARY is a target (its
includes and definitions are used), a path, or -lNAME. With DLAZY=OFF the
library is linked plainly, and <dlazy/stub.h> is told so (DLAZY_PLAIN).

Sets dlazy_FOUND and the target dlazy::dlazy.
]]

# Found from here, so that a tree which was moved as a whole is found, too.
get_filename_component(_dlazy_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(_dlazy_up "${_dlazy_libdir}/.." "${_dlazy_libdir}/../..")
find_program(DLAZY_TOOL dlazy HINTS ${_dlazy_up} PATH_SUFFIXES bin)
find_library(DLAZY_LIBRARY dlazy HINTS "${_dlazy_libdir}")
find_path(DLAZY_INCLUDE_DIR dlazy/dlazy.h
	HINTS ${_dlazy_up} PATH_SUFFIXES include)
mark_as_advanced(DLAZY_TOOL DLAZY_LIBRARY DLAZY_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(dlazy
	REQUIRED_VARS DLAZY_LIBRARY DLAZY_TOOL DLAZY_INCLUDE_DIR)

option(DLAZY "Load heavy libraries when they are first called" ON)

if(dlazy_FOUND AND NOT TARGET dlazy::dlazy)
	add_library(dlazy::dlazy UNKNOWN IMPORTED)
	set_target_properties(dlazy::dlazy PROPERTIES
		IMPORTED_LOCATION "${DLAZY_LIBRARY}"
		INTERFACE_INCLUDE_DIRECTORIES "${DLAZY_INCLUDE_DIR}")
endif()

function(dlazy_link_library target library)
	target_include_directories(${target} PRIVATE "${DLAZY_INCLUDE_DIR}")
	if(NOT DLAZY)
		target_link_libraries(${target} PRIVATE ${library})
		target_compile_definitions(${target} PRIVATE DLAZY_PLAIN)
		return()
	endif()

	set(file "${library}")
	set(depends "")
	if(TARGET ${library})
		set(file "$<TARGET_FILE:${library}>")
		set(depends "${file}")
		foreach(what INCLUDE_DIRECTORIES COMPILE_DEFINITIONS)
			set_property(TARGET ${target} APPEND PROPERTY ${what}
				$<TARGET_PROPERTY:${library},INTERFACE_${what}>)
		endforeach()
	endif()
	if(IS_ABSOLUTE "${library}")
		set(depends "${library}")
	endif()
	string(MAKE_C_IDENTIFIER "${target} ${library}" name)
	set(stub "${CMAKE_CURRENT_BINARY_DIR}/dlazy-stubs/${name}.o")
	file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/dlazy-stubs")
	add_custom_command(OUTPUT "${stub}"
		COMMAND "${DLAZY_TOOL}" stub "${file}" -o "${stub}" ${ARGN}
		DEPENDS ${depends}
		COMMENT "Lazy stub of ${library}" VERBATIM)
	set_source_files_properties("${stub}" PROPERTIES
		EXTERNAL_OBJECT TRUE GENERATED TRUE)
	target_sources(${target} PRIVATE "${stub}")
	target_link_libraries(${target} PRIVATE dlazy::dlazy)
endfunction()

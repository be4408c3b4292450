# SPDX-License-Identifier: MIT
# How each of the project's libraries is made, shared and static, from the objects in NAME_objects (where _ stands
# for -), and installed. MAP lists what it exports.
#
# One set of objects makes both; it is position independent, so that the static one may go into other people's
# shared objects (language bindings, server modules).
#
# An archive knows no hidden names: futex_wait and the like would clash with a program's own. So its objects
# become one, in which what is not public is local (which link-time optimisation would undo, and groups of
# sections that linkers merge by name would not survive).
include(CheckCSourceCompiles)

string(REGEX MATCHALL "-m(32|64|x32)" word_size "${CMAKE_C_FLAGS}")

# pkg-config answers for this machine. Is that of any use to the compiler, which may build for another?
function(seqshare_links result libraries include_dirs header)
  set(CMAKE_REQUIRED_LIBRARIES ${libraries})
  set(CMAKE_REQUIRED_INCLUDES ${include_dirs})
  check_c_source_compiles("#include <${header}>\nint main(void) { return 0; }" ${result})
endfunction()

function(seqshare_objects target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE _FILE_OFFSET_BITS=64 _TIME_BITS=64)
  target_compile_options(${target} PRIVATE -fno-lto)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
endfunction()

function(seqshare_library name map)
  string(REPLACE - _ target ${name})
  seqshare_objects(${target}_objects)
  add_library(${target} SHARED $<TARGET_OBJECTS:${target}_objects>)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name}
    VERSION ${PROJECT_VERSION}
    SOVERSION 0
    LINK_DEPENDS ${map})
  target_link_options(${target} PRIVATE -Wl,--version-script=${map})

  add_custom_command(OUTPUT ${name}.o
    COMMAND ${CMAKE_C_COMPILER} ${word_size} -r -nostdlib -Wl,--force-group-allocation
      -o ${name}.o $<TARGET_OBJECTS:${target}_objects>
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${name}.o
    DEPENDS $<TARGET_OBJECTS:${target}_objects>
    COMMAND_EXPAND_LISTS VERBATIM)
  add_library(${target}_static STATIC ${name}.o)
  add_dependencies(${target}_static ${target}_objects) # Makefiles know no dependency on an object alone
  set_target_properties(${target}_static PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE C)

  foreach(library ${target} ${target}_static)
    target_include_directories(${library} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
    add_library(seqshare::${library} ALIAS ${library})
  endforeach()
  install(TARGETS ${target} ${target}_static EXPORT seqshare-targets
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

  # The .pc file finds its neighbours from where it stands itself, so an installed tree may be moved.
  set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
  file(RELATIVE_PATH pc_to_include ${pc_dir} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
  configure_file(${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

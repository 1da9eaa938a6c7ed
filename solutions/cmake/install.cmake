# `cmake --install` and find_package(lsm): one static library of base, the
# chosen rooms and the engine, and the public headers with what they include.
#
#   find_package(lsm REQUIRED)
#   target_link_libraries(my_program PRIVATE lsm::lsm)   // #include <lsm/db.h>
if(NOT TARGET engine)
  return()
endif()
if(NOT LSM_CAN_INSTALL)
  message(STATUS "No install rules: fmt or LZ4 is not a system package here")
  return()
endif()

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

lsm_chosen_rooms(rooms)
set(objects "")
foreach(part base ${rooms} engine)
  list(APPEND objects $<TARGET_OBJECTS:${part}>)
endforeach()
# The name `lsm` belongs to the tool.
add_library(lsm_library STATIC ${objects})
set_target_properties(lsm_library PROPERTIES OUTPUT_NAME lsm EXPORT_NAME lsm
  LINKER_LANGUAGE CXX)
target_compile_features(lsm_library INTERFACE cxx_std_23)
target_include_directories(lsm_library INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/mini_lsm>)
target_link_libraries(lsm_library INTERFACE fmt::fmt Threads::Threads)
if(LSM_WITH_LZ4)
  target_link_libraries(lsm_library INTERFACE $<INSTALL_INTERFACE:lsm::lz4>)
endif()

# Every header that the public ones include, in turn. Angle brackets and quotes
# both count; system headers are not files of ours and end the search.
file(GLOB waiting CONFIGURE_DEPENDS RELATIVE ${LSM_ROOT}/solutions/include
  ${LSM_ROOT}/solutions/include/lsm/*.h)
set(headers "")
while(waiting)
  list(POP_FRONT waiting header)
  set(path ${LSM_ROOT}/solutions/include/${header})
  if(NOT EXISTS ${path})
    set(path ${LSM_ROOT}/solutions/${header})
  endif()
  if(header IN_LIST headers OR NOT EXISTS ${path} OR IS_DIRECTORY ${path})
    continue()
  endif()
  list(APPEND headers ${header})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${path}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mini_lsm/${folder})
  file(STRINGS ${path} lines REGEX "^ *# *include")
  foreach(line IN LISTS lines)
    if(line MATCHES "[<\"]([^>\"]+)[>\"]")
      list(APPEND waiting ${CMAKE_MATCH_1})
    endif()
  endforeach()
endwhile()

install(TARGETS lsm_library EXPORT lsmTargets)
set(config ${CMAKE_INSTALL_LIBDIR}/cmake/lsm)
install(EXPORT lsmTargets NAMESPACE lsm:: DESTINATION ${config})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lsmConfig.cmake.in
  ${CMAKE_BINARY_DIR}/lsmConfig.cmake INSTALL_DESTINATION ${config})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/lsmConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/lsmConfig.cmake
  ${CMAKE_BINARY_DIR}/lsmConfigVersion.cmake DESTINATION ${config})
if(TARGET lsm)
  install(TARGETS lsm)
endif()
# The test of all this (tests/consumer) installs what is built.
if(TARGET checks)
  add_dependencies(checks lsm_library)
  if(TARGET lsm)
    add_dependencies(checks lsm)
  endif()
endif()

# The room mechanism. Rooms are the folders solutions/week1/day1_memtable and
# so on; room 1.1 becomes
#   ref_1_1     from solutions/week1/day1_memtable
#   mine_1_1    from week1/day1_memtable, when that folder exists
#   mutant_1_1  from <build>/mutant/1.1, a copy of the reference for
#               `course mutants` to damage
# Each links base and the chosen side of every room below it. The chosen side
# is mine for the rooms in LSM_MINE and ref for all others; everything in this
# build folder, the engine and the tools included, is compiled against it:
# header and source together, as each side's folder is the only one of its
# room on the include path.

set(LSM_ROOT ${mini_lsm_SOURCE_DIR})

# A library without a source gets this one, so that it links like the others.
set(LSM_EMPTY_SOURCE ${CMAKE_BINARY_DIR}/empty.cpp)
if(NOT EXISTS ${LSM_EMPTY_SOURCE})
  file(WRITE ${LSM_EMPTY_SOURCE} "// A room without a .cpp file.\n")
endif()

# What every target of ours is compiled with.
add_library(lsm_flags INTERFACE)
target_compile_options(lsm_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wthread-safety>
  $<$<BOOL:${LSM_WERROR}>:-Werror>)
if(LSM_SINGLE_THREADED)
  target_compile_definitions(lsm_flags INTERFACE LSM_SINGLE_THREADED=1)
endif()

# Rooms in the order of the course; LSM_ROOMS holds ids, and for each id
# LSM_FOLDER_<id> is week1/day1_memtable.
file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true
  RELATIVE ${LSM_ROOT}/solutions ${LSM_ROOT}/solutions/week[0-9]/day[0-9]_*)
list(SORT folders)
set(LSM_ROOMS "")
foreach(folder IN LISTS folders)
  if(folder MATCHES "^week([0-9])/day([0-9])_[a-z0-9_]+$" AND
     IS_DIRECTORY ${LSM_ROOT}/solutions/${folder})
    set(id ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
    list(APPEND LSM_ROOMS ${id})
    set(LSM_FOLDER_${id} ${folder})
  endif()
endforeach()

# LSM_MINE to a list of ids; LSM_SIDE_<id> is ref or mine.
set(ready "")
foreach(id IN LISTS LSM_ROOMS)
  set(LSM_SIDE_${id} ref)
  if(IS_DIRECTORY ${LSM_ROOT}/${LSM_FOLDER_${id}})
    list(APPEND ready ${id})
  endif()
endforeach()
string(REGEX REPLACE "[, ]+" ";" wanted "${LSM_MINE}")
if(wanted STREQUAL "all")
  set(wanted ${ready})
endif()
foreach(id IN LISTS wanted)
  if(id STREQUAL "")
    continue()
  elseif(NOT id IN_LIST ready)
    list(JOIN ready ", " names)
    message(FATAL_ERROR "LSM_MINE: there is no room '${id}' in week*/. "
      "The rooms there are: ${names}. (Or say all.)")
  endif()
  set(LSM_SIDE_${id} mine)
endforeach()

# Makes library `target` of a room from the sources in `folder`.
function(lsm_add_room_library target id folder sources)
  if(NOT sources)
    set(sources ${LSM_EMPTY_SOURCE})
  endif()
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(${target} PUBLIC ${folder})
  target_link_libraries(${target} PUBLIC base PRIVATE lsm_flags lsm_xxhash
    lsm_lz4)
  foreach(below IN LISTS LSM_ROOMS)
    if(below STREQUAL id)
      break()
    endif()
    string(REPLACE . _ name ${below})
    target_link_libraries(${target} PUBLIC ${LSM_SIDE_${below}}_${name})
  endforeach()
endfunction()

# For a quick verdict: the learner's room and its suite compile unoptimized,
# with asserts. (Under a sanitizer everything has its flags already.)
function(lsm_quick_build target)
  if(NOT LSM_SANITIZE)
    target_compile_options(${target} PRIVATE -O0 -g -UNDEBUG)
  endif()
endfunction()

function(lsm_add_base)
  file(GLOB sources CONFIGURE_DEPENDS ${LSM_ROOT}/solutions/base/*.cpp)
  if(NOT sources)
    set(sources ${LSM_EMPTY_SOURCE})
  endif()
  add_library(base STATIC ${sources})
  target_include_directories(base PUBLIC ${LSM_ROOT}/solutions
    ${LSM_ROOT}/solutions/include)
  target_link_libraries(base PUBLIC fmt::fmt Threads::Threads
    PRIVATE lsm_flags lsm_xxhash lsm_lz4)
  if(LSM_SINGLE_THREADED)
    target_compile_definitions(base PUBLIC LSM_SINGLE_THREADED=1)
  endif()
endfunction()

function(lsm_add_rooms)
  foreach(id IN LISTS LSM_ROOMS)
    string(REPLACE . _ name ${id})
    set(folder ${LSM_FOLDER_${id}})

    set(reference ${LSM_ROOT}/solutions/${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${reference}/*.cpp)
    lsm_add_room_library(ref_${name} ${id} ${reference} "${sources}")

    # The mutant's folder has the reference's files; `course mutants` keeps
    # their content. Warnings are off: a bug may leave something unused.
    set(mutant ${CMAKE_BINARY_DIR}/mutant/${id})
    file(GLOB files CONFIGURE_DEPENDS ${reference}/*.h ${reference}/*.cpp)
    set(mutated "")
    foreach(file IN LISTS files)
      cmake_path(GET file FILENAME file_name)
      if(NOT EXISTS ${mutant}/${file_name})
        file(COPY ${file} DESTINATION ${mutant})
      endif()
      if(file_name MATCHES "\\.cpp$")
        list(APPEND mutated ${mutant}/${file_name})
      endif()
    endforeach()
    lsm_add_room_library(mutant_${name} ${id} ${mutant} "${mutated}")
    target_compile_options(mutant_${name} PRIVATE -w)
    lsm_quick_build(mutant_${name})

    if(IS_DIRECTORY ${LSM_ROOT}/${folder})
      file(GLOB sources CONFIGURE_DEPENDS ${LSM_ROOT}/${folder}/*.cpp)
      lsm_add_room_library(mine_${name} ${id} ${LSM_ROOT}/${folder}
        "${sources}")
      if(LSM_SIDE_${id} STREQUAL "ref")
        lsm_quick_build(mine_${name})
      endif()
    endif()
    set_target_properties(${LSM_SIDE_${id}}_${name} PROPERTIES
      EXCLUDE_FROM_ALL FALSE)
  endforeach()
endfunction()

# The chosen side of every room, in a list of targets.
function(lsm_chosen_rooms variable)
  set(targets "")
  foreach(id IN LISTS LSM_ROOMS)
    string(REPLACE . _ name ${id})
    list(APPEND targets ${LSM_SIDE_${id}}_${name})
  endforeach()
  set(${variable} ${targets} PARENT_SCOPE)
endfunction()

function(lsm_add_engine)
  file(GLOB sources CONFIGURE_DEPENDS ${LSM_ROOT}/solutions/engine/*.cpp)
  if(NOT sources)
    return()
  endif()
  lsm_chosen_rooms(rooms)
  add_library(engine STATIC ${sources})
  target_link_libraries(engine PUBLIC ${rooms} base PRIVATE lsm_flags
    lsm_xxhash lsm_lz4)
endfunction()

# solutions/tools/lsm becomes lsm, solutions/tools/bench becomes lsm-bench. A
# tool with a CMakeLists.txt of its own is left to that.
function(lsm_add_tools)
  if(NOT TARGET engine)
    return()
  endif()
  file(GLOB tools CONFIGURE_DEPENDS LIST_DIRECTORIES true
    RELATIVE ${LSM_ROOT}/solutions/tools ${LSM_ROOT}/solutions/tools/*)
  foreach(tool IN LISTS tools)
    set(folder ${LSM_ROOT}/solutions/tools/${tool})
    if(EXISTS ${folder}/CMakeLists.txt)
      add_subdirectory(${folder} ${CMAKE_BINARY_DIR}/tools/${tool})
      continue()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    if(NOT sources)
      continue()
    endif()
    set(target lsm-${tool})
    if(tool STREQUAL "lsm")
      set(target lsm)
    endif()
    add_executable(${target} ${sources})
    target_include_directories(${target} PRIVATE ${folder}
      ${LSM_ROOT}/solutions/tools)
    target_link_libraries(${target} PRIVATE engine lsm_flags CLI11::CLI11
      nlohmann_json::nlohmann_json)
    if(tool STREQUAL "bench")
      target_link_libraries(${target} PRIVATE lsm_optional_LEVELDB
        lsm_optional_ROCKSDB lsm_optional_LMDB)
    else()
      target_link_libraries(${target} PRIVATE lsm_optional_LIBEDIT)
    endif()
    set_target_properties(${target} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  endforeach()
endfunction()

# What the course needs from outside: the system's packages first; a download
# by FetchContent where they are absent and the machine has a network.
include(CheckCXXSourceCompiles)
include(FetchContent)

# The compiler. A probe for what the code uses says more than a version.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # libc++ and libstdc++ both gate <expected> on the compiler.
  set(LSM_COMPILER_HINT "Clang 19 or newer with libstdc++ (Clang 17 with \
-DCMAKE_CXX_FLAGS=-stdlib=libc++)")
else()
  set(LSM_COMPILER_HINT "GCC 12 or newer")
endif()
set(CMAKE_REQUIRED_QUIET ON)
check_cxx_source_compiles("
  #include <expected>
  #include <span>
  std::expected<int, int> f() { return std::unexpected(1); }
  int main() { return f().has_value(); }" LSM_HAS_EXPECTED)
unset(CMAKE_REQUIRED_QUIET)
if(NOT LSM_HAS_EXPECTED)
  message(FATAL_ERROR
    "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} "
    "(${CMAKE_CXX_COMPILER}) has no C++23 <expected>, which the whole course "
    "is written with. Install ${LSM_COMPILER_HINT} and say which to use:\n"
    "  sudo apt install g++-12     # Debian 12, Ubuntu 22.04 and newer\n"
    "  cmake -B build -DCMAKE_CXX_COMPILER=g++-12\n"
    "Any of GCC >= 12, Clang >= 19 with libstdc++, Clang >= 17 with libc++ "
    "will do. (After changing the compiler, use a new build folder.)")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# True when everything the installed library needs is a system package: only
# then can another machine's find_package(lsm) find it again.
set(LSM_CAN_INSTALL TRUE)

macro(lsm_fetch name repository tag)
  message(STATUS "${name}: no system package, downloading ${tag}")
  FetchContent_Declare(${name} GIT_REPOSITORY https://github.com/${repository}
    GIT_TAG ${tag} GIT_SHALLOW TRUE SYSTEM ${ARGN})
  FetchContent_MakeAvailable(${name})
endmacro()

find_package(fmt QUIET)
if(NOT TARGET fmt::fmt)
  lsm_fetch(fmt fmtlib/fmt 10.2.1)
  set(LSM_CAN_INSTALL FALSE)
endif()

# xxHash is used as a header; nothing is linked. (SOURCE_SUBDIR names a folder
# that is not there: download, but run no CMake of theirs.)
add_library(lsm_xxhash INTERFACE)
find_path(LSM_XXHASH_INCLUDE xxhash.h)
if(NOT LSM_XXHASH_INCLUDE)
  lsm_fetch(xxhash Cyan4973/xxHash v0.8.2 SOURCE_SUBDIR none)
  set(LSM_XXHASH_INCLUDE ${xxhash_SOURCE_DIR})
endif()
target_include_directories(lsm_xxhash SYSTEM INTERFACE ${LSM_XXHASH_INCLUDE})

add_library(lsm_lz4 INTERFACE)
if(LSM_WITH_LZ4)
  find_path(LSM_LZ4_INCLUDE lz4.h)
  find_library(LSM_LZ4_LIBRARY lz4)
  if(NOT LSM_LZ4_INCLUDE OR NOT LSM_LZ4_LIBRARY)
    enable_language(C)
    lsm_fetch(lz4 lz4/lz4 v1.9.4 SOURCE_SUBDIR none)
    add_library(lsm_lz4_fetched STATIC ${lz4_SOURCE_DIR}/lib/lz4.c)
    set(LSM_LZ4_INCLUDE ${lz4_SOURCE_DIR}/lib)
    set(LSM_LZ4_LIBRARY lsm_lz4_fetched)
    set(LSM_CAN_INSTALL FALSE)
  endif()
  target_include_directories(lsm_lz4 SYSTEM INTERFACE ${LSM_LZ4_INCLUDE})
  target_link_libraries(lsm_lz4 INTERFACE ${LSM_LZ4_LIBRARY})
  target_compile_definitions(lsm_lz4 INTERFACE LSM_WITH_LZ4=1)
endif()

if(LSM_TESTS OR LSM_TOOLS)
  find_package(nlohmann_json QUIET)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    lsm_fetch(nlohmann_json nlohmann/json v3.11.3)
  endif()
  find_package(CLI11 QUIET)
  if(NOT TARGET CLI11::CLI11)
    lsm_fetch(CLI11 CLIUtils/CLI11 v2.4.1)
  endif()
endif()

if(LSM_TESTS)
  # 2.13 and 3.x both work (tests/support/catch.h).
  find_package(Catch2 QUIET)
  if(NOT TARGET Catch2::Catch2)
    lsm_fetch(Catch2 catchorg/Catch2 v3.5.4)
  endif()
endif()

if(LSM_TOOLS)
  # Line editing in the shell, and the engines that the benchmark compares
  # with: each used when it is there. A tool sees LSM_HAVE_LIBEDIT=1 and so on.
  add_library(lsm_optional INTERFACE)
  foreach(pair "LIBEDIT|histedit.h|edit" "LEVELDB|leveldb/db.h|leveldb"
          "ROCKSDB|rocksdb/db.h|rocksdb" "LMDB|lmdb.h|lmdb")
    string(REPLACE "|" ";" pair "${pair}")
    list(GET pair 0 name)
    list(GET pair 1 header)
    list(GET pair 2 library)
    find_path(LSM_${name}_INCLUDE ${header})
    find_library(LSM_${name}_LIBRARY ${library})
    mark_as_advanced(LSM_${name}_INCLUDE LSM_${name}_LIBRARY)
    add_library(lsm_optional_${name} INTERFACE)
    if(LSM_${name}_INCLUDE AND LSM_${name}_LIBRARY)
      target_include_directories(lsm_optional_${name} SYSTEM INTERFACE
        ${LSM_${name}_INCLUDE})
      target_link_libraries(lsm_optional_${name} INTERFACE
        ${LSM_${name}_LIBRARY})
      target_compile_definitions(lsm_optional_${name} INTERFACE
        LSM_HAVE_${name}=1)
    endif()
  endforeach()
endif()
mark_as_advanced(LSM_XXHASH_INCLUDE LSM_LZ4_INCLUDE LSM_LZ4_LIBRARY)

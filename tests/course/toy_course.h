// A checkout of one room, called 1.1 memtable, for the tests that work with
// the real tool from end to end.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "process.h"
#include "rooms.h"
#include "support/catch.h"

namespace lsm::course {

namespace fs = std::filesystem;

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A folder of its own under the system's, removed at the end.
struct TemporaryFolder {
  fs::path path;
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "a course XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

inline constexpr const char* kHeader = R"(// A toy.
// I1 Keys are kept in ascending order.
// I2 The newest version of a key comes first,
//    whatever the order of insertion was.
#pragma once
#include <map>
#include <string>
class Toy {
 public:
  void put(const std::string& key, int value);
  int get(const std::string& key) const;

 private:
  std::map<std::string, int> map_;
};
)";

inline constexpr const char* kSource = R"(#include "memtable.h"
void Toy::put(const std::string& key, int value) {
  // ANCHOR: task-1-1-1 Toy::put
  map_[key] = value;
  // ANCHOR_END: task-1-1-1
}
int Toy::get(const std::string& key) const {
  // ANCHOR: task-1-1-2 Toy::get
  return map_.at(key);
  // ANCHOR_END: task-1-1-2
}
)";

inline constexpr const char* kSuite = R"(#include "memtable.h"
#include "support/catch.h"
#include "support/teach.h"
TEST_CASE("a put, and no more", "[1.1][task-1][core]") {
  STORY("Put a = 1.");
  Toy().put("a", 1);
}
TEST_CASE("the newest value wins", "[1.1][task-2][core]") {
  STORY("Put a = 1, then a = 2; get a.");
  INVARIANT("I2 the newest version comes first");
  Toy toy;
  toy.put("a", 1);
  toy.put("a", 2);
  CHECK_SAME(toy.get("a"), 2);
}
TEST_CASE("seven is found", "[1.1][task-2][gold]") {
  STORY("Put b = 7; get b.");
  Toy toy;
  toy.put("b", 7);
  CHECK_SAME(toy.get("b"), 7);
}
)";

// A checkout with one room and a CMake project of its own, which stands in
// for the real one: same target, same place of the suite.
struct ToyCourse {
  TemporaryFolder folder;
  fs::path root = folder.path;
  fs::path source = root / "week1/day1_memtable/memtable.cpp";
  bool ready = false;

  ToyCourse() {
    write_if_changed(root / "solutions/week1/day1_memtable/memtable.h",
                     kHeader);
    write_if_changed(root / "solutions/week1/day1_memtable/memtable.cpp",
                     kSource);
    write_if_changed(root / "tests/week1/day1_memtable_test.cpp", kSuite);
    write_if_changed(root / "book/src/week1/day1.md",
                     "# Day 1.1\n## Task 1: Put\n## Task 2: Get it back\n");
    write_if_changed(root / "book/src/week1/day1_hints.md",
                     "## Task 1 — Put\n### Hint 1\nFirst.\n### Hint 2\n"
                     "Second.\n### Hint 3\nThird.\n");
    write_if_changed(root / "CMakeLists.txt", R"(
cmake_minimum_required(VERSION 3.25)
project(toy LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 23)
find_package(Catch2 QUIET)
if(NOT Catch2_FOUND)
  message(FATAL_ERROR "no Catch2 package")
endif()
add_executable(suite_1_1_mine EXCLUDE_FROM_ALL
  tests/week1/day1_memtable_test.cpp week1/day1_memtable/memtable.cpp)
target_include_directories(suite_1_1_mine PRIVATE week1/day1_memtable
  ${REAL_ROOT}/tests ${REAL_ROOT}/solutions)
target_link_libraries(suite_1_1_mine PRIVATE ${TEST_MAIN} Catch2::Catch2)
set_target_properties(suite_1_1_mine PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/suites)
set(room ${CMAKE_SOURCE_DIR}/solutions/week1/day1_memtable)
set(mutant ${CMAKE_BINARY_DIR}/mutant/1.1)
file(GLOB hunt CONFIGURE_DEPENDS week1/day1_memtable_hunt.cpp)
if(hunt)
  file(COPY ${room}/memtable.h ${room}/memtable.cpp DESTINATION ${mutant})
  add_executable(hunt_1_1_ref EXCLUDE_FROM_ALL ${hunt} ${room}/memtable.cpp)
  target_include_directories(hunt_1_1_ref PRIVATE ${room})
  add_executable(hunt_1_1_mutant EXCLUDE_FROM_ALL ${hunt}
    ${mutant}/memtable.cpp)
  target_include_directories(hunt_1_1_mutant PRIVATE ${mutant})
  foreach(target hunt_1_1_ref hunt_1_1_mutant)
    target_include_directories(${target} PRIVATE ${REAL_ROOT}/tests
      ${REAL_ROOT}/solutions)
    target_link_libraries(${target} PRIVATE ${TEST_MAIN} Catch2::Catch2)
    set_target_properties(${target} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/hunts)
  endforeach()
endif()
add_custom_target(engine_tests)
add_custom_target(lsm)
add_custom_target(lsm-bench COMMAND ${CMAKE_COMMAND} -E copy
  ${CMAKE_SOURCE_DIR}/bench.sh ${CMAKE_BINARY_DIR}/lsm-bench)
)");
    REQUIRE(course({"starters"}).status == 0);
    const std::string flags = std::string(LSM_TEST_SANITIZE).empty()
                                  ? ""
                                  : "-fsanitize=" LSM_TEST_SANITIZE;
    const Finished configured = run(
        {"cmake", "-S", root.string(), "-B", (root / "build/course").string(),
         "-DCMAKE_CXX_COMPILER=" LSM_TEST_COMPILER,
         "-DCMAKE_CXX_FLAGS=" + flags, "-DREAL_ROOT=" LSM_SOURCE_ROOT,
         "-DTEST_MAIN=" LSM_TEST_MAIN});
    ready = configured.status == 0;
    if (configured.errors.find("no Catch2 package") != std::string::npos) {
      WARN("Catch2 is not a system package here: the toy course is left out");
    } else {
      INFO(configured.errors);
      REQUIRE(ready);
    }
  }

  Finished course(const std::vector<std::string>& arguments) const {
    setenv("COURSE_ROOT", root.c_str(), 1);
    setenv("LC_ALL", "C", 1);
    std::vector<std::string> argv = {LSM_TEST_COURSE};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv, "/");
  }

  void mutant(const std::string& name, const std::string& text) const {
    write_if_changed(
        root / "tests/mutants/week1/day1_memtable" / (name + ".mutant"), text);
  }

  void replace(std::string_view from, std::string_view to) const {
    std::string text = read_file(source);
    const std::size_t at = text.find(from);
    INFO("looking for " << from);
    REQUIRE(at != std::string::npos);
    write_if_changed(source, text.replace(at, from.size(), to));
  }
};

}  // namespace lsm::course

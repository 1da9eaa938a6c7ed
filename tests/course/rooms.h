// The course as the folders tell it. There is no list of rooms anywhere: a
// folder solutions/week1/day1_memtable/ is room 1.1, called memtable, and
// everything else about it (starter, suite, page, hints, mutants, targets)
// follows from that name.
//
// The tool `course` is main.cpp plus one function per command:
//   int command_<name>(const Course& course, std::span<const std::string> args)
// which returns the exit status.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lsm::course {

// A task of a room, as its markers in the solution tell it.
struct Task {
  int number = 0;
  // What to implement: one label per marked body, in file order.
  std::vector<std::string> labels;
};

struct Room {
  std::string id;      // "1.1"
  int week = 0;        // 1
  int day = 0;         // 1
  std::string name;    // "memtable"
  std::string folder;  // "week1/day1_memtable"

  // Absolute paths. Only `reference` is sure to exist.
  std::filesystem::path reference;  // solutions/week1/day1_memtable
  std::filesystem::path mine;       // week1/day1_memtable
  std::filesystem::path suite;      // tests/week1/day1_memtable_test.cpp
  std::filesystem::path mutants;    // tests/mutants/week1/day1_memtable
  std::filesystem::path page;       // book/src/week1/day1.md
  std::filesystem::path hints;      // book/src/week1/day1_hints.md

  // In order of their numbers. Markers that make no sense are passed over
  // here; `course starters` is what reports them.
  std::vector<Task> tasks;

  bool has_starter() const { return std::filesystem::is_directory(mine); }
  bool has_suite() const { return std::filesystem::is_regular_file(suite); }

  // "1_1": the id as CMake targets spell it.
  std::string target_id() const;
  // suite_target("mine") is "suite_1_1_mine"; sides are ref, mine, mutant.
  std::string suite_target(std::string_view side) const;
};

struct Course {
  std::filesystem::path root;   // the checkout
  std::filesystem::path build;  // the CMake build folder, configured or not
  std::vector<Room> rooms;      // in the order of the course

  // nullptr when there is no such room.
  const Room* find(std::string_view id) const;
  // The path of a built suite of that side.
  std::filesystem::path suite_binary(const Room& room,
                                     std::string_view side) const;
};

// Reads the folders below `root`. Paths of the result are absolute.
Course discover(const std::filesystem::path& root,
                const std::filesystem::path& build);

// The learner has changed this room: a file of `mine` differs from the starter
// that the solution generates, or is missing, or is the learner's own. False
// when there is no starter.
bool is_changed(const Room& room);

// A file's bytes. Throws std::runtime_error naming the path when unreadable.
std::string read_file(const std::filesystem::path& path);
// Writes only when the content differs, so that ninja rebuilds only what
// changed; makes the folders. Returns whether it wrote.
bool write_if_changed(const std::filesystem::path& path,
                      std::string_view content);
// Every .h and .cpp file directly in `folder`, by name. Empty when there is
// no such folder.
std::map<std::string, std::string> read_sources(
    const std::filesystem::path& folder);

}  // namespace lsm::course

// The starter of a room, made from its solution. The markers are mdBook's own
// anchors, so the book quotes what the generator keeps:
//
//   solution                                      starter
//   // ANCHOR: show-node                          (the same)
//   struct Node {                                 struct Node {
//     // ANCHOR: hide-links
//     Node* next_[kMaxHeight];
//     // ANCHOR_END: hide-links
//   };                                            };
//   // ANCHOR_END: show-node                      (the same)
//   int get() {                                   int get() {
//     // ANCHOR: task-1-1-2 MemTable::get           // Task 2: MemTable::get
//     return find(key);                            LSM_TODO("1.1 task 2",
//     // ANCHOR_END: task-1-1-2                             "MemTable::get");
//   }                                             }
//
// I1 Regions nest; each end names the innermost open region of its file.
// I2 A task bears the id of its own room, a label, and is inside no other task
//    and no hidden region.
// I3 Every line outside task and hidden regions is kept byte for byte, but
//    that a blank line is dropped where hiding has left two in a row, and that
//    a file with a task includes "base/todo.h" after its last include.
#pragma once

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "rooms.h"

namespace lsm::course {

// what() is "file:line: what is wrong".
struct StarterError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The starter of one file of room `id`; `name` is how errors call the file.
// Throws StarterError.
std::string generate_starter_file(std::string_view id, std::string_view name,
                                  std::string_view solution);

// File name to content of the room's whole starter; empty when the solution
// marks no task, which means that the room is not an exercise yet. Throws
// StarterError.
std::map<std::string, std::string> generate_starter(const Room& room);

// The tasks that the markers of a file name, added to `tasks`. Never throws.
void collect_tasks(std::string_view id, std::string_view solution,
                   std::vector<Task>& tasks);

// `course starters [--check] [--force]`. Writes week*/, or compares it and
// prints the differences.
int command_starters(const Course& course, std::span<const std::string> args);

}  // namespace lsm::course

// `course hunt`: write the test that kills a mutant you cannot see.
//
//   week2/day1_compaction_hunt.cpp   the learner's own tests of room 2.1, made
//                                    at the first hunt, never touched again
//
//   their tests on   the reference     the mutant
//                    fail              -                 the test is wrong
//                    pass              pass              the mutant lives
//                    pass              fail, crash, hang it is caught
//
// I1 A mutant is called by a number until it is caught or shown. Numbers
//    follow the tasks; within a task they say nothing of the names.
// I2 Both sides are compiled alike, asserts included: what differs between the
//    two runs is the mutant's edit.
// I3 The example that the file begins with kills nothing: only a test that
//    the learner wrote, or changed, counts.
// I4 Whatever happens, the build folder's copy of the room is the reference
//    again.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mutants.h"
#include "rooms.h"

namespace lsm::course {

struct HuntOptions {
  std::string day;    // as typed; empty: the day that is worked on
  int number = 0;     // hunt this one
  bool next = false;  // leave the one that is hunted for later
  bool show = false;  // tell its bug; it no longer counts as caught then
  bool list = false;  // the numbers, and what became of them
  int seconds = 10;   // the limit for one test
};

// Where the learner's tests of a room stand.
std::filesystem::path hunt_file(const Course& course, const Room& room);

// What such a file begins with: the includes and helpers of the day's own
// suite, and its first test as the example.
std::string hunt_template(const Room& room, std::string_view suite_source);

// By task, and within a task by a fingerprint of the name.
std::vector<Mutant> in_hunt_order(std::vector<Mutant> mutants);

// The marked body that the first edit stands in, "Log::append", and its file:
// "log.cpp, in Log::append"; the file alone when it stands in none.
std::string place_of(const Mutant& mutant, const Room& room);

// 0 when the mutant was caught, 1 when not, 2 for a wrong command line.
int command_hunt(const Course& course, const HuntOptions& options);

}  // namespace lsm::course

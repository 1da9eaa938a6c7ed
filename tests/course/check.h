// `course check`: build one room of the learner's, run its suite, and teach.
#pragma once

#include <string>
#include <vector>

#include "builder.h"
#include "progress.h"
#include "rooms.h"
#include "verdict.h"

namespace lsm::course {

struct CheckOptions {
  std::string day;        // as typed; empty: the first unfinished one
  int task = 0;           // only this task's tests
  std::string test;       // only tests whose name contains this
  std::string sanitizer;  // "asan" or "tsan": in a build folder of its own
  int seconds = 10;       // the limit for one test case
  bool json = false;
};

struct Checked {
  bool compiled = false;
  bool filtered = false;  // a task or a test was asked for
  std::string sanitizer;  // "asan" or "tsan", when it ran under one
  Built built;
  std::vector<CompileError> errors;  // when not compiled
  Verdict verdict;
  std::vector<std::string> unmatched;  // a filter that fits no test: what does
};

// Builds and runs. A whole suite's verdict is kept in `progress`, unless it
// ran under a sanitizer: those find what a day's suite does not ask for, run
// slower, and so neither make a room green nor take it back.
Checked check_room(const Course& course, const Room& room,
                   const CheckOptions& options, Progress& progress);

// The compiler's first errors, the learner's before others; and one failing
// test with all that it said, the line of the page it belongs to included.
void print_errors(const std::vector<CompileError>& errors, const Built& built);
void print_failure(const Course& course, const Room& room,
                   const TestResult& result);

// The report for people, and the one for programs (see json_help).
void print_checked(const Course& course, const Room& room,
                   const Checked& checked, const Progress& progress);
std::string json_of(const Course& course, const Room& room,
                    const Checked& checked);
extern const char* const kJsonHelp;

// 0 when every core test that ran passed, 1 otherwise.
int exit_status(const Checked& checked);

// The room that was typed, if it can be checked; otherwise says why not and
// returns nullptr (the caller exits with 2). Empty: `progress` chooses.
const Room* choose_room(const Course& course, const std::string& typed,
                        const Progress& progress);

// The room that was typed, whatever exists of it; as above.
const Room* find_room(const Course& course, const std::string& typed);

int command_check(const Course& course, const CheckOptions& options);
int command_watch(const Course& course, const CheckOptions& options);

}  // namespace lsm::course

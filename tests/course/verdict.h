// What a suite said about a room. A suite is run with Catch2's XML reporter;
// the XML is read as far as it goes, because a suite that crashes or hangs
// stops in the middle of it, and the open test case is then the culprit.
//
//   suite source  -> the test cases there are (name, task, core or gold)
//   XML, streamed -> what each of them did
//   Verdict       -> both together, in the order of the source
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lsm::course {

enum class Outcome {
  passed,
  failed,
  not_implemented,  // ran into a task that is still to be written
  crashed,          // a signal ended the suite inside this test
  hung,             // it did not end within the limit
  not_run,
};

// "passed", "not_implemented" …: the words of check --json.
std::string_view name_of(Outcome outcome);

// What one failed assertion said, taken apart by the prefixes that
// support/teach.h gives its messages. A part that was not said is empty.
struct Failure {
  std::string scenario;
  std::string invariant;
  std::string seed;
  std::string checked;
  std::string expected;
  std::string seen;
  std::string bytes;
  std::string message;             // the failure's own words, or the exception
  std::vector<std::string> notes;  // other messages
  std::string file;
  std::size_t line = 0;
};

// A test case as the suite's source declares it.
struct Case {
  std::string name;
  int task = 0;  // 0 when it carries no [task-n]
  bool gold = false;
  std::size_t line = 0;
  std::size_t last_line = 0;  // of its body; 0 when the report alone names it
  std::string story;          // its STORY, for a test that ends without a word
};

struct TestResult {
  Case test;
  Outcome outcome = Outcome::not_run;
  double seconds = 0;
  std::optional<Failure> failure;  // the first one
  std::size_t failures = 0;        // how many assertions failed
};

struct Tally {
  std::size_t passed = 0;
  std::size_t total = 0;
  bool all() const { return total > 0 && passed == total; }
};

struct Verdict {
  std::vector<TestResult> tests;
  double seconds = 0;

  Tally core() const;
  Tally gold() const;
  bool green() const { return core().all(); }
  bool whole() const { return green() && gold().passed == gold().total; }
  // What to look at first: core before gold, then by task, then in the order
  // of the source; within a task a test that hangs comes behind those that
  // say what is wrong. nullptr when everything passed.
  const TestResult* first_failure() const;
};

// Every TEST_CASE of a suite's source, in its order.
std::vector<Case> cases_of(std::string_view suite_source);

// Task and gold from tags: "[1.1][task-2][core]".
Case case_from_tags(std::string_view name, std::string_view tags);

// What a Catch2 (2.13 or 3) XML report holds, in the order of the report. A
// report that breaks off leaves its last test as `not_run` with whatever
// failure it had shown.
std::vector<TestResult> parse_report(std::string_view xml);

// A hole that is left in a room: LSM_TODO("1.1 task 6", "MemTable::link").
struct Hole {
  int task = 0;
  std::string label;
  std::size_t line = 0;
};

// The holes of room `id` in a source, in its order; those in comments do not
// count.
std::vector<Hole> holes_of(std::string_view id, std::string_view source);

// A test that passes while its own task still has a hole proves nothing: the
// code never got there. It becomes `not_implemented`, naming the hole, which
// is in `file`.
void hold_back(Verdict& verdict, std::string_view id,
               const std::vector<Hole>& holes, const std::string& file);

// The name of the test case that a report breaks off in; empty when none.
std::string open_case(std::string_view xml);

// The failures' messages sorted into a Failure.
void add_message(Failure& failure, std::string_view message);

struct SuiteRun {
  std::filesystem::path binary;
  std::vector<Case> cases;  // those to run, all of the source or some
  bool all = true;          // `cases` is the whole suite: no filter needed
  std::chrono::milliseconds limit{10'000};  // for each test case
  bool status = false;  // show what is running, on a terminal
};

// Runs the suite, test by test within one process; after a crash or a hang it
// goes on behind the culprit in a new process.
Verdict run_suite(const SuiteRun& run);

}  // namespace lsm::course

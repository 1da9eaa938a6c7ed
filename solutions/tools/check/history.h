// A History is what a few transactions did and saw, as plain data: all that
// the checker knows, whatever ran them.
//
//   1:begin 2:begin 1:get(x)=3 2:put(x,4) 2:commit 1:scan[a,c)={a=1} 1:commit
//
// In this notation every step has the number of its transaction in front.
//   get(x)=3     it saw 3; get(x)=- saw nothing; get(x) alone is still to run
//   put(x,4)     remove(x)
//   scan[a,c)={a=1 b=[1 2]}     [a,c] takes c in; [a,) goes on to the end
//   scan@2[a,c)={a=1}           opened when its transaction had done 2 steps:
//                               own writes show as they were then
//   commit   rollback   refused (it asked to commit, and lost)
// A value in brackets is a list, each element of which was appended once.
//
// I1 Of two writes of a key no two have the same value: a value names its
//    writer. (Removals do not; graph.h says how they are told apart.)
// I2 Ticks are drawn from one counter. A trace's `begin` was drawn before it
//    began and its `end` after it had ended: if a.end < b.begin, then a was
//    over when b began. Nothing follows from overlapping traces.
// I3 A scan's range is what it has shown to be so: up to the last key shown,
//    where it was left early. Keys in it that are no entries were not there.
// Lifetime: owns everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/commit_intent.h"
#include "base/error.h"

namespace lsm::check {

struct Entry {
  std::string key;
  std::string value;
};

struct Operation {
  enum class Kind : std::uint8_t { get, put, remove, scan };

  Kind kind = Kind::get;
  std::string key = {};                   // not of a scan
  std::optional<std::string> value = {};  // seen or written
  ReadRange range = {};                   // of a scan
  std::vector<Entry> entries = {};        // of a scan, ascending
  std::uint64_t tick = 0;
  // Of a scan: own writes count only of this many operations; none: of all
  // before it.
  std::optional<std::size_t> opened = {};
};

enum class Outcome : std::uint8_t { committed, rolled_back, refused };

// One transaction.
struct Trace {
  int session = 0;
  std::uint64_t begin = 0;  // before it was asked to begin
  std::uint64_t begun = 0;  // when it had begun
  std::uint64_t asked = 0;  // before commit or rollback
  std::uint64_t end = 0;    // after that
  Outcome outcome = Outcome::committed;
  std::vector<Operation> operations = {};
  int number = 0;  // the notation's

  // What refusals.h judges by; not in the notation.
  bool may_ask = true;       // a transaction that may still write
  std::uint64_t opened = 0;  // when it had begun, whatever its snapshot
  std::string refusal = {};  // what the store said
  std::optional<std::size_t> records = {};  // kept when it had committed

  bool committed() const { return outcome == Outcome::committed; }
};

struct History {
  std::vector<Trace> traces;  // ascending by begin
  // Every step was over when the next one began, or all but a begin beside a
  // plain write, and refusals are to be judged.
  bool in_turns = false;
  std::size_t max_records_bytes = SIZE_MAX;  // the store's limit
  std::size_t record_bytes = 0;              // of each, besides its key
};

// One step of the notation.
struct Step {
  enum class Kind : std::uint8_t { begin, operation, end };

  Kind kind = Kind::begin;
  int transaction = 0;
  Operation operation = {};              // operation
  Outcome outcome = Outcome::committed;  // end
};

// Errors: invalid_argument, naming the step.
Result<std::vector<Step>> parse_steps(std::string_view text);
// A transaction without a begin begins at its first step; one without an end
// commits after the last step of all. Errors: as above.
Result<History> parse_history(std::string_view text);
History history_of(const std::vector<Step>& steps);

// The notation again; of the whole history a line for each step.
std::string to_string(const Operation& operation);
std::string to_string(const History& history);

bool contains(const ReadRange& range, std::string_view key);

// "[1 2 3]" to its elements; nothing unless it is a list.
std::optional<std::vector<std::string>> elements_of(std::string_view value);
std::string with_element(std::string_view list, std::string_view element);

}  // namespace lsm::check

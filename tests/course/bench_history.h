// The learner's figures, kept: every `course bench --mine` leaves a line, and
// `course bench --history` plots them beside LevelDB's.
//
//   build/course/bench_history.jsonl, a line a run:
//   {"time": "2026-11-22T18:04:00Z", "rooms": "1.1 1.4", "entries": 1000000,
//    "key_bytes": 16, "value_bytes": 100, "policy": "leveled",
//    "rows": {"fillseq": {"unit": "ops/s", "mine": 1.2e6, "leveldb": 9e5}}}
//
// I1 A run is appended and nothing is ever rewritten: a damaged line stays
//    where it is, is named, and costs no other.
// I2 Only runs of one setting (entries, sizes, policy) stand in one plot.
// I3 LevelDB's figures are of the same run, alternated with the learner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rooms.h"

namespace lsm::course {

struct Figure {
  std::string unit;  // "ops/s", "s" or "x", as lsm-bench has them
  double mine = 0;
  std::optional<double> leveldb;
};

struct BenchRun {
  std::string time;   // ISO 8601, UTC
  std::string rooms;  // "1.1 1.4"
  std::uint64_t entries = 0;
  std::uint64_t key_bytes = 0;
  std::uint64_t value_bytes = 0;
  std::string policy;
  std::vector<std::pair<std::string, Figure>> rows;  // as they were measured

  const Figure* find(std::string_view row) const;
  bool comparable(const BenchRun& other) const;  // I2
};

struct History {
  std::vector<BenchRun> runs;
  std::vector<std::size_t> damaged;  // lines that hold no run
};

std::filesystem::path history_file(const Course& course);

// What lsm-bench left with --json; nothing when it holds no row of lsm, or one
// whose answers were wrong.
std::optional<BenchRun> run_of_report(std::string_view json,
                                      const std::string& time,
                                      const std::string& rooms);

// A file that is not there is an empty history. Throws std::runtime_error
// naming the file when it cannot be read or written.
History read_history(const std::filesystem::path& file);
void append_run(const std::filesystem::path& file, const BenchRun& run);

// "1.1 1.2 1.3 1.5" as "1.1-1.3 1.5".
std::string short_rooms(std::string_view rooms);

// The last runs that are comparable with the last of all; oldest first.
std::vector<BenchRun> plotted_runs(const History& history);

// One panel a row that two runs or more have, in operations a second; empty
// when there is no such row. At least one run.
std::string plot(const std::vector<BenchRun>& runs);

// `course bench …`: lsm-bench, on mine or the reference; a run of mine is kept.
// `course bench --history` alone shows what was kept.
int command_bench(const Course& course, const std::vector<std::string>& args,
                  bool mine);

}  // namespace lsm::course

// The tree as a compaction policy sees it: which tables stand in which run of
// which level. Plain data, so that the engine, the simulator and a test hand
// the same thing to the same policy.
//
//   level 0   run [12]  run [11]  run [7 8]     newest run first
//   level 1   (empty)
//   level 2   run [3 4 5]                       at most one run, sorted by key
//
// I1 Level 0 holds runs, newest first (by newest_sequence, never by number);
//    every deeper level holds at most one run.
// I2 Within a run tables are sorted by key and disjoint; one user key's
//    versions never span two tables of a run.
// I3 Data in level n is newer than data of the same key in level n + 1, and
//    data in an earlier run of level 0 newer than in a later one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_meta.h"

namespace lsm {

inline constexpr int kMaxLevels = 7;

struct RunShape {
  std::vector<FileMetaPtr> files;

  std::uint64_t size_bytes() const {
    std::uint64_t sum = 0;
    for (const FileMetaPtr& file : files)
      sum += file->size_bytes;
    return sum;
  }
};

struct LevelShape {
  std::vector<RunShape> runs;

  std::uint64_t size_bytes() const {
    std::uint64_t sum = 0;
    for (const RunShape& run : runs)
      sum += run.size_bytes();
    return sum;
  }
};

struct TreeShape {
  std::vector<LevelShape> levels = std::vector<LevelShape>(kMaxLevels);
};

// What to merge and where the result goes. Inputs of one level are whole runs
// (level 0) or neighbouring tables of the level's run.
struct CompactionTask {
  struct Input {
    int level = 0;
    std::vector<RunShape> runs;  // newest first, as in the shape
  };

  std::vector<Input> inputs;  // upper level first
  int output_level = 0;
  // Level 0 outputs form one run, named by the first output's number.
  // An output is closed once it has reached this size, so every policy sets it:
  // 0 would make a table of each key.
  std::uint64_t target_file_size_bytes = 0;
  // One run, or a table of one, with nothing in its way below: move the names,
  // not the bytes.
  bool trivial_move = false;
  std::string reason;  // for people: "level 0 has 4 runs"
};

}  // namespace lsm

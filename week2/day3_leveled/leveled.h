// The leveled policy keeps each level a fixed factor larger than the one above
// it, so that most of the data lies in the deepest level and an old version of
// a key never takes much room.
//
//   bottom level holds 5.8 GiB, base_level_size 1 GiB, multiplier 10:
//     level 6  target 5.8 GiB     as large as it is
//     level 5  target 0.58 GiB    ≤ base size: this is the base level
//     level 4 … 1                 stay empty
//     level 0 ──(4 runs)──► level 5
//
// I1 pick() is a pure function of the shape; the same shape, the same task.
// I2 Targets come from the bottom up, so the levels above the bottom hold at
//    most about 1/(multiplier - 1) of it: space amplification stays near 1.1.
// I3 Level 0 is merged whole, or its oldest run moved alone; either way no
//    newer version ends up below an older one.
// I4 A table that overlaps nothing below is moved, not rewritten.
// I5 A task takes every table of the output level that its keys touch, from
//    the smallest key of all inputs to the largest: outputs overlap nothing.
// I6 At rest level 0 holds fewer than level0_runs_to_compact runs, no level
//    between it and the base level holds a table, and every level from the base
//    to the one above the bottom is smaller than its target.
// I7 It comes to rest. A task takes entries of one level to a deeper one and
//    makes none, so the sum over all entries of the levels still below them
//    falls with each: whatever shape another policy left, a number of tasks.
// Cost: O(tables) a pick, once a flush or compaction; O(tables²) at worst when
// a level is over its target. What it buys: one task is a table and what lies
// under it, not a level.
// Thread safety: immutable.
// Source: dynamic level targets are RocksDB's
// (level_compaction_dynamic_level_bytes; Dong et al., CIDR 2017); choosing the
// table with the least overlap per byte is its kMinOverlappingRatio.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/compaction_policy.h"
#include "base/options.h"

namespace lsm {

class LeveledPolicy final : public CompactionPolicy {
 public:
  // Uses level0_runs_to_compact, base_level_size_bytes, level_size_multiplier
  // and target_file_size_bytes.
  explicit LeveledPolicy(const Options& options);

  std::optional<CompactionTask> pick(const TreeShape& shape) const override;
  std::uint64_t debt_bytes(const TreeShape& shape) const override;

  // ANCHOR: show-targets
  // The first level below 0 that should hold data, and how much each holds.
  struct Targets {
    int base_level = kMaxLevels - 1;
    std::array<std::uint64_t, kMaxLevels> bytes{};
  };
  // ANCHOR_END: show-targets
  Targets targets(const TreeShape& shape) const;

  // The level that a task should take tables from; nothing when I6 holds.
  std::optional<int> level_to_compact(const TreeShape& shape) const;

 private:
  CompactionTask pick_level0(const TreeShape& shape) const;
  CompactionTask pick_table(const TreeShape& shape, int level) const;

  std::size_t level0_runs_to_compact_;
  std::uint64_t base_level_size_bytes_;
  double multiplier_;
  std::uint64_t target_file_size_bytes_;
};

}  // namespace lsm

// The simple leveled policy pushes a whole level into the next as soon as it
// has grown too large beside it. It is where teaching engines begin.
//
//   multiplier 10           level 0    level 5    level 6
//   4 runs in level 0:      1 1 1 1    8          100      4 runs: too many
//   level 0 into 1:         -          8          100      4 in level 1
//   1 → 2 → 3 → 4, moved:   -          8          100      4 in level 4
//   4 into 5: 4·10 > 8      -          12         100
//   5 into 6: 12·10 > 100   -          -          112
//
// I1 pick() is a pure function of the shape.
// I2 A task takes all of a level and all of the next, so nothing newer can end
//    up below anything older, and outputs overlap nothing.
// I3 A level that stands over an empty one is moved, not rewritten, if it is
//    one run.
// I4 At rest level 0 holds fewer than level0_runs_to_compact runs, and every
//    deeper level times level_size_multiplier is at most the next. So all
//    levels over the deepest hold at most 1/(multiplier - 1) of it.
// I5 It comes to rest. Write 1 for a level that holds something and 0 for one
//    that does not, level 0 first: a task turns one 1 into 0 and changes only
//    what stands right of it, so the number so written falls. 63 at most.
// Cost: O(tables) a pick. A byte is written up to multiplier + 1 times a level,
// as with every leveled policy; but the last step of a store of 100 GB is one
// task that rewrites 100 GB, needs as much free space again, and holds up level
// 0 until it is done. Day 2.3 takes it in pieces.
// Thread safety: immutable.
// Source: the "simple leveled" of mini-lsm (skyzh, 2024), which counts tables;
// here bytes decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/compaction_policy.h"
#include "base/options.h"

namespace lsm {

// ANCHOR: show-push-down
// The task that takes all of `level`, and all of the next, into the next (I2,
// I3). `level` holds something and is not the last.
CompactionTask push_down(const TreeShape& shape, int level);
// ANCHOR_END: show-push-down

class SimpleLeveledPolicy final : public CompactionPolicy {
 public:
  // Uses level0_runs_to_compact, level_size_multiplier and
  // target_file_size_bytes.
  explicit SimpleLeveledPolicy(const Options& options);

  std::optional<CompactionTask> pick(const TreeShape& shape) const override;
  // The bytes that the next task rewrites.
  std::uint64_t debt_bytes(const TreeShape& shape) const override;

 private:
  // The level that is too large; nothing when I4 holds.
  std::optional<int> level_to_push_down(const TreeShape& shape) const;

  std::size_t level0_runs_to_compact_;
  double multiplier_;
  std::uint64_t target_file_size_bytes_;
};

}  // namespace lsm

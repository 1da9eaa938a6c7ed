// The tiered policy (RocksDB: universal) lets runs stand side by side and
// merges neighbours in age once there are enough of about the same size. Fewer
// rewrites than levels, paid with more runs to read and more space.
//
//   age        newest                      oldest
//   run        0    1    2    3    4       5
//   size       1    1    1    1    4       64
//   level      0    0    0    0    0       6
//              └── size ratio: 1 1 1 1 4 become one run of 8, in level 5 ──┘
//
// The runs are those of level 0, newest first, then one for each deeper level
// that holds something. What a merge makes goes as deep as the next older run
// lets it: one level above that run, or to the bottom when there is none.
//
// I1 pick() is a pure function of the shape.
// I2 A task merges whole runs that are neighbours in age, at least two and at
//    most max_merge_width; its output stands where they stood in age.
// I3 The triggers, in this order:
//      space   all runs but the oldest hold more than
//              max_space_amplification percent of the oldest: merge all
//      ratio   from some run on, newest first, min_merge_width or more runs,
//              each at most (100 + size_ratio) percent of all before it in the
//              merge together: merge those
//      count   more than max_runs runs: merge the neighbours that bring it
//              back to max_runs and hold the fewest bytes
// I4 At rest none of the three holds. So there are at most max_runs runs, and
//    space amplification is at most 1 + max_space_amplification / 100.
// I5 It comes to rest: a task replaces two or more runs by one at most. From n
//    runs, whatever levels they stand in, after n - 1 tasks.
// Cost: O(runs²) a pick. A byte is written about log2(store / write buffer) / 2
// times; a merge of all needs as much free space as the store has bytes.
// Thread safety: immutable.
// Source: RocksDB, db/compaction/compaction_picker_universal.cc; O'Neil et al.,
// "The Log-Structured Merge-Tree", 1996, has only the levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/compaction_policy.h"
#include "base/options.h"

namespace lsm {

// ANCHOR: show-aged-run
// A run and the level it stands in.
struct AgedRun {
  int level = 0;
  RunShape run;
  std::uint64_t size_bytes = 0;
};

// Every run of the tree, newest first.
std::vector<AgedRun> runs_by_age(const TreeShape& shape);

// The task that merges runs[first] … runs[first + count - 1] (I2).
CompactionTask merge_neighbours(const std::vector<AgedRun>& runs,
                                std::size_t first, std::size_t count);
// ANCHOR_END: show-aged-run

class TieredPolicy final : public CompactionPolicy {
 public:
  // Uses the options tiered_…, and target_file_size_bytes.
  explicit TieredPolicy(const Options& options);

  std::optional<CompactionTask> pick(const TreeShape& shape) const override;
  // The bytes that the next task rewrites.
  std::uint64_t debt_bytes(const TreeShape& shape) const override;

  // The triggers (I3), each asked alone about two runs or more; nothing if it
  // does not hold. pick() adds the size of the tables to be made.
  using Runs = std::vector<AgedRun>;
  std::optional<CompactionTask> pick_space(const Runs& runs) const;
  std::optional<CompactionTask> pick_ratio(const Runs& runs) const;
  std::optional<CompactionTask> pick_count(const Runs& runs) const;

 private:
  std::size_t max_runs_;
  std::size_t min_merge_width_;
  std::size_t max_merge_width_;
  double size_ratio_;               // 1.01: 1 % larger still counts as similar
  double max_space_amplification_;  // 2.00: 200 %
  std::uint64_t target_file_size_bytes_;
};

}  // namespace lsm

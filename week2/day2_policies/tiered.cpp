#include "tiered.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include "base/todo.h"

namespace lsm {

std::vector<AgedRun> runs_by_age(const TreeShape& shape) {
  // Task 3: runs_by_age
  LSM_TODO("2.2 task 3", "runs_by_age");
}

CompactionTask merge_neighbours(const std::vector<AgedRun>& runs,
                                std::size_t first, std::size_t count) {
  // Task 4: merge_neighbours
  LSM_TODO("2.2 task 4", "merge_neighbours");
}

TieredPolicy::TieredPolicy(const Options& options)
    : max_runs_(options.tiered_max_runs),
      min_merge_width_(options.tiered_min_merge_width),
      max_merge_width_(options.tiered_max_merge_width),
      size_ratio_(1 + options.tiered_size_ratio_percent / 100.0),
      max_space_amplification_(options.tiered_max_space_amplification_percent /
                               100.0),
      target_file_size_bytes_(options.target_file_size_bytes) {}

// ANCHOR: show-pick
std::optional<CompactionTask> TieredPolicy::pick(const TreeShape& shape) const {
  const Runs runs = runs_by_age(shape);
  if (runs.size() < 2) return std::nullopt;
  std::optional<CompactionTask> task = pick_space(runs);
  if (!task) task = pick_ratio(runs);
  if (!task) task = pick_count(runs);
  if (task) task->target_file_size_bytes = target_file_size_bytes_;
  return task;
}
// ANCHOR_END: show-pick

std::optional<CompactionTask> TieredPolicy::pick_space(const Runs& runs) const {
  // Task 5: TieredPolicy::pick_space
  LSM_TODO("2.2 task 5", "TieredPolicy::pick_space");
}

std::optional<CompactionTask> TieredPolicy::pick_ratio(const Runs& runs) const {
  // Task 6: TieredPolicy::pick_ratio
  LSM_TODO("2.2 task 6", "TieredPolicy::pick_ratio");
}

std::optional<CompactionTask> TieredPolicy::pick_count(const Runs& runs) const {
  // Task 7: TieredPolicy::pick_count
  LSM_TODO("2.2 task 7", "TieredPolicy::pick_count");
}

std::uint64_t TieredPolicy::debt_bytes(const TreeShape& shape) const {
  // Task 8: TieredPolicy::debt_bytes
  LSM_TODO("2.2 task 8", "TieredPolicy::debt_bytes");
}

}  // namespace lsm

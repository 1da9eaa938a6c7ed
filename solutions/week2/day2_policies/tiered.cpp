#include "tiered.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace lsm {

std::vector<AgedRun> runs_by_age(const TreeShape& shape) {
  // ANCHOR: task-2-2-3 runs_by_age
  std::vector<AgedRun> runs;
  for (int level = 0; level < kMaxLevels; ++level) {
    for (const RunShape& run :
         shape.levels[static_cast<std::size_t>(level)].runs) {
      runs.push_back({level, run, run.size_bytes()});
    }
  }
  return runs;
  // ANCHOR_END: task-2-2-3
}

CompactionTask merge_neighbours(const std::vector<AgedRun>& runs,
                                std::size_t first, std::size_t count) {
  // ANCHOR: task-2-2-4 merge_neighbours
  CompactionTask task;
  for (std::size_t i = first; i < first + count; ++i) {
    if (task.inputs.empty() || task.inputs.back().level != runs[i].level) {
      task.inputs.push_back({runs[i].level, {}});
    }
    task.inputs.back().runs.push_back(runs[i].run);
  }
  const std::size_t older = first + count;
  task.output_level = older == runs.size() ? kMaxLevels - 1
                                           : std::max(runs[older].level - 1, 0);
  return task;
  // ANCHOR_END: task-2-2-4
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
  // ANCHOR: task-2-2-5 TieredPolicy::pick_space
  double newer = 0;
  for (std::size_t i = 0; i + 1 < runs.size(); ++i) {
    newer += static_cast<double>(runs[i].size_bytes);
  }
  const auto oldest = static_cast<double>(runs.back().size_bytes);
  if (newer <= oldest * max_space_amplification_) return std::nullopt;
  // More than may be merged at once: first the newest, so that the oldest and
  // largest is rewritten only once.
  const std::size_t count =
      runs.size() <= max_merge_width_
          ? runs.size()
          : std::min(runs.size() - max_merge_width_ + 1, max_merge_width_);
  CompactionTask task = merge_neighbours(runs, 0, count);
  task.reason = fmt::format("space: {:.0f} bytes over {:.0f}", newer, oldest);
  return task;
  // ANCHOR_END: task-2-2-5
}

std::optional<CompactionTask> TieredPolicy::pick_ratio(const Runs& runs) const {
  // ANCHOR: task-2-2-6 TieredPolicy::pick_ratio
  for (std::size_t first = 0; first + 1 < runs.size(); ++first) {
    auto sum = static_cast<double>(runs[first].size_bytes);
    std::size_t count = 1;
    while (first + count < runs.size() && count < max_merge_width_) {
      const auto next = static_cast<double>(runs[first + count].size_bytes);
      if (next > sum * size_ratio_) break;
      sum += next;
      ++count;
    }
    if (count < min_merge_width_) continue;
    CompactionTask task = merge_neighbours(runs, first, count);
    task.reason = fmt::format("ratio: {} runs of like size", count);
    return task;
  }
  return std::nullopt;
  // ANCHOR_END: task-2-2-6
}

std::optional<CompactionTask> TieredPolicy::pick_count(const Runs& runs) const {
  // ANCHOR: task-2-2-7 TieredPolicy::pick_count
  if (runs.size() <= max_runs_) return std::nullopt;
  const std::size_t count =
      std::min(runs.size() - max_runs_ + 1, max_merge_width_);
  std::size_t cheapest = 0;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t first = 0; first + count <= runs.size(); ++first) {
    std::uint64_t sum = 0;
    for (std::size_t i = first; i < first + count; ++i)
      sum += runs[i].size_bytes;
    if (sum < fewest) {
      fewest = sum;
      cheapest = first;
    }
  }
  CompactionTask task = merge_neighbours(runs, cheapest, count);
  task.reason = fmt::format("count: {} runs", runs.size());
  return task;
  // ANCHOR_END: task-2-2-7
}

std::uint64_t TieredPolicy::debt_bytes(const TreeShape& shape) const {
  // ANCHOR: task-2-2-8 TieredPolicy::debt_bytes
  const std::optional<CompactionTask> task = pick(shape);
  std::uint64_t sum = 0;
  if (!task) return sum;
  for (const CompactionTask::Input& input : task->inputs) {
    sum += LevelShape{input.runs}.size_bytes();
  }
  return sum;
  // ANCHOR_END: task-2-2-8
}

}  // namespace lsm

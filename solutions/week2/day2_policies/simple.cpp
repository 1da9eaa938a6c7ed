#include "simple.h"

#include <fmt/format.h>

#include <utility>

namespace lsm {

namespace {

constexpr int kBottom = kMaxLevels - 1;

const LevelShape& level_of(const TreeShape& shape, int level) {
  return shape.levels[static_cast<std::size_t>(level)];
}

}  // namespace

CompactionTask push_down(const TreeShape& shape, int level) {
  // ANCHOR: task-2-2-1 push_down
  CompactionTask task;
  task.output_level = level + 1;
  for (const int from : {level, level + 1}) {
    const std::vector<RunShape>& runs = level_of(shape, from).runs;
    if (!runs.empty()) task.inputs.push_back({from, runs});
  }
  task.trivial_move =
      task.inputs.size() == 1 && task.inputs[0].runs.size() == 1;
  task.reason = fmt::format("level {} is too large for level {}", level,
                            task.output_level);
  return task;
  // ANCHOR_END: task-2-2-1
}

SimpleLeveledPolicy::SimpleLeveledPolicy(const Options& options)
    : level0_runs_to_compact_(options.level0_runs_to_compact),
      multiplier_(options.level_size_multiplier),
      target_file_size_bytes_(options.target_file_size_bytes) {}

std::optional<int> SimpleLeveledPolicy::level_to_push_down(
    const TreeShape& shape) const {
  // ANCHOR: task-2-2-2 SimpleLeveledPolicy::level_to_push_down
  if (level_of(shape, 0).runs.size() >= level0_runs_to_compact_) return 0;
  for (int level = 1; level < kBottom; ++level) {
    const auto here = static_cast<double>(level_of(shape, level).size_bytes());
    const auto next =
        static_cast<double>(level_of(shape, level + 1).size_bytes());
    if (here * multiplier_ > next) return level;
  }
  return std::nullopt;
  // ANCHOR_END: task-2-2-2
}

std::optional<CompactionTask> SimpleLeveledPolicy::pick(
    const TreeShape& shape) const {
  const std::optional<int> level = level_to_push_down(shape);
  if (!level) return std::nullopt;
  CompactionTask task = push_down(shape, *level);
  task.target_file_size_bytes = target_file_size_bytes_;
  return task;
}

std::uint64_t SimpleLeveledPolicy::debt_bytes(const TreeShape& shape) const {
  // ANCHOR: task-2-2-8 SimpleLeveledPolicy::debt_bytes
  const std::optional<CompactionTask> task = pick(shape);
  std::uint64_t sum = 0;
  if (!task || task->trivial_move) return sum;
  for (const CompactionTask::Input& input : task->inputs) {
    sum += LevelShape{input.runs}.size_bytes();
  }
  return sum;
  // ANCHOR_END: task-2-2-8
}

}  // namespace lsm

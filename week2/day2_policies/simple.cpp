#include "simple.h"

#include <fmt/format.h>

#include <utility>
#include "base/todo.h"

namespace lsm {

namespace {

constexpr int kBottom = kMaxLevels - 1;

const LevelShape& level_of(const TreeShape& shape, int level) {
  return shape.levels[static_cast<std::size_t>(level)];
}

}  // namespace

CompactionTask push_down(const TreeShape& shape, int level) {
  // Task 1: push_down
  LSM_TODO("2.2 task 1", "push_down");
}

SimpleLeveledPolicy::SimpleLeveledPolicy(const Options& options)
    : level0_runs_to_compact_(options.level0_runs_to_compact),
      multiplier_(options.level_size_multiplier),
      target_file_size_bytes_(options.target_file_size_bytes) {}

std::optional<int> SimpleLeveledPolicy::level_to_push_down(
    const TreeShape& shape) const {
  // Task 2: SimpleLeveledPolicy::level_to_push_down
  LSM_TODO("2.2 task 2", "SimpleLeveledPolicy::level_to_push_down");
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
  // Task 8: SimpleLeveledPolicy::debt_bytes
  LSM_TODO("2.2 task 8", "SimpleLeveledPolicy::debt_bytes");
}

}  // namespace lsm

#include "leveled.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include "base/todo.h"

namespace lsm {

namespace {

constexpr int kBottom = kMaxLevels - 1;

const LevelShape& level_of(const TreeShape& shape, int level) {
  return shape.levels[static_cast<std::size_t>(level)];
}

bool has_tables(const TreeShape& shape, int level) {
  return !level_of(shape, level).runs.empty();
}

// The tables of `level`'s run that share user keys with [smallest, largest].
std::vector<FileMetaPtr> overlap(const TreeShape& shape, int level,
                                 std::string_view smallest,
                                 std::string_view largest) {
  // Task 3: overlap
  LSM_TODO("2.3 task 3", "overlap");
}

std::uint64_t sum_bytes(const std::vector<FileMetaPtr>& files) {
  return RunShape{files}.size_bytes();
}

CompactionTask::Input one_run(int level, std::vector<FileMetaPtr> files) {
  return {level, {RunShape{std::move(files)}}};
}

}  // namespace

LeveledPolicy::LeveledPolicy(const Options& options)
    : level0_runs_to_compact_(options.level0_runs_to_compact),
      base_level_size_bytes_(options.base_level_size_bytes),
      multiplier_(options.level_size_multiplier),
      target_file_size_bytes_(options.target_file_size_bytes) {}

LeveledPolicy::Targets LeveledPolicy::targets(const TreeShape& shape) const {
  // Task 1: LeveledPolicy::targets
  LSM_TODO("2.3 task 1", "LeveledPolicy::targets");
}

std::optional<int> LeveledPolicy::level_to_compact(
    const TreeShape& shape) const {
  // Task 2: LeveledPolicy::level_to_compact
  LSM_TODO("2.3 task 2", "LeveledPolicy::level_to_compact");
}

// ANCHOR: show-pick
std::optional<CompactionTask> LeveledPolicy::pick(
    const TreeShape& shape) const {
  const std::optional<int> level = level_to_compact(shape);
  if (!level) return std::nullopt;
  return *level == 0 ? pick_level0(shape) : pick_table(shape, *level);
}
// ANCHOR_END: show-pick

CompactionTask LeveledPolicy::pick_level0(const TreeShape& shape) const {
  // Task 3: LeveledPolicy::pick_level0
  LSM_TODO("2.3 task 3", "LeveledPolicy::pick_level0");
}

// The table that drags the fewest bytes along for each of its own.
CompactionTask LeveledPolicy::pick_table(const TreeShape& shape,
                                         int level) const {
  // Task 4: LeveledPolicy::pick_table
  LSM_TODO("2.3 task 4", "LeveledPolicy::pick_table");
}

std::uint64_t LeveledPolicy::debt_bytes(const TreeShape& shape) const {
  // Task 5: LeveledPolicy::debt_bytes
  LSM_TODO("2.3 task 5", "LeveledPolicy::debt_bytes");
}

}  // namespace lsm

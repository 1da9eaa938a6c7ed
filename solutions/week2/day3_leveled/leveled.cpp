#include "leveled.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

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
  // ANCHOR: task-2-3-3 overlap
  std::vector<FileMetaPtr> found;
  if (!has_tables(shape, level)) return found;
  for (const FileMetaPtr& file : level_of(shape, level).runs[0].files) {
    if (file->largest.user() < smallest) continue;
    if (file->smallest.user() > largest) break;
    found.push_back(file);
  }
  return found;
  // ANCHOR_END: task-2-3-3
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
  // ANCHOR: task-2-3-1 LeveledPolicy::targets
  Targets targets;
  std::uint64_t bytes = base_level_size_bytes_;
  for (int level = 1; level <= kBottom; ++level) {
    bytes = std::max(bytes, level_of(shape, level).size_bytes());
  }
  int level = kBottom;
  targets.bytes[static_cast<std::size_t>(level)] = bytes;
  while (level > 1 && bytes > base_level_size_bytes_) {
    bytes =
        static_cast<std::uint64_t>(static_cast<double>(bytes) / multiplier_);
    targets.bytes[static_cast<std::size_t>(--level)] = bytes;
  }
  targets.base_level = level;
  return targets;
  // ANCHOR_END: task-2-3-1
}

std::optional<int> LeveledPolicy::level_to_compact(
    const TreeShape& shape) const {
  // ANCHOR: task-2-3-2 LeveledPolicy::level_to_compact
  const Targets targets = this->targets(shape);
  // Tables above the base level are left over from a smaller tree: first of
  // all they go down, or level 0 would have to pass them.
  for (int level = 1; level < targets.base_level; ++level) {
    if (has_tables(shape, level)) return level;
  }
  double worst = static_cast<double>(level_of(shape, 0).runs.size()) /
                 static_cast<double>(level0_runs_to_compact_);
  int from = 0;
  for (int level = targets.base_level; level < kBottom; ++level) {
    const double score =
        static_cast<double>(level_of(shape, level).size_bytes()) /
        static_cast<double>(targets.bytes[static_cast<std::size_t>(level)]);
    if (score > worst) {
      worst = score;
      from = level;
    }
  }
  if (worst < 1) return std::nullopt;
  return from;
  // ANCHOR_END: task-2-3-2
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
  // ANCHOR: task-2-3-3 LeveledPolicy::pick_level0
  const std::vector<RunShape>& runs = level_of(shape, 0).runs;
  CompactionTask task;
  task.output_level = targets(shape).base_level;
  task.target_file_size_bytes = target_file_size_bytes_;

  const RunShape& oldest = runs.back();
  if (overlap(shape, task.output_level, oldest.files.front()->smallest.user(),
              oldest.files.back()->largest.user())
          .empty()) {
    task.inputs.push_back({0, {oldest}});
    task.trivial_move = true;
    task.reason = "the oldest run of level 0 overlaps nothing below";
    return task;
  }

  std::string_view smallest = runs[0].files.front()->smallest.user();
  std::string_view largest = runs[0].files.back()->largest.user();
  for (const RunShape& run : runs) {
    smallest = std::min<std::string_view>(smallest,
                                          run.files.front()->smallest.user());
    largest =
        std::max<std::string_view>(largest, run.files.back()->largest.user());
  }
  task.inputs.push_back({0, runs});
  auto below = overlap(shape, task.output_level, smallest, largest);
  if (!below.empty()) {
    task.inputs.push_back(one_run(task.output_level, std::move(below)));
  }
  task.reason = fmt::format("level 0 has {} runs", runs.size());
  return task;
  // ANCHOR_END: task-2-3-3
}

// The table that drags the fewest bytes along for each of its own.
CompactionTask LeveledPolicy::pick_table(const TreeShape& shape,
                                         int level) const {
  // ANCHOR: task-2-3-4 LeveledPolicy::pick_table
  double best_ratio = std::numeric_limits<double>::infinity();
  FileMetaPtr best;
  std::vector<FileMetaPtr> best_below;
  for (const FileMetaPtr& file : level_of(shape, level).runs[0].files) {
    auto below =
        overlap(shape, level + 1, file->smallest.user(), file->largest.user());
    const double ratio =
        static_cast<double>(sum_bytes(below)) /
        static_cast<double>(std::max<std::uint64_t>(file->size_bytes, 1));
    if (ratio < best_ratio) {
      best_ratio = ratio;
      best = file;
      best_below = std::move(below);
    }
  }
  CompactionTask task;
  task.output_level = level + 1;
  task.target_file_size_bytes = target_file_size_bytes_;
  task.inputs.push_back(one_run(level, {best}));
  task.trivial_move = best_below.empty();
  if (!best_below.empty()) {
    task.inputs.push_back(one_run(level + 1, std::move(best_below)));
  }
  task.reason = fmt::format("level {} is over its target", level);
  return task;
  // ANCHOR_END: task-2-3-4
}

std::uint64_t LeveledPolicy::debt_bytes(const TreeShape& shape) const {
  // ANCHOR: task-2-3-5 LeveledPolicy::debt_bytes
  const Targets targets = this->targets(shape);
  std::uint64_t debt = 0;
  if (level_of(shape, 0).runs.size() >= level0_runs_to_compact_) {
    debt += level_of(shape, 0).size_bytes();
  }
  for (int level = 1; level < kBottom; ++level) {
    const std::uint64_t bytes = level_of(shape, level).size_bytes();
    const std::uint64_t target = targets.bytes[static_cast<std::size_t>(level)];
    if (bytes > target) debt += bytes - target;
  }
  return debt;
  // ANCHOR_END: task-2-3-5
}

}  // namespace lsm

#include "garbage.h"

#include <fmt/format.h>

namespace lsm {

namespace {

constexpr std::uint64_t kEntriesForOneOfGarbage = 20;  // 5 %

// The deepest level that holds a table, level 0 left out (I1); nothing if there
// is none.
std::optional<int> deepest_level(const TreeShape& shape) {
  // ANCHOR: task-3-2-3 deepest_level
  for (int level = kMaxLevels - 1; level > 0; --level) {
    if (!shape.levels[static_cast<std::size_t>(level)].runs.empty())
      return level;
  }
  return std::nullopt;
  // ANCHOR_END: task-3-2-3
}

// Whether rewriting it is worth it (I3).
bool is_worth_it(const FileMeta& table) {
  // ANCHOR: task-3-2-3 is_worth_it
  const std::uint64_t garbage = garbage_in(table);
  return garbage > 0 && garbage * kEntriesForOneOfGarbage >= table.entries;
  // ANCHOR_END: task-3-2-3
}

// Whether a larger share of `a` than of `b` can go.
bool is_worse(const FileMeta& a, const FileMeta& b) {
  // ANCHOR: task-3-2-4 is_worse
  return garbage_in(a) * b.entries > garbage_in(b) * a.entries;
  // ANCHOR_END: task-3-2-4
}

// The task that puts the table through a compaction, and back into its level.
CompactionTask rewrite(const FileMetaPtr& table, int level,
                       std::uint64_t target_file_size_bytes) {
  // ANCHOR: task-3-2-3 rewrite
  CompactionTask task;
  task.inputs.push_back({level, {RunShape{{table}}}});
  task.output_level = level;
  task.target_file_size_bytes = target_file_size_bytes;
  task.reason = fmt::format("level {}: {} of {} entries can go", level,
                            garbage_in(*table), table->entries);
  return task;
  // ANCHOR_END: task-3-2-3
}

}  // namespace

std::uint64_t garbage_in(const FileMeta& table) {
  // ANCHOR: task-3-2-2 garbage_in
  return table.hidden + table.tombstones;
  // ANCHOR_END: task-3-2-2
}

bool is_below_snapshots(const FileMeta& table,
                        std::optional<Sequence> oldest_live) {
  // ANCHOR: task-3-2-2 is_below_snapshots
  return !oldest_live || table.newest_sequence <= *oldest_live;
  // ANCHOR_END: task-3-2-2
}

std::optional<CompactionTask> pick_garbage(
    const TreeShape& shape, std::optional<Sequence> oldest_live,
    std::uint64_t target_file_size_bytes) {
  const std::optional<int> level = deepest_level(shape);
  if (!level) return std::nullopt;
  const RunShape& run =
      shape.levels[static_cast<std::size_t>(*level)].runs.front();
  FileMetaPtr worst;
  for (const FileMetaPtr& table : run.files) {
    if (!is_below_snapshots(*table, oldest_live) || !is_worth_it(*table))
      continue;
    if (worst == nullptr || is_worse(*table, *worst)) worst = table;
  }
  if (worst == nullptr) return std::nullopt;
  return rewrite(worst, *level, target_file_size_bytes);
}

}  // namespace lsm

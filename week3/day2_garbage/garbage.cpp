#include "garbage.h"

#include <fmt/format.h>
#include "base/todo.h"

namespace lsm {

namespace {

constexpr std::uint64_t kEntriesForOneOfGarbage = 20;  // 5 %

// The deepest level that holds a table, level 0 left out (I1); nothing if there
// is none.
std::optional<int> deepest_level(const TreeShape& shape) {
  // Task 3: deepest_level
  LSM_TODO("3.2 task 3", "deepest_level");
}

// Whether rewriting it is worth it (I3).
bool is_worth_it(const FileMeta& table) {
  // Task 3: is_worth_it
  LSM_TODO("3.2 task 3", "is_worth_it");
}

// Whether a larger share of `a` than of `b` can go.
bool is_worse(const FileMeta& a, const FileMeta& b) {
  // Task 4: is_worse
  LSM_TODO("3.2 task 4", "is_worse");
}

// The task that puts the table through a compaction, and back into its level.
CompactionTask rewrite(const FileMetaPtr& table, int level,
                       std::uint64_t target_file_size_bytes) {
  // Task 3: rewrite
  LSM_TODO("3.2 task 3", "rewrite");
}

}  // namespace

std::uint64_t garbage_in(const FileMeta& table) {
  // Task 2: garbage_in
  LSM_TODO("3.2 task 2", "garbage_in");
}

bool is_below_snapshots(const FileMeta& table,
                        std::optional<Sequence> oldest_live) {
  // Task 2: is_below_snapshots
  LSM_TODO("3.2 task 2", "is_below_snapshots");
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

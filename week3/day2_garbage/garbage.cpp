#include "garbage.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>
#include "base/todo.h"

namespace lsm {

namespace {

constexpr std::uint64_t kEntriesForOneOfGarbage = 20;  // 5 %

// A piece of a run that can be rewritten by itself.
struct Candidate {
  RunShape tables;
  std::uint64_t garbage = 0;
  std::uint64_t entries = 0;
};

std::uint64_t entries_in(const RunShape& tables) {
  std::uint64_t sum = 0;
  for (const FileMetaPtr& file : tables.files)
    sum += file->entries;
  return sum;
}

// The deepest level that holds a table; nothing in an empty tree.
std::optional<int> deepest_level(const TreeShape& shape) {
  // Task 3: deepest_level
  LSM_TODO("3.2 task 3", "deepest_level");
}

// The pieces of the deepest run: each table, or, in level 0, all of it.
std::vector<RunShape> pieces_of(const RunShape& run, int level) {
  // Task 3: pieces_of
  LSM_TODO("3.2 task 3", "pieces_of");
}

// Whether rewriting it is worth it (I3).
bool is_worth_it(const Candidate& candidate) {
  // Task 3: is_worth_it
  LSM_TODO("3.2 task 3", "is_worth_it");
}

// Whether a larger share of `a` than of `b` can go.
bool is_worse(const Candidate& a, const Candidate& b) {
  // Task 4: is_worse
  LSM_TODO("3.2 task 4", "is_worse");
}

CompactionTask rewrite(Candidate candidate, int level,
                       std::uint64_t target_file_size_bytes) {
  // Task 3: rewrite
  LSM_TODO("3.2 task 3", "rewrite");
}

}  // namespace

std::uint64_t garbage_in(const RunShape& tables) {
  // Task 2: garbage_in
  LSM_TODO("3.2 task 2", "garbage_in");
}

bool is_below_snapshots(const RunShape& tables,
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
      shape.levels[static_cast<std::size_t>(*level)].runs.back();
  std::optional<Candidate> worst;
  for (RunShape& tables : pieces_of(run, *level)) {
    if (!is_below_snapshots(tables, oldest_live)) continue;
    Candidate candidate{std::move(tables), 0, 0};
    candidate.garbage = garbage_in(candidate.tables);
    candidate.entries = entries_in(candidate.tables);
    if (!is_worth_it(candidate)) continue;
    if (!worst || is_worse(candidate, *worst)) worst = std::move(candidate);
  }
  if (!worst) return std::nullopt;
  return rewrite(std::move(*worst), *level, target_file_size_bytes);
}

}  // namespace lsm

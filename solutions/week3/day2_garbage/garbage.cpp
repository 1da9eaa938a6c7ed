#include "garbage.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

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
  // ANCHOR: task-3-2-3 deepest_level
  for (int level = kMaxLevels - 1; level >= 0; --level) {
    if (!shape.levels[static_cast<std::size_t>(level)].runs.empty())
      return level;
  }
  return std::nullopt;
  // ANCHOR_END: task-3-2-3
}

// The pieces of the deepest run: each table, or, in level 0, all of it.
std::vector<RunShape> pieces_of(const RunShape& run, int level) {
  // ANCHOR: task-3-2-3 pieces_of
  if (level == 0) return {run};
  std::vector<RunShape> pieces;
  for (const FileMetaPtr& file : run.files)
    pieces.push_back({{file}});
  return pieces;
  // ANCHOR_END: task-3-2-3
}

// Whether rewriting it is worth it (I3).
bool is_worth_it(const Candidate& candidate) {
  // ANCHOR: task-3-2-3 is_worth_it
  return candidate.garbage > 0 &&
         candidate.garbage * kEntriesForOneOfGarbage >= candidate.entries;
  // ANCHOR_END: task-3-2-3
}

// Whether a larger share of `a` than of `b` can go.
bool is_worse(const Candidate& a, const Candidate& b) {
  // ANCHOR: task-3-2-4 is_worse
  return a.garbage * b.entries > b.garbage * a.entries;
  // ANCHOR_END: task-3-2-4
}

CompactionTask rewrite(Candidate candidate, int level,
                       std::uint64_t target_file_size_bytes) {
  // ANCHOR: task-3-2-3 rewrite
  CompactionTask task;
  task.reason = fmt::format("level {}: {} of {} entries can go", level,
                            candidate.garbage, candidate.entries);
  task.inputs.push_back({level, {std::move(candidate.tables)}});
  task.output_level = level;
  task.target_file_size_bytes = target_file_size_bytes;
  return task;
  // ANCHOR_END: task-3-2-3
}

}  // namespace

std::uint64_t garbage_in(const RunShape& tables) {
  // ANCHOR: task-3-2-2 garbage_in
  std::uint64_t sum = 0;
  for (const FileMetaPtr& file : tables.files)
    sum += file->hidden + file->tombstones;
  return sum;
  // ANCHOR_END: task-3-2-2
}

bool is_below_snapshots(const RunShape& tables,
                        std::optional<Sequence> oldest_live) {
  // ANCHOR: task-3-2-2 is_below_snapshots
  return !oldest_live ||
         std::ranges::all_of(tables.files, [&](const FileMetaPtr& file) {
           return file->newest_sequence <= *oldest_live;
         });
  // ANCHOR_END: task-3-2-2
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

// Trees as no single policy would leave them: whatever is legal. A policy must
// bring each of them to rest (a store may be opened under another policy every
// time).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "support/random.h"
#include "support/teach.h"
#include "tools/sim/shape_model.h"

namespace lsm::test {

// What a model should hold: of each key the newest sequence, 0 if removed.
using NewestOf = std::map<std::uint64_t, std::uint64_t>;

// One random write; true when the buffer is full.
inline bool write_any(sim::ShapeModel& model, Random& random,
                      std::uint64_t keys, NewestOf& newest) {
  const std::uint64_t key = random.below(keys);
  const bool removes = random.one_in(8);
  const bool full = removes ? model.remove(key) : model.put(key);
  newest[key] = removes ? 0 : model.sequence();
  return full;
}

// A legal task that no policy would think of: some neighbours of level 0 into
// level 0, or every level from one on down to another into that.
inline CompactionTask any_task(const TreeShape& shape, Random& random) {
  CompactionTask task;
  task.target_file_size_bytes = random.between(200, 3000);
  const auto& newest = shape.levels[0].runs;
  if (newest.size() >= 2 && random.one_in(2)) {
    const std::size_t count = random.between(1, newest.size());
    const std::size_t first = random.below(newest.size() - count + 1);
    const auto from = newest.begin() + static_cast<std::ptrdiff_t>(first);
    task.inputs.push_back(
        {0, {from, from + static_cast<std::ptrdiff_t>(count)}});
    return task;
  }
  const int from = static_cast<int>(random.below(kMaxLevels - 1));
  task.output_level = static_cast<int>(
      random.between(static_cast<std::uint64_t>(from) + 1, kMaxLevels - 1));
  for (int level = from; level <= task.output_level; ++level) {
    const auto& runs = shape.levels[static_cast<std::size_t>(level)].runs;
    if (!runs.empty()) task.inputs.push_back({level, runs});
  }
  return task;
}

// `flushes` runs, and any tasks between them.
inline void grow_any_tree(sim::ShapeModel& model, Random& random,
                          std::size_t flushes, std::uint64_t keys,
                          NewestOf& newest) {
  for (std::size_t i = 0; i < flushes; ++i) {
    while (!write_any(model, random, keys, newest)) {
    }
    model.flush();
    if (!random.one_in(3)) continue;
    const CompactionTask task = any_task(model.shape(), random);
    if (task.inputs.empty()) continue;
    const std::string wrong = model.apply(task);
    REQUIRE_SAME(wrong, "");
  }
}

// Every key reads as it should; flush first.
inline void check_reads(const sim::ShapeModel& model, const NewestOf& newest) {
  for (const auto& [key, sequence] : newest) {
    if (model.find(key) == sequence) continue;
    CAPTURE(key);
    CHECK_SAME(model.find(key), sequence);
    return;
  }
}

inline std::size_t count_runs(const TreeShape& shape) {
  std::size_t runs = 0;
  for (const LevelShape& level : shape.levels)
    runs += level.runs.size();
  return runs;
}

inline std::uint64_t level_bytes(const TreeShape& shape, int level) {
  return shape.levels[static_cast<std::size_t>(level)].size_bytes();
}

}  // namespace lsm::test

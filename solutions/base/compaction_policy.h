// Decides what to compact next. A policy is a pure function of the tree's
// shape: no I/O, no clock, no randomness, so that the engine, the simulator
// and the tests all see the same decisions.
//
// I1 pick() returns a task, or nothing when the tree is in shape.
// I2 A task never splits one user key's versions of a level between inside and
//    outside of its inputs, and takes from level 0 only neighbours in age.
#pragma once

#include <optional>

#include "base/tree_shape.h"

namespace lsm {

class CompactionPolicy {
 public:
  virtual ~CompactionPolicy() = default;
  virtual std::optional<CompactionTask> pick(const TreeShape& shape) const = 0;
  // How far the tree is from its shape, in bytes still to be rewritten; the
  // write path slows down by it. 0 when pick() would return nothing.
  virtual std::uint64_t debt_bytes(const TreeShape& shape) const = 0;
};

// The simplest one: merges everything into the deepest level as soon as level
// 0 holds `runs` runs.
class FullCompactionPolicy final : public CompactionPolicy {
 public:
  explicit FullCompactionPolicy(
      std::size_t runs = 4,
      std::uint64_t target_file_size_bytes = std::uint64_t{64} << 20)
      : runs_(runs), target_file_size_bytes_(target_file_size_bytes) {}

  std::optional<CompactionTask> pick(const TreeShape& shape) const override {
    if (shape.levels[0].runs.size() < runs_) return std::nullopt;
    CompactionTask task;
    for (int level = 0; level < kMaxLevels; ++level) {
      const auto& runs = shape.levels[static_cast<std::size_t>(level)].runs;
      if (!runs.empty()) task.inputs.push_back({level, runs});
    }
    task.output_level = kMaxLevels - 1;
    task.target_file_size_bytes = target_file_size_bytes_;
    task.reason = "level 0 is full: merge all";
    return task;
  }
  std::uint64_t debt_bytes(const TreeShape& shape) const override {
    if (shape.levels[0].runs.size() < runs_) return 0;
    std::uint64_t sum = 0;
    for (const LevelShape& level : shape.levels)
      sum += level.size_bytes();
    return sum;
  }

 private:
  std::size_t runs_;
  std::uint64_t target_file_size_bytes_;
};

}  // namespace lsm

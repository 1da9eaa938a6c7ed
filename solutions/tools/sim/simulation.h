// One policy at work on a stream of writes, and what it cost.
//
//   Workload ─► ShapeModel ── full buffer ─► flush ─► the policy's tasks
//
// Without a rate, every task that is due is done before the next write: the
// tree is looked at in rest. With one, the disk has only so many bytes a
// second for compaction, and the writes do not wait for it until level 0 holds
// as many runs as stop them:
//
//   a buffer fills in    buffer bytes / rate            seconds
//   a task takes         2 * its input bytes / disk     seconds (read, write)
//
// I1 The same input and the same policy give the same figures: there is no
//    clock here but the one that the two lines above make.
// I2 Several simulations of one input see the same writes, one by one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/compaction_policy.h"
#include "shape_model.h"
#include "workload.h"

namespace lsm::sim {

struct Input {
  std::string workload = "uniform";
  std::uint64_t writes = 1'000'000;
  std::uint64_t keys = 200'000;
  std::uint64_t seed = 1;
  ShapeModel::Settings model{.entry_bytes = 116, .entries_a_buffer = 2000};
  // Bytes a second; a rate of 0 leaves all the time there is to compaction.
  double rate_bytes = 0;
  double disk_bytes = 200e6;
  std::size_t level0_runs_to_stop = 20;
};

// The tree after a flush and what was done since the one before it.
struct Step {
  std::size_t flush = 0;
  std::uint64_t writes = 0;
  double write_amplification = 0;
  double space_amplification = 0;
  std::size_t runs = 0;
  std::size_t level0_runs = 0;
  std::vector<std::uint64_t> level_bytes;
};

// Definitions: kDefinitions in sim_report.h.
struct Figures {
  std::string policy;
  ShapeModel::Totals totals;
  double write_amplification = 0;
  double space_amplification = 0;  // at the end
  double worst_space = 0;          // after a flush of the second half
  double mean_runs = 0;
  std::size_t worst_runs = 0;
  double seconds = 0;  // of the input's clock; 0 without a rate
  double stalled_seconds = 0;
  std::vector<Step> steps;  // some of them, evenly
};

class Simulation {
 public:
  Simulation(std::string name, std::shared_ptr<const CompactionPolicy> policy,
             const Input& input);

  void expire(ShapeModel::Expired expired) {
    model_.expire(std::move(expired));
  }
  // True when the buffer is full: call flush().
  bool write(const Write& write);
  // Flushes, and lets the policy work. `live_bytes`: what the newest versions
  // of the keys that exist take. Throws std::runtime_error when the policy
  // asks for what is not legal, or never comes to rest.
  void flush(std::uint64_t live_bytes);

  const std::string& name() const { return name_; }
  const TreeShape& shape() const { return model_.shape(); }
  // The tasks that began with the last flush or behind it.
  const std::vector<CompactionTask>& tasks() const { return tasks_; }
  Figures figures() const;

 private:
  // Does what is due, for so many seconds; without a number, all of it.
  void work(std::optional<double> seconds);
  bool finish_task(std::optional<double>& seconds);
  void look(std::uint64_t live_bytes);

  std::string name_;
  std::shared_ptr<const CompactionPolicy> policy_;
  const Input& input_;
  ShapeModel model_;
  std::optional<CompactionTask> under_way_;
  double seconds_left_ = 0;  // of the task under way
  std::vector<CompactionTask> tasks_;
  Figures figures_;
  double runs_sum_ = 0;
  std::size_t sample_every_ = 1;
};

}  // namespace lsm::sim

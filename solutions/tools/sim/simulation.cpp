#include "simulation.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace lsm::sim {

namespace {

constexpr std::size_t kTaskLimit = 1'000'000;  // between two flushes
constexpr std::size_t kMostSteps = 200;        // that are kept

std::uint64_t input_bytes(const CompactionTask& task) {
  std::uint64_t bytes = 0;
  for (const CompactionTask::Input& input : task.inputs) {
    for (const RunShape& run : input.runs)
      bytes += run.size_bytes();
  }
  return bytes;
}

}  // namespace

Simulation::Simulation(std::string name,
                       std::shared_ptr<const CompactionPolicy> policy,
                       const Input& input)
    : name_(std::move(name)),
      policy_(std::move(policy)),
      input_(input),
      model_(input.model) {
  const std::uint64_t flushes =
      input.writes / std::max<std::size_t>(input.model.entries_a_buffer, 1);
  sample_every_ = static_cast<std::size_t>(flushes) / kMostSteps + 1;
}

bool Simulation::write(const Write& write) {
  return write.remove ? model_.remove(write.key) : model_.put(write.key);
}

void Simulation::flush(std::uint64_t live_bytes) {
  tasks_.clear();
  model_.flush();
  if (input_.rate_bytes <= 0) {
    work(std::nullopt);
  } else {
    const double seconds = static_cast<double>(input_.model.entries_a_buffer *
                                               input_.model.entry_bytes) /
                           input_.rate_bytes;
    figures_.seconds += seconds;
    work(seconds);
    // The writers wait for one task after the other.
    while (model_.shape().levels[0].runs.size() >= input_.level0_runs_to_stop) {
      if (!under_way_) work(0);
      if (!under_way_) break;  // no policy of ours leaves level 0 so
      const double wait = seconds_left_;
      figures_.seconds += wait;
      figures_.stalled_seconds += wait;
      work(wait);
    }
  }
  look(live_bytes);
}

void Simulation::work(std::optional<double> seconds) {
  for (std::size_t done = 0; done < kTaskLimit; ++done) {
    if (!under_way_) {
      under_way_ = policy_->pick(model_.shape());
      if (!under_way_) return;
      tasks_.push_back(*under_way_);
      seconds_left_ = under_way_->trivial_move
                          ? 0
                          : 2 * static_cast<double>(input_bytes(*under_way_)) /
                                input_.disk_bytes;
    }
    if (!finish_task(seconds)) return;
  }
  throw std::runtime_error(name_ + ": it does not come to rest");
}

// False when the time is over first.
bool Simulation::finish_task(std::optional<double>& seconds) {
  if (seconds) {
    if (seconds_left_ > *seconds) {
      seconds_left_ -= *seconds;
      return false;
    }
    *seconds -= seconds_left_;
  }
  const std::string wrong = model_.apply(*under_way_);
  under_way_.reset();
  if (!wrong.empty()) {
    throw std::runtime_error(name_ + ": an illegal task: " + wrong);
  }
  return true;
}

void Simulation::look(std::uint64_t live_bytes) {
  const ShapeModel::Totals& totals = model_.totals();
  Step step;
  step.flush = totals.flushes;
  step.writes = model_.sequence();
  step.level0_runs = model_.shape().levels[0].runs.size();
  std::uint64_t bytes = 0;
  for (const LevelShape& level : model_.shape().levels) {
    step.level_bytes.push_back(level.size_bytes());
    bytes += level.size_bytes();
    step.runs += level.runs.size();
  }
  step.write_amplification =
      static_cast<double>(totals.flushed_bytes + totals.written_bytes) /
      static_cast<double>(std::max<std::uint64_t>(totals.user_bytes, 1));
  step.space_amplification =
      static_cast<double>(bytes) /
      static_cast<double>(std::max<std::uint64_t>(live_bytes, 1));
  figures_.space_amplification = step.space_amplification;
  // Small trees say little: the second half of the run counts.
  if (model_.sequence() * 2 >= input_.writes) {
    figures_.worst_space =
        std::max(figures_.worst_space, step.space_amplification);
  }
  figures_.worst_runs = std::max(figures_.worst_runs, step.runs);
  runs_sum_ += static_cast<double>(step.runs);
  if (totals.flushes % sample_every_ == 0) {
    figures_.steps.push_back(std::move(step));
  }
}

Figures Simulation::figures() const {
  Figures result = figures_;
  result.policy = name_;
  result.totals = model_.totals();
  const ShapeModel::Totals& totals = result.totals;
  result.write_amplification =
      static_cast<double>(totals.flushed_bytes + totals.written_bytes) /
      static_cast<double>(std::max<std::uint64_t>(totals.user_bytes, 1));
  result.mean_runs =
      runs_sum_ / static_cast<double>(std::max<std::size_t>(totals.flushes, 1));
  return result;
}

}  // namespace lsm::sim

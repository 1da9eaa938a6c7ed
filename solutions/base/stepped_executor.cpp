#include <array>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/splitmix.h"

namespace lsm {
namespace {

// Used from one thread. Tasks still waiting when it dies are dropped.
class SteppedExecutor final : public Executor {
 public:
  explicit SteppedExecutor(std::uint64_t seed) : random_(seed) {}

  void submit(Lane lane, std::function<void()> task) override {
    tasks_.push_back({lane, std::move(task)});
  }

  Result<void> wait(Mutex& mutex, CondVar& /*changed*/,
                    const std::function<bool()>& predicate) override
      LSM_REQUIRES(mutex) {
    while (!predicate()) {
      mutex.unlock();
      const bool ran = run_one();
      mutex.lock();
      if (!ran) {
        return fail(Code::internal,
                    "deadlock: a wait whose predicate does not hold, and no "
                    "task left that could change it");
      }
    }
    return {};
  }

  bool stepped() const override { return true; }

  // Draws among all tasks whose lane is free: a task that waits is still
  // running, and its lane runs nothing else meanwhile (I1).
  bool run_one() override {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < tasks_.size(); i++) {
      if (!running(tasks_[i].lane)) ready.push_back(i);
    }
    if (ready.empty()) return false;
    const auto drawn = static_cast<std::ptrdiff_t>(
        ready[static_cast<std::size_t>(random_.below(ready.size()))]);
    const Task task = std::move(tasks_[static_cast<std::size_t>(drawn)]);
    tasks_.erase(tasks_.begin() + drawn);
    running(task.lane) = true;
    task.run();
    running(task.lane) = false;
    return true;
  }

 private:
  struct Task {
    Lane lane;
    std::function<void()> run;
  };

  bool& running(Lane lane) { return running_[static_cast<std::size_t>(lane)]; }

  Splitmix random_;
  std::vector<Task> tasks_;  // oldest first
  std::array<bool, kLanes> running_ = {};
};

}  // namespace

std::unique_ptr<Executor> make_stepped_executor(std::uint64_t seed) {
  return std::make_unique<SteppedExecutor>(seed);
}

}  // namespace lsm

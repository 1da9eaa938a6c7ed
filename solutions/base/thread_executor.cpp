#ifndef LSM_SINGLE_THREADED

#include <array>
#include <deque>
#include <thread>
#include <utility>

#include "base/executor.h"

namespace lsm {
namespace {

// One lane: a queue, and the thread that empties it.
class Worker {
 public:
  ~Worker() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void submit(std::function<void()> task) {
    MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_all();
  }

 private:
  void run() {
    while (const auto task = next_task())
      task();
  }

  // The oldest task, or nothing once the queue has drained for good.
  std::function<void()> next_task() {
    MutexLock lock(mutex_);
    while (tasks_.empty() && !stopping_)
      changed_.wait(mutex_);
    if (tasks_.empty()) return nullptr;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ LSM_GUARDED_BY(mutex_);
  bool stopping_ LSM_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // set under mutex_, joined by the destructor
};

class ThreadExecutor final : public Executor {
 public:
  void submit(Lane lane, std::function<void()> task) override {
    workers_[static_cast<std::size_t>(lane)].submit(std::move(task));
  }

  Result<void> wait(Mutex& mutex, CondVar& changed,
                    const std::function<bool()>& predicate) override
      LSM_REQUIRES(mutex) {
    while (!predicate())
      changed.wait(mutex);
    return {};
  }

 private:
  std::array<Worker, kLanes> workers_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor() {
  return std::make_unique<ThreadExecutor>();
}

}  // namespace lsm

#endif  // LSM_SINGLE_THREADED

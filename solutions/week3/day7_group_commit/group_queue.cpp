#include "group_queue.h"

#include <atomic>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include "base/not_implemented.h"
#include "base/sync.h"

namespace lsm {
namespace {

// One thread's place in the queue, on its stack.
struct Writer {
  enum class State : std::uint8_t { waiting, leading, answered };

  explicit Writer(WriteRequest& asked) : request(&asked) {}

  WriteRequest* request;
  // Changed by a leader, under the mutex; read by its own thread without.
  std::atomic<State> state{State::waiting};
  bool asleep = false;  // guarded by the mutex
  CondVar changed;      // of the state, for one who sleeps
};

class GroupQueue final : public WriteQueue {
 public:
  GroupQueue(Commit commit, Executor& executor, GroupLimits limits)
      : commit_(std::move(commit)), executor_(executor), limits_(limits) {}

  void submit(WriteRequest& request) override {
    // ANCHOR: task-3-7-2 GroupQueue::submit
    Writer self(request);
    if (!line_up(self) && wait_for_turn(self) == Writer::State::answered) {
      return;
    }
    await_company(self);
    take_group();
    run_commit();
    answer_group(self);
    // ANCHOR_END: task-3-7-2
  }

 private:
  // True if `self` is the front, and leads at once.
  bool line_up(Writer& self) {
    const MutexLock lock(mutex_);
    queue_.push_back(&self);
    return queue_.size() == 1;
  }

  // Returns when `self` leads or is answered.
  Writer::State wait_for_turn(Writer& self) {
    // Acquire pairs with the release in tell(): whoever sees the answer sees
    // the request's result.
    for (int i = 0; i < limits_.spins; ++i) {
      const auto state = self.state.load(std::memory_order_acquire);
      if (state != Writer::State::waiting) return state;
      spin_pause();
    }
    const MutexLock lock(mutex_);
    const auto told = [&self] {
      return self.state.load(std::memory_order_acquire) !=
             Writer::State::waiting;
    };
    self.asleep = true;
    if (auto woken = executor_.wait(mutex_, self.changed, told); !woken) {
      std::erase(queue_, &self);  // nobody will ever come to it
      self.request->result = woken;
      return Writer::State::answered;
    }
    return self.state.load(std::memory_order_acquire);
  }

  void await_company(const Writer& self) {
    if (!self.request->sync) return;
    for (int i = 0; i < limits_.patience; ++i) {
      {
        const MutexLock lock(mutex_);
        if (queue_.size() >= expected_) return;
      }
      yield_thread();
    }
  }

  void take_group() {
    const MutexLock lock(mutex_);
    group_.clear();
    GroupRule rule(limits_);
    for (const Writer* writer : queue_) {
      if (!rule.admits(*writer->request)) break;
      group_.push_back(writer->request);
    }
  }

  void run_commit() {
    try {
      commit_(group_);
      return;
    } catch (const NotImplemented& task) {
      fail_group({Code::unimplemented, task.what()});
    } catch (const std::exception& thrown) {
      fail_group({Code::internal, thrown.what()});
    }
  }

  void fail_group(const Error& error) {
    for (WriteRequest* request : group_) {
      request->result = std::unexpected(error);
    }
  }

  void answer_group(const Writer& self) {
    const MutexLock lock(mutex_);
    expected_ = queue_.size();
    const auto behind =
        queue_.begin() + static_cast<std::ptrdiff_t>(group_.size());
    if (behind != queue_.end()) tell(**behind, Writer::State::leading);
    for (auto it = queue_.begin(); it != behind; ++it) {
      if (*it != &self) tell(**it, Writer::State::answered);
    }
    queue_.erase(queue_.begin(), behind);
  }

  // The last touch of an answered writer.
  void tell(Writer& writer, Writer::State state) LSM_REQUIRES(mutex_) {
    const bool asleep = writer.asleep;
    // Release pairs with the acquires in wait_for_turn.
    writer.state.store(state, std::memory_order_release);
    // Asleep it cannot leave before this mutex is free; awake it may be gone.
    if (asleep) writer.changed.notify_all();
  }

  const Commit commit_;
  Executor& executor_;
  const GroupLimits limits_;

  // The leader's alone, handed on with the lead.
  std::vector<WriteRequest*> group_;

  Mutex mutex_;
  std::deque<Writer*> queue_ LSM_GUARDED_BY(mutex_);
  // How many stood here when the last group was answered.
  std::size_t expected_ LSM_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<WriteQueue> make_group_queue(WriteQueue::Commit commit,
                                             Executor& executor,
                                             GroupLimits limits) {
  return std::make_unique<GroupQueue>(std::move(commit), executor, limits);
}

}  // namespace lsm

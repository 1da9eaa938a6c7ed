#include "group_queue.h"

#include <atomic>
#include <cstdint>
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
  // Changed by a leader, under the mutex.
  std::atomic<State> state{State::waiting};
  CondVar changed;  // notified when the state has changed
  // ANCHOR: hide-asleep
  bool asleep = false;  // guarded by the mutex
  // ANCHOR_END: hide-asleep
};

class GroupQueue final : public WriteQueue {
 public:
  GroupQueue(Commit commit, Executor& executor, Clock& clock,
             GroupLimits limits)
      : commit_(std::move(commit)),
        executor_(executor),
        clock_(clock),
        limits_(limits) {}

  void submit(WriteRequest& request) override {
    Writer self(request);
    if (join(self) == Writer::State::leading) lead(self);
  }

 private:
  // Lines `self` up; returns when it leads or is answered.
  Writer::State join(Writer& self) {
    // ANCHOR: task-3-7-2 GroupQueue::join
    {
      const MutexLock lock(mutex_);
      queue_.push_back(&self);
      if (queue_.size() == 1) return Writer::State::leading;  // I1
    }
    const Writer::State seen = look(self);
    return seen == Writer::State::waiting ? sleep(self) : seen;
    // ANCHOR_END: task-3-7-2
  }

  // ANCHOR: hide-sleep
  Writer::State sleep(Writer& self) {
    const MutexLock lock(mutex_);
    self.asleep = true;
    const auto told = [&self] {
      return self.state.load(std::memory_order_relaxed) !=  // mutex_ is held
             Writer::State::waiting;
    };
    if (auto woken = executor_.wait(mutex_, self.changed, told); !woken) {
      // A deadlock: nobody will ever come to it.
      std::erase(queue_, &self);
      self.request->result = woken;
      return Writer::State::answered;
    }
    return self.state.load(std::memory_order_relaxed);
  }
  // ANCHOR_END: hide-sleep

  void lead(Writer& self) {
    // ANCHOR: task-3-7-2 GroupQueue::lead
    await_company(self);
    take_group();
    run_commit();  // no lock is held (I3)
    judge_wait();
    answer_group(self);
    // ANCHOR_END: task-3-7-2
  }

  // The writers who go together, from the front: into group_.
  void take_group() {
    // ANCHOR: task-3-7-2 GroupQueue::take_group
    const MutexLock lock(mutex_);
    group_.clear();
    GroupRule rule(limits_);
    for (const Writer* writer : queue_) {
      if (!rule.admits(*writer->request)) break;
      group_.push_back(writer->request);
    }
    // ANCHOR_END: task-3-7-2
  }

  // Out of the queue with the group; its members hear so, and who is in front
  // now leads.
  void answer_group(const Writer& self) {
    // ANCHOR: task-3-7-2 GroupQueue::answer_group
    const MutexLock lock(mutex_);
    expected_ = queue_.size();
    const auto behind =
        queue_.begin() + static_cast<std::ptrdiff_t>(group_.size());
    if (behind != queue_.end()) tell(**behind, Writer::State::leading);
    for (auto member = queue_.begin(); member != behind; ++member) {
      if (*member != &self) tell(**member, Writer::State::answered);
    }
    queue_.erase(queue_.begin(), behind);
    // ANCHOR_END: task-3-7-2
  }

  // ANCHOR: hide-tell
  // The last touch of an answered writer (I5): awake, it may be gone once it
  // sees the state. Asleep it cannot leave before this mutex is free.
  static void tell(Writer& writer, Writer::State state) {
    const bool asleep = writer.asleep;
    // Release pairs with the acquire in look: who sees the answer sees the
    // result.
    writer.state.store(state, std::memory_order_release);
    if (asleep) writer.changed.notify_all();
  }
  // ANCHOR_END: hide-tell

  // Calls commit; what it throws becomes everybody's answer.
  void run_commit() {
    // ANCHOR: task-3-7-3 GroupQueue::run_commit
    const auto fail_all = [this](const Error& error) {
      for (WriteRequest* request : group_) {
        request->result = std::unexpected(error);
      }
    };
    try {
      commit_(group_);
    } catch (const NotImplemented& task) {
      fail_all({Code::unimplemented, task.what()});
    } catch (const std::exception& thrown) {
      fail_all({Code::internal, thrown.what()});
    }
    // ANCHOR_END: task-3-7-3
  }

  // Looks at the state for as long as that is cheaper than to fall asleep and
  // be woken: not at all for a sync, which takes longer than that.
  Writer::State look(const Writer& self) const {
    // ANCHOR: task-3-7-4 GroupQueue::look
    if (self.request->sync) return Writer::State::waiting;
    for (int i = 0; i < limits_.spins; ++i) {
      // Acquire pairs with the release in tell.
      const auto state = self.state.load(std::memory_order_acquire);
      if (state != Writer::State::waiting) return state;
      spin_pause();
    }
    return Writer::State::waiting;
    // ANCHOR_END: task-3-7-4
  }

  // Before a sync: waits, briefly, until as many stand here as a moment ago.
  void await_company(const Writer& self) {
    // ANCHOR: task-3-7-5 GroupQueue::await_company
    waited_micros_ = 0;
    if (!self.request->sync) return;
    if (alone_ > 0) {
      --alone_;
      return;
    }
    const std::uint64_t began = clock_.now_micros();
    for (int i = 0; i < limits_.patience; ++i) {
      {
        const MutexLock lock(mutex_);
        if (queue_.size() >= expected_) break;
      }
      yield_thread();
    }
    ready_micros_ = clock_.now_micros();
    waited_micros_ = ready_micros_ - began;
    // ANCHOR_END: task-3-7-5
  }

  // After the commit: a wait that took longer than that did not pay, and is
  // left out for a while. To yield costs a whole time slice, thousands of
  // microseconds, when others want this core.
  void judge_wait() {
    // ANCHOR: task-3-7-5 GroupQueue::judge_wait
    if (waited_micros_ == 0) return;
    const std::uint64_t commit_micros = clock_.now_micros() - ready_micros_;
    if (waited_micros_ > commit_micros) alone_ = limits_.alone;
    // ANCHOR_END: task-3-7-5
  }

  const Commit commit_;
  Executor& executor_;
  Clock& clock_;
  const GroupLimits limits_;

  // The leader's alone, handed on with the lead.
  std::vector<WriteRequest*> group_;
  // ANCHOR: hide-wait
  std::uint64_t waited_micros_ = 0;  // for company, before this commit
  std::uint64_t ready_micros_ = 0;   // when that wait was over
  int alone_ = 0;                    // so many syncs more wait for nobody
  // ANCHOR_END: hide-wait

  Mutex mutex_;
  // Oldest first. The front leads, and stays until its group is answered.
  std::deque<Writer*> queue_ LSM_GUARDED_BY(mutex_);
  // ANCHOR: hide-expected
  // How many stood here when the last group was answered.
  std::size_t expected_ LSM_GUARDED_BY(mutex_) = 0;
  // ANCHOR_END: hide-expected
};

}  // namespace

std::unique_ptr<WriteQueue> make_group_queue(WriteQueue::Commit commit,
                                             Executor& executor, Clock& clock,
                                             GroupLimits limits) {
  return std::make_unique<GroupQueue>(std::move(commit), executor, clock,
                                      limits);
}

}  // namespace lsm

#include "group_queue.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <utility>
#include <vector>

#include "base/not_implemented.h"
#include "base/sync.h"
#include "base/todo.h"

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
    // Task 2: GroupQueue::join
    LSM_TODO("3.7 task 2", "GroupQueue::join");
  }

  void lead(Writer& self) {
    // Task 2: GroupQueue::lead
    LSM_TODO("3.7 task 2", "GroupQueue::lead");
  }

  // The writers who go together, from the front: into group_.
  void take_group() {
    // Task 2: GroupQueue::take_group
    LSM_TODO("3.7 task 2", "GroupQueue::take_group");
  }

  // Out of the queue with the group; its members hear so, and who is in front
  // now leads.
  void answer_group(const Writer& self) {
    // Task 2: GroupQueue::answer_group
    LSM_TODO("3.7 task 2", "GroupQueue::answer_group");
  }

  // Calls commit; what it throws becomes everybody's answer.
  void run_commit() {
    // Task 3: GroupQueue::run_commit
    LSM_TODO("3.7 task 3", "GroupQueue::run_commit");
  }

  // Looks at the state for as long as that is cheaper than to fall asleep and
  // be woken: not at all for a sync, which takes longer than that.
  Writer::State look(const Writer& self) const {
    // Task 4: GroupQueue::look
    LSM_TODO("3.7 task 4", "GroupQueue::look");
  }

  // Before a sync: waits, briefly, until as many stand here as a moment ago.
  void await_company(const Writer& self) {
    // Task 5: GroupQueue::await_company
    LSM_TODO("3.7 task 5", "GroupQueue::await_company");
  }

  // After the commit: a wait that took longer than that did not pay, and is
  // left out for a while. To yield costs a whole time slice, thousands of
  // microseconds, when others want this core.
  void judge_wait() {
    // Task 5: GroupQueue::judge_wait
    LSM_TODO("3.7 task 5", "GroupQueue::judge_wait");
  }

  const Commit commit_;
  Executor& executor_;
  Clock& clock_;
  const GroupLimits limits_;

  // The leader's alone, handed on with the lead.
  std::vector<WriteRequest*> group_;

  Mutex mutex_;
  // Oldest first. The front leads, and stays until its group is answered.
  std::deque<Writer*> queue_ LSM_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<WriteQueue> make_group_queue(WriteQueue::Commit commit,
                                             Executor& executor, Clock& clock,
                                             GroupLimits limits) {
  return std::make_unique<GroupQueue>(std::move(commit), executor, clock,
                                      limits);
}

}  // namespace lsm

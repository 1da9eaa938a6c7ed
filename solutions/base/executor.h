// Where background work runs. The engine names a lane and hands over a task;
// whether that means threads or one seeded single step at a time is decided
// here, so that a test can replay any interleaving of tasks.
//
//   engine ── submit(flush, task) ──►  lane flush       one thread
//          ── submit(compaction, …) ►  lane compaction  one thread
//
// I1 Tasks of one lane run one at a time, in the order submitted (threads), or
//    in an order drawn from the seed (stepped).
// I2 A task never waits for another task.
// I3 All blocking goes through wait(): threads sleep there, the stepped
//    executor runs tasks there until the predicate holds, and reports a
//    deadlock when none is left.
// I4 A task does not throw: the engine catches what an unwritten room throws
//    inside the task and keeps it as its background error.
// Lifetime: outlives every store that uses it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/sync.h"

namespace lsm {

class Executor {
 public:
  enum class Lane : std::uint8_t { flush, compaction };
  static constexpr int kLanes = 2;

  virtual ~Executor() = default;

  virtual void submit(Lane lane, std::function<void()> task) = 0;

  // Returns once `predicate` holds; `mutex` is held on call and on return, and
  // given up in between. Whoever changes what the predicate reads notifies
  // `changed`. Errors: internal, when a stepped executor has nothing left to
  // run (a deadlock).
  virtual Result<void> wait(Mutex& mutex, CondVar& changed,
                            const std::function<bool()>& predicate)
      LSM_REQUIRES(mutex) = 0;

  // True when tasks run only inside wait() and run_all(): the engine then
  // gives background work a turn after each write.
  virtual bool stepped() const { return false; }
  // Stepped: runs one task if there is one. Threads: does nothing.
  virtual bool run_one() { return false; }
};

#ifndef LSM_SINGLE_THREADED
// One thread a lane, started by the first task, joined by the destructor after
// the queue has drained.
std::unique_ptr<Executor> make_thread_executor();
#endif

// Runs tasks on the calling thread, in an order drawn from `seed`.
std::unique_ptr<Executor> make_stepped_executor(std::uint64_t seed);

}  // namespace lsm

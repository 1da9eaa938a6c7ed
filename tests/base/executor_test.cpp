#include "base/executor.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/teach.h"
#ifndef LSM_SINGLE_THREADED
#include "support/threads.h"
#endif

using namespace lsm;
using Lane = Executor::Lane;

namespace {

// The order in which a stepped executor runs eight tasks.
std::string order_of(std::uint64_t seed) {
  const auto executor = make_stepped_executor(seed);
  std::string order;
  for (char name = 'a'; name < 'i'; name++) {
    executor->submit(name % 2 == 0 ? Lane::flush : Lane::compaction,
                     [&order, name] { order += name; });
  }
  while (executor->run_one()) {
  }
  return order;
}

}  // namespace

TEST_CASE("a seed fixes the order of steps", "[base]") {
  STORY("Submit eight tasks; step through them with many seeds, twice.");
  INVARIANT("I1 stepped tasks run in an order drawn from the seed");
  bool differs = false;
  for (std::uint64_t seed = 0; seed < 20; seed++) {
    const std::string order = order_of(seed);
    CHECK_SAME(order.size(), 8u);
    CHECK_SAME(order_of(seed), order);
    differs = differs || order != order_of(0);
  }
  CHECK(differs);
}

TEST_CASE("a stepped wait runs tasks until its predicate holds", "[base]") {
  STORY("Each task submits the next; wait for the third.");
  INVARIANT("I3 all blocking goes through wait()");
  const auto executor = make_stepped_executor(1);
  CHECK(executor->stepped());
  Mutex mutex;
  CondVar changed;
  int done = 0;
  std::function<void()> task = [&] {
    MutexLock held(mutex);  // wait() has given it up
    done++;
    executor->submit(Lane::flush, task);
  };
  executor->submit(Lane::flush, task);
  MutexLock held(mutex);
  CHECK_OK(executor->wait(mutex, changed, [&] { return done == 3; }));
  CHECK_SAME(done, 3);
}

TEST_CASE("a stepped wait for nothing is reported as a deadlock", "[base]") {
  STORY("One task that does not help; wait for what never comes.");
  INVARIANT("I3 reports a deadlock when no task is left");
  const auto executor = make_stepped_executor(1);
  Mutex mutex;
  CondVar changed;
  bool ran = false;
  executor->submit(Lane::compaction, [&] { ran = true; });
  MutexLock held(mutex);
  CHECK_ERROR(executor->wait(mutex, changed, [] { return false; }),
              Code::internal);
  CHECK(ran);
}

TEST_CASE("a waiting step keeps its lane to itself", "[base]") {
  STORY("A flush waits inside its task, with a second flush in the queue.");
  INVARIANT("I1 tasks of one lane run one at a time");
  const auto executor = make_stepped_executor(1);
  Mutex mutex;
  CondVar changed;
  bool second = false;
  bool compacted = false;
  Result<void> waited;
  bool second_ran_inside = true;
  executor->submit(Lane::flush, [&] {
    executor->submit(Lane::flush, [&] { second = true; });
    executor->submit(Lane::compaction, [&] { compacted = true; });
    MutexLock held(mutex);
    waited = executor->wait(mutex, changed, [&] { return compacted; });
    second_ran_inside = second;
  });
  while (executor->run_one()) {
  }
  CHECK_OK(waited);
  CHECK_FALSE(second_ran_inside);
  CHECK(second);
}

#ifndef LSM_SINGLE_THREADED

TEST_CASE("threads run a lane's tasks in order, one at a time", "[base]") {
  STORY("Four threads submit 200 tasks each to both lanes.");
  INVARIANT("I1 tasks of one lane run one at a time, in order");
  struct Seen {
    int inside = 0;  // not atomic: ThreadSanitizer watches
    bool alone = true;
    std::vector<std::pair<int, int>> order;
  };
  Seen seen[Executor::kLanes];
  {
    const auto executor = make_thread_executor();
    CHECK_FALSE(executor->stepped());
    test::run_threads(4, [&](int submitter) {
      for (int i = 0; i < 200; i++) {
        for (const Lane lane : {Lane::flush, Lane::compaction}) {
          Seen& mine = seen[static_cast<int>(lane)];
          executor->submit(lane, [&mine, submitter, i] {
            mine.alone = mine.alone && ++mine.inside == 1;
            mine.order.emplace_back(submitter, i);
            mine.inside--;
          });
        }
      }
    });
  }  // drains the queues and joins
  for (const Seen& lane : seen) {
    CHECK(lane.alone);
    REQUIRE_SAME(lane.order.size(), 800u);
    int next[4] = {};
    bool in_order = true;
    for (const auto& [submitter, i] : lane.order) {
      in_order = in_order && next[submitter]++ == i;
    }
    CHECK(in_order);
  }
}

TEST_CASE("a thread that waits is woken by the task it waits for", "[base]") {
  STORY("Three threads wait for their turn, which tasks hand out.");
  const auto executor = make_thread_executor();
  Mutex mutex;
  CondVar changed;
  int turns = 0;
  test::run_threads(3, [&](int waiter) {
    executor->submit(waiter == 0 ? Lane::flush : Lane::compaction, [&] {
      MutexLock held(mutex);
      turns++;
      changed.notify_all();
    });
    MutexLock held(mutex);
    const auto waited =
        executor->wait(mutex, changed, [&] { return turns == 3; });
    test::expect(waited.has_value(), "wait failed");
    test::expect(turns == 3, "woke too early");
  });
  CHECK_SAME(turns, 3);
}

#endif  // LSM_SINGLE_THREADED

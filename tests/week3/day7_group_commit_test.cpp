// Day 3.7, group commit: which requests go together (group_rule.h), and the
// queue that brings them there (group_queue.h).
//
// Most of these tests put writers on a stage. The first one leads, and its
// commit is held open until all the others sleep in the queue, in the order of
// the test; then it goes on, and what was committed together is written down:
// "lead | b c | d". No luck is needed for that: a writer sleeps through
// Executor::wait (I6), and the executor here is one that notices.
#include "group_queue.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/not_implemented.h"
#include "group_rule.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

using After = WriteRequest::After;
using Group = std::span<WriteRequest* const>;
using Strings = std::vector<std::string>;

// A request of one put, with memory of its own. `name` is its key.
struct Ask {
  explicit Ask(std::string key, std::size_t value_bytes = 0)
      : name(std::move(key)), value(value_bytes, 'v') {}
  Ask(const Ask&) = delete;
  Ask& operator=(const Ask&) = delete;

  WriteRequest& request() {
    op = {Kind::put, name, value};
    asked.ops = {&op, 1};
    return asked;
  }

  std::string name;
  std::string value;
  WriteOp op;
  WriteRequest asked;
};

// The shorthand of this file: "b" a plain put of one byte, "b!" synced, "b+"
// freezes, "b." seals, "b:70" one of 70 KiB, name included.
std::unique_ptr<Ask> ask(std::string_view text) {
  const std::size_t colon = text.find(':');
  std::size_t bytes = 0;
  if (colon != std::string_view::npos) {
    bytes = std::stoul(std::string(text.substr(colon + 1))) << 10;
  }
  std::string_view name = text.substr(0, colon);
  const char last = name.back();
  if (last == '!' || last == '+' || last == '.') name.remove_suffix(1);
  auto made = std::make_unique<Ask>(std::string(name),
                                    bytes == 0 ? 0 : bytes - name.size());
  made->asked.sync = last == '!';
  made->asked.after = last == '+'   ? After::freeze
                      : last == '.' ? After::seal
                                    : After::nothing;
  return made;
}

std::string name_of(const WriteRequest& request) {
  return request.ops.empty() ? "-" : std::string(request.ops[0].key);
}

std::string names_of(Group group) {
  std::string names;
  for (const WriteRequest* request : group) {
    names += (names.empty() ? "" : " ") + name_of(*request);
  }
  return names;
}

void accept(Group group) {
  for (WriteRequest* request : group)
    request->result = {};
}

constexpr std::chrono::seconds kLimit{5};
// For a group that is under way when a test gives up.
constexpr std::chrono::seconds kGrace{1};

// Lets other threads run until `holds`; false after `limit`, or at once when
// `stop` is set.
template <typename Condition>
bool eventually(const std::atomic<bool>& stop, Condition&& holds,
                std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (stop || std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// Notices who falls asleep. Sleepers are woken by nobody but the queue, until
// the test gives up: then their wait is an error, as a deadlock is.
class WatchedExecutor final : public Executor {
 public:
  void submit(Lane, std::function<void()>) override {
    throw std::logic_error("a queue has no background tasks");
  }

  Result<void> wait(Mutex& mutex, CondVar& changed,
                    const std::function<bool()>& predicate) override
      LSM_NO_THREAD_SAFETY_ANALYSIS {
    if (predicate()) return {};
    const Sleeper self{&mutex, &changed};
    {
      const std::lock_guard lock(mutex_);
      sleepers_[&self] = self;
    }
    ++slept_;
    bool woken = predicate();
    while (!woken && !given_up_) {
      changed.wait(mutex);
      woken = predicate();
    }
    // Who is told after all must not leave: its leader holds it in a group.
    for (const auto until = std::chrono::steady_clock::now() + kGrace;
         !woken && std::chrono::steady_clock::now() < until;) {
      mutex.unlock();
      std::this_thread::yield();
      mutex.lock();
      woken = predicate();
    }
    const std::lock_guard lock(mutex_);
    sleepers_.erase(&self);
    if (woken) return {};
    return fail(Code::internal, "a writer slept, and nobody woke it");
  }

  // Wakes everybody, for good.
  void give_up() LSM_NO_THREAD_SAFETY_ANALYSIS {
    given_up_ = true;
    std::map<const void*, Sleeper> asleep;
    {
      const std::lock_guard lock(mutex_);
      asleep = sleepers_;
    }
    found_asleep_ = !asleep.empty();
    for (const auto& [id, sleeper] : asleep) {
      const MutexLock theirs(*sleeper.mutex);
      const std::lock_guard lock(mutex_);
      if (sleepers_.contains(id)) sleeper.changed->notify_all();
    }
  }

  // How many waits began so far that had to sleep.
  int slept() const { return slept_; }
  const std::atomic<bool>& given_up() const { return given_up_; }
  // Whether anybody slept when it gave up.
  bool found_asleep() const { return found_asleep_; }

 private:
  struct Sleeper {
    Mutex* mutex;
    CondVar* changed;
  };
  std::mutex mutex_;  // taken after a queue's own
  std::map<const void*, Sleeper> sleepers_;
  std::atomic<int> slept_ = 0;
  std::atomic<bool> given_up_ = false;
  std::atomic<bool> found_asleep_ = false;
};

// Stands still until the test moves it, and knows who has read it: a leader
// does before it waits for company.
class HandClock final : public Clock {
 public:
  std::uint64_t now_micros() override {
    const std::lock_guard lock(mutex_);
    ++readings_[std::this_thread::get_id()];
    return now_;
  }
  std::uint64_t wall_micros() override { return 0; }
  void sleep_micros(std::uint64_t micros) override { pass(micros); }

  void pass(std::uint64_t micros) {
    const std::lock_guard lock(mutex_);
    now_ += micros;
  }
  int readings_by(std::thread::id reader) {
    const std::lock_guard lock(mutex_);
    return readings_[reader];
  }

 private:
  std::mutex mutex_;
  std::uint64_t now_ = 1'000'000;
  std::map<std::thread::id, int> readings_;
};

// A queue, and threads that write to it. When one of them fails, or they take
// longer than kLimit, those who sleep are woken: a lost wake-up is a failure,
// not a test that hangs.
class Writers {
  struct GaveUp {};

 public:
  explicit Writers(WriteQueue::Commit commit, GroupLimits limits = {})
      : queue(make_group_queue(
            [this, commit = std::move(commit)](Group group) {
              if (committing.exchange(true)) overlapped = true;
              groups.push_back(names_of(group));
              leaders.push_back(std::this_thread::get_id());
              // Also when it throws.
              const std::unique_ptr<std::atomic<bool>,
                                    void (*)(std::atomic<bool>*)>
                  done(&committing,
                       [](std::atomic<bool>* flag) { *flag = false; });
              commit(group);
            },
            executor, clock, limits)) {}

  // body(0) … body(count - 1), each on its own thread; rethrows what was thrown
  // first, and not what the others made of it.
  void run(int count, const std::function<void(int)>& body) {
    std::mutex mutex;
    std::condition_variable changed;
    int running = count;
    std::exception_ptr first;
    run_threads(count + 1, [&](int i) {
      if (i == count) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, kLimit, [&] { return first || running == 0; });
        const bool stuck = running > 0;
        lock.unlock();
        if (stuck) executor.give_up();
        return;
      }
      std::exception_ptr thrown;
      try {
        body(i);
      } catch (const GaveUp&) {  // run says why
      } catch (...) {
        thrown = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      --running;
      if (!first) first = thrown;
      changed.notify_all();
    });
    if (first) std::rethrow_exception(first);
    if (wrong.empty() && executor.given_up()) {
      wrong = executor.found_asleep()
                  ? "after five seconds a writer still sleeps: nobody woke it"
                  : "after five seconds a writer is still on its way, awake: "
                    "it looks and looks, and does not see its new state";
    }
    REQUIRE_SAME(wrong, "");
  }

  // Once the test has given up nobody lines up any more.
  void submit(WriteRequest& request) {
    if (executor.given_up()) throw GaveUp();
    queue->submit(request);
  }

  template <typename Condition>
  bool await(Condition&& holds, std::chrono::seconds limit = kLimit) {
    return eventually(executor.given_up(), holds, limit);
  }

  // For use inside commit: what is thrown there the queue may answer with.
  template <typename Condition>
  void insist(Condition&& holds, const std::string& what) {
    if (!await(holds)) wrong = what;
  }

  std::string story() const {
    std::string all;
    for (const std::string& group : groups) {
      all += (all.empty() ? "" : " | ") + group;
    }
    return all;
  }

  WatchedExecutor executor;
  HandClock clock;
  std::atomic<bool> committing = false;
  std::atomic<bool> overlapped = false;  // two commits at once
  // Written by whoever commits.
  std::string wrong;
  Strings groups;
  std::vector<std::thread::id> leaders;
  std::unique_ptr<WriteQueue> queue;  // last: it uses the rest
};

// What came of writers on a stage.
struct Staged {
  std::string groups;   // "lead | b c"
  std::string answers;  // "lead ok, b conflict, c ok"
  Strings led_by;       // for each group, whose thread committed it
  bool overlapped = false;
};

// "lead b c": lead's commit is held open until b and c sleep in the queue, b
// first. `commit` is called for every group, that of lead included.
Staged on_stage(const Strings& texts, GroupLimits limits = {},
                const WriteQueue::Commit& commit = accept) {
  std::vector<std::unique_ptr<Ask>> asks;
  for (const std::string& text : texts)
    asks.push_back(ask(text));
  const int others = static_cast<int>(asks.size()) - 1;
  std::atomic<bool> entered = false;
  Writers* stage = nullptr;
  Writers writers(
      [&](Group group) {
        if (!entered.exchange(true)) {
          stage->insist([&] { return stage->executor.slept() == others; },
                        "while commit runs, " + std::to_string(others) +
                            " others should line up and sleep in "
                            "Executor::wait");
        }
        commit(group);
      },
      limits);
  stage = &writers;
  std::vector<std::thread::id> threads(asks.size());
  writers.run(others + 1, [&](int i) {
    Ask& mine = *asks[static_cast<std::size_t>(i)];
    threads[static_cast<std::size_t>(i)] = std::this_thread::get_id();
    const bool turn = writers.await([&] {
      return i == 0 || (entered && writers.executor.slept() == i - 1);
    });
    expect(turn, mine.name + " never had its turn to line up");
    writers.submit(mine.request());
  });

  Staged staged{writers.story(), {}, {}, writers.overlapped};
  for (const auto& each : asks) {
    staged.answers += (staged.answers.empty() ? "" : ", ") + each->name + " ";
    staged.answers +=
        each->asked.result
            ? "ok"
            : std::string(to_string(each->asked.result.error().code));
  }
  for (const std::thread::id leader : writers.leaders) {
    const auto at = std::ranges::find(threads, leader) - threads.begin();
    staged.led_by.push_back(asks[static_cast<std::size_t>(at)]->name);
  }
  return staged;
}

// How the rule cuts a queue: "a b | c".
std::string cut(const Strings& texts, GroupLimits limits = {}) {
  std::vector<std::unique_ptr<Ask>> asks;
  for (const std::string& text : texts)
    asks.push_back(ask(text));
  std::string all;
  std::size_t next = 0;
  while (next < asks.size()) {
    if (next > 0) all += " | ";
    GroupRule rule(limits);
    bool first = true;
    while (next < asks.size() && rule.admits(asks[next]->request())) {
      all += (first ? "" : " ") + asks[next]->name;
      first = false;
      ++next;
    }
    if (first) return all + "(empty: " + asks[next]->name + " not admitted)";
  }
  return all;
}

}  // namespace

// Task 1: who goes together.

TEST_CASE("small requests go together", "[3.7][task-1][core]") {
  STORY("Five plain puts of a byte each stand in the queue.");
  INVARIANT("I4 of group_rule.h: a group has at most max_bytes");
  CHECK_SAME(cut({"a", "b", "c", "d", "e"}), "a b c d e");
}

TEST_CASE("the first request goes, however large", "[3.7][task-1][core]") {
  STORY("3 MiB stand in front, then a byte; then a limit of 0 bytes.");
  INVARIANT("I1 of group_rule.h: the first request is always admitted");
  CHECK_SAME(cut({"a:3072", "b"}), "a | b");
  CHECK_SAME(cut({"a", "b", "c"}, {.max_bytes = 0}), "a | b | c");
}

TEST_CASE("a plain request does not pay for another's sync",
          "[3.7][task-1][core]") {
  STORY("a is plain, b behind it asks for a sync, c is plain.");
  INVARIANT("I2 of group_rule.h: a sync joins only a synced group");
  CHECK_SAME(cut({"a", "b!", "c"}), "a | b c");
  CHECK_SAME(cut({"a", "b", "c!", "d!"}), "a b | c d");
}

TEST_CASE("a synced group takes plain requests along", "[3.7][task-1][core]") {
  STORY("a asks for a sync; b, plain, and c, synced, stand behind it.");
  INVARIANT("I2 of group_rule.h: a plain one stands behind the sync anyway");
  CHECK_SAME(cut({"a!", "b", "c!", "d"}), "a b c d");
}

TEST_CASE("a freeze or a seal is the last of its group",
          "[3.7][task-1][core]") {
  STORY("b freezes, and d seals the log; others stand between and behind.");
  INVARIANT("I3 of group_rule.h: what stands behind it comes after it");
  CHECK_SAME(cut({"a", "b+", "c", "d.", "e"}), "a b | c d | e");
  CHECK_SAME(cut({"a+", "b+", "c"}), "a | b | c");
}

TEST_CASE("a request without operations is one as well",
          "[3.7][task-1][core]") {
  STORY("A sync alone, without a put, behind a put of 3 MiB, synced.");
  INVARIANT("I4 of group_rule.h: only the first may be larger");
  const auto first = ask("a!:3072");
  WriteRequest only_sync{.sync = true};
  const GroupLimits limits;
  GroupRule rule(limits);
  CHECK_SAME(rule.admits(first->request()), true);
  CHECK_SAME(rule.admits(only_sync), false);
  GroupRule other(limits);
  CHECK_SAME(other.admits(only_sync), true);
  WriteRequest another{.sync = true};
  CHECK_SAME(other.admits(another), true);
}

TEST_CASE("a group has at most its bytes, and may have them all",
          "[3.7][task-1][core]") {
  STORY("Limit 1,000 KiB. 600 + 400 fit; then 600 + 401 do not.");
  INVARIANT("I4 of group_rule.h: a group has at most max_bytes");
  const GroupLimits limits{.max_bytes = 1000 << 10};
  CHECK_SAME(cut({"a:600", "b:400", "c:1"}, limits), "a b | c");
  CHECK_SAME(cut({"a:600", "b:401", "c:1"}, limits), "a | b c");
}

TEST_CASE("a small first request does not wait for a megabyte",
          "[3.7][task-1][core]") {
  STORY(
      "60 KiB in front: 128 KiB more may come. Then 129 KiB in front: up to "
      "1,024 KiB in all.");
  INVARIANT("I4 of group_rule.h: a small first one has 128 KiB more");
  CHECK_SAME(cut({"a:60", "b:900"}), "a | b");
  CHECK_SAME(cut({"a:60", "b:64", "c:64", "d:1"}), "a b c | d");
  CHECK_SAME(cut({"a:128", "b:128", "c:1"}), "a b | c");
  CHECK_SAME(cut({"a:129", "b:895", "c:1"}), "a b | c");
  CHECK_SAME(cut({"a:129", "b:896"}), "a | b");
}

TEST_CASE("nobody is passed over to fill a group", "[3.7][task-1][core]") {
  STORY("b does not fit behind a; c, which is small enough, is behind b.");
  INVARIANT("I2 of group_queue.h: nobody is overtaken");
  CHECK_SAME(cut({"a:60", "b:200", "c:1"}), "a | b c");
}

TEST_CASE("keys count like values", "[3.7][task-1][core]") {
  STORY("Two operations: keys of 300 and 400 bytes, values of 200 and none.");
  INVARIANT("I4 of group_rule.h: bytes of keys and values");
  const std::string key(400, 'k');
  const std::string value(200, 'v');
  const WriteOp ops[] = {
      {Kind::put, std::string_view(key).substr(0, 300), value},
      {Kind::remove, key, {}}};
  const WriteRequest request{.ops = ops};
  CHECK_SAME(size_bytes(request), 900);
  const GroupLimits limits{.max_bytes = 1800, .small_bytes = 0};
  GroupRule rule(limits);
  CHECK_SAME(rule.admits(request), true);
  CHECK_SAME(rule.admits(request), true);
  CHECK_SAME(rule.admits(request), false);
}

// Task 2: the queue.

TEST_CASE("a writer alone leads at once", "[3.7][task-2][core]") {
  STORY("One thread puts a, then b, then c.");
  INVARIANT("I1 of group_queue.h: the front of the queue leads");
  Writers writers(accept);
  writers.run(1, [&](int) {
    for (const char* name : {"a", "b", "c"}) {
      const auto mine = ask(name);
      writers.submit(mine->request());
    }
  });
  CHECK_SAME(writers.story(), "a | b | c");
  CHECK_SAME(writers.executor.slept(), 0);
}

TEST_CASE("what commit answers is what the writer gets",
          "[3.7][task-2][core]") {
  STORY("One thread: commit gives sequence 41, then says conflict.");
  INVARIANT("I4 of group_queue.h: answered with what commit wrote into it");
  int calls = 0;
  Writers writers([&](Group group) {
    group[0]->first_sequence = 41;
    if (++calls == 2) group[0]->result = fail(Code::conflict, "k");
  });
  const auto first = ask("a");
  const auto second = ask("b");
  writers.run(1, [&](int) {
    writers.submit(first->request());
    writers.submit(second->request());
  });
  CHECK_OK(first->asked.result);
  CHECK_SAME(first->asked.first_sequence, 41);
  CHECK_ERROR(second->asked.result, Code::conflict);
}

TEST_CASE("writers line up while commit runs", "[3.7][task-2][core]") {
  STORY("The commit of lead goes on only when b, c and d sleep in the queue.");
  INVARIANT("I3 of group_queue.h: the mutex is never held while commit runs");
  const Staged staged = on_stage({"lead", "b", "c", "d"});
  CHECK_SAME(staged.answers, "lead ok, b ok, c ok, d ok");
}

TEST_CASE("those who waited go together, in their order",
          "[3.7][task-2][core]") {
  STORY("lead commits; b, c, d, e and f line up meanwhile.");
  INVARIANT("I2 of group_queue.h: nobody is overtaken");
  const Staged staged = on_stage({"lead", "b", "c", "d", "e", "f"});
  CHECK_SAME(staged.groups, "lead | b c d e f");
  CHECK_SAME(staged.answers, "lead ok, b ok, c ok, d ok, e ok, f ok");
}

TEST_CASE("one sync serves all who waited", "[3.7][task-2][core]") {
  STORY("Five synced puts while a sixth is being synced: count the commits.");
  INVARIANT("I1 of group_queue.h: a group is a prefix of the queue");
  const Staged staged = on_stage({"lead!", "b!", "c!", "d!", "e!", "f!"});
  CHECK_SAME(staged.groups, "lead | b c d e f");
}

TEST_CASE("the queue is cut by the rule", "[3.7][task-2][core]") {
  STORY("Behind lead: b plain, c synced, d plain, e freezes, f and g plain.");
  INVARIANT("I2 and I3 of group_rule.h");
  const Staged staged = on_stage({"lead", "b", "c!", "d", "e+", "f", "g"});
  CHECK_SAME(staged.groups, "lead | b | c d e | f g");
  CHECK_SAME(staged.answers, "lead ok, b ok, c ok, d ok, e ok, f ok, g ok");
}

TEST_CASE("whoever is in front leads its own group", "[3.7][task-2][core]") {
  STORY("Groups lead, b c, d e: which thread is in commit?");
  INVARIANT("I1 of group_queue.h: the front of the queue leads");
  const Staged staged = on_stage({"lead", "b:100", "c:100", "d:100", "e:100"},
                                 {.max_bytes = 200 << 10});
  REQUIRE_SAME(staged.groups, "lead | b c | d e");
  CHECK_SAME(staged.led_by, Strings{"lead", "b", "d"});
}

TEST_CASE("who comes while a group commits comes after all who wait",
          "[3.7][task-2][core]") {
  STORY(
      "At most 100 KiB a group; lead, then b, c, d wait. While b commits, e "
      "lines up: it must not slip in before c and d.");
  INVARIANT("I2 of group_queue.h: nobody is overtaken");
  const Strings names = {"lead:100", "b:100", "c:100", "d:100", "e:100"};
  Writers* stage = nullptr;
  std::atomic<int> commits = 0;
  Writers writers(
      [&](Group group) {
        const int sleepers = ++commits == 1 ? 3 : 4;
        stage->insist([&] { return stage->executor.slept() >= sleepers; },
                      "the others never slept in Executor::wait");
        accept(group);
      },
      {.max_bytes = 100 << 10, .small_bytes = 0});
  stage = &writers;
  writers.run(5, [&](int i) {
    const auto mine = ask(names[static_cast<std::size_t>(i)]);
    expect(writers.await([&] {
      if (i == 0) return true;
      if (i == 4) return commits == 2;
      return commits == 1 && writers.executor.slept() == i - 1;
    }),
           mine->name + " never had its turn to line up");
    writers.submit(mine->request());
  });
  CHECK_SAME(writers.story(), "lead | b | c | d | e");
}

TEST_CASE("each writer of a group has a result of its own",
          "[3.7][task-2][core]") {
  STORY("b … f in one group; commit refuses c and e, and takes the others.");
  INVARIANT("I4 of group_queue.h: answered with what commit wrote into it");
  const Staged staged =
      on_stage({"lead", "b", "c", "d", "e", "f"}, {}, [](Group group) {
        for (WriteRequest* request : group) {
          const std::string name = name_of(*request);
          if (name == "c" || name == "e") {
            request->result = fail(Code::conflict, name);
          } else {
            request->result = {};
          }
        }
      });
  CHECK_SAME(staged.answers,
             "lead ok, b ok, c conflict, d ok, e conflict, f ok");
}

TEST_CASE("a failed sync is every member's failure, and no other's",
          "[3.7][task-2][core]") {
  STORY("Groups lead, b c d, e: the commit of b c d says io for each.");
  INVARIANT("I4 of group_queue.h: answered with what commit wrote into it");
  const Staged staged =
      on_stage({"lead", "b!", "c!", "d+", "e"}, {}, [](Group group) {
        for (WriteRequest* request : group) {
          request->result = {};
          if (group.size() > 1) request->result = fail(Code::io, "fsync");
        }
      });
  REQUIRE_SAME(staged.groups, "lead | b c d | e");
  CHECK_SAME(staged.answers, "lead ok, b io, c io, d io, e ok");
}

TEST_CASE("commit runs one call at a time", "[3.7][task-2][core]") {
  STORY("Four threads, 500 puts each; commit looks whether it is in use.");
  INVARIANT("I1 of group_queue.h: commit runs one call at a time");
  Writers writers(accept);
  writers.run(4, [&](int i) {
    const auto mine = ask(std::string(1, static_cast<char>('a' + i)));
    for (int n = 0; n < 500; ++n)
      writers.submit(mine->request());
  });
  CHECK_SAME(writers.overlapped.load(), false);
}

TEST_CASE("a wait that can never end is an answer", "[3.7][task-2][core]") {
  STORY(
      "One thread, a stepped executor. The commit of a submits b: b waits for "
      "a, a for b. Then c comes, alone.");
  INVARIANT("I4 of group_queue.h: every request is answered once");
  const auto executor = make_stepped_executor(1);
  HandClock clock;
  const auto inner = ask("b");
  Strings groups;
  WriteQueue* queue = nullptr;
  const auto made = make_group_queue(
      [&](Group group) {
        groups.push_back(names_of(group));
        accept(group);
        if (groups.size() == 1) queue->submit(inner->request());
      },
      *executor, clock);
  queue = made.get();
  const auto outer = ask("a");
  const auto later = ask("c");
  queue->submit(outer->request());
  CHECK_OK(outer->asked.result);
  CHECK_ERROR(inner->asked.result, Code::internal);
  queue->submit(later->request());
  CHECK_OK(later->asked.result);
  CHECK_SAME(groups, Strings{"a", "c"});
}

TEST_CASE("every write is committed once, each thread's in its order",
          "[3.7][task-2][core]") {
  SEEDED_RANDOM(random, 37);
  STORY(
      "Four threads, 400 writes each of random sizes, some synced, some that "
      "freeze; small groups. Commit notes what it is given.");
  INVARIANT("I2 and I4 of group_queue.h");
  constexpr int kThreads = 4;
  const int writes = static_cast<int>(scaled(400));
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < kThreads; ++i)
    seeds.push_back(random.next());
  std::vector<Strings> seen(kThreads);
  std::size_t largest = 0;
  Writers writers(
      [&](Group group) {
        largest = std::max(largest, group.size());
        for (WriteRequest* request : group) {
          const std::string name = name_of(*request);
          seen[static_cast<std::size_t>(name[0] - '0')].push_back(name);
          if (name.ends_with("3")) {
            request->result = fail(Code::conflict, name);
          } else {
            request->result = {};
          }
        }
      },
      {.max_bytes = 400, .small_bytes = 100});
  std::vector<Strings> asked(kThreads);
  std::vector<std::string> wrong(kThreads);
  writers.run(kThreads, [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    Random mine(seeds[at]);
    for (int n = 0; n < writes; ++n) {
      Ask each(std::to_string(i) + "/" + std::to_string(n), mine.below(200));
      each.asked.sync = mine.one_in(4);
      each.asked.after = mine.one_in(16) ? After::freeze : After::nothing;
      writers.submit(each.request());
      asked[at].push_back(each.name);
      const bool refused = !each.asked.result;
      if (refused != each.name.ends_with("3")) wrong[at] = each.name;
      if (refused && each.asked.result.error().message != each.name) {
        wrong[at] = each.name + ": " + each.asked.result.error().message;
      }
    }
  });
  CHECK_SAME(writers.overlapped.load(), false);
  for (std::size_t i = 0; i < kThreads; ++i) {
    CHECK_SAME(seen[i], asked[i]);
    CHECK_SAME(wrong[i], "");
  }
}

TEST_CASE("no wake-up is lost", "[3.7][task-2][core]") {
  STORY("Eight threads, 300 puts each, and nobody looks before it sleeps.");
  INVARIANT("I6 of group_queue.h: the answer is set under the mutex");
  std::atomic<int> committed = 0;
  Writers writers(
      [&](Group group) {
        committed += static_cast<int>(group.size());
        accept(group);
      },
      {.spins = 0});
  const int writes = static_cast<int>(scaled(300));
  std::atomic<int> failed = 0;
  writers.run(8, [&](int i) {
    const auto mine = ask(std::string(1, static_cast<char>('a' + i)));
    for (int n = 0; n < writes; ++n) {
      writers.submit(mine->request());
      if (!mine->asked.result) ++failed;
    }
  });
  CHECK_SAME(committed.load(), 8 * writes);
  CHECK_SAME(failed.load(), 0);
}

TEST_CASE("a leader asleep is woken as a follower is", "[3.7][task-2][core]") {
  STORY("lead commits, b sleeps behind it; b alone is the next group.");
  INVARIANT("I6 of group_queue.h: no wake-up is lost");
  const Staged staged = on_stage({"lead", "b"}, {.spins = 0});
  CHECK_SAME(staged.groups, "lead | b");
  CHECK_SAME(staged.answers, "lead ok, b ok");
}

// Task 3: a commit that throws.

TEST_CASE("an unwritten room is an answer to each of the group",
          "[3.7][task-3][core]") {
  STORY("commit throws NotImplemented for the group b c d; e waits behind.");
  INVARIANT("I4 of group_queue.h: NotImplemented is Code::unimplemented");
  const Staged staged =
      on_stage({"lead", "b", "c", "d+", "e"}, {}, [](Group group) {
        accept(group);
        if (group.size() > 1) throw NotImplemented("3.5 task 2");
      });
  CHECK_SAME(staged.groups, "lead | b c d | e");
  CHECK_SAME(staged.answers,
             "lead ok, b unimplemented, c unimplemented, d unimplemented, "
             "e ok");
}

TEST_CASE("the answer says what commit said", "[3.7][task-3][core]") {
  STORY("commit throws NotImplemented: 1.7 task 1.");
  INVARIANT("I4 of group_queue.h: if commit throws, with that");
  Writers writers(
      [](Group) { throw NotImplemented("not implemented yet: 1.7 task 1"); });
  const auto mine = ask("a");
  writers.run(1, [&](int) { writers.submit(mine->request()); });
  REQUIRE_SAME(mine->asked.result.has_value(), false);
  CHECK_SAME(mine->asked.result.error().message,
             "not implemented yet: 1.7 task 1");
}

TEST_CASE("after a commit that threw the queue goes on",
          "[3.7][task-3][core]") {
  STORY("One thread: the first commit throws, the second does not.");
  INVARIANT("I1 of group_queue.h: whoever is in front leads");
  int calls = 0;
  Writers writers([&](Group group) {
    if (++calls == 1) throw NotImplemented("1.7 task 1");
    accept(group);
  });
  const auto first = ask("a");
  const auto second = ask("b");
  writers.run(1, [&](int) {
    writers.submit(first->request());
    writers.submit(second->request());
  });
  CHECK_ERROR(first->asked.result, Code::unimplemented);
  CHECK_OK(second->asked.result);
}

TEST_CASE("any other exception is an answer, too", "[3.7][task-3][core]") {
  STORY("commit throws std::bad_alloc for the group b c; d comes behind.");
  INVARIANT("I4 of group_queue.h: if commit throws, with that");
  const Staged staged = on_stage({"lead", "b", "c+", "d"}, {}, [](Group group) {
    accept(group);
    if (group.size() > 1) throw std::bad_alloc();
  });
  CHECK_SAME(staged.answers, "lead ok, b internal, c internal, d ok");
}

TEST_CASE("what was answered before the throw does not stand",
          "[3.7][task-3][core]") {
  STORY("commit takes b, refuses c for a conflict, and throws before d.");
  INVARIANT(
      "I4 of group_queue.h: if commit throws, each is answered with that");
  const Staged staged = on_stage({"lead", "b", "c", "d"}, {}, [](Group group) {
    accept(group);
    if (group.size() == 1) return;
    group[1]->result = fail(Code::conflict, "c");
    throw NotImplemented("1.7 task 2");
  });
  REQUIRE_SAME(staged.groups, "lead | b c d");
  CHECK_SAME(staged.answers,
             "lead ok, b unimplemented, c unimplemented, d unimplemented");
}

// Task 4: look before you sleep.

TEST_CASE("who looks long enough never sleeps", "[3.7][task-4][gold]") {
  STORY(
      "Two threads, 60 puts each, and a commit that lets the other run; "
      "thirty million looks are allowed. To be told to lead ends a look, "
      "too.");
  INVARIANT("task 4: who looks returns as soon as its state says something");
  Writers writers(
      [](Group group) {
        for (int i = 0; i < 3; ++i)
          std::this_thread::yield();
        accept(group);
      },
      {.spins = 30'000'000});
  writers.run(2, [&](int i) {
    const auto mine = ask(i == 0 ? "a" : "b");
    for (int n = 0; n < 60; ++n)
      writers.submit(mine->request());
  });
  CHECK_SAME(writers.executor.slept(), 0);
}

TEST_CASE("a sync is worth a sleep at once", "[3.7][task-4][gold]") {
  STORY("lead commits until b and c sleep, whatever looks are allowed.");
  INVARIANT("I6 of group_queue.h: sleeping is in Executor::wait");
  const Staged staged =
      on_stage({"lead", "b!", "c!"}, {.spins = 1'000'000'000});
  CHECK_SAME(staged.groups, "lead | b c");
}

TEST_CASE("who has looked in vain sleeps", "[3.7][task-4][gold]") {
  STORY("lead commits until b and c, plain, sleep; ten looks are allowed.");
  INVARIANT("I6 of group_queue.h: sleeping is in Executor::wait");
  const Staged staged = on_stage({"lead", "b", "c"}, {.spins = 10});
  CHECK_SAME(staged.groups, "lead | b c");
}

TEST_CASE("answers reach those who look and those who sleep",
          "[3.7][task-4][gold]") {
  STORY("Four threads, 500 puts each, three looks: some sleep, some do not.");
  INVARIANT("I5 of group_queue.h: an answered writer is not touched again");
  std::atomic<int> wrong = 0;
  Sequence next = 0;
  Writers writers(
      [&](Group group) {
        for (WriteRequest* request : group)
          request->first_sequence = ++next;
      },
      {.spins = 3});
  const int writes = static_cast<int>(scaled(500));
  writers.run(4, [&](int i) {
    Sequence last = 0;
    for (int n = 0; n < writes; ++n) {
      const auto mine = ask(std::string(1, static_cast<char>('a' + i)));
      writers.submit(mine->request());
      if (mine->asked.first_sequence <= last) ++wrong;
      last = mine->asked.first_sequence;
    }
  });
  CHECK_SAME(wrong.load(), 0);
  CHECK_SAME(next, static_cast<Sequence>(4 * writes));
}

// Task 5: wait for those who have just left.

TEST_CASE("two who sync in turn come to sync together", "[3.7][task-5][gold]") {
  STORY(
      "a and b sync again and again. Their first commits are apart; a leader "
      "with great patience waits for the other ever after.");
  INVARIANT("task 5: a sync waits until as many stand here as a moment ago");
  std::atomic<bool> enough = false;
  Writers* stage = nullptr;
  Writers writers(
      [&](Group group) {
        if (stage->groups.size() == 1) {
          stage->insist([&] { return stage->executor.slept() == 1; },
                        "the other never slept in Executor::wait");
        }
        accept(group);
        enough = stage->groups.size() == 11;
      },
      {.patience = 200'000});
  stage = &writers;
  writers.run(2, [&](int i) {
    const auto mine = ask(i == 0 ? "a!" : "b!");
    while (!enough && !writers.executor.given_up())
      writers.submit(mine->request());
  });
  REQUIRE_SAME(writers.groups.size() >= 11, true);
  for (std::size_t i = 1; i < 11; ++i) {
    CHECK_SAME(writers.groups[i].size(), 3);  // "a b" or "b a"
  }
}

TEST_CASE("who does not come back is not waited for for ever",
          "[3.7][task-5][gold]") {
  STORY("lead, then b and c together; then d, alone, twice.");
  INVARIANT("task 5: patience is bounded, and one disappointment is enough");
  Writers* stage = nullptr;
  Writers writers([&](Group group) {
    if (stage->groups.size() == 1) {
      stage->insist([&] { return stage->executor.slept() == 2; },
                    "the others never slept in Executor::wait");
    }
    accept(group);
  });
  stage = &writers;
  writers.run(3, [&](int i) {
    const auto mine = ask(std::string(1, static_cast<char>('a' + i)) + "!");
    expect(writers.await([&] {
      return i == 0 ||
             (writers.committing && writers.executor.slept() == i - 1);
    }),
           "no turn to line up");
    writers.submit(mine->request());
  });
  writers.run(1, [&](int) {
    const auto mine = ask("d!");
    writers.submit(mine->request());
    writers.submit(mine->request());
  });
  CHECK_SAME(writers.story(), "a | b c | d | d");
}

TEST_CASE("only the last group's company is expected", "[3.7][task-5][gold]") {
  STORY(
      "lead and two others, plain, stand together; then d, plain, alone. e "
      "syncs with great patience: one stood here a moment ago, one does "
      "now.");
  INVARIANT("task 5: as many as stood here when the LAST group was answered");
  Writers* stage = nullptr;
  Writers writers(
      [&](Group group) {
        if (stage->groups.size() == 1) {
          stage->insist([&] { return stage->executor.slept() == 2; },
                        "the others never slept in Executor::wait");
        }
        accept(group);
      },
      // A second or so, should a plain leader wait.
      {.patience = 2'000'000});
  stage = &writers;
  writers.run(3, [&](int i) {
    const auto mine = ask(std::string(1, static_cast<char>('a' + i)));
    expect(writers.await([&] {
      return i == 0 ||
             (writers.committing && writers.executor.slept() == i - 1);
    }),
           "no turn to line up");
    writers.submit(mine->request());
  });
  writers.run(1, [&](int) {
    const auto mine = ask("d");
    writers.submit(mine->request());
  });
  std::atomic<bool> answered = false;
  std::atomic<bool> waited = false;
  writers.run(3, [&](int i) {
    if (i > 0) {
      // Who waits for two more gets them after a while.
      if (writers.await([&] { return answered.load(); },
                        std::chrono::seconds(2)))
        return;
      waited = true;
    }
    const auto mine = ask(i == 0 ? "e!" : "f");
    writers.submit(mine->request());
    answered = true;
  });
  CHECK_SAME(waited.load(), false);
}

TEST_CASE("a plain write waits for nobody", "[3.7][task-5][gold]") {
  STORY(
      "lead and two others, all plain; endless patience. Then b leads b c: "
      "three stood here, but it must not wait for a third.");
  INVARIANT("task 5: only before a sync");
  Writers* stage = nullptr;
  Writers writers(
      [&](Group group) {
        if (stage->groups.size() == 1) {
          stage->insist([&] { return stage->executor.slept() == 2; },
                        "the others never slept in Executor::wait");
        }
        accept(group);
      },
      {.patience = std::numeric_limits<int>::max()});
  stage = &writers;
  std::atomic<int> answered = 0;
  std::atomic<bool> waited = false;
  writers.run(4, [&](int i) {
    if (i == 3) {
      // In no case endless: who waits for a third gets one after a while.
      waited = !writers.await([&] { return answered == 3; },
                              std::chrono::seconds(2));
      if (!waited) return;
    } else {
      expect(writers.await([&] {
        return i == 0 ||
               (writers.committing && writers.executor.slept() == i - 1);
      }),
             "no turn to line up");
    }
    const auto mine = ask(std::string(1, static_cast<char>('a' + i)));
    writers.submit(mine->request());
    ++answered;
  });
  CHECK_SAME(waited.load(), false);
}

// Six syncs, each on a thread of its own, and the waits between them:
//   a       its commit is held open until b sleeps behind it
//   b       leads, and waits for c, which takes 3,000 µs
//   d       comes when these are answered. It waits for e, or its commit is
//           held open until e sleeps behind it
//   f       comes when e waits for it, or is answered
//   D       in place of d: plain, and like it but for that
// Who waits has read the clock. Commits take `commit_micros`; after a wait
// that did not pay one sync goes alone.
std::string company(std::uint64_t commit_micros, std::string_view names) {
  Writers* stage = nullptr;
  std::atomic<bool> d_commits = false;
  Writers writers(
      [&](Group group) {
        const std::string who = names_of(group);
        if (who == "a" || who == "d" || who == "D") {
          // b may sleep already; e waits for d_commits.
          const int slept = who == "a" ? 0 : stage->executor.slept();
          d_commits = who != "a";
          stage->insist([&] { return stage->executor.slept() > slept; },
                        "nobody slept in Executor::wait behind " + who);
        }
        stage->clock.pass(commit_micros);
        accept(group);
      },
      // Never used up; if a mistake does it, that takes a second or so.
      {.patience = 2'000'000, .alone = 1});
  stage = &writers;
  std::array<std::thread::id, 6> threads;
  std::atomic<int> here = 0;
  std::array<std::atomic<bool>, 6> answered{};
  const int count = static_cast<int>(names.size());
  writers.run(count, [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    threads[at] = std::this_thread::get_id();
    ++here;
    const auto waits = [&](std::size_t who) {
      return writers.clock.readings_by(threads[who]) > 0;
    };
    const auto turn = [&] {
      if (here < count) return false;
      switch (names[at]) {
        case 'b':
          return writers.committing.load();
        case 'c':
          return waits(1);
        case 'd':
        case 'D':
          return answered[1] && answered[2];
        case 'e':
          return waits(3) || d_commits;
        case 'f':
          return waits(4) || answered[4];
        default:
          return true;
      }
    };
    expect(writers.await(turn),
           std::string(1, names[at]) + " never had its turn");
    if (names[at] == 'c') writers.clock.pass(3'000);
    const auto mine =
        ask(std::string(1, names[at]) + (names[at] == 'D' ? "" : "!"));
    writers.submit(mine->request());
    answered[at] = true;
  });
  return writers.story();
}

TEST_CASE("a wait that has paid is made again", "[3.7][task-5][gold]") {
  STORY("b waits 3,000 µs for c, their commit takes 5,000. Then d comes.");
  INVARIANT("task 5: to wait pays when it takes no longer than the commit");
  CHECK_SAME(company(5'000, "abcde"), "a | b c | d e");
}

TEST_CASE("a wait longer than its commit is left out, and tried again",
          "[3.7][task-5][gold]") {
  STORY(
      "b waits 3,000 µs for c, their commit takes 200: d goes alone, though "
      "two stood here a moment ago. e, behind it, waits for f.");
  INVARIANT("task 5: after a wait that did not pay, `alone` syncs go without");
  CHECK_SAME(company(200, "abcdef"), "a | b c | d | e f");
}

TEST_CASE("a plain write is none of the syncs that go alone",
          "[3.7][task-5][gold]") {
  STORY(
      "b waits 3,000 µs for c, their commit takes 200. Then D, plain, with e "
      "behind it: e is the first sync since, and does not wait for f.");
  INVARIANT("task 5: after a wait that did not pay, `alone` syncs go without");
  CHECK_SAME(company(200, "abcDef"), "a | b c | D | e | f");
}

}  // namespace lsm::test

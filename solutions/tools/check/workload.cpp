#include "tools/check/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/splitmix.h"

namespace lsm::check {
namespace {

constexpr std::uint64_t kListLimit = 8;  // appends to a key
constexpr std::uint64_t kMostSteps = 6;

// What the sessions of one history share.
struct Shared {
  Shared(const Plan& the_plan, const Subject& the_subject)
      : plan(the_plan),
        subject(the_subject),
        left(the_plan.transactions),
        appends(static_cast<std::size_t>(the_plan.keys)) {}

  std::uint64_t tick() { return ticks.fetch_add(1) + 1; }

  const Plan& plan;
  const Subject& subject;
  std::atomic<std::uint64_t> ticks{0};
  std::atomic<std::uint64_t> values{0};
  std::atomic<int> left;
  std::atomic<bool> failed{false};
  std::vector<std::atomic<std::uint64_t>> appends;  // to each slot, ever
};

// Scans, and notes what that has shown.
class Walk {
 public:
  Walk(UserIterator& it, const ScanRange& bounds, Operation& note)
      : it_(it), bounds_(bounds), note_(note) {
    note_.kind = Operation::Kind::scan;
  }

  void first() {
    it_.seek_to_first();
    note_.range.lower = *bounds_.lower;
    forward();
  }
  void seek(const std::string& target) {
    it_.seek(target);
    note_.range.lower = std::max(target, *bounds_.lower);
    forward();
  }
  void last() {
    it_.seek_to_last();
    note_.range.upper = bounds_.upper;
    backward();
  }
  void next() {
    it_.next();
    forward();
  }
  void prev() {
    it_.prev();
    backward();
  }
  // Call last.
  Result<void> finish() {
    LSM_TRY(it_.status());
    for (auto& [key, value] : shown_)
      note_.entries.push_back({key, std::move(value)});
    return {};
  }

 private:
  void forward() {
    note_.range.upper = it_.valid() ? std::string(it_.key()) : bounds_.upper;
    note_.range.upper_included = it_.valid();
    show();
  }
  void backward() {
    note_.range.lower = it_.valid() ? std::string(it_.key()) : *bounds_.lower;
    show();
  }
  void show() {
    if (it_.valid()) shown_.emplace(it_.key(), it_.value());
  }

  UserIterator& it_;
  const ScanRange& bounds_;
  Operation& note_;
  std::map<std::string, std::string> shown_;
};

class Session {
 public:
  Session(Shared& shared, int number)
      : shared_(shared),
        number_(number),
        random_((shared.plan.seed << 8) + static_cast<std::uint64_t>(number)) {}

  // Does one thing; false when there is nothing left to do.
  Result<bool> step() {
    if (!transaction_) {
      if (shared_.left.fetch_sub(1) <= 0) return false;
      if (shared_.subject.write && one_in(16) &&
          shared_.plan.workload == Workload::registers) {
        LSM_TRY(plain_write());
        return true;
      }
      LSM_TRY(begin());
      return true;
    }
    if (steps_left_ > 0) {
      --steps_left_;
      LSM_TRY(operate());
      return true;
    }
    LSM_TRY(end());
    return true;
  }

  std::vector<Trace> take() { return std::move(done_); }
  bool yields() { return one_in(2); }

 private:
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }

  Result<void> begin() {
    TransactionOptions options;
    options.isolation = shared_.plan.isolation;
    reads_only_ = one_in(6);
    options.read_only = reads_only_ && one_in(2);
    trace_ = {};
    trace_.session = number_;
    trace_.begin = shared_.tick();
    if (shared_.subject.snapshot && one_in(16)) {
      if (!snapshot_) {
        old_begin_ = trace_.begin;
        LSM_ASSIGN_OR_RETURN(snapshot_, shared_.subject.snapshot());
        old_begun_ = shared_.tick();
      }
      // It reads what was then, so that is when it began.
      options.snapshot = snapshot_;
      trace_.begin = old_begin_;
      trace_.begun = old_begun_;
      if (one_in(3)) snapshot_ = nullptr;
    }
    LSM_ASSIGN_OR_RETURN(transaction_, shared_.subject.begin(options));
    if (!options.snapshot) trace_.begun = shared_.tick();
    steps_left_ = 1 + random_.below(kMostSteps);
    return {};
  }

  Result<void> end() {
    const bool rolls_back = !reads_only_ && one_in(20);
    trace_.asked = shared_.tick();
    Result<void> done;
    if (rolls_back) {
      transaction_->rollback();
    } else {
      done = transaction_->commit();
    }
    trace_.end = shared_.tick();
    trace_.outcome = rolls_back ? Outcome::rolled_back
                     : done     ? Outcome::committed
                                : Outcome::refused;
    if (!done && done.error().code != Code::conflict) return done;
    transaction_ = nullptr;
    done_.push_back(std::move(trace_));
    return {};
  }

  Result<void> plain_write() {
    trace_ = {};
    trace_.session = number_;
    trace_.begin = trace_.begun = shared_.tick();
    WriteBatch batch;
    for (std::uint64_t i = 0; i <= random_.below(2); ++i) {
      Operation operation{.kind = Operation::Kind::put,
                          .key = key(),
                          .value = new_value(),
                          .tick = shared_.tick()};
      batch.put(operation.key, *operation.value);
      trace_.operations.push_back(std::move(operation));
    }
    trace_.asked = shared_.tick();
    LSM_TRY(shared_.subject.write(batch));
    trace_.end = shared_.tick();
    done_.push_back(std::move(trace_));
    return {};
  }

  Result<void> operate() {
    const std::uint64_t die = random_.below(100);
    if (die < 20) return scan();
    if (reads_only_ || die < 55) return get(key());
    if (shared_.plan.workload == Workload::append) return append();
    if (die < 75) return put(key(), new_value());
    if (die < 90) {
      const std::string name = key();
      LSM_TRY(get(name));
      return put(name, new_value());
    }
    return remove(key());
  }

  std::string slot_name(std::uint64_t slot) const {
    return std::string(1, static_cast<char>('a' + slot));
  }
  // Of a slot the key that is in use now.
  std::string key_of(std::uint64_t slot) const {
    if (shared_.plan.workload == Workload::registers) return slot_name(slot);
    const std::uint64_t turn =
        shared_.appends[static_cast<std::size_t>(slot)] / kListLimit;
    return turn == 0 ? slot_name(slot)
                     : fmt::format("{}.{}", slot_name(slot), turn);
  }
  std::uint64_t slot() {
    return random_.below(static_cast<std::uint64_t>(shared_.plan.keys));
  }
  std::string key() { return key_of(slot()); }
  std::string new_value() {
    return std::to_string(shared_.values.fetch_add(1) + 1);
  }
  void note(Operation operation) {
    operation.tick = shared_.tick();
    trace_.operations.push_back(std::move(operation));
  }

  Result<void> get(const std::string& name) {
    LSM_ASSIGN_OR_RETURN(auto value, transaction_->get(name));
    note({.kind = Operation::Kind::get, .key = name, .value = value});
    return {};
  }
  Result<void> put(const std::string& name, const std::string& value) {
    LSM_TRY(transaction_->put(name, value));
    note({.kind = Operation::Kind::put, .key = name, .value = value});
    return {};
  }
  Result<void> remove(const std::string& name) {
    LSM_TRY(transaction_->remove(name));
    note({.kind = Operation::Kind::remove, .key = name});
    return {};
  }
  Result<void> append() {
    const std::uint64_t at = slot();
    const std::string name = key_of(at);
    shared_.appends[static_cast<std::size_t>(at)].fetch_add(1);
    LSM_TRY(get(name));
    const std::string list =
        trace_.operations.back().value.value_or(std::string());
    return put(name, with_element(list, new_value()));
  }

  Result<void> scan() {
    std::uint64_t low = slot();
    std::uint64_t high = slot();
    if (low > high) std::swap(low, high);
    ScanRange bounds{.lower = slot_name(low), .upper = std::nullopt};
    if (!one_in(8)) bounds.upper = slot_name(high + 1);
    const auto it = transaction_->scan(bounds);
    Operation operation;
    Walk walk(*it, bounds, operation);
    const std::uint64_t way = random_.below(4);
    const std::uint64_t most = one_in(2) ? UINT64_MAX : random_.below(4);
    if (way == 0) walk.last();
    if (way == 1) walk.first();
    if (way >= 2) walk.seek(slot_name(low + random_.below(high - low + 1)));
    const bool backward = way == 0 || way == 3;
    for (std::uint64_t i = 0; i < most && it->valid(); ++i) {
      if (backward) {
        walk.prev();
      } else {
        walk.next();
      }
    }
    LSM_TRY(walk.finish());
    note(std::move(operation));
    return {};
  }

  Shared& shared_;
  const int number_;
  Splitmix random_;
  std::unique_ptr<Transaction> transaction_;
  SnapshotPtr snapshot_;  // an older one, for some
  std::uint64_t old_begin_ = 0;
  std::uint64_t old_begun_ = 0;
  bool reads_only_ = false;
  std::uint64_t steps_left_ = 0;
  Trace trace_;
  std::vector<Trace> done_;
};

History gather(std::vector<Session>& sessions) {
  History history;
  for (Session& session : sessions) {
    for (Trace& trace : session.take())
      history.traces.push_back(std::move(trace));
  }
  // Those that read the same older snapshot began at the same tick.
  std::ranges::sort(history.traces, {}, [](const Trace& trace) {
    return std::pair(trace.begin, trace.end);
  });
  int number = 0;
  for (Trace& trace : history.traces)
    trace.number = ++number;
  return history;
}

Result<void> take_turns(Shared& shared, std::vector<Session>& sessions) {
  Splitmix random(shared.plan.seed);
  std::vector<Session*> active;
  for (Session& session : sessions)
    active.push_back(&session);
  while (!active.empty()) {
    const auto at = static_cast<std::size_t>(random.below(active.size()));
    LSM_ASSIGN_OR_RETURN(const bool more, active[at]->step());
    if (!more) active.erase(active.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return {};
}

// A thread for each; the first error, or exception, ends them all.
Result<void> run_beside(Shared& shared, std::vector<Session>& sessions) {
  std::mutex mutex;
  Result<void> result;
  std::exception_ptr thrown;
  const auto body = [&](Session& session) {
    try {
      while (!shared.failed) {
        const Result<bool> more = session.step();
        if (!more) {
          const std::lock_guard lock(mutex);
          if (result) result = std::unexpected(more.error());
          shared.failed = true;
        }
        if (!more || !*more) return;
        // Two cores run four sessions: without this, one after the other.
        if (session.yields()) std::this_thread::yield();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
      shared.failed = true;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(sessions.size());
  for (Session& session : sessions)
    threads.emplace_back(body, std::ref(session));
  for (std::thread& thread : threads)
    thread.join();
  if (thrown) std::rethrow_exception(thrown);
  return result;
}

}  // namespace

Subject subject_of(Db& db) {
  return {.begin =
              [&db](TransactionOptions options) {
                return db.begin(std::move(options));
              },
          .write = [&db](const WriteBatch& batch) { return db.write(batch); },
          .snapshot = [&db] { return db.snapshot(); }};
}

Result<History> run_history(const Plan& plan, const Subject& subject) {
  Shared shared(plan, subject);
  std::vector<Session> sessions;
  sessions.reserve(static_cast<std::size_t>(plan.sessions));
  for (int number = 1; number <= plan.sessions; ++number)
    sessions.emplace_back(shared, number);
  LSM_TRY(plan.turns ? take_turns(shared, sessions)
                     : run_beside(shared, sessions));
  return gather(sessions);
}

namespace {

Result<void> run_operation(Transaction& transaction, Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::get: {
      LSM_ASSIGN_OR_RETURN(operation.value, transaction.get(operation.key));
      return {};
    }
    case Operation::Kind::put:
      return transaction.put(operation.key, *operation.value);
    case Operation::Kind::remove:
      return transaction.remove(operation.key);
    case Operation::Kind::scan:
      break;
  }
  const auto it = transaction.scan(
      {.lower = operation.range.lower, .upper = operation.range.upper});
  operation.entries.clear();
  for (it->seek_to_first(); it->valid(); it->next())
    operation.entries.push_back(
        {std::string(it->key()), std::string(it->value())});
  return it->status();
}

}  // namespace

Result<History> run_script(const std::vector<Step>& script, Isolation isolation,
                           const Subject& subject) {
  std::vector<Step> steps = script;
  std::map<int, bool> over;
  for (const Step& step : script)
    over[step.transaction] = step.kind == Step::Kind::end;
  for (const auto& [transaction, ended] : over) {
    if (!ended) {
      steps.push_back({.kind = Step::Kind::end, .transaction = transaction});
    }
  }
  TransactionOptions options;
  options.isolation = isolation;
  std::map<int, std::unique_ptr<Transaction>> open;
  for (Step& step : steps) {
    auto& transaction = open[step.transaction];
    if (!transaction) {
      LSM_ASSIGN_OR_RETURN(transaction, subject.begin(options));
    }
    if (step.kind == Step::Kind::operation) {
      LSM_TRY(run_operation(*transaction, step.operation));
    } else if (step.kind == Step::Kind::end &&
               step.outcome == Outcome::rolled_back) {
      transaction->rollback();
    } else if (step.kind == Step::Kind::end) {
      const auto done = transaction->commit();
      if (!done && done.error().code != Code::conflict) {
        return std::unexpected(done.error());
      }
      step.outcome = done ? Outcome::committed : Outcome::refused;
    }
  }
  return history_of(steps);
}

}  // namespace lsm::check

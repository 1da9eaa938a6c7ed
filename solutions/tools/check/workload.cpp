#include "tools/check/workload.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/splitmix.h"
#include "tools/check/session.h"

namespace lsm::check {
namespace {

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
  Result<void> begun;
  Session* writer = nullptr;
  shared.while_syncing = [&] {
    for (Session* session : active) {
      if (session == writer || !session->is_idle()) continue;
      begun = session->begin_beside();
      return;
    }
  };
  while (!active.empty()) {
    const auto at = static_cast<std::size_t>(random.below(active.size()));
    writer = active[at];
    LSM_ASSIGN_OR_RETURN(const bool more, writer->step());
    LSM_TRY(begun);
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
  return {
      .begin =
          [&db](TransactionOptions options) {
            return db.begin(std::move(options));
          },
      .write = [&db](const WriteBatch& batch,
                     WriteOptions options) { return db.write(batch, options); },
      .snapshot = [&db] { return db.snapshot(); },
      .records = [&db] { return db.stats().commit_records; }};
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

}  // namespace lsm::check

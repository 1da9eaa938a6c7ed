// The retry loop around a transaction that may lose (lsm/transaction.h).
//
//   attempt 1   begin, work, commit ──► conflict    wait 25 …   50 µs
//   attempt 2   begin, work, commit ──► conflict    wait 50 …  100 µs
//   attempt 3   begin, work, commit ──► done
//
// Two that lost to each other would meet again if both waited equally long, so
// half of a wait is random. Nothing is held while waiting: a transaction that
// sleeps would keep the store from forgetting.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/splitmix.h"
#include "lsm/db.h"
#include "lsm/transaction.h"

namespace lsm {

namespace {

// How long to wait after each conflict.
class Backoff {
 public:
  Backoff(const RetryOptions& options, std::uint64_t seed)
      : limit_(
            std::min(options.first_backoff_micros, options.max_backoff_micros)),
        max_(options.max_backoff_micros),
        random_(seed) {}

  std::uint64_t next_micros() {
    const std::uint64_t half = limit_ / 2;
    const std::uint64_t micros = half + random_.below(limit_ - half + 1);
    limit_ = limit_ > max_ / 2 ? max_ : limit_ * 2;
    return micros;
  }

 private:
  std::uint64_t limit_;
  const std::uint64_t max_;
  Splitmix random_;
};

Result<void> attempt(Db& db,
                     const std::function<Result<void>(Transaction&)>& work,
                     const RetryOptions& options) {
  LSM_ASSIGN_OR_RETURN(const std::unique_ptr<Transaction> transaction,
                       db.begin(options.transaction));
  LSM_TRY(work(*transaction));  // on an error its end rolls back
  return transaction->commit(options.write);
}

}  // namespace

Result<void> run_transaction(
    Db& db, const std::function<Result<void>(Transaction&)>& work,
    const RetryOptions& options) {
  if (options.max_attempts < 1) {
    return fail(Code::invalid_argument,
                fmt::format("max_attempts is {}: a transaction is tried at "
                            "least once",
                            options.max_attempts));
  }
  // A later attempt would read the same moment, and lose to the same write.
  const int attempts =
      options.transaction.snapshot == nullptr ? options.max_attempts : 1;
  Clock& clock = options.clock == nullptr ? system_clock() : *options.clock;
  // Two threads may begin in one microsecond, but not on one stack.
  Backoff backoff(options,
                  clock.now_micros() ^ std::hash<const void*>()(&attempts));
  for (int tried = 1;; ++tried) {
    Result<void> result = attempt(db, work, options);
    if (result || result.error().code != Code::conflict) return result;
    if (tried == attempts) {
      return fail(
          Code::conflict,
          fmt::format("gave up after {} attempt{}: {}", attempts,
                      attempts == 1 ? "" : "s", result.error().message));
    }
    clock.sleep_micros(backoff.next_micros());
  }
}

}  // namespace lsm

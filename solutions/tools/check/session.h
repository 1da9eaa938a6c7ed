// A session runs one transaction after the other, a step at a time, and
// notes what each did and saw. Its dice decide what that is.
//
//   step()   begin | get | put | remove | update | scan | move a scan | commit
//
// A transaction is short or, now and then, long, so that many others commit
// while it is open. A scan is moved at once, or left open beside other steps
// and moved later, up to three at a time; when the transaction ends they are
// open still.
// I1 Every step is noted with a tick drawn when it was over.
// Thread safety: sessions share a Shared, and are else one thread's each.
// Used by: workload.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/splitmix.h"
#include "tools/check/open_scan.h"
#include "tools/check/workload.h"

namespace lsm::check {

// What the sessions of one history share.
struct Shared {
  Shared(const Plan& the_plan, const Subject& the_subject);

  std::uint64_t tick() { return ticks.fetch_add(1) + 1; }

  const Plan& plan;
  const Subject& subject;
  std::atomic<std::uint64_t> ticks{0};
  std::atomic<std::uint64_t> values{0};
  std::atomic<int> left;
  std::atomic<bool> failed{false};
  std::vector<std::atomic<std::uint64_t>> appends;  // to each slot, ever
  // In turns: what another session does while a plain write is synced.
  std::function<void()> while_syncing = {};
};

class Session {
 public:
  Session(Shared& shared, int number);

  // Does one thing; false when there is nothing left to do.
  Result<bool> step();
  bool is_idle() const { return transaction_ == nullptr; }
  // Begins, if there is anything left to do. Needs is_idle().
  Result<void> begin_beside();
  std::vector<Trace> take() { return std::move(done_); }
  bool yields() { return one_in(2); }

 private:
  // Choices.
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  std::uint64_t slot();
  std::string key_of(std::uint64_t slot);
  std::string key() { return key_of(slot()); }
  std::string new_value();
  ScanRange bounds();
  // A place where a scan may begin, end or seek to: a slot's name, or close
  // behind it.
  std::string place();

  // Steps.
  Result<void> begin();
  Result<void> end();
  Result<void> plain_write();
  Result<void> operate();
  Result<void> get(const std::string& name);
  Result<void> put(const std::string& name, const std::string& value);
  Result<void> remove(const std::string& name);
  Result<void> append();
  Result<void> scan();
  Result<void> scan_at_once();
  Result<void> leave_scan_open();
  Result<void> move_open_scan();
  Result<void> seek_again_and_again();

  std::unique_ptr<OpenScan> open_scan(const ScanRange& bounds);
  Result<void> note(Result<Operation> operation);

  Shared& shared_;
  const int number_;
  Splitmix random_;
  std::unique_ptr<Transaction> transaction_;
  std::vector<std::unique_ptr<OpenScan>> scans_;  // left open
  SnapshotPtr snapshot_;                          // an older one, for some
  std::uint64_t old_begin_ = 0;
  std::uint64_t old_begun_ = 0;
  bool reads_only_ = false;
  std::uint64_t steps_left_ = 0;
  Trace trace_;
  std::vector<Trace> done_;
};

}  // namespace lsm::check

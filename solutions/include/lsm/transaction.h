// A Transaction reads one moment of the store and gathers writes of its own;
// commit makes all of them visible at once, or none.
//
//   auto tx = *db->begin();
//   auto balance = tx->get("alice");          // as of begin
//   tx->put("alice", "90");                   // seen by tx only
//   if (auto done = tx->commit(); !done) …    // Code::conflict: try again
//
// Promises:
// I1 It sees its snapshot and its own writes, never anybody's later ones.
// I2 commit is all or nothing, also across a crash; with sync, durable.
// I3 Isolation::snapshot: of two transactions that write the same key, the
//    first to commit wins. Isolation::serializable: what was read, misses and
//    scanned ranges included, is unchanged at commit; then the committed
//    transactions might have run one after the other.
// I4 After commit, successful or not, and after rollback it is over: every
//    call answers invalid_argument.
// Nothing is locked: a transaction that loses learns so at commit, and is run
// again (run_transaction below). This is optimistic concurrency control; Kung
// and Robinson, TODS 1981.
// Lifetime: holds its store's shared state, never the Db.
// Thread safety: one thread at a time for each transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/commit_intent.h"
#include "base/error.h"
#include "base/iterator.h"
#include "base/scan_range.h"
#include "lsm/snapshot.h"
#include "lsm/write_options.h"

namespace lsm {

class Db;

struct TransactionOptions {
  Isolation isolation = Isolation::serializable;
  // Refuses writes; its commit asks nobody and cannot fail.
  bool read_only = false;
  // Read as of this snapshot, of the same store; null: as of now.
  SnapshotPtr snapshot = nullptr;
  // For its writes and the notes of what it read; beyond it a call answers
  // invalid_argument and changes nothing.
  std::size_t max_bytes = std::size_t{64} << 20;
};

class Transaction {
 public:
  virtual ~Transaction() = default;  // rolls back

  [[nodiscard]] virtual Result<void> put(std::string_view key,
                                         std::string_view value) = 0;
  [[nodiscard]] virtual Result<void> remove(std::string_view key) = 0;
  // Its own write, if there is one; else what the snapshot says.
  [[nodiscard]] virtual Result<bool> get(std::string_view key,
                                         std::string& value) = 0;
  // Own writes and snapshot merged, as they are when scan is called: later
  // writes of this transaction do not show. May outlive the transaction.
  [[nodiscard]] virtual std::unique_ptr<UserIterator> scan(
      ScanRange range = {}) = 0;
  // Errors: conflict, naming the key: run the transaction again; whatever
  // Db::write may answer. Nothing is written then.
  [[nodiscard]] virtual Result<void> commit(WriteOptions options = {}) = 0;
  virtual void rollback() = 0;

  // What it reads as of.
  [[nodiscard]] virtual Sequence sequence() const = 0;

  [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) {
    std::string value;
    LSM_ASSIGN_OR_RETURN(const bool found, get(key, value));
    if (!found) return std::nullopt;
    return value;
  }
};

struct RetryOptions {
  TransactionOptions transaction;
  WriteOptions write;
  int max_attempts = 20;
  // Waits this long after the first conflict, up to twice as long after each
  // further one, by a random part of it: so two losers part.
  std::uint64_t first_backoff_micros = 50;
  std::uint64_t max_backoff_micros = 50'000;
  Clock* clock = nullptr;  // null: the machine's
};

// Begins, calls `work`, commits; on a conflict begins anew. `work` must have no
// effects but on the transaction. Errors: what `work` returns, at once (its own
// conflict aside); conflict, when every attempt lost; whatever commit answers.
[[nodiscard]] Result<void> run_transaction(
    Db& db, const std::function<Result<void>(Transaction&)>& work,
    const RetryOptions& options = {});

}  // namespace lsm

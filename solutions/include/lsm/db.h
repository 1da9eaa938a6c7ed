// Db is an ordered, durable map from byte strings to byte strings.
//
//   auto db = lsm::Db::open("/tmp/fruit", {});
//   if (!db) return report(db.error());
//   (*db)->put("apple", "red");
//   auto value = (*db)->get("apple");    // Result<optional<string>>
//   auto it = (*db)->scan({.lower = "a", .upper = "b"});
//   for (it->seek_to_first(); it->valid(); it->next()) …
//   (*db)->close();
//
// Promises:
// I1 After put, remove or write returns success, every later read sees it, and
//    it survives the death of the process; with sync, also a power cut.
// I2 After a crash the store holds the first m operations for some m, each
//    batch whole, m at least the last synced one.
// I3 A read or scan sees one moment of the store, whatever is written,
//    flushed or compacted meanwhile.
// I4 Damaged files are reported, naming file and offset, never answered from.
// I5 After a failed log or manifest write the store only reads (read_only)
//    until it is reopened.
// Limits: a key is 0 … 65,535 bytes, a value at most 1 GiB; more is
// invalid_argument, before anything is written.
// Thread safety: every call from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/iterator.h"
#include "base/options.h"
#include "base/scan_range.h"
#include "lsm/snapshot.h"
#include "lsm/transaction.h"
#include "lsm/write_batch.h"
#include "lsm/write_options.h"

namespace lsm {

struct LevelStats {
  std::size_t runs = 0;
  std::size_t tables = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t hidden = 0;  // a newer version is in the same table
};

struct Stats {
  std::vector<LevelStats> levels;
  std::size_t memtable_bytes = 0;  // active and frozen
  std::size_t frozen_memtables = 0;
  std::uint64_t user_bytes_written = 0;  // keys and values, since open
  std::uint64_t log_bytes_written = 0;
  std::uint64_t flush_bytes_written = 0;
  std::uint64_t compaction_bytes_read = 0;
  std::uint64_t compaction_bytes_written = 0;
  std::uint64_t flushes = 0;
  std::uint64_t compactions = 0;
  std::uint64_t trivial_moves = 0;
  std::uint64_t stall_micros = 0;  // writers held back
  std::uint64_t debt_bytes = 0;    // the policy's, right now
  std::size_t snapshots = 0;       // held, those of transactions included
  Sequence oldest_snapshot = 0;    // last_sequence when none is held
  std::size_t transactions = 0;    // that may still write
  std::size_t commit_records = 0;  // kept for their commit checks
  CacheStats cache;
  IoCounters io;
  Sequence last_sequence = 0;
};

class Db {
 public:
  // Opens the store in folder `path`, recovering what an earlier process left.
  // Errors: busy (open elsewhere), corruption, not_supported (a newer format),
  // invalid_argument (options, or `path` is a file), io.
  static Result<std::unique_ptr<Db>> open(const std::string& path,
                                          Options options);
  virtual ~Db() = default;  // closes, ignoring errors: call close() first

  [[nodiscard]] virtual Result<void> put(std::string_view key,
                                         std::string_view value,
                                         WriteOptions options = {}) = 0;
  [[nodiscard]] virtual Result<void> remove(std::string_view key,
                                            WriteOptions options = {}) = 0;
  [[nodiscard]] virtual Result<void> write(const WriteBatch& batch,
                                           WriteOptions options = {}) = 0;

  [[nodiscard]] virtual Result<std::optional<std::string>> get(
      std::string_view key) = 0;
  // The same into `value`, whose memory is reused; false when absent.
  [[nodiscard]] virtual Result<bool> get(std::string_view key,
                                         std::string& value) = 0;
  // Stands before the first entry: seek first. Holds its moment of the store
  // until it dies, and never the Db.
  [[nodiscard]] virtual std::unique_ptr<UserIterator> scan(
      ScanRange range = {}) = 0;

  // This moment, to be read from for as long as it is held.
  [[nodiscard]] virtual Result<SnapshotPtr> snapshot() = 0;
  // Without another transaction open, begins after a commit that is under way:
  // it may wait for that one's sync. Errors: invalid_argument, a snapshot of
  // another store; closed.
  [[nodiscard]] virtual Result<std::unique_ptr<Transaction>> begin(
      TransactionOptions options = {}) = 0;
  // Makes a store of its own in the new folder `path`, which holds what this
  // one held at a moment between call and return. Tables are shared by hard
  // links: `path` must be on the same file system. Writes go on meanwhile.
  // Errors: invalid_argument, `path` exists; not_supported, no hard links; io.
  [[nodiscard]] virtual Result<void> checkpoint(const std::string& path) = 0;

  // Makes every write so far durable.
  [[nodiscard]] virtual Result<void> sync() = 0;
  // Writes the memtables out as tables, and waits: all is durable then.
  [[nodiscard]] virtual Result<void> flush() = 0;
  // Flushes, then merges everything into the deepest level, and waits.
  [[nodiscard]] virtual Result<void> compact() = 0;
  // Waits until no flush or compaction is due.
  [[nodiscard]] virtual Result<void> wait_idle() = 0;
  [[nodiscard]] virtual Stats stats() = 0;
  // Reads and verifies every block of every table.
  [[nodiscard]] virtual Result<void> verify() = 0;
  // Waits for background work, seals the log, gives the folder free; all is
  // durable then. Errors: busy with iterators, snapshots or transactions still
  // open, naming how many; whatever the disk said. Every later call returns
  // closed.
  [[nodiscard]] virtual Result<void> close() = 0;
};

}  // namespace lsm

// The Engine is the store: it opens the folder, hands writes to the write path
// and reads to the current Version, and runs compaction in the background.
//
//          put ─► WriteQueue ─► WritePath ─► log, memtable ─► (freeze) flush
//   Db ──┤                          │ current(), visible()        │ install
//          get, scan ◄──────────────┘                             ▼
//          snapshot, begin               compaction lane: pick ─► merge ─►
//          install
//             └─► registries ─────────────────── live() ──────────┘
//
// I1 It decides nothing about data: rooms do. It owns them, orders their
//    starts and ends, and runs their background work.
// I2 At most one compaction runs, so two never share inputs; a flush never
//    waits for it.
// I3 Open: lock, recover, tables of replayed logs durable, new manifest
//    current, new log named; only then are orphans removed and requests served.
// I4 Close: no new work, background work ends, the log is sealed, the lock is
//    given back. Open iterators, snapshots and transactions make it busy.
// I5 Iterators hold the Version and what reads it, snapshots and transactions
//    a link that is cut (store_link.h); none holds the Engine.
// I6 A compaction chooses its inputs first and asks which snapshots live
//    second: one that is taken later reads at or above all of the inputs.
// I7 What a compaction filter takes, no snapshot misses. One that it asked for
//    is protected by its stripe; one that is taken while it runs holds the
//    Version of that moment.
// I8 A transaction that may write is registered before its snapshot is taken:
//    every commit after the snapshot is on record, or known not to be. A commit
//    that is under way and not on record is waited for, since its writer's
//    sync leaves time for many to begin, and all of them would lose.
// Cost: open reads the manifest and the logs, no tables.
// Thread safety: all of Db, from any thread. Lock order: mutex_ before no
// other; the write path's locks are never held while calling into it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/retention.h"
#include "base/sync.h"
#include "base/version_log.h"
#include "compaction.h"
#include "engine/obsolete_files.h"
#include "engine/store_link.h"
#include "lsm/db.h"
#include "recent_commits.h"
#include "recovery.h"
#include "snapshots.h"
#include "write_path.h"

namespace lsm {

class Engine final : public Db {
 public:
  static Result<std::unique_ptr<Engine>> open(const std::string& path,
                                              Options options);
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Result<void> put(std::string_view key, std::string_view value,
                   WriteOptions options) override;
  Result<void> remove(std::string_view key, WriteOptions options) override;
  Result<void> write(const WriteBatch& batch, WriteOptions options) override;
  Result<std::optional<std::string>> get(std::string_view key) override;
  Result<bool> get(std::string_view key, std::string& value) override;
  std::unique_ptr<UserIterator> scan(ScanRange range) override;
  Result<SnapshotPtr> snapshot() override;
  Result<std::unique_ptr<Transaction>> begin(
      TransactionOptions options) override;
  Result<void> checkpoint(const std::string& path) override;
  Result<void> sync() override;
  Result<void> flush() override;
  Result<void> compact() override;
  Result<void> wait_idle() override;
  Stats stats() override;
  Result<void> verify() override;
  Result<void> close() override;

 private:
  friend class StoreLink;

  Engine(std::string path, Options options, bool has_filter);

  Result<void> start();
  Result<void> check_open() const;
  Result<void> submit(WriteRequest& request);
  Result<void> shut_down();

  // Reads for a snapshot: of `version`, or of the current one if null.
  Result<bool> get_at(VersionPtr version, std::string_view key, Sequence at,
                      std::string& value) const;
  std::unique_ptr<UserIterator> scan_at(VersionPtr version, ScanRange range,
                                        Sequence at,
                                        std::shared_ptr<const void> pin) const;
  // Returns when the commit under way, if any, is visible.
  void await_commit();
  void on_snapshot_released();

  // Compaction lane.
  void schedule_compaction() LSM_REQUIRES(mutex_);
  void on_tree_changed();
  void run_compaction_task();
  std::optional<CompactionTask> next_task(bool manual);
  std::optional<CompactionTask> merge_all(const TreeShape& shape) const;
  std::optional<CompactionTask> garbage_task(const TreeShape& shape);
  Result<void> execute(const CompactionTask& task);

  const std::string path_;
  Options options_;  // composed: no seam is null
  const bool has_filter_;
  std::unique_ptr<Executor> own_executor_;
  std::shared_ptr<FileSystem> fs_;
  std::unique_ptr<FileLock> lock_;
  std::shared_ptr<const TableStore> store_;
  std::shared_ptr<ObsoleteFiles> obsolete_;
  FileNumbers numbers_;
  std::shared_ptr<SnapshotRegistry> snapshots_;  // what compactions keep
  std::shared_ptr<SnapshotRegistry> writers_;    // transactions that may write
  std::shared_ptr<RecentCommits> commits_;       // since the oldest of them
  std::unique_ptr<CommitCheck> check_;
  std::unique_ptr<VersionLog> version_log_;
  std::unique_ptr<WritePath> write_path_;
  std::unique_ptr<WriteQueue> queue_;
  std::shared_ptr<StoreLink> link_;

  std::shared_ptr<std::atomic<int>> open_iterators_ =
      std::make_shared<std::atomic<int>>(0);
  std::atomic<bool> closed_{false};
  std::atomic<bool> cancel_{false};         // read by a running compaction
  std::atomic<bool> filtering_{false};      // a compaction asks the filter
  std::atomic<bool> garbage_waits_{false};  // for a snapshot to be given up

  Mutex mutex_;
  CondVar changed_;
  bool compaction_scheduled_ LSM_GUARDED_BY(mutex_) = false;
  bool compaction_wanted_ LSM_GUARDED_BY(mutex_) = false;
  std::uint64_t manual_asked_ LSM_GUARDED_BY(mutex_) = 0;
  std::uint64_t manual_done_ LSM_GUARDED_BY(mutex_) = 0;
  Result<void> compaction_error_ LSM_GUARDED_BY(mutex_);
  Stats counters_ LSM_GUARDED_BY(mutex_);  // its compaction fields
};

}  // namespace lsm

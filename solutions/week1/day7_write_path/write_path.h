// The write path turns requests into durable, visible entries: log first, then
// memtable, then one store of the visible sequence; and when a memtable is
// full, into tables.
//
//   commit(group) ─► room? ─► log.append ─► (log.sync) ─► active.add ─► publish
//                      │
//                    full: freeze ─► Version{new active, frozen + old, tree}
//                                       │ background, oldest first
//                                     flush ─► table, fsync, sync folder
//                                       │
//                                    install ─► manifest record, fsync
//                                            ─► Version{active, frozen − it,
//                                                       tree + table}
//
//   put a=1, put b=2    log 1: a@1 b@2, memtable 1: a@1 b@2       visible 2
//   freeze              log 2; Version {active 2, frozen 1, tree –}
//   put c=3, sync       log 1: seal; log 2: c@3, fsync, mark      visible 3
//   flush of 1          000003.sst: a@1 b@2, fsync, sync folder
//                       manifest: added {0, 3}, oldest_log 2; fsync
//                       Version {active 2, frozen –, tree [3]}; log 1 removed
//
// I1 Log before memtable before publication: what a reader can see, a killed
//    process keeps; what was synced, a power cut spares.
// I2 A request's operations get contiguous sequences and become visible at
//    once: visible() jumps over all of them.
// I3 A change of one half of the Version re-reads the other half under the
//    mutex: a freeze never loses a table, an install never loses a memtable.
// I4 Memtables are flushed oldest first, so the log of a memtable may go as
//    soon as its table is in the manifest.
// I5 A sync makes older, unsealed logs durable first: what is durable is
//    always a prefix of what was written.
// I6 After a failed append or sync of a log or the manifest the store is
//    read-only until it is reopened: no retry may claim success (fsyncgate;
//    Rebello et al., USENIX ATC 2020).
// I7 Only the leader (commit) freezes; writers slow down before they stop.
// Lock order: leader (the queue's) ─► commit_mutex_ ─► mutex_. mutex_ never
// covers I/O; commit_mutex_ covers the manifest's.
// Cost of a write: encode and copy into the log's window (no system call), one
// skip-list insert, one release store. Of a flush: its table's bytes, two
// fsyncs, one of the folder, one record of the manifest. Memory: at most
// 1 + max_frozen_memtables write buffers, and the largest request beyond that.
// Thread safety: commit one call at a time; what else is public, any thread.
// Used by: the engine, behind a WriteQueue; what a compaction did comes in
// through install.
// Source: the shape is LevelDB's DBImpl::Write and MakeRoomForWrite; splitting
// the two halves of a Version apart is ours.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file_names.h"
#include "base/sync.h"
#include "base/version_log.h"
#include "base/write_request.h"
#include "log_writer.h"
#include "table_builder.h"
#include "version.h"

namespace lsm {

// ANCHOR: show-limits
struct WriteLimits {
  std::size_t write_buffer_size_bytes = std::size_t{64} << 20;
  std::size_t max_frozen_memtables = 2;
  std::size_t level0_runs_to_slow_down = 12;
  std::size_t level0_runs_to_stop = 20;
};
// ANCHOR_END: show-limits

// All references outlive the WritePath.
struct WritePathContext {
  std::shared_ptr<const TableStore> store;
  FileNumbers& numbers;
  Executor& executor;
  Clock& clock;
  VersionLog& version_log;
  CommitCheck& check;
  TableOptions table_options;
  WriteLimits limits;
  // Called, with no lock held, after the tree has changed.
  std::function<void()> on_tree_changed;
};

struct WriteStats {
  std::uint64_t user_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t flush_bytes = 0;
  std::uint64_t flushes = 0;
  std::uint64_t stall_micros = 0;
};

class WritePath {
 public:
  // Starts with `tree` and `last` as the last sequence used; creates the log
  // numbered `log_number` and makes its name durable.
  static Result<std::unique_ptr<WritePath>> create(WritePathContext context,
                                                   TreePtr tree, Sequence last,
                                                   std::uint64_t log_number);

  // ANCHOR: show-commit
  // The leader's entry: sets every request's result. One call at a time.
  // Errors: invalid_argument (a key or value too long), what the commit check
  // says, no_space, read_only, io.
  void commit(std::span<WriteRequest* const> group);
  // ANCHOR_END: show-commit

  // Any thread. Take the Version first, then the sequence (I3 of version.h).
  VersionPtr current() const { return cell_.current(); }
  Sequence visible() const { return visible_.load(std::memory_order_acquire); }

  // ANCHOR: show-install
  // Makes `edit` durable, then current. For flushes and compactions. A table
  // that the edit adds must be durable, bytes and name; `flushed` is the frozen
  // memtable that it replaces, if any.
  Result<void> install(VersionEdit edit, const MemTable* flushed = nullptr);
  // ANCHOR_END: show-install

  // Waits until every memtable frozen so far is a table. Errors: what stopped
  // the flush; the memtable stays, and the next call tries again.
  Result<void> wait_flushed();

  // What stopped compaction, or success once it works again: writers that wait
  // for level 0 to shrink must not wait for ever.
  void report_compaction(Result<void> outcome);

  // Waits for the flush that runs, and starts no other. A last request that
  // asks for After::seal then seals the log; every later one is refused.
  Result<void> stop();

  // The error that made the store read-only, if any.
  Result<void> status() const;
  WriteStats stats() const;

 private:
  explicit WritePath(WritePathContext context, const VersionPtr& version,
                     Sequence last);

  // Leader only.
  Result<void> make_room(std::span<WriteRequest* const> group);
  void after_commit(std::span<WriteRequest* const> group);
  Result<void> freeze();
  Result<void> admit(const WriteRequest& request) const;
  Result<void> sync_logs();
  Result<void> seal();
  void slow_down(std::size_t bytes);
  Result<std::shared_ptr<LogWriter>> create_log(std::uint64_t number);

  // Flush lane.
  void schedule_flush() LSM_REQUIRES(mutex_);
  void run_flushes();
  Result<void> flush(const Version& version);
  Result<FileMeta> write_table(const MemTable& memtable);
  void forget_log(std::uint64_t number, std::uint64_t table_bytes);

  Error break_store(const Error& cause);
  void refuse_from_now_on(Error error);

  WritePathContext context_;
  VersionCell cell_;
  std::atomic<Sequence> visible_;

  // ANCHOR: show-members
  // Leader only: the queue lets one commit run at a time.
  std::shared_ptr<MemTable> active_;
  std::shared_ptr<LogWriter> log_;
  Sequence next_sequence_;
  std::string record_;  // reused by every encode
  std::size_t slow_bytes_ = 0;
  std::uint64_t past_log_bytes_ = 0;  // of the logs before log_

  Mutex commit_mutex_;  // serializes changes of the tree
  mutable Mutex mutex_;
  CondVar changed_;
  // Logs of frozen memtables, oldest first, that were not durable when they
  // were left behind.
  std::deque<std::shared_ptr<LogWriter>> unsealed_ LSM_GUARDED_BY(mutex_);
  // ANCHOR_END: show-members
  Result<void> broken_ LSM_GUARDED_BY(mutex_);       // I6
  Result<void> flush_error_ LSM_GUARDED_BY(mutex_);  // tried again
  Result<void> compaction_error_ LSM_GUARDED_BY(mutex_);
  bool flush_scheduled_ LSM_GUARDED_BY(mutex_) = false;
  bool closing_ LSM_GUARDED_BY(mutex_) = false;
  WriteStats stats_ LSM_GUARDED_BY(mutex_);

  // Read by the leader without the mutex, as hints: what they lead to checks
  // again under it.
  std::atomic<bool> is_broken_{false};
  std::atomic<std::size_t> level0_runs_{0};
  std::atomic<std::uint64_t> user_bytes_{0};
  std::atomic<std::uint64_t> log_bytes_{0};
};

}  // namespace lsm

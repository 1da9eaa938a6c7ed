#include "write_path.h"

#include <algorithm>
#include <utility>

#include "base/not_implemented.h"
#include "batch.h"

namespace lsm {

WritePath::WritePath(WritePathContext context, const VersionPtr& version,
                     Sequence last)
    : context_(std::move(context)),
      cell_(version),
      visible_(last),
      active_(version->active),
      next_sequence_(last + 1),
      level0_runs_(version->tree->level(0).size()) {}

Result<std::unique_ptr<WritePath>> WritePath::create(WritePathContext context,
                                                     TreePtr tree,
                                                     Sequence last,
                                                     std::uint64_t log_number) {
  auto version = std::make_shared<const Version>(
      Version{std::make_shared<MemTable>(
                  log_number, context.limits.write_buffer_size_bytes),
              {},
              std::move(tree)});
  std::unique_ptr<WritePath> path(
      new WritePath(std::move(context), version, last));
  LSM_ASSIGN_OR_RETURN(path->log_, path->create_log(log_number));
  return path;
}

Result<std::shared_ptr<LogWriter>> WritePath::create_log(std::uint64_t number) {
  const TableStore& store = *context_.store;
  LSM_ASSIGN_OR_RETURN(
      std::shared_ptr<LogWriter> log,
      LogWriter::create(
          *store.fs, file_path(store.folder, FileKind::log, number),
          {store.store_id, number}, context_.limits.write_buffer_size_bytes));
  LSM_TRY(store.fs->sync_dir(store.folder));
  return log;
}

void WritePath::commit(std::span<WriteRequest* const> group) {
  // ANCHOR: task-1-7-1 WritePath::commit
  const auto fail_all = [group](const Error& error) {
    for (WriteRequest* request : group) {
      request->result = std::unexpected(error);
    }
  };
  if (auto room = make_room(group); !room) return fail_all(room.error());

  bool sync = false;
  for (WriteRequest* request : group) {
    request->result = admit(*request);
    if (!request->result) continue;
    request->first_sequence = next_sequence_;
    if (!request->ops.empty()) {
      encode_batch(next_sequence_, request->ops, record_);
      if (auto appended = log_->append(record_); !appended) {
        return fail_all(break_store(appended.error()));
      }
      next_sequence_ += request->ops.size();
    }
    context_.check.committed(*request);
    sync |= request->sync;
  }
  if (sync) {
    if (auto synced = sync_logs(); !synced) return fail_all(synced.error());
  }
  for (const WriteRequest* request : group) {
    if (!request->result) continue;
    Sequence sequence = request->first_sequence;
    for (const WriteOp& op : request->ops) {
      active_->add(sequence++, op.kind, op.key, op.value);
    }
  }
  // Release pairs with the acquire in visible(): a reader that sees the
  // sequence sees the entries. This is the moment of commit.
  visible_.store(next_sequence_ - 1, std::memory_order_release);
  after_commit(group);
  // ANCHOR_END: task-1-7-1
}

// Counts, slows the writers down if need be, and does what the group asked for
// afterwards.
void WritePath::after_commit(std::span<WriteRequest* const> group) {
  std::size_t bytes = 0;
  WriteRequest::After asked = WriteRequest::After::nothing;
  for (const WriteRequest* request : group) {
    if (!request->result) continue;
    asked = std::max(asked, request->after);
    for (const WriteOp& op : request->ops) {
      bytes += op.key.size() + op.value.size();
    }
  }
  user_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  log_bytes_.store(past_log_bytes_ + log_->size_bytes(),
                   std::memory_order_relaxed);
  if (level0_runs_.load(std::memory_order_relaxed) >=
      context_.limits.level0_runs_to_slow_down) {
    slow_down(bytes);
  }

  Result<void> done;
  if (asked == WriteRequest::After::seal) {
    done = seal();
  } else if (asked == WriteRequest::After::freeze && active_->entries() > 0) {
    done = freeze();
  }
  if (done) return;
  for (WriteRequest* request : group) {
    if (request->after != WriteRequest::After::nothing && request->result) {
      request->result = done;
    }
  }
}

Result<void> WritePath::admit(const WriteRequest& request) const {
  LSM_TRY(check_sizes(request.ops));
  if (request.ops.size() > kMaxSequence - next_sequence_) {
    return fail(Code::invalid_argument, "the store has no sequences left");
  }
  return context_.check.check(request);
}

Result<void> WritePath::make_room(std::span<WriteRequest* const> group) {
  if (is_broken_.load(std::memory_order_relaxed)) return status();
  const bool sealing = std::ranges::any_of(group, [](const auto* request) {
    return request->after == WriteRequest::After::seal;
  });
  if (sealing ||
      active_->memory_bytes() < context_.limits.write_buffer_size_bytes) {
    return {};
  }
  return freeze();
}

Result<void> WritePath::freeze() {
  // ANCHOR: task-1-7-2 WritePath::freeze
  const WriteLimits& limits = context_.limits;
  {
    const MutexLock lock(mutex_);
    if (!flush_error_) schedule_flush();  // the disk may have room again
    const std::uint64_t began = context_.clock.now_micros();
    LSM_TRY(context_.executor.wait(
        mutex_, changed_, [&]() LSM_NO_THREAD_SAFETY_ANALYSIS {
          return closing_ || !broken_ || !flush_error_ || !compaction_error_ ||
                 (current()->frozen.size() < limits.max_frozen_memtables &&
                  level0_runs_.load() < limits.level0_runs_to_stop);
        }));
    stats_.stall_micros += context_.clock.now_micros() - began;
    if (closing_) return fail(Code::closed, "the store is being closed");
    LSM_TRY(broken_);
    LSM_TRY(flush_error_);
    if (level0_runs_.load() >= limits.level0_runs_to_stop) {
      LSM_TRY(compaction_error_);
    }
  }

  const std::uint64_t number = context_.numbers.take();
  LSM_ASSIGN_OR_RETURN(std::shared_ptr<LogWriter> log, create_log(number));
  auto memtable =
      std::make_shared<MemTable>(number, limits.write_buffer_size_bytes);

  const MutexLock lock(mutex_);
  Version next = *current();  // re-read: a flush may have changed the tree
  next.frozen.insert(next.frozen.begin(), std::move(next.active));
  next.active = memtable;
  cell_.publish(std::make_shared<const Version>(std::move(next)));
  past_log_bytes_ += log_->size_bytes();
  unsealed_.push_back(std::exchange(log_, std::move(log)));
  active_ = std::move(memtable);
  schedule_flush();
  return {};
  // ANCHOR_END: task-1-7-2
}

// Called only with level 0 at the mark or past it. The delay grows with every
// run past it: a millisecond each 32 KiB written, then each 16 KiB, and so on
// down to each 1 KiB.
void WritePath::slow_down(std::size_t bytes) {
  // ANCHOR: task-1-7-5 WritePath::slow_down
  const std::size_t runs = level0_runs_.load(std::memory_order_relaxed);
  const std::size_t past =
      runs - std::min(runs, context_.limits.level0_runs_to_slow_down);
  slow_bytes_ += bytes;
  if (slow_bytes_ < (std::size_t{32} << 10) >> std::min<std::size_t>(past, 5)) {
    return;
  }
  slow_bytes_ = 0;
  context_.clock.sleep_micros(1000);
  const MutexLock lock(mutex_);
  stats_.stall_micros += 1000;
  // ANCHOR_END: task-1-7-5
}

Result<void> WritePath::sync_logs() {
  // ANCHOR: task-1-7-3 WritePath::sync_logs
  std::deque<std::shared_ptr<LogWriter>> older;
  {
    const MutexLock lock(mutex_);
    older = unsealed_;
  }
  for (const auto& log : older) {  // oldest first (I5)
    if (auto sealed = log->seal(); !sealed) {
      return std::unexpected(break_store(sealed.error()));
    }
    const MutexLock lock(mutex_);
    std::erase(unsealed_, log);
  }
  if (auto synced = log_->sync(); !synced) {
    return std::unexpected(break_store(synced.error()));
  }
  return {};
  // ANCHOR_END: task-1-7-3
}

void WritePath::schedule_flush() {
  flush_error_ = {};  // what failed is tried again
  if (flush_scheduled_ || closing_) return;
  flush_scheduled_ = true;
  context_.executor.submit(Executor::Lane::flush, [this] { run_flushes(); });
}

// One task flushes until nothing is frozen, or a flush fails.
void WritePath::run_flushes() {
  for (;;) {
    const VersionPtr version = current();
    Result<void> flushed;
    if (!version->frozen.empty()) {
      try {
        flushed = flush(*version);
      } catch (const NotImplemented& task) {
        flushed = fail(Code::unimplemented, task.what());
      }
    }
    const MutexLock lock(mutex_);
    if (!flushed) flush_error_ = flushed;
    if (!flushed || closing_ || current()->frozen.empty()) {
      flush_scheduled_ = false;
      changed_.notify_all();
      return;
    }
  }
}

Result<void> WritePath::flush(const Version& version) {
  // ANCHOR: task-1-7-4 WritePath::flush
  const MemTable& oldest = *version.frozen.back();  // I4
  LSM_ASSIGN_OR_RETURN(FileMeta file, write_table(oldest));
  const std::uint64_t size_bytes = file.size_bytes;
  const std::size_t frozen = version.frozen.size();
  VersionEdit edit;
  edit.added.push_back({0, std::move(file)});
  edit.oldest_log = frozen > 1 ? version.frozen[frozen - 2]->log_number()
                               : version.active->log_number();
  LSM_TRY(install(std::move(edit), &oldest));
  forget_log(oldest.log_number(), size_bytes);
  return {};
  // ANCHOR_END: task-1-7-4
}

// The manifest names the table that holds all that the log did: the log goes.
void WritePath::forget_log(std::uint64_t number, std::uint64_t table_bytes) {
  const std::string path =
      file_path(context_.store->folder, FileKind::log, number);
  {
    const MutexLock lock(mutex_);
    stats_.flush_bytes += table_bytes;
    ++stats_.flushes;
    std::erase_if(unsealed_,
                  [&path](const auto& log) { return log->path() == path; });
  }
  // If this fails, the next open finds an orphan and removes it.
  (void)context_.store->fs->remove(path);
}

Result<FileMeta> WritePath::write_table(const MemTable& memtable) {
  // ANCHOR: task-1-7-4 WritePath::write_table
  const TableStore& store = *context_.store;
  const std::uint64_t number = context_.numbers.take();
  const std::string path = file_path(store.folder, FileKind::table, number);
  const auto write = [&]() -> Result<FileMeta> {
    LSM_ASSIGN_OR_RETURN(
        auto builder,
        TableBuilder::create(*store.fs, path, {store.store_id, number},
                             context_.table_options));
    const auto entry = memtable.iterator();
    for (entry->seek_to_first(); entry->valid(); entry->next()) {
      LSM_TRY(builder->add(entry->key(), entry->value()));
    }
    LSM_ASSIGN_OR_RETURN(FileMeta file, builder->finish());
    LSM_TRY(store.fs->sync_dir(store.folder));
    return file;
  };
  Result<FileMeta> file = write();
  if (!file) (void)store.fs->remove(path);  // tried again as a new number
  return file;
  // ANCHOR_END: task-1-7-4
}

Result<void> WritePath::install(VersionEdit edit, const MemTable* flushed) {
  VersionPtr before;  // outlives the locks: the last reader's work is outside
  {
    // ANCHOR: task-1-7-4 WritePath::install
    const MutexLock commit_lock(commit_mutex_);
    before = current();
    LSM_ASSIGN_OR_RETURN(TreePtr tree, before->tree->apply(edit));
    edit.next_file_number = context_.numbers.next();
    if (auto logged = context_.version_log.append(edit); !logged) {
      return std::unexpected(break_store(logged.error()));
    }
    const MutexLock lock(mutex_);
    Version next = *current();  // re-read: a freeze may have come between (I3)
    next.tree = std::move(tree);
    std::erase_if(next.frozen, [flushed](const auto& memtable) {
      return memtable.get() == flushed;
    });
    level0_runs_.store(next.tree->level(0).size());
    cell_.publish(std::make_shared<const Version>(std::move(next)));
    changed_.notify_all();
    // ANCHOR_END: task-1-7-4
  }
  before->tree->mark_removed(edit);
  if (context_.on_tree_changed) context_.on_tree_changed();
  return {};
}

Result<void> WritePath::wait_flushed() {
  const MutexLock lock(mutex_);
  const VersionPtr version = current();
  if (version->frozen.empty()) return broken_;
  const std::shared_ptr<const MemTable> newest = version->frozen.front();
  schedule_flush();
  LSM_TRY(context_.executor.wait(
      mutex_, changed_, [&]() LSM_NO_THREAD_SAFETY_ANALYSIS {
        return !broken_ || !flush_error_ ||
               std::ranges::find(current()->frozen, newest) ==
                   current()->frozen.end();
      }));
  LSM_TRY(broken_);
  return flush_error_;
}

void WritePath::report_compaction(Result<void> outcome) {
  const MutexLock lock(mutex_);
  compaction_error_ = std::move(outcome);
  changed_.notify_all();
}

Result<void> WritePath::stop() {
  const MutexLock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
  return context_.executor.wait(
      mutex_, changed_,
      [&]() LSM_NO_THREAD_SAFETY_ANALYSIS { return !flush_scheduled_; });
}

Result<void> WritePath::seal() {
  LSM_TRY(sync_logs());
  Result<void> sealed = log_->seal();
  refuse_from_now_on({Code::closed, "the store is closed"});
  return sealed;
}

Result<void> WritePath::status() const {
  const MutexLock lock(mutex_);
  return broken_;
}

WriteStats WritePath::stats() const {
  const MutexLock lock(mutex_);
  WriteStats stats = stats_;
  stats.user_bytes = user_bytes_.load(std::memory_order_relaxed);
  stats.log_bytes = log_bytes_.load(std::memory_order_relaxed);
  return stats;
}

Error WritePath::break_store(const Error& cause) {
  refuse_from_now_on(
      {Code::read_only,
       "the store is read-only until it is reopened: " + cause.message});
  return cause;
}

void WritePath::refuse_from_now_on(Error error) {
  const MutexLock lock(mutex_);
  if (broken_) {  // the first reason stays
    broken_ = std::unexpected(std::move(error));
    is_broken_.store(true);
  }
  changed_.notify_all();
}

}  // namespace lsm

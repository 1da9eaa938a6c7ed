#include "write_path.h"

#include <algorithm>
#include <utility>

#include "base/not_implemented.h"
#include "batch.h"
#include "base/todo.h"

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
  // Task 1: WritePath::commit
  LSM_TODO("1.7 task 1", "WritePath::commit");
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
  // Task 2: WritePath::freeze
  LSM_TODO("1.7 task 2", "WritePath::freeze");
}

// Called only with level 0 at the mark or past it. The delay grows with every
// run past it: a millisecond each 32 KiB written, then each 16 KiB, and so on
// down to each 1 KiB.
void WritePath::slow_down(std::size_t bytes) {
  // Task 5: WritePath::slow_down
  LSM_TODO("1.7 task 5", "WritePath::slow_down");
}

Result<void> WritePath::sync_logs() {
  // Task 3: WritePath::sync_logs
  LSM_TODO("1.7 task 3", "WritePath::sync_logs");
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
  // Task 4: WritePath::flush
  LSM_TODO("1.7 task 4", "WritePath::flush");
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
  // Task 4: WritePath::write_table
  LSM_TODO("1.7 task 4", "WritePath::write_table");
}

Result<void> WritePath::install(VersionEdit edit, const MemTable* flushed) {
  VersionPtr before;  // outlives the locks: the last reader's work is outside
  {
    // Task 4: WritePath::install
    LSM_TODO("1.7 task 4", "WritePath::install");
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

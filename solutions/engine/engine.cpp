#include "engine/engine.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/not_implemented.h"
#include "base/posix_file_system.h"
#include "engine/checkpoint.h"
#include "engine/compose.h"
#include "engine/verify_table.h"
#include "garbage.h"
#include "manifest.h"
#include "optimistic.h"

namespace lsm {

Result<std::unique_ptr<Db>> Db::open(const std::string& path, Options options) {
  return Engine::open(path, std::move(options));
}

Result<std::unique_ptr<Engine>> Engine::open(const std::string& path,
                                             Options options) {
  const bool has_filter = options.compaction_filter != nullptr;
  LSM_ASSIGN_OR_RETURN(options, compose(std::move(options)));
  std::unique_ptr<Engine> engine(
      new Engine(path, std::move(options), has_filter));
  LSM_TRY(engine->start());
  return engine;
}

Engine::Engine(std::string path, Options options, bool has_filter)
    : path_(std::move(path)),
      options_(std::move(options)),
      has_filter_(has_filter),
      link_(std::make_shared<StoreLink>(*this)) {
  const auto visible = [this] { return write_path_->visible(); };
  snapshots_ =
      SnapshotRegistry::create(visible, [link = link_] { link->released(); });
  writers_ = SnapshotRegistry::create(visible);
  if (options_.clock == nullptr) options_.clock = &system_clock();
  if (options_.executor == nullptr) {
#ifdef LSM_SINGLE_THREADED
    own_executor_ = make_stepped_executor(0);
#else
    own_executor_ = make_thread_executor();
#endif
    options_.executor = own_executor_.get();
  }
  if (options_.file_system == nullptr) {
    fs_ = make_posix_file_system();
  } else {
    fs_ = std::shared_ptr<FileSystem>(options_.file_system, [](FileSystem*) {});
  }
}

Engine::~Engine() {
  link_->cut();
  if (!closed_.load()) (void)shut_down();
  if (obsolete_ != nullptr) obsolete_->stop();
}

Result<void> Engine::start() {
  if (options_.create_if_missing) {
    LSM_TRY(fs_->create_dir(path_));
    LSM_TRY(fs_->sync_dir(parent_path(path_)));
  }
  LSM_ASSIGN_OR_RETURN(lock_, fs_->lock(join_path(path_, kLockName)));

  const TableOptions tables{options_.block_size_bytes, options_.compression,
                            options_.filter_policy.get()};
  LSM_ASSIGN_OR_RETURN(
      Recovered recovered,
      recover({*fs_, path_, tables, options_.write_buffer_size_bytes, numbers_,
               options_.create_if_missing, options_.error_if_exists}));

  obsolete_ = std::make_shared<ObsoleteFiles>(fs_, path_, *options_.executor);
  auto store = std::make_shared<TableStore>();
  store->fs = fs_;
  store->folder = path_;
  store->store_id = recovered.state.store_id;
  store->filter = options_.filter_policy;
  store->cache = options_.block_cache;
  store->on_obsolete = [obsolete = obsolete_](std::uint64_t number) {
    obsolete->add(number);
  };
  store_ = std::move(store);

  VersionEdit edit;
  edit.added = recovered.state.files;
  LSM_ASSIGN_OR_RETURN(TreePtr tree, Tree(store_).apply(edit));

  const std::uint64_t log_number = numbers_.take();
  recovered.state.oldest_log = log_number;
  LSM_ASSIGN_OR_RETURN(
      version_log_, Manifest::create(*fs_, path_, numbers_, recovered.state));
  commits_ = std::make_shared<RecentCommits>(
      [writers = writers_] { return writers->oldest(); },
      options_.max_commit_records_bytes);
  check_ = compose_commit_check(commits_);
  LSM_ASSIGN_OR_RETURN(
      write_path_,
      WritePath::create(
          {store_,
           numbers_,
           *options_.executor,
           *options_.clock,
           *version_log_,
           *check_,
           tables,
           {options_.write_buffer_size_bytes, options_.max_frozen_memtables,
            options_.level0_runs_to_slow_down, options_.level0_runs_to_stop},
           [this] { on_tree_changed(); }},
          std::move(tree), recovered.state.last_sequence, log_number));
  queue_ = compose_write_queue(
      [this](std::span<WriteRequest* const> group) {
        write_path_->commit(group);
      },
      *options_.executor, *options_.clock);
  LSM_TRY(remove_orphans(*fs_, path_, recovered.state));
  on_tree_changed();
  return {};
}

// Writes.

Result<void> Engine::check_open() const {
  if (!closed_.load(std::memory_order_relaxed)) return {};
  return fail(Code::closed, path_ + ": the store is closed");
}

Result<void> Engine::submit(WriteRequest& request) {
  LSM_TRY(check_open());
  queue_->submit(request);
  if (options_.executor->stepped()) options_.executor->run_one();
  return request.result;
}

Result<void> Engine::put(std::string_view key, std::string_view value,
                         WriteOptions options) {
  const std::array<WriteOp, 1> op{{{Kind::put, key, value}}};
  WriteRequest request{.ops = op, .sync = options.sync};
  return submit(request);
}

Result<void> Engine::remove(std::string_view key, WriteOptions options) {
  const std::array<WriteOp, 1> op{{{Kind::remove, key, {}}}};
  WriteRequest request{.ops = op, .sync = options.sync};
  return submit(request);
}

Result<void> Engine::write(const WriteBatch& batch, WriteOptions options) {
  const std::vector<WriteOp> ops = batch.ops();
  WriteRequest request{.ops = ops, .sync = options.sync};
  return submit(request);
}

Result<void> Engine::sync() {
  WriteRequest request{.sync = true};
  return submit(request);
}

Result<void> Engine::flush() {
  WriteRequest request{.after = WriteRequest::After::freeze};
  LSM_TRY(submit(request));
  return write_path_->wait_flushed();
}

// Reads: the Version first, the sequence second (version.h, I3).

Result<bool> Engine::get(std::string_view key, std::string& value) {
  LSM_TRY(check_open());
  const VersionPtr version = write_path_->current();
  return version->get(key, write_path_->visible(), value);
}

Result<std::optional<std::string>> Engine::get(std::string_view key) {
  std::string value;
  LSM_ASSIGN_OR_RETURN(const bool found, get(key, value));
  if (!found) return std::nullopt;
  return value;
}

std::unique_ptr<UserIterator> Engine::scan(ScanRange range) {
  VersionPtr version = write_path_->current();
  const Sequence at = write_path_->visible();
  return scan_at(std::move(version), std::move(range), at, nullptr);
}

Result<bool> Engine::get_at(VersionPtr version, std::string_view key,
                            Sequence at, std::string& value) const {
  LSM_TRY(check_open());
  if (version == nullptr) version = write_path_->current();
  return version->get(key, at, value);
}

std::unique_ptr<UserIterator> Engine::scan_at(
    VersionPtr version, ScanRange range, Sequence at,
    std::shared_ptr<const void> pin) const {
  if (Result<void> open = check_open(); !open) {
    return std::make_unique<ErrorIterator<std::string_view>>(
        std::move(open).error());
  }
  if (version == nullptr) version = write_path_->current();
  open_iterators_->fetch_add(1);
  std::shared_ptr<const void> counted(
      this, [count = open_iterators_, pin = std::move(pin)](const void*) {
        count->fetch_sub(1);
      });
  return lsm::scan(std::move(version), at, std::move(range),
                   std::move(counted));
}

// Snapshots and transactions.

Result<SnapshotPtr> Engine::snapshot() {
  LSM_TRY(check_open());
  SnapshotRegistry::Pin hold = snapshots_->take();
  std::shared_ptr<const Store> store = link_;
  // Now the hold is on the list. A compaction that began before and read the
  // list without it has set the flag before that; what it takes stays in this
  // Version (I7).
  if (filtering_.load()) {
    store = std::make_shared<PinnedStore>(link_, write_path_->current());
  }
  return make_snapshot(std::move(hold), std::move(store));
}

Result<std::unique_ptr<Transaction>> Engine::begin(TransactionOptions options) {
  LSM_TRY(check_open());
  if (options.snapshot && !is_of(*options.snapshot, *snapshots_)) {
    return fail(Code::invalid_argument,
                path_ + ": the transaction's snapshot is of another store");
  }
  SnapshotRegistry::Pin writer;
  if (!options.read_only) {
    if (options.snapshot) {
      writer = writers_->take_at(options.snapshot->sequence());
    } else {
      writer = writers_->take();
      if (writer.sequence() < commits_->complete_after()) await_commit();
    }
  }
  SnapshotPtr moment = options.snapshot;
  if (!moment) {
    LSM_ASSIGN_OR_RETURN(moment, snapshot());  // after `writer`: I8
  }
  std::shared_ptr<ScanTracker> tracker = compose_scan_tracker(options);
  return make_transaction(
      {link_, std::move(moment), std::move(tracker), std::move(options),
       std::make_shared<const SnapshotRegistry::Pin>(std::move(writer))});
}

void Engine::await_commit() {
  // It stands behind that commit in the queue. Should the store be broken, the
  // transaction can read, and its commit says so.
  WriteRequest nothing;
  queue_->submit(nothing);
}

void Engine::on_snapshot_released() {
  if (garbage_waits_.exchange(false)) on_tree_changed();
}

Result<void> Engine::checkpoint(const std::string& path) {
  LSM_TRY(flush());
  const VersionPtr version = write_path_->current();  // keeps its tables
  return write_checkpoint(*version->tree, path);
}

// Compaction.

void Engine::on_tree_changed() {
  const MutexLock lock(mutex_);
  schedule_compaction();
}

void Engine::schedule_compaction() {
  compaction_wanted_ = true;
  if (compaction_scheduled_ || cancel_.load()) return;
  compaction_scheduled_ = true;
  options_.executor->submit(Executor::Lane::compaction,
                            [this] { run_compaction_task(); });
}

// One task runs at most one compaction, then makes room for others.
void Engine::run_compaction_task() {
  std::uint64_t manual = 0;
  bool is_manual = false;
  {
    const MutexLock lock(mutex_);
    compaction_wanted_ = false;
    manual = manual_asked_;
    is_manual = manual_done_ < manual_asked_;
  }
  std::optional<CompactionTask> task;
  Result<void> done;
  try {
    task = next_task(is_manual);
    if (task) done = execute(*task);
  } catch (const NotImplemented& missing) {
    done = fail(Code::unimplemented, missing.what());
  }
  filtering_.store(false);
  write_path_->report_compaction(done);

  const MutexLock lock(mutex_);
  compaction_error_ = done;
  if (is_manual && done) manual_done_ = manual;
  compaction_scheduled_ = false;
  // After an error the next flush, or the next call of compact, tries again.
  if (done && (task || compaction_wanted_)) schedule_compaction();
  changed_.notify_all();
}

std::optional<CompactionTask> Engine::next_task(bool manual) {
  const VersionPtr version = write_path_->current();
  const TreeShape& shape = version->tree->shape();
  if (manual) return merge_all(shape);
  if (auto task = options_.compaction_policy->pick(shape)) return task;
  return garbage_task(shape);
}

// What snapshots kept, once they are gone.
std::optional<CompactionTask> Engine::garbage_task(const TreeShape& shape) {
  const std::uint64_t size = options_.target_file_size_bytes;
  // Where there is none, no snapshot's end has to wake anybody.
  if (!pick_garbage(shape, std::nullopt, size)) return std::nullopt;
  // Set before the registry is asked: a snapshot that is given up in between
  // finds it set, and asks again.
  garbage_waits_.store(true);
  std::optional<CompactionTask> task =
      pick_garbage(shape, snapshots_->oldest(), size);
  if (task) garbage_waits_.store(false);
  return task;
}

std::optional<CompactionTask> Engine::merge_all(const TreeShape& shape) const {
  CompactionTask task;
  std::size_t runs = 0;
  bool garbage = false;
  for (int level = 0; level < kMaxLevels; ++level) {
    const auto& at = shape.levels[static_cast<std::size_t>(level)].runs;
    if (at.empty()) continue;
    task.inputs.push_back({level, at});
    runs += at.size();
    for (const RunShape& run : at) {
      for (const FileMetaPtr& file : run.files) {
        garbage |= file->tombstones + file->hidden > 0;
      }
    }
  }
  const bool settled =
      runs == 0 ||
      (runs == 1 && task.inputs[0].level == kMaxLevels - 1 && !garbage);
  if (settled) return std::nullopt;
  task.output_level = kMaxLevels - 1;
  task.target_file_size_bytes = options_.target_file_size_bytes;
  task.reason = "asked for";
  return task;
}

Result<void> Engine::execute(const CompactionTask& task) {
  CompactionResult result;
  if (task.trivial_move) {
    for (const CompactionTask::Input& input : task.inputs) {
      for (const RunShape& run : input.runs) {
        for (const FileMetaPtr& file : run.files) {
          result.edit.removed.push_back({input.level, file->number});
          result.edit.added.push_back({task.output_level, *file});
          result.edit.added.back().file.run = 0;
        }
      }
    }
  } else {
    const VersionPtr version = write_path_->current();
    filtering_.store(has_filter_);  // before live(), see snapshot()
    const std::unique_ptr<Retention> retention =
        compose_retention(snapshots_->live());  // after the inputs: I6
    LSM_ASSIGN_OR_RETURN(result, run_compaction({*fs_,
                                                 path_,
                                                 store_->store_id,
                                                 numbers_,
                                                 {options_.block_size_bytes,
                                                  options_.compression,
                                                  options_.filter_policy.get()},
                                                 *retention,
                                                 *options_.compaction_filter,
                                                 *version->tree,
                                                 cancel_},
                                                task));
  }
  LSM_TRY(write_path_->install(std::move(result.edit)));
  const MutexLock lock(mutex_);
  counters_.compactions += task.trivial_move ? 0 : 1;
  counters_.trivial_moves += task.trivial_move ? 1 : 0;
  counters_.compaction_bytes_read += result.bytes_read;
  counters_.compaction_bytes_written += result.bytes_written;
  return {};
}

Result<void> Engine::compact() {
  LSM_TRY(flush());
  const MutexLock lock(mutex_);
  const std::uint64_t mine = ++manual_asked_;
  compaction_error_ = {};
  schedule_compaction();
  LSM_TRY(options_.executor->wait(
      mutex_, changed_, [&]() LSM_NO_THREAD_SAFETY_ANALYSIS {
        return manual_done_ >= mine ||
               (!compaction_error_ && !compaction_scheduled_);
      }));
  if (manual_done_ >= mine) return {};
  return compaction_error_;
}

Result<void> Engine::wait_idle() {
  LSM_TRY(check_open());
  LSM_TRY(write_path_->wait_flushed());
  const MutexLock lock(mutex_);
  // The flush that has just ended may not have called on_tree_changed yet.
  schedule_compaction();
  LSM_TRY(options_.executor->wait(
      mutex_, changed_,
      [&]() LSM_NO_THREAD_SAFETY_ANALYSIS { return !compaction_scheduled_; }));
  return compaction_error_;
}

// Looking inside.

Stats Engine::stats() {
  const VersionPtr version = write_path_->current();
  const WriteStats writes = write_path_->stats();
  Stats stats;
  {
    const MutexLock lock(mutex_);
    stats = counters_;
  }
  for (const LevelShape& level : version->tree->shape().levels) {
    LevelStats& out = stats.levels.emplace_back();
    out.runs = level.runs.size();
    for (const RunShape& run : level.runs) {
      out.tables += run.files.size();
      out.size_bytes += run.size_bytes();
      for (const FileMetaPtr& file : run.files) {
        out.entries += file->entries;
        out.tombstones += file->tombstones;
        out.hidden += file->hidden;
      }
    }
  }
  stats.memtable_bytes = version->active->memory_bytes();
  for (const auto& memtable : version->frozen) {
    stats.memtable_bytes += memtable->memory_bytes();
  }
  stats.frozen_memtables = version->frozen.size();
  stats.user_bytes_written = writes.user_bytes;
  stats.log_bytes_written = writes.log_bytes;
  stats.flush_bytes_written = writes.flush_bytes;
  stats.flushes = writes.flushes;
  stats.stall_micros = writes.stall_micros;
  stats.debt_bytes =
      options_.compaction_policy->debt_bytes(version->tree->shape());
  stats.cache = options_.block_cache->stats();
  stats.io = fs_->counters();
  stats.last_sequence = write_path_->visible();
  stats.snapshots = snapshots_->count();
  stats.oldest_snapshot = snapshots_->oldest().value_or(stats.last_sequence);
  stats.transactions = writers_->count();
  stats.commit_records = commits_->count();
  return stats;
}

Result<void> Engine::verify() {
  LSM_TRY(check_open());
  const VersionPtr version = write_path_->current();
  const TableStore& store = *version->tree->store();
  for (int level = 0; level < kMaxLevels; ++level) {
    for (const RunPtr& run : version->tree->level(level)) {
      for (const TableHandlePtr& handle : run->tables()) {
        const std::uint64_t number = handle->meta()->number;
        LSM_TRY(verify_table(*store.fs,
                             file_path(store.folder, FileKind::table, number),
                             {store.store_id, number}, *store.filter));
      }
    }
  }
  return {};
}

// The end.

Result<void> Engine::close() {
  LSM_TRY(check_open());
  const int iterators = open_iterators_->load();
  const std::size_t snapshots = snapshots_->count();
  if (iterators != 0 || snapshots != 0) {
    return fail(Code::busy,
                fmt::format("{}: {} iterators and {} snapshots are still open "
                            "(a transaction holds one)",
                            path_, iterators, snapshots));
  }
  return shut_down();
}

Result<void> Engine::shut_down() {
  closed_.store(true);
  if (write_path_ == nullptr) return {};  // never started
  cancel_.store(true);
  {
    const MutexLock lock(mutex_);
    LSM_TRY(options_.executor->wait(mutex_, changed_,
                                    [&]() LSM_NO_THREAD_SAFETY_ANALYSIS {
                                      return !compaction_scheduled_;
                                    }));
  }
  LSM_TRY(write_path_->stop());
  WriteRequest last{.after = WriteRequest::After::seal};
  queue_->submit(last);
  Result<void> logged = version_log_->close();
  obsolete_->drain();
  lock_.reset();
  return last.result ? logged : last.result;
}

}  // namespace lsm

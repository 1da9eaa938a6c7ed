#include "replay.h"

#include <fmt/format.h>

#include <utility>

#include "batch.h"

namespace lsm {

Replay::Replay(const RecoveryContext& context, ManifestState state)
    : context_(context), last_(state.last_sequence), log_number_(0) {
  recovered_.state = std::move(state);
}

Replay::~Replay() {
  if (finished_) return;
  for (const std::uint64_t number : recovered_.tables) {
    // What cannot be removed is an orphan, and the next open removes it.
    (void)context_.fs.remove(
        file_path(context_.folder, FileKind::table, number));
  }
}

Result<void> Replay::add_log(std::uint64_t number) {
  // ANCHOR: task-2-5-2 Replay::add_log
  if (number < recovered_.state.oldest_log) return {};
  log_number_ = number;
  const std::string path = file_path(context_.folder, FileKind::log, number);
  const LogVisitor visit = [&](std::uint64_t offset, std::string_view record) {
    return add_batch(path, offset, record);
  };
  LSM_ASSIGN_OR_RETURN(
      const LogEnd end,
      read_log(context_.fs, path, {recovered_.state.store_id, number}, visit));
  ++recovered_.logs;
  if (end.any_mark) LSM_TRY(check_loss(path));
  if (end.kind == LogEnd::Kind::torn && !damaged_end_) {
    damaged_end_ = {path, end.offset, "expected a valid record"};
  }
  return {};
  // ANCHOR_END: task-2-5-2
}

Result<void> Replay::add_batch(const std::string& path, std::uint64_t offset,
                               std::string_view record) {
  // ANCHOR: task-2-5-2 Replay::add_batch
  const auto batch = decode_batch(record);
  if (!batch) {
    return fail(Code::corruption, fmt::format("{}: offset {}: {}", path, offset,
                                              batch.error().message));
  }
  if (batch->ops.empty()) return {};
  LSM_ASSIGN_OR_RETURN(const bool next, goes_on(path, offset, batch->first));
  if (!next) return {};

  if (!memtable_) {
    memtable_ = std::make_unique<MemTable>(log_number_,
                                           context_.write_buffer_size_bytes);
  }
  Sequence sequence = batch->first;
  for (const WriteOp& op : batch->ops) {
    memtable_->add(sequence++, op.kind, op.key, op.value);
  }
  last_ = sequence - 1;
  ++recovered_.batches;
  recovered_.operations += batch->ops.size();
  if (memtable_->memory_bytes() < context_.write_buffer_size_bytes) return {};
  return write_table();
  // ANCHOR_END: task-2-5-2
}

Result<bool> Replay::goes_on(const std::string& path, std::uint64_t offset,
                             Sequence first) {
  // ANCHOR: task-2-5-3 Replay::goes_on
  if (lost_) return false;
  if (first == last_ + 1) {
    damaged_end_.reset();  // it has lost nothing
    return true;
  }
  DroppedTail here{
      path, offset,
      fmt::format("expected sequence {}, found {}", last_ + 1, first)};
  if (first <= last_) {
    return fail(Code::corruption,
                fmt::format("{}: offset {}: {}", path, offset, here.reason));
  }
  lost_ = damaged_end_.value_or(std::move(here));
  return false;
  // ANCHOR_END: task-2-5-3
}

Result<void> Replay::check_loss(const std::string& path) const {
  // ANCHOR: task-2-5-3 Replay::check_loss
  const auto& loss = lost_ ? lost_ : damaged_end_;
  if (!loss) return {};
  return fail(Code::corruption,
              fmt::format("{}: offset {}: {}; {} says that it was durable",
                          loss->path, loss->offset, loss->reason, path));
  // ANCHOR_END: task-2-5-3
}

Result<void> Replay::write_table() {
  // ANCHOR: task-2-5-2 Replay::write_table
  const std::uint64_t number = context_.numbers.take();
  recovered_.tables.push_back(number);
  LSM_ASSIGN_OR_RETURN(
      const auto builder,
      TableBuilder::create(
          context_.fs, file_path(context_.folder, FileKind::table, number),
          {recovered_.state.store_id, number}, context_.table_options));
  const auto entry = memtable_->iterator();
  for (entry->seek_to_first(); entry->valid(); entry->next()) {
    LSM_TRY(builder->add(entry->key(), entry->value()));
  }
  LSM_TRY(entry->status());
  LSM_ASSIGN_OR_RETURN(FileMeta file, builder->finish());
  recovered_.state.files.push_back({0, std::move(file)});
  memtable_.reset();
  return {};
  // ANCHOR_END: task-2-5-2
}

Result<Recovered> Replay::finish() {
  if (memtable_) LSM_TRY(write_table());
  if (!recovered_.tables.empty()) {
    LSM_TRY(context_.fs.sync_dir(context_.folder));  // I2 of recovery.h
  }
  finished_ = true;
  recovered_.state.last_sequence = last_;
  recovered_.state.next_file_number = context_.numbers.next();
  recovered_.dropped = lost_ ? lost_ : damaged_end_;
  return std::move(recovered_);
}

}  // namespace lsm

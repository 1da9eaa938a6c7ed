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
}

Result<void> Replay::add_batch(const std::string& path, std::uint64_t offset,
                               std::string_view record) {
  if (lost_) return {};
  const auto corrupt = [&](const std::string& what) {
    return fail(Code::corruption,
                fmt::format("{}: offset {}: {}", path, offset, what));
  };
  const auto batch = decode_batch(record);
  if (!batch) return corrupt(batch.error().message);
  if (batch->ops.empty()) return {};
  if (batch->first > last_ + 1) {
    lost_ = damaged_end_.value_or(
        DroppedTail{path, offset,
                    fmt::format("expected sequence {}, found {}", last_ + 1,
                                batch->first)});
    return {};
  }
  if (batch->first <= last_) {
    return corrupt(
        fmt::format("sequence {} again, expected {}", batch->first, last_ + 1));
  }
  damaged_end_.reset();

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
}

Result<void> Replay::check_loss(const std::string& path) const {
  const auto& loss = lost_ ? lost_ : damaged_end_;
  if (!loss) return {};
  return fail(Code::corruption,
              fmt::format("{}: offset {}: {}; {} says that it was durable",
                          loss->path, loss->offset, loss->reason, path));
}

Result<void> Replay::write_table() {
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

#include "output_writer.h"

#include <utility>

namespace lsm {

Result<void> OutputWriter::add(const InternalKey& key, std::string_view value) {
  // ANCHOR: task-2-1-4 OutputWriter::add
  const bool full = builder_ != nullptr &&
                    builder_->size_bytes() >= task_.target_file_size_bytes;
  if (full && key.user != last_user_) LSM_TRY(finish_table());  // I1
  if (builder_ == nullptr) LSM_TRY(start_table());
  last_user_.assign(key.user);
  return builder_->add(key, value);
  // ANCHOR_END: task-2-1-4
}

Result<void> OutputWriter::finish() {
  // ANCHOR: task-2-1-4 OutputWriter::finish
  if (builder_ != nullptr) LSM_TRY(finish_table());
  return context_.fs.sync_dir(context_.folder);
  // ANCHOR_END: task-2-1-4
}

void OutputWriter::discard() {
  // ANCHOR: task-2-1-4 OutputWriter::discard
  builder_.reset();  // closes the file
  for (const std::uint64_t number : numbers_) {
    // What cannot be removed now is an orphan, and goes at the next open.
    (void)context_.fs.remove(
        file_path(context_.folder, FileKind::table, number));
  }
  // ANCHOR_END: task-2-1-4
}

Result<void> OutputWriter::start_table() {
  numbers_.push_back(context_.numbers.take());
  LSM_ASSIGN_OR_RETURN(
      builder_,
      TableBuilder::create(
          context_.fs,
          file_path(context_.folder, FileKind::table, numbers_.back()),
          {context_.store_id, numbers_.back()}, context_.table_options));
  return {};
}

Result<void> OutputWriter::finish_table() {
  // ANCHOR: task-2-1-4 OutputWriter::finish_table
  LSM_ASSIGN_OR_RETURN(FileMeta file, builder_->finish());
  if (task_.output_level == 0) file.run = numbers_.front();  // I2
  files_.push_back(std::move(file));
  builder_.reset();
  return {};
  // ANCHOR_END: task-2-1-4
}

}  // namespace lsm

#include "output_writer.h"

#include <utility>
#include "base/todo.h"

namespace lsm {

Result<void> OutputWriter::add(const InternalKey& key, std::string_view value) {
  // Task 4: OutputWriter::add
  LSM_TODO("2.1 task 4", "OutputWriter::add");
}

Result<void> OutputWriter::finish() {
  // Task 4: OutputWriter::finish
  LSM_TODO("2.1 task 4", "OutputWriter::finish");
}

void OutputWriter::discard() {
  // Task 4: OutputWriter::discard
  LSM_TODO("2.1 task 4", "OutputWriter::discard");
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
  // Task 4: OutputWriter::finish_table
  LSM_TODO("2.1 task 4", "OutputWriter::finish_table");
}

}  // namespace lsm

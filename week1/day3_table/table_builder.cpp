#include "table_builder.h"

#include <cassert>

#include "separators.h"
#include "base/todo.h"

namespace lsm {

Result<std::unique_ptr<TableBuilder>> TableBuilder::create(
    FileSystem& fs, const std::string& path, FileIdentity file,
    TableOptions options) {
  assert(options.filter != nullptr);
  assert(options.block_size_bytes <= kMaxEntryStart);
  LSM_ASSIGN_OR_RETURN(auto created, fs.open(path, FileSystem::Mode::create));
  return std::unique_ptr<TableBuilder>(
      new TableBuilder(std::move(created), file, options));
}

Result<void> TableBuilder::add(InternalKey key, std::string_view value) {
  // Task 4: TableBuilder::add
  LSM_TODO("1.3 task 4", "TableBuilder::add");
}

Result<void> TableBuilder::cut_block(InternalKey separator) {
  // Task 4: TableBuilder::cut_block
  LSM_TODO("1.3 task 4", "TableBuilder::cut_block");
}

Result<FileMeta> TableBuilder::finish() {
  // Task 4: TableBuilder::finish
  LSM_TODO("1.3 task 4", "TableBuilder::finish");
}

Result<void> TableBuilder::write_frame(std::string_view payload,
                                       Compression compression) {
  const std::size_t before = out_.size();
  append_frame(out_, payload, compression, identity_, offset_);
  offset_ += out_.size() - before;
  if (out_.size() < kWriteBytes) return {};
  LSM_TRY(file_->append(out_));
  out_.clear();
  return {};
}

}  // namespace lsm

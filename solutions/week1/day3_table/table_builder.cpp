#include "table_builder.h"

#include <cassert>

#include "separators.h"

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
  // ANCHOR: task-1-3-4 TableBuilder::add
  const bool first = entries() == 0;
  const InternalKeyBuffer& last = properties_.meta.largest;
  assert(first || compare(last.view(), key) < 0);
  if (!block_.empty() &&
      block_.size_bytes_with(key, value) > options_.block_size_bytes) {
    LSM_TRY(cut_block(separator_between(last.view(), key)));
  }
  block_.add(key, value);
  if (first || last.user() != key.user) {
    hashes_.push_back(filter_hash(key.user));
  }
  properties_.meta.note(key);
  return {};
  // ANCHOR_END: task-1-3-4
}

Result<void> TableBuilder::cut_block(InternalKey separator) {
  // ANCHOR: task-1-3-4 TableBuilder::cut_block
  const std::uint64_t begin = offset_;
  LSM_TRY(write_frame(block_.finish(), options_.compression));
  append_index_entry(index_, separator, offset_ - begin);
  block_.reset();
  return {};
  // ANCHOR_END: task-1-3-4
}

Result<FileMeta> TableBuilder::finish() {
  // ANCHOR: task-1-3-4 TableBuilder::finish
  assert(entries() > 0);
  LSM_TRY(cut_block({properties_.meta.largest.user(), 0}));
  properties_.filter_policy = options_.filter->name();
  Footer footer{.filter_at = offset_, .file = identity_};
  LSM_TRY(write_frame(options_.filter->build(hashes_), Compression::none));
  footer.index_at = offset_;
  LSM_TRY(write_frame(index_, options_.compression));
  footer.properties_at = offset_;
  LSM_TRY(write_frame(encode_properties(properties_), Compression::none));
  footer.footer_at = offset_;
  out_ += encode_footer(footer);
  LSM_TRY(file_->append(out_));
  LSM_TRY(file_->sync());  // durable from here on, but for its name
  LSM_TRY(file_->close());
  properties_.meta.number = identity_.number;
  properties_.meta.size_bytes = footer.footer_at + kFooterBytes;
  return properties_.meta;
  // ANCHOR_END: task-1-3-4
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

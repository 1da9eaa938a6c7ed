#include "table_builder.h"

#include <cassert>

#include "block_index.h"

namespace lsm {

namespace {

constexpr std::size_t kWriteBytes = 256 << 10;

}  // namespace

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
  assert(first || compare(properties_.largest.view(), key) < 0);
  if (!block_.empty() &&
      block_.size_bytes_with(key, value) > options_.block_size_bytes) {
    LSM_TRY(cut_block(separator_between(properties_.largest.view(), key)));
  }
  block_.add(key, value);
  if (first || properties_.largest.user() != key.user) {
    hashes_.push_back(filter_hash(key.user));
  }
  properties_.note(key);
  return {};
  // ANCHOR_END: task-1-3-4
}

Result<void> TableBuilder::cut_block(InternalKey separator) {
  // ANCHOR: task-1-3-4 TableBuilder::cut_block
  LSM_ASSIGN_OR_RETURN(const std::uint64_t frame_bytes,
                       write_frame(block_.finish(), options_.compression));
  append_index_entry(index_, separator, frame_bytes);
  block_.reset();
  return {};
  // ANCHOR_END: task-1-3-4
}

Result<FileMeta> TableBuilder::finish() {
  // ANCHOR: task-1-3-4 TableBuilder::finish
  assert(entries() > 0);
  LSM_TRY(cut_block({properties_.largest.user(), 0}));
  properties_.filter_policy = options_.filter->name();
  Footer footer{.data_bytes = offset_, .file = identity_};
  LSM_ASSIGN_OR_RETURN(
      footer.filter_bytes,
      write_frame(options_.filter->build(hashes_), Compression::none));
  LSM_ASSIGN_OR_RETURN(footer.index_bytes,
                       write_frame(index_, options_.compression));
  LSM_ASSIGN_OR_RETURN(
      footer.properties_bytes,
      write_frame(encode_properties(properties_), Compression::none));
  out_ += encode_footer(footer);
  LSM_TRY(write_out());
  LSM_TRY(file_->sync());  // durable from here on, but for its name
  LSM_TRY(file_->close());
  return FileMeta{.number = identity_.number,
                  .size_bytes = footer.footer_offset() + kFooterBytes,
                  .entries = properties_.entries,
                  .tombstones = properties_.tombstones,
                  .smallest = properties_.smallest,
                  .largest = properties_.largest,
                  .oldest_sequence = properties_.oldest_sequence,
                  .newest_sequence = properties_.newest_sequence};
  // ANCHOR_END: task-1-3-4
}

Result<std::uint64_t> TableBuilder::write_frame(std::string_view payload,
                                                Compression compression) {
  const std::size_t before = out_.size();
  append_frame(out_, payload, compression, identity_, offset_);
  const std::uint64_t frame_bytes = out_.size() - before;
  offset_ += frame_bytes;
  if (out_.size() >= kWriteBytes) LSM_TRY(write_out());
  return frame_bytes;
}

Result<void> TableBuilder::write_out() {
  LSM_TRY(file_->append(out_));
  out_.clear();
  // What one huge value took is given back.
  if (out_.capacity() > 4 * kWriteBytes) out_.shrink_to_fit();
  return {};
}

}  // namespace lsm

// Writes a table: entries go in sorted, a verified file comes out. It streams:
// whatever the table's size, memory holds one block, the index and eight bytes
// a key for the filter.
//
//   add ──► block ──full──► frame ──► 256 KiB buffer ──► File::append
//                   │
//                   └─► separator ──► index ─┐
//   hash of each user key ──► filter ────────┴─finish─► frames, footer, fsync
//
// I1 Keys are added in strictly increasing order (a bug otherwise: assert).
// I2 A block is cut BEFORE the entry that would make it larger than
//    block_size_bytes; only a block of a single entry may be larger.
// I3 When finish has returned, the bytes are on disk. The file's NAME is not,
//    until the caller has synced the folder.
// I4 After an error the file is good for nothing: drop the builder, remove the
//    file, try again under a new number.
// Cost: add copies key and value once, and once more into the frame; I/O in
// pieces of 256 KiB or of the frame's size.
// Thread safety: one thread. Used by: flush (1.7), compaction (2.1).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/table_format.h"
#include "block.h"

namespace lsm {

// ANCHOR: show-builder
class TableBuilder {
 public:
  // Creates the file. Errors: io and no_space.
  static Result<std::unique_ptr<TableBuilder>> create(FileSystem& fs,
                                                      const std::string& path,
                                                      FileIdentity file,
                                                      TableOptions options);

  [[nodiscard]] Result<void> add(InternalKey key, std::string_view value);
  // An estimate of the file so far; compaction cuts by it.
  std::uint64_t size_bytes() const {
    return offset_ + block_.size_bytes() + index_.size() + hashes_.size();
  }
  std::uint64_t entries() const { return properties_.meta.entries; }
  // Writes the rest, syncs, closes; entries() > 0. Call it last. `run` of the
  // answer is the caller's to set.
  [[nodiscard]] Result<FileMeta> finish();

 private:
  TableBuilder(std::unique_ptr<File> file, FileIdentity identity,
               TableOptions options)
      : file_(std::move(file)), identity_(identity), options_(options) {}

  static constexpr std::size_t kWriteBytes = 256 << 10;

  // Writes the open block, and its separator into the index.
  Result<void> cut_block(InternalKey separator);
  Result<void> write_frame(std::string_view payload, Compression compression);

  std::unique_ptr<File> file_;
  FileIdentity identity_;
  TableOptions options_;
  BlockBuilder block_;
  std::string index_;                  // encoded entries
  std::vector<std::uint64_t> hashes_;  // of distinct user keys
  TableProperties properties_;         // .meta.largest: the key added last
  std::string out_;                    // not yet given to the file
  std::uint64_t offset_ = 0;           // where the next frame will begin
};
// ANCHOR_END: show-builder

}  // namespace lsm

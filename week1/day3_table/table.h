// A Table is an immutable sorted file: opened once, read by many threads.
//
//   get("plum") ─► filter: "surely not" ──────────────────────► absent
//                    └─ maybe ─► index ─► block 17
//                                          │ in the cache? ── yes ─┐
//                                          no                      ▼
//                          read, checksum, unpack, parse, insert ─► Block::get
//
// I1 No byte read from the file is believed before its checksum has been
//    verified; a block that is in the cache has been.
// I2 get reads at most one block: the index tells, tag included, which one
//    holds the newest version at or below a sequence (block_index.h).
// I3 Index and filter stay in memory while the table is open, and are charged
//    to the cache.
// I4 Every error names the file, and for stored bytes the offset.
// Cost: get with the block in the cache: filter, index search, cache lookup,
// fingerprint scan; no allocation but what `value` needs. On a miss one read
// of one block. open: two reads. Memory: index and filter.
// Thread safety: any thread. Each iterator belongs to one.
// Lifetime: filter policy and cache outlive the table, and the table outlives
// its iterators. Used by: 1.5 read path, 2.1 compaction, `lsm inspect`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/block_cache.h"
#include "base/iterator.h"
#include "base/lookup.h"
#include "block.h"
#include "block_index.h"
#include "table_format.h"

namespace lsm {

struct TableContext {
  const FilterPolicy* filter = nullptr;
  BlockCache* cache = nullptr;
};

class ReadAhead;

class Table {
 public:
  enum class Access : std::uint8_t {
    normal,  // blocks go into the cache
    scan,    // reads ahead, and around the cache: for compaction
  };

  // Errors: not_found, io; corruption, also for an intact table of another
  // store or number; not_supported for a newer format.
  static Result<std::shared_ptr<const Table>> open(FileSystem& fs,
                                                   const std::string& path,
                                                   FileIdentity file,
                                                   TableContext context);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // ANCHOR: show-get
  // The newest version of `user` with a sequence <= at; `hash` is
  // filter_hash(user). Assigns `value` when the answer is Lookup::value.
  Result<Lookup> get(std::string_view user, std::uint64_t hash, Sequence at,
                     std::string& value) const;
  // ANCHOR_END: show-get
  std::unique_ptr<InternalIterator> iterator(Access access) const;
  // Reads all of the file again, around the cache, and checks everything that
  // is promised about it: checksums, order, that index, filter and
  // fingerprints lead to every entry, and that the properties are true.
  Result<void> verify() const;

  const std::string& path() const { return path_; }
  FileIdentity identity() const { return footer_.file; }
  const Footer& footer() const { return footer_; }
  const TableProperties& properties() const { return properties_; }
  const BlockIndex& index() const { return index_; }

  // For the iterator and for tools. The block stays readable as long as the
  // pin; `scan` is BlockCache::insert's; with `ahead`, misses read through it.
  Result<BlockPin> read_block(std::size_t block, bool scan,
                              ReadAhead* ahead = nullptr) const;
  // Reads `to.size()` bytes of the file.
  Result<void> read(std::uint64_t offset, std::span<char> to) const;
  // Verifies, unpacks and parses a frame that was read from `offset`; what it
  // returns lives in `frame` or in `unpacked`.
  Result<std::string_view> check_block(std::string_view frame,
                                       std::uint64_t offset,
                                       BlockBytes& unpacked) const;

 private:
  Table(std::unique_ptr<File> file, std::string path, TableContext context);

  FilePlace place(std::uint64_t offset) const {
    return {path_, footer_.file, offset};
  }
  // Reads and checks everything but the data blocks.
  Result<void> load(FileIdentity expected);
  Result<void> verify_entries() const;

  std::unique_ptr<File> file_;
  std::string path_;
  TableContext context_;
  std::uint64_t cache_id_;
  Footer footer_;
  TableProperties properties_;
  BlockIndex index_;
  std::string filter_bytes_;
  std::string_view filter_;  // in filter_bytes_, on a cache line's boundary
  std::size_t charged_bytes_ = 0;
};

}  // namespace lsm

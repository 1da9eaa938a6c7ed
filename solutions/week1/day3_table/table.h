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
//    holds the newest version at or below a sequence (separators.h).
// I3 Index and filter stay in memory while the table is open, and are charged
//    to the cache.
// I4 Every error names the file, and for stored bytes the offset.
// Cost: get with the block in the cache: filter, index search, cache lookup,
// search of its heads; no allocation but what `value` needs. On a miss one read
// of one block. open: two reads. Memory: index and filter.
// Thread safety: any thread. Each iterator belongs to one.
// Lifetime: filter policy and cache outlive the table, and the table outlives
// its iterators. Used by: 1.5 read path, 2.1 compaction, `lsm inspect`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/iterator.h"
#include "base/lookup.h"
#include "base/table_format.h"
#include "block.h"
#include "separators.h"

namespace lsm {

struct TableContext {
  const FilterPolicy* filter = nullptr;
  BlockCache* cache = nullptr;
};

class Table {
 public:
  enum class Access : std::uint8_t {
    normal,  // blocks go into the cache
    scan,    // reads ahead, and around the cache: for compaction
  };

  // Errors: what TableFile::open says; corruption.
  static Result<std::shared_ptr<const Table>> open(FileSystem& fs,
                                                   const std::string& path,
                                                   FileIdentity file,
                                                   TableContext context);
  ~Table();

  // ANCHOR: show-get
  // The newest version of `user` with a sequence <= at; `hash` is
  // filter_hash(user). Assigns `value` when the answer is Lookup::value.
  Result<Lookup> get(std::string_view user, std::uint64_t hash, Sequence at,
                     std::string& value) const;
  // ANCHOR_END: show-get
  std::unique_ptr<InternalIterator> iterator(Access access) const;

  const TableFile& file() const { return file_; }
  const TableProperties& properties() const { return properties_; }
  const BlockIndex& index() const { return index_; }
  const TableFilter& filter() const { return filter_; }
  BlockCache& cache() const { return *context_.cache; }

  // The block through `cache`, and as long as the pin. `scan` is
  // BlockCache::insert's; with `ahead`, misses read through it.
  Result<BlockPin> read_block(std::size_t block, BlockCache& cache, bool scan,
                              ReadAhead* ahead = nullptr) const;

 private:
  Table(TableFile file, TableContext context);

  // Reads and checks everything but the data blocks.
  Result<void> load();

  TableFile file_;
  TableContext context_;
  std::uint64_t cache_id_;
  TableProperties properties_;
  BlockIndex index_;
  TableFilter filter_;
  std::size_t charged_bytes_ = 0;
};

}  // namespace lsm

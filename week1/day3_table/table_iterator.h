// Walks a table both ways: an iterator over blocks with, inside it, one over
// the entries of the block it stands in.
//
//   index      [ block 0 ] [ block 1 ] [ block 2 ]
//                              at_ ▲
//   block_                 a  b  c  d
//                                ▲ key()
//
// I1 While valid, block_ stands on an entry of block at_; when not, no block
//    is held and at_ is the number of blocks.
// I2 seek goes to the block that the index names and, when that block's
//    entries all lie before the target, to the first of the next: a separator
//    may be larger than every key of its block.
// I3 An error ends the walk for good (base/iterator.h, I4).
// Cost: next within a block is BlockIterator's; a block more is one cache
// lookup, or with Access::scan a piece of a large read. Memory: one pinned
// block, and the read-ahead buffer once blocks are missed.
// Blocks that a seek lands on enter the cache as wanted; those merely walked
// over as `scan`, which the cache may drop first.
#pragma once

#include "read_ahead.h"
#include "table.h"

namespace lsm {

class TableIterator final : public InternalIterator {
 public:
  TableIterator(const Table& table, Table::Access access);

  bool valid() const override { return block_.valid(); }
  void seek(InternalKey target) override;
  void seek_to_first() override;
  void seek_to_last() override;
  void next() override;
  void prev() override;
  InternalKey key() const override { return block_.key(); }
  std::string_view value() const override { return block_.value(); }
  Result<void> status() const override { return status_; }

 private:
  // ANCHOR: show-enter
  // Makes block_ an iterator over `block`, not yet positioned. False, and
  // invalid, when there is no such block, or an error.
  bool enter(std::size_t block, bool walking);
  Result<std::string_view> load(std::size_t block, bool walking);
  void leave();  // invalid, and holding no block
  // ANCHOR_END: show-enter

  const Table& table_;
  Table::Access access_;
  BlockIterator block_;
  std::size_t at_;
  BlockPin pin_;         // Access::normal: holds block_'s bytes
  BlockBytes unpacked_;  // Access::scan: holds them if they were compressed,
  ReadAhead ahead_;      // and this one otherwise
  Result<void> status_;
};

}  // namespace lsm

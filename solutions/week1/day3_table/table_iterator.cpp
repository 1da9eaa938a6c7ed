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
#include <utility>

#include "table.h"

namespace lsm {

namespace {

class TableIterator final : public InternalIterator {
 public:
  TableIterator(const Table& table, bool scan)
      : table_(table),
        around_(scan ? make_no_cache() : nullptr),
        cache_(scan ? *around_ : table.cache()),
        at_(table.index().size()),
        ahead_(table.file().read_ahead(scan ? ReadAhead::kMaxBytes : 0)) {}

  bool valid() const override { return block_.valid(); }

  void seek(InternalKey target) override {
    // ANCHOR: task-1-3-6 TableIterator::seek
    if (!enter(find_block(table_.index(), target), false)) return;
    block_.seek(target);
    if (!block_.valid() && enter(at_ + 1, false)) block_.seek_to_first();
    // ANCHOR_END: task-1-3-6
  }
  void seek_to_first() override {
    // ANCHOR: task-1-3-6 TableIterator::seek_to_first
    if (enter(0, false)) block_.seek_to_first();
    // ANCHOR_END: task-1-3-6
  }
  void seek_to_last() override {
    // ANCHOR: task-1-3-7 TableIterator::seek_to_last
    if (enter(table_.index().size() - 1, false)) block_.seek_to_last();
    // ANCHOR_END: task-1-3-7
  }
  void next() override {
    // ANCHOR: task-1-3-6 TableIterator::next
    block_.next();
    if (!block_.valid() && enter(at_ + 1, true)) block_.seek_to_first();
    // ANCHOR_END: task-1-3-6
  }
  void prev() override {
    // ANCHOR: task-1-3-7 TableIterator::prev
    block_.prev();
    if (block_.valid()) return;
    if (at_ == 0) {
      leave();
    } else if (enter(at_ - 1, true)) {
      block_.seek_to_last();
    }
    // ANCHOR_END: task-1-3-7
  }

  InternalKey key() const override { return block_.key(); }
  std::string_view value() const override { return block_.value(); }
  Result<void> status() const override { return status_; }

 private:
  // Makes block_ an iterator over `block`; where it stands is the caller's to
  // say. False, and invalid, when there is no such block, or an error.
  // `walking`: from the block beside it, not by a seek.
  bool enter(std::size_t block, bool walking) {
    // ANCHOR: task-1-3-6 TableIterator::enter
    if (!status_ || block >= table_.index().size()) {
      leave();
      return false;
    }
    if (block == at_) return true;  // a seek within the block it is in
    leave();
    Result<BlockPin> pin = table_.read_block(block, cache_, walking, &ahead_);
    if (!pin) {
      status_ = std::unexpected(std::move(pin).error());
      return false;
    }
    at_ = block;
    pin_ = *std::move(pin);
    block_.reset(Block::trusted(pin_.bytes()));
    return true;
    // ANCHOR_END: task-1-3-6
  }

  void leave() {  // invalid, and holding no block
    block_.reset(Block());
    at_ = table_.index().size();
    pin_ = BlockPin();
  }

  // ANCHOR: show-members
  const Table& table_;
  const std::shared_ptr<BlockCache> around_;  // Access::scan: keeps nothing
  BlockCache& cache_;
  BlockIterator block_;  // over the entries of block at_, which pin_ holds
  std::size_t at_;
  BlockPin pin_;
  ReadAhead ahead_;
  Result<void> status_;
  // ANCHOR_END: show-members
};

}  // namespace

std::unique_ptr<InternalIterator> Table::iterator(Access access) const {
  return std::make_unique<TableIterator>(*this, access == Access::scan);
}

}  // namespace lsm

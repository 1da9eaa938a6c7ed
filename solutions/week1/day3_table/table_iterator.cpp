#include "table_iterator.h"

#include <utility>

namespace lsm {

TableIterator::TableIterator(const Table& table, Table::Access access)
    : table_(table),
      access_(access),
      at_(table.index().size()),
      ahead_(table, access == Table::Access::scan ? ReadAhead::kMaxBytes : 0) {}

void TableIterator::seek(InternalKey target) {
  // ANCHOR: task-1-3-6 TableIterator::seek
  if (!enter(table_.index().find(target), false)) return;
  block_.seek(target);
  if (!block_.valid() && enter(at_ + 1, false)) block_.seek_to_first();
  // ANCHOR_END: task-1-3-6
}

void TableIterator::seek_to_first() {
  // ANCHOR: task-1-3-6 TableIterator::seek_to_first
  if (enter(0, false)) block_.seek_to_first();
  // ANCHOR_END: task-1-3-6
}

void TableIterator::seek_to_last() {
  // ANCHOR: task-1-3-7 TableIterator::seek_to_last
  if (enter(table_.index().size() - 1, false)) block_.seek_to_last();
  // ANCHOR_END: task-1-3-7
}

void TableIterator::next() {
  // ANCHOR: task-1-3-6 TableIterator::next
  block_.next();
  if (!block_.valid() && enter(at_ + 1, true)) block_.seek_to_first();
  // ANCHOR_END: task-1-3-6
}

void TableIterator::prev() {
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

bool TableIterator::enter(std::size_t block, bool walking) {
  // ANCHOR: task-1-3-6 TableIterator::enter
  if (!status_ || block >= table_.index().size()) {
    leave();
    return false;
  }
  if (block == at_) return true;  // a seek within the block it is in
  leave();
  Result<std::string_view> bytes = load(block, walking);
  if (!bytes) {
    status_ = std::unexpected(std::move(bytes).error());
    return false;
  }
  at_ = block;
  block_.reset(Block::trusted(*bytes));
  return true;
  // ANCHOR_END: task-1-3-6
}

Result<std::string_view> TableIterator::load(std::size_t block, bool walking) {
  if (access_ == Table::Access::scan) {
    const BlockIndex::Handle handle = table_.index().handle(block);
    LSM_ASSIGN_OR_RETURN(const std::string_view frame,
                         ahead_.view(handle.offset, handle.size_bytes));
    return table_.check_block(frame, handle.offset, unpacked_);
  }
  LSM_ASSIGN_OR_RETURN(pin_, table_.read_block(block, walking, &ahead_));
  return pin_.bytes();
}

void TableIterator::leave() {
  block_.reset(Block());
  at_ = table_.index().size();
  pin_ = BlockPin();
}

}  // namespace lsm

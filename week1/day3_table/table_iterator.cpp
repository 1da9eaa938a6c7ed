#include "table_iterator.h"

#include <utility>
#include "base/todo.h"

namespace lsm {

TableIterator::TableIterator(const Table& table, Table::Access access)
    : table_(table),
      access_(access),
      at_(table.index().size()),
      ahead_(table, access == Table::Access::scan ? ReadAhead::kMaxBytes : 0) {}

void TableIterator::seek(InternalKey target) {
  // Task 6: TableIterator::seek
  LSM_TODO("1.3 task 6", "TableIterator::seek");
}

void TableIterator::seek_to_first() {
  // Task 6: TableIterator::seek_to_first
  LSM_TODO("1.3 task 6", "TableIterator::seek_to_first");
}

void TableIterator::seek_to_last() {
  // Task 7: TableIterator::seek_to_last
  LSM_TODO("1.3 task 7", "TableIterator::seek_to_last");
}

void TableIterator::next() {
  // Task 6: TableIterator::next
  LSM_TODO("1.3 task 6", "TableIterator::next");
}

void TableIterator::prev() {
  // Task 7: TableIterator::prev
  LSM_TODO("1.3 task 7", "TableIterator::prev");
}

bool TableIterator::enter(std::size_t block, bool walking) {
  // Task 6: TableIterator::enter
  LSM_TODO("1.3 task 6", "TableIterator::enter");
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

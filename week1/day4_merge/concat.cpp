#include "concat.h"

#include <algorithm>
#include <ranges>
#include <utility>
#include "base/todo.h"

namespace lsm {

namespace {

class ConcatIterator final : public InternalIterator {
 public:
  explicit ConcatIterator(const ConcatSource& source) : source_(source) {}

  bool valid() const override { return valid_; }

  void seek(InternalKey target) override {
    // Task 3: ConcatIterator::seek
    LSM_TODO("1.4 task 3", "ConcatIterator::seek");
  }
  void seek_to_first() override {
    // Task 3: ConcatIterator::seek_to_first
    LSM_TODO("1.4 task 3", "ConcatIterator::seek_to_first");
  }
  void seek_to_last() override {
    // Task 6: ConcatIterator::seek_to_last
    LSM_TODO("1.4 task 6", "ConcatIterator::seek_to_last");
  }
  void next() override {
    // Task 3: ConcatIterator::next
    LSM_TODO("1.4 task 3", "ConcatIterator::next");
  }
  void prev() override {
    // Task 6: ConcatIterator::prev
    LSM_TODO("1.4 task 6", "ConcatIterator::prev");
  }
  InternalKey key() const override { return part_->key(); }
  std::string_view value() const override { return part_->value(); }
  Result<void> status() const override { return status_; }

 private:
  // The first part whose largest key is not before `target`; size() when
  // there is none.
  std::size_t first_part_reaching(const InternalKey& target) const {
    // Task 3: ConcatIterator::first_part_reaching
    LSM_TODO("1.4 task 3", "ConcatIterator::first_part_reaching");
  }

  // Opens part `index`, unless it is open, and leaves the iterator invalid.
  // False when there is no such part, or after an error.
  bool enter(std::size_t index) {
    valid_ = false;
    if (!status_ || index >= source_.size()) return false;
    if (part_ != nullptr && index == index_) return true;
    part_.reset();
    auto opened = source_.open(index);
    if (!opened) {
      status_ = std::unexpected(std::move(opened).error());
      return false;
    }
    part_ = *std::move(opened);
    index_ = index;
    return true;
  }

  // After a move in part_: goes on to the next part if this one has ended.
  void settle_forward() {
    // Task 3: ConcatIterator::settle_forward
    LSM_TODO("1.4 task 3", "ConcatIterator::settle_forward");
  }
  void settle_backward() {
    // Task 6: ConcatIterator::settle_backward
    LSM_TODO("1.4 task 6", "ConcatIterator::settle_backward");
  }

  const ConcatSource& source_;
  std::unique_ptr<InternalIterator> part_;  // null: none is open
  std::size_t index_ = 0;                   // of part_
  bool valid_ = false;
  Result<void> status_;
};

}  // namespace

std::unique_ptr<InternalIterator> make_concat_iterator(
    const ConcatSource& source) {
  return std::make_unique<ConcatIterator>(source);
}

}  // namespace lsm

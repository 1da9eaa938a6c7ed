#include "concat.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace lsm {

namespace {

class ConcatIterator final : public InternalIterator {
 public:
  explicit ConcatIterator(const ConcatSource& source) : source_(source) {}

  bool valid() const override { return valid_; }

  void seek(InternalKey target) override {
    // ANCHOR: task-1-4-3 ConcatIterator::seek
    if (!enter(first_part_reaching(target))) return;
    part_->seek(target);
    settle_forward();
    // ANCHOR_END: task-1-4-3
  }
  void seek_to_first() override {
    // ANCHOR: task-1-4-3 ConcatIterator::seek_to_first
    if (!enter(0)) return;
    part_->seek_to_first();
    settle_forward();
    // ANCHOR_END: task-1-4-3
  }
  void seek_to_last() override {
    // ANCHOR: task-1-4-6 ConcatIterator::seek_to_last
    if (!enter(source_.size() - 1)) return;
    part_->seek_to_last();
    settle_backward();
    // ANCHOR_END: task-1-4-6
  }
  void next() override {
    // ANCHOR: task-1-4-3 ConcatIterator::next
    part_->next();
    settle_forward();
    // ANCHOR_END: task-1-4-3
  }
  void prev() override {
    // ANCHOR: task-1-4-6 ConcatIterator::prev
    part_->prev();
    settle_backward();
    // ANCHOR_END: task-1-4-6
  }
  InternalKey key() const override { return part_->key(); }
  std::string_view value() const override { return part_->value(); }
  Result<void> status() const override { return status_; }

 private:
  // The first part whose largest key is not before `target`; size() when
  // there is none.
  std::size_t first_part_reaching(const InternalKey& target) const {
    // ANCHOR: task-1-4-3 ConcatIterator::first_part_reaching
    const auto parts = std::views::iota(std::size_t{0}, source_.size());
    return *std::ranges::partition_point(parts, [&](std::size_t part) {
      return compare(source_.largest(part), target) < 0;
    });
    // ANCHOR_END: task-1-4-3
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
    // ANCHOR: task-1-4-3 ConcatIterator::settle_forward
    while (!(valid_ = part_->valid())) {
      status_ = part_->status();
      if (!enter(index_ + 1)) return;
      part_->seek_to_first();
    }
    // ANCHOR_END: task-1-4-3
  }
  void settle_backward() {
    // ANCHOR: task-1-4-6 ConcatIterator::settle_backward
    while (!(valid_ = part_->valid())) {
      status_ = part_->status();
      if (index_ == 0 || !enter(index_ - 1)) return;
      part_->seek_to_last();
    }
    // ANCHOR_END: task-1-4-6
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

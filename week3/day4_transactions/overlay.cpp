#include "overlay.h"

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include "base/todo.h"

namespace lsm {

namespace {

// The own writes of a range as something that can be walked; given.
class OwnCursor {
 public:
  OwnCursor(OwnWritesView writes, const ScanRange& range)
      : writes_(std::move(writes)),
        begin_(range.lower ? writes_->lower_bound(*range.lower)
                           : writes_->begin()),
        end_(range.upper ? writes_->lower_bound(*range.upper) : writes_->end()),
        at_(end_) {
    if (range.lower && range.upper && *range.upper <= *range.lower) {
      begin_ = at_ = end_;
    }
  }

  bool empty() const { return begin_ == end_; }
  bool valid() const { return at_ != end_; }
  // `target` lies at or after the lower bound.
  void seek(std::string_view target) {
    at_ = writes_->lower_bound(target);
    if (end_ != writes_->end() && target >= end_->first) at_ = end_;
  }
  void seek_to_first() { at_ = begin_; }
  void seek_to_last() {
    at_ = end_;
    if (!empty()) --at_;
  }
  void next() { ++at_; }
  void prev() {
    if (at_ == begin_) {
      at_ = end_;
    } else {
      --at_;
    }
  }
  std::string_view key() const { return at_->first; }
  std::string_view value() const { return at_->second.value; }
  bool is_removal() const { return at_->second.kind == Kind::remove; }

 private:
  OwnWritesView writes_;
  OwnWrites::const_iterator begin_;
  OwnWrites::const_iterator end_;  // also where at_ is when it is not valid
  OwnWrites::const_iterator at_;
};

class OverlayIterator final : public UserIterator {
 public:
  OverlayIterator(OwnCursor own, std::unique_ptr<UserIterator> snapshot,
                  std::optional<std::string> lower)
      : own_(std::move(own)),
        snapshot_(std::move(snapshot)),
        lower_(std::move(lower)) {}

  bool valid() const override { return shown_ != Shown::nothing; }

  void seek(std::string_view target) override {
    // Task 2: OverlayIterator::seek
    LSM_TODO("3.4 task 2", "OverlayIterator::seek");
  }
  void seek_to_first() override {
    // Task 2: OverlayIterator::seek_to_first
    LSM_TODO("3.4 task 2", "OverlayIterator::seek_to_first");
  }
  void seek_to_last() override {
    // Task 6: OverlayIterator::seek_to_last
    LSM_TODO("3.4 task 6", "OverlayIterator::seek_to_last");
  }

  void next() override {
    assert(valid());
    // Task 2: OverlayIterator::next
    LSM_TODO("3.4 task 2", "OverlayIterator::next");
  }
  void prev() override {
    assert(valid());
    // Task 6: OverlayIterator::prev
    LSM_TODO("3.4 task 6", "OverlayIterator::prev");
  }

  std::string_view key() const override {
    assert(valid());
    return shown_ == Shown::snapshot ? snapshot_->key() : own_.key();
  }
  std::string_view value() const override {
    assert(valid());
    return shown_ == Shown::snapshot ? snapshot_->value() : own_.value();
  }
  Result<void> status() const override { return snapshot_->status(); }

 private:
  // ANCHOR: show-shown
  // Whose entry is shown. `both`: they stand on the same key, and the own
  // write hides the snapshot's entry.
  enum class Shown : std::uint8_t { nothing, own, snapshot, both };
  // ANCHOR_END: show-shown

  // Shows the entry that comes first, in the direction of the walk, of those
  // the sides stand on; own removals are walked over.
  void show() {
    // Task 2: OverlayIterator::show
    LSM_TODO("3.4 task 2", "OverlayIterator::show");
  }

  // Whose entry comes first, in the direction of the walk.
  Shown first() const {
    // Task 2: OverlayIterator::first
    LSM_TODO("3.4 task 2", "OverlayIterator::first");
  }

  // Moves what stands on the entry that `shown_` names.
  void step() {
    // Task 2: OverlayIterator::step
    LSM_TODO("3.4 task 2", "OverlayIterator::step");
  }

  // Turns the walk: the side that is not shown goes to the other side of what
  // is (I2).
  void turn() {
    // Task 6: OverlayIterator::turn
    LSM_TODO("3.4 task 6", "OverlayIterator::turn");
  }

  OwnCursor own_;
  const std::unique_ptr<UserIterator> snapshot_;
  const std::optional<std::string> lower_;
  Shown shown_ = Shown::nothing;
  bool forward_ = true;
  std::string target_;
};

}  // namespace

std::unique_ptr<UserIterator> make_overlay_iterator(
    OwnWritesView own, std::unique_ptr<UserIterator> snapshot,
    ScanRange range) {
  OwnCursor cursor(std::move(own), range);
  if (cursor.empty()) return snapshot;
  return std::make_unique<OverlayIterator>(
      std::move(cursor), std::move(snapshot), std::move(range.lower));
}

}  // namespace lsm

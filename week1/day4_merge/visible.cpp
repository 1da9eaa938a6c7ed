#include "visible.h"

#include <cassert>
#include <string>
#include <utility>
#include "base/todo.h"

namespace lsm {

namespace {

class VisibleIterator final : public UserIterator {
 public:
  VisibleIterator(std::unique_ptr<InternalIterator> versions, Sequence at,
                  ScanRange range, std::shared_ptr<const void> pin)
      : pin_(std::move(pin)),
        versions_(std::move(versions)),
        at_(at),
        range_(std::move(range)) {}

  bool valid() const override { return valid_; }

  void seek(std::string_view target) override {
    // Task 4: VisibleIterator::seek
    LSM_TODO("1.4 task 4", "VisibleIterator::seek");
  }
  void seek_to_first() override {
    // Task 4: VisibleIterator::seek_to_first
    LSM_TODO("1.4 task 4", "VisibleIterator::seek_to_first");
  }
  void seek_to_last() override {
    // Task 7: VisibleIterator::seek_to_last
    LSM_TODO("1.4 task 7", "VisibleIterator::seek_to_last");
  }

  void next() override {
    assert(valid());
    // Task 4: VisibleIterator::next
    LSM_TODO("1.4 task 4", "VisibleIterator::next");
  }
  void prev() override {
    assert(valid());
    // Task 7: VisibleIterator::prev
    LSM_TODO("1.4 task 7", "VisibleIterator::prev");
  }

  std::string_view key() const override {
    assert(valid());
    return forward_ ? entry_.user : std::string_view(key_);
  }
  std::string_view value() const override {
    assert(valid());
    return forward_ ? versions_->value() : std::string_view(value_);
  }
  Result<void> status() const override { return versions_->status(); }

 private:
  // What versions_->seek(target) does, for a target at or after where
  // versions_ stands: by steps when it is near, else by a seek (I4).
  void advance_to(const InternalKey& target) {
    // Task 4: VisibleIterator::advance_to
    LSM_TODO("1.4 task 4", "VisibleIterator::advance_to");
  }

  // Stands on the last entry before every version of `user`.
  void stand_before(std::string_view user) {
    // Task 7: VisibleIterator::stand_before
    LSM_TODO("1.4 task 7", "VisibleIterator::stand_before");
  }

  // Shows the first entry to be seen at or after where versions_ stands.
  // Versions of the key shown before are behind it.
  void show_forward() {
    // Task 4: VisibleIterator::show_forward
    LSM_TODO("1.4 task 4", "VisibleIterator::show_forward");
  }

  // Shows the last entry to be seen at or before where versions_ stands, which
  // is the oldest version of its key; leaves versions_ before that key.
  void show_backward() {
    // Task 7: VisibleIterator::show_backward
    LSM_TODO("1.4 task 7", "VisibleIterator::show_backward");
  }

  // From the oldest version of key_, walks to before all of them. True, and
  // value_ is set, when the newest visible one is a put.
  bool pick_newest() {
    // Task 7: VisibleIterator::pick_newest
    LSM_TODO("1.4 task 7", "VisibleIterator::pick_newest");
  }

  const std::shared_ptr<const void> pin_;  // dies after versions_
  const std::unique_ptr<InternalIterator> versions_;
  const Sequence at_;
  const ScanRange range_;
  bool valid_ = false;
  bool forward_ = true;
  InternalKey entry_;  // forward: what is shown, versions_->key()
  std::string key_;    // backward: what is shown; forward: scratch
  std::string value_;  // backward: what is shown
};

}  // namespace

std::unique_ptr<UserIterator> make_visible_iterator(
    std::unique_ptr<InternalIterator> versions, Sequence at, ScanRange range,
    std::shared_ptr<const void> pin) {
  return std::make_unique<VisibleIterator>(std::move(versions), at,
                                           std::move(range), std::move(pin));
}

}  // namespace lsm

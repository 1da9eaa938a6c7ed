#include "visible.h"

#include <cassert>
#include <string>
#include <utility>

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
    // ANCHOR: task-1-4-4 VisibleIterator::seek
    if (range_.lower && target < *range_.lower) target = *range_.lower;
    key_.assign(target);  // it may be key(), which dies when versions_ moves
    versions_->seek(seek_key(key_, at_));
    show_forward();
    // ANCHOR_END: task-1-4-4
  }
  void seek_to_first() override {
    // ANCHOR: task-1-4-4 VisibleIterator::seek_to_first
    if (range_.lower) return seek(*range_.lower);
    versions_->seek_to_first();
    show_forward();
    // ANCHOR_END: task-1-4-4
  }
  void seek_to_last() override {
    // ANCHOR: task-1-4-7 VisibleIterator::seek_to_last
    if (range_.upper) {
      stand_before(*range_.upper);
    } else {
      versions_->seek_to_last();
    }
    show_backward();
    // ANCHOR_END: task-1-4-7
  }

  void next() override {
    assert(valid());
    // ANCHOR: task-1-4-4 VisibleIterator::next
    if (forward_) {
      key_.assign(entry_.user);
      versions_->next();
      advance_to({key_, 0});
    } else {
      versions_->seek({key_, 0});
    }
    show_forward();
    // ANCHOR_END: task-1-4-4
  }
  void prev() override {
    assert(valid());
    // ANCHOR: task-1-4-7 VisibleIterator::prev
    if (forward_) {
      key_.assign(entry_.user);
      stand_before(key_);
    }
    show_backward();
    // ANCHOR_END: task-1-4-7
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
    // ANCHOR: task-1-4-4 VisibleIterator::advance_to
    for (int steps = 0; versions_->valid(); ++steps) {
      if (compare(versions_->key(), target) >= 0) return;
      if (steps == kStepsBeforeSeek) return versions_->seek(target);
      versions_->next();
    }
    // ANCHOR_END: task-1-4-4
  }

  // Stands on the last entry before every version of `user`.
  void stand_before(std::string_view user) {
    // ANCHOR: task-1-4-7 VisibleIterator::stand_before
    versions_->seek(seek_key(user, kMaxSequence));
    if (versions_->valid()) {
      versions_->prev();
    } else {
      versions_->seek_to_last();
    }
    // ANCHOR_END: task-1-4-7
  }

  // Shows the first entry to be seen at or after where versions_ stands.
  // Versions of the key shown before are behind it.
  void show_forward() {
    // ANCHOR: task-1-4-4 VisibleIterator::show_forward
    forward_ = true;
    valid_ = false;
    while (versions_->valid()) {
      entry_ = versions_->key();
      if (range_.upper && entry_.user >= *range_.upper) return;  // I2
      if (entry_.sequence() > at_) {
        key_.assign(entry_.user);
        advance_to(seek_key(key_, at_));
      } else if (entry_.kind() == Kind::put) {
        valid_ = true;
        return;
      } else {  // a tombstone: every older version is gone with it
        key_.assign(entry_.user);
        versions_->next();
        advance_to({key_, 0});
      }
    }
    // ANCHOR_END: task-1-4-4
  }

  // Shows the last entry to be seen at or before where versions_ stands, which
  // is the oldest version of its key; leaves versions_ before that key.
  void show_backward() {
    // ANCHOR: task-1-4-7 VisibleIterator::show_backward
    forward_ = false;
    valid_ = false;
    while (versions_->valid()) {
      key_.assign(versions_->key().user);
      if (range_.lower && key_ < *range_.lower) return;  // I2
      const bool found = pick_newest();
      if (!versions_->valid() && !versions_->status()) return;  // I3
      if (found) {
        valid_ = true;
        return;
      }
    }
    // ANCHOR_END: task-1-4-7
  }

  // From the oldest version of key_, walks to before all of them. True, and
  // value_ is set, when the newest visible one is a put.
  bool pick_newest() {
    // ANCHOR: task-1-4-7 VisibleIterator::pick_newest
    bool found = false;
    for (int steps = 0; versions_->valid(); ++steps) {
      const InternalKey version = versions_->key();
      if (version.user != key_) break;
      if (steps == kStepsBeforeSeek) {
        versions_->seek(seek_key(key_, at_));
        found = versions_->valid() && versions_->key().user == key_ &&
                versions_->key().kind() == Kind::put;
        if (found) value_.assign(versions_->value());
        stand_before(key_);
        break;
      }
      if (version.sequence() <= at_) {
        found = version.kind() == Kind::put;
        if (found) value_.assign(versions_->value());
      }
      versions_->prev();
    }
    return found;
    // ANCHOR_END: task-1-4-7
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

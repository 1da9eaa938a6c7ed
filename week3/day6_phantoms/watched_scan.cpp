#include "watched_scan.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "range_set.h"
#include "base/todo.h"

namespace lsm {

namespace {

// What a tracker and its iterators share. A walk is what one iterator has read
// since its last seek.
class Notes {
 public:
  using Walk = std::shared_ptr<ReadRange>;

  Walk begin_walk(ReadRange range) {
    if (walks_.size() >= settle_at_) {
      settle();
      settle_at_ = 2 * walks_.size() + kWalksToSettle;  // some may still last
    }
    walks_.push_back(std::make_shared<ReadRange>(std::move(range)));
    return walks_.back();
  }
  // The walks whose iterator has sought elsewhere or died become part of the
  // set, where they may melt into one range.
  void settle() {
    // Task 4: Notes::settle
    LSM_TODO("3.6 task 4", "Notes::settle");
  }
  std::vector<ReadRange> ranges() const {
    // Task 3: Notes::ranges
    LSM_TODO("3.6 task 3", "Notes::ranges");
  }
  std::size_t memory_bytes() const {
    // Task 4: Notes::memory_bytes
    LSM_TODO("3.6 task 4", "Notes::memory_bytes");
  }

 private:
  static constexpr std::size_t kWalksToSettle = 16;

  RangeSet settled_;
  std::vector<Walk> walks_;
  std::size_t settle_at_ = kWalksToSettle;
};

class WatchedScan final : public UserIterator {
 public:
  WatchedScan(std::unique_ptr<UserIterator> scan, ScanRange bounds,
              std::shared_ptr<Notes> notes)
      : scan_(std::move(scan)),
        bounds_(std::move(bounds)),
        notes_(std::move(notes)) {}

  bool valid() const override { return scan_->valid(); }
  void seek(std::string_view target) override {
    // Task 3: WatchedScan::seek
    LSM_TODO("3.6 task 3", "WatchedScan::seek");
  }
  void seek_to_first() override {
    // Task 3: WatchedScan::seek_to_first
    LSM_TODO("3.6 task 3", "WatchedScan::seek_to_first");
  }
  void seek_to_last() override {
    // Task 6: WatchedScan::seek_to_last
    LSM_TODO("3.6 task 6", "WatchedScan::seek_to_last");
  }
  void next() override {
    // Task 3: WatchedScan::next
    LSM_TODO("3.6 task 3", "WatchedScan::next");
  }
  void prev() override {
    // Task 6: WatchedScan::prev
    LSM_TODO("3.6 task 6", "WatchedScan::prev");
  }
  std::string_view key() const override { return scan_->key(); }
  std::string_view value() const override { return scan_->value(); }
  Result<void> status() const override { return scan_->status(); }

 private:
  // The scan has sought forward, from `from`.
  void begin_walk(std::string from) {
    // Task 3: WatchedScan::begin_walk
    LSM_TODO("3.6 task 3", "WatchedScan::begin_walk");
  }
  // The scan has moved forward: the walk reaches to where it stands.
  void extend_up() {
    // Task 3: WatchedScan::extend_up
    LSM_TODO("3.6 task 3", "WatchedScan::extend_up");
  }
  // Where a move backward has led to.
  std::string lowest_read() const {
    // Task 6: WatchedScan::lowest_read
    LSM_TODO("3.6 task 6", "WatchedScan::lowest_read");
  }

  const std::unique_ptr<UserIterator> scan_;
  const ScanRange bounds_;
  const std::shared_ptr<Notes> notes_;
  Notes::Walk walk_;  // null before the first seek
};

class RangeTracker final : public ScanTracker {
 public:
  std::unique_ptr<UserIterator> watch(std::unique_ptr<UserIterator> scan,
                                      const ScanRange& range) override {
    return std::make_unique<WatchedScan>(std::move(scan), range, notes_);
  }
  std::vector<ReadRange> ranges() const override { return notes_->ranges(); }
  std::size_t memory_bytes() const override { return notes_->memory_bytes(); }

 private:
  const std::shared_ptr<Notes> notes_ = std::make_shared<Notes>();
};

}  // namespace

std::shared_ptr<ScanTracker> make_scan_tracker() {
  return std::make_shared<RangeTracker>();
}

}  // namespace lsm

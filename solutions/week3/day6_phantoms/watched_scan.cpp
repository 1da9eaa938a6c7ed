#include "watched_scan.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "range_set.h"

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
    // ANCHOR: task-3-6-4 Notes::settle
    std::erase_if(walks_, [this](const Walk& walk) {
      if (walk.use_count() > 1) return false;
      settled_.add(std::move(*walk));
      return true;
    });
    // ANCHOR_END: task-3-6-4
  }
  std::vector<ReadRange> ranges() const {
    // ANCHOR: task-3-6-3 Notes::ranges
    RangeSet all = settled_;
    for (const Walk& walk : walks_)
      all.add(*walk);
    return all.ranges();
    // ANCHOR_END: task-3-6-3
  }
  std::size_t memory_bytes() const {
    // ANCHOR: task-3-6-4 Notes::memory_bytes
    std::size_t bytes = settled_.memory_bytes();
    for (const Walk& walk : walks_)
      bytes += range_bytes(*walk);
    return bytes;
    // ANCHOR_END: task-3-6-4
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
    // ANCHOR: task-3-6-3 WatchedScan::seek
    std::string from(target);  // it may be a view of the key stood on
    if (bounds_.lower && from < *bounds_.lower) from = *bounds_.lower;
    scan_->seek(from);
    begin_walk(std::move(from));
    // ANCHOR_END: task-3-6-3
  }
  void seek_to_first() override {
    // ANCHOR: task-3-6-3 WatchedScan::seek_to_first
    scan_->seek_to_first();
    begin_walk(bounds_.lower.value_or(""));
    // ANCHOR_END: task-3-6-3
  }
  void seek_to_last() override {
    // ANCHOR: task-3-6-6 WatchedScan::seek_to_last
    scan_->seek_to_last();
    walk_ = notes_->begin_walk({lowest_read(), bounds_.upper, false});
    // ANCHOR_END: task-3-6-6
  }
  void next() override {
    // ANCHOR: task-3-6-3 WatchedScan::next
    scan_->next();
    extend_up();
    // ANCHOR_END: task-3-6-3
  }
  void prev() override {
    // ANCHOR: task-3-6-6 WatchedScan::prev
    scan_->prev();
    if (!valid() || scan_->key() < walk_->lower) walk_->lower = lowest_read();
    // ANCHOR_END: task-3-6-6
  }
  std::string_view key() const override { return scan_->key(); }
  std::string_view value() const override { return scan_->value(); }
  Result<void> status() const override { return scan_->status(); }

 private:
  // The scan has sought forward, from `from`.
  void begin_walk(std::string from) {
    // ANCHOR: task-3-6-3 WatchedScan::begin_walk
    walk_ = notes_->begin_walk({from, std::move(from), false});  // empty so far
    extend_up();
    // ANCHOR_END: task-3-6-3
  }
  // The scan has moved forward: the walk reaches to where it stands.
  void extend_up() {
    // ANCHOR: task-3-6-3 WatchedScan::extend_up
    if (!valid()) {
      walk_->upper = bounds_.upper;
      walk_->upper_included = false;
    } else if (ends_before(*walk_, scan_->key())) {
      walk_->upper = scan_->key();
      walk_->upper_included = true;
    }
    // ANCHOR_END: task-3-6-3
  }
  // Where a move backward has led to.
  std::string lowest_read() const {
    // ANCHOR: task-3-6-6 WatchedScan::lowest_read
    if (valid()) return std::string(scan_->key());
    return bounds_.lower.value_or("");
    // ANCHOR_END: task-3-6-6
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

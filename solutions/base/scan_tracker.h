// Learns which ranges of keys a transaction's scans have looked at.
//
// I1 Everything that an iterator has shown, and every gap that it walked over
//    or sought into, lies in ranges().
// Lifetime: iterators share it, and may outlive the transaction.
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/commit_intent.h"
#include "base/iterator.h"
#include "base/scan_range.h"

namespace lsm {

class ScanTracker {
 public:
  virtual ~ScanTracker() = default;
  // The same iterator, watched. `range` is what it is bounded by.
  virtual std::unique_ptr<UserIterator> watch(
      std::unique_ptr<UserIterator> scan, const ScanRange& range) = 0;
  // What has been read so far: ascending, disjoint.
  virtual std::vector<ReadRange> ranges() const = 0;
  virtual std::size_t memory_bytes() const = 0;
};

// Watches nothing: scans then read a snapshot and are not validated.
class NoTracker final : public ScanTracker {
 public:
  std::unique_ptr<UserIterator> watch(std::unique_ptr<UserIterator> scan,
                                      const ScanRange&) override {
    return scan;
  }
  std::vector<ReadRange> ranges() const override { return {}; }
  std::size_t memory_bytes() const override { return 0; }
};

}  // namespace lsm

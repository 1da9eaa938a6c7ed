// A RangeSet is what a transaction's scans have read, as few ranges as can say
// it: those that overlap or touch are one.
//
//   add [c, f)                      [c, f)
//   add [m, m]                      [c, f)            [m, m]
//   add [f, h)    touches           [c, h)            [m, m]
//   add [a, b]                      [a, b]  [c, h)    [m, m]   "bz" is between
//   add ["b\0", c)                  [a, h)            [m, m]
//   add [k, end)                    [a, h)            [k, end)
//
// The smallest key after "b" is "b\0": so an upper bound "b" that is included
// and a lower bound "b\0" leave nothing out between them.
//
// I1 Exactly the keys that were in an added range are in the set.
// I2 ranges() are ascending and no two overlap or touch: between two of them
//    there is a key that was not read.
// Cost: add is O(log n), and O(log n) for each range that it swallows; a scan
// of a million keys is one range, and reading it costs no memory by the key.
// Lifetime: owns its bytes. Thread safety: one thread at a time.
// Used by: watched_scan.h.
// Source: the conflict ranges of FoundationDB, which its client coalesces the
// same way.
#pragma once

#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

#include "base/commit_intent.h"

namespace lsm {

// No key is in it: ["b", "b"), or a lower bound beyond the upper one.
bool is_empty(const ReadRange& range);
// `key` lies beyond its upper bound, so neither it nor a larger key is in it.
bool ends_before(const ReadRange& range, std::string_view key);

// ANCHOR: show-range-set
class RangeSet {
 public:
  // Nothing is added by an empty range.
  void add(ReadRange range);

  std::vector<ReadRange> ranges() const;
  std::size_t size() const { return set_.size(); }
  // O(1): asked at every read of a transaction.
  std::size_t memory_bytes() const { return memory_bytes_; }
  // ANCHOR_END: show-range-set

  // What a range takes besides the bytes of its bounds.
  static constexpr std::size_t kRangeBytes = 128;

 private:
  struct ByLower {
    using is_transparent = void;
    bool operator()(const ReadRange& a, const ReadRange& b) const {
      return a.lower < b.lower;
    }
    bool operator()(std::string_view lower, const ReadRange& b) const {
      return lower < b.lower;
    }
  };

  std::set<ReadRange, ByLower> set_;
  std::size_t memory_bytes_ = 0;
};

// What `range` counts for in memory_bytes().
std::size_t range_bytes(const ReadRange& range);

}  // namespace lsm

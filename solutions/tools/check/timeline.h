// A Timeline knows who comes right after, and right before, a stay between two
// ticks: those of a set that nobody else of the set separates from it.
//
//   ticks     0    2    4    6    8    10   12
//   a         ├────┤
//   b                ├──────┤
//   c                    ├────────┤
//   d                              ├────┤
//
//   right after a: b and c. d is not: b was over before d began.
//
// Cost: O(n log n) to make; a question O(log n) and one step for each answer.
// Used by: graph_builder.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lsm::check {

// Somebody's stay between two ticks.
struct Stay {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  int id = 0;
};

// Who comes right after, and right before, a stay: those that nobody else of
// the set separates from it.
class Timeline {
 public:
  explicit Timeline(std::vector<Stay> stays)
      : by_begin_(std::move(stays)), by_end_(by_begin_) {
    std::ranges::sort(by_begin_, {}, &Stay::begin);
    std::ranges::sort(by_end_, {}, &Stay::end);
    earliest_end_.resize(by_begin_.size());
    std::uint64_t earliest = UINT64_MAX;
    for (std::size_t i = by_begin_.size(); i-- > 0;)
      earliest_end_[i] = earliest = std::min(earliest, by_begin_[i].end);
    std::uint64_t latest = 0;
    for (const Stay& stay : by_end_)
      latest_begin_.push_back(latest = std::max(latest, stay.begin));
  }

  template <typename Visit>
  void for_each_after(std::uint64_t end, Visit visit) const {
    const auto from =
        std::ranges::upper_bound(by_begin_, end, {}, &Stay::begin);
    if (from == by_begin_.end()) return;
    const std::uint64_t limit =
        earliest_end_[static_cast<std::size_t>(from - by_begin_.begin())];
    for (auto it = from; it != by_begin_.end() && it->begin <= limit; ++it)
      visit(it->id);
  }
  template <typename Visit>
  void for_each_before(std::uint64_t begin, Visit visit) const {
    auto it = std::ranges::lower_bound(by_end_, begin, {}, &Stay::end);
    if (it == by_end_.begin()) return;
    const std::uint64_t limit =
        latest_begin_[static_cast<std::size_t>(it - by_end_.begin()) - 1];
    while (it != by_end_.begin() && (--it)->end >= limit)
      visit(it->id);
  }
  // Is somebody's whole stay between the two ticks?
  bool any_between(std::uint64_t after, std::uint64_t before) const {
    const auto from =
        std::ranges::upper_bound(by_begin_, after, {}, &Stay::begin);
    return from != by_begin_.end() &&
           earliest_end_[static_cast<std::size_t>(from - by_begin_.begin())] <
               before;
  }

 private:
  std::vector<Stay> by_begin_;
  std::vector<Stay> by_end_;
  std::vector<std::uint64_t> earliest_end_;  // of by_begin_[i …]
  std::vector<std::uint64_t> latest_begin_;  // of by_end_[… i]
};

}  // namespace lsm::check

#include "range_set.h"

#include <iterator>
#include <utility>

namespace lsm {

namespace {

// No key lies between the end of `range` and `lower`.
bool reaches(const ReadRange& range, std::string_view lower) {
  // ANCHOR: task-3-6-2 reaches
  if (!range.upper || lower <= *range.upper) return true;
  // "b\0" is the smallest key after "b".
  return range.upper_included && lower.size() == range.upper->size() + 1 &&
         lower.starts_with(*range.upper) && lower.back() == '\0';
  // ANCHOR_END: task-3-6-2
}

// `a` ends after `b`.
bool is_longer(const ReadRange& a, const ReadRange& b) {
  // ANCHOR: task-3-6-2 is_longer
  if (!a.upper || !b.upper) return b.upper.has_value();
  if (*a.upper != *b.upper) return *a.upper > *b.upper;
  return a.upper_included && !b.upper_included;
  // ANCHOR_END: task-3-6-2
}

}  // namespace

bool is_empty(const ReadRange& range) {
  // ANCHOR: task-3-6-1 is_empty
  return ends_before(range, range.lower);
  // ANCHOR_END: task-3-6-1
}

bool ends_before(const ReadRange& range, std::string_view key) {
  // ANCHOR: task-3-6-1 ends_before
  if (!range.upper) return false;
  return range.upper_included ? key > *range.upper : key >= *range.upper;
  // ANCHOR_END: task-3-6-1
}

std::size_t range_bytes(const ReadRange& range) {
  return RangeSet::kRangeBytes + range.lower.size() +
         (range.upper ? range.upper->size() : 0);
}

void RangeSet::add(ReadRange range) {
  // ANCHOR: task-3-6-2 RangeSet::add
  if (is_empty(range)) return;
  auto next = set_.upper_bound(range.lower);
  if (next != set_.begin() && reaches(*std::prev(next), range.lower)) --next;
  while (next != set_.end() && reaches(range, next->lower)) {
    auto swallowed = set_.extract(next++);
    ReadRange& other = swallowed.value();
    memory_bytes_ -= range_bytes(other);
    if (other.lower < range.lower) range.lower = std::move(other.lower);
    if (is_longer(other, range)) {
      range.upper = std::move(other.upper);
      range.upper_included = other.upper_included;
    }
  }
  memory_bytes_ += range_bytes(range);
  set_.insert(next, std::move(range));
  // ANCHOR_END: task-3-6-2
}

std::vector<ReadRange> RangeSet::ranges() const {
  return {set_.begin(), set_.end()};
}

}  // namespace lsm

#include "range_set.h"

#include <iterator>
#include <utility>
#include "base/todo.h"

namespace lsm {

namespace {

// No key lies between the end of `range` and `lower`.
bool reaches(const ReadRange& range, std::string_view lower) {
  // Task 2: reaches
  LSM_TODO("3.6 task 2", "reaches");
}

// `a` ends after `b`.
bool is_longer(const ReadRange& a, const ReadRange& b) {
  // Task 2: is_longer
  LSM_TODO("3.6 task 2", "is_longer");
}

}  // namespace

bool is_empty(const ReadRange& range) {
  // Task 1: is_empty
  LSM_TODO("3.6 task 1", "is_empty");
}

bool ends_before(const ReadRange& range, std::string_view key) {
  // Task 1: ends_before
  LSM_TODO("3.6 task 1", "ends_before");
}

std::size_t range_bytes(const ReadRange& range) {
  return RangeSet::kRangeBytes + range.lower.size() +
         (range.upper ? range.upper->size() : 0);
}

void RangeSet::add(ReadRange range) {
  // Task 2: RangeSet::add
  LSM_TODO("3.6 task 2", "RangeSet::add");
}

std::vector<ReadRange> RangeSet::ranges() const {
  return {set_.begin(), set_.end()};
}

}  // namespace lsm

#include "separators.h"

#include <vector>

#include "block.h"
#include "base/todo.h"

namespace lsm {

namespace {

// How many of `prefixes`, which are sorted, are below `prefix`.
std::size_t count_below(const std::vector<std::uint64_t>& prefixes,
                        std::uint64_t prefix) {
  // Task 3: count_below
  LSM_TODO("1.3 task 3", "count_below");
}

}  // namespace

InternalKey separator_between(InternalKey last, InternalKey next) {
  // Task 2: separator_between
  LSM_TODO("1.3 task 2", "separator_between");
}

std::size_t find_block(const BlockIndex& index, InternalKey target) {
  // Task 3: find_block
  LSM_TODO("1.3 task 3", "find_block");
}

}  // namespace lsm

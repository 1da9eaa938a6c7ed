#include "stripes.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include "base/todo.h"

namespace lsm {

Stripes::Stripes(std::vector<Sequence> live) : live_(std::move(live)) {
  assert(std::ranges::is_sorted(live_));
}

std::size_t Stripes::stripe(Sequence sequence) const {
  // Task 1: Stripes::stripe
  LSM_TODO("3.2 task 1", "Stripes::stripe");
}

}  // namespace lsm

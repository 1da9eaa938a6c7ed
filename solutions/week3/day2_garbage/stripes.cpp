#include "stripes.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lsm {

Stripes::Stripes(std::vector<Sequence> live) : live_(std::move(live)) {
  assert(std::ranges::is_sorted(live_));
}

std::size_t Stripes::stripe(Sequence sequence) const {
  // ANCHOR: task-3-2-1 Stripes::stripe
  const auto first_to_see = std::ranges::lower_bound(live_, sequence);
  return static_cast<std::size_t>(first_to_see - live_.begin());
  // ANCHOR_END: task-3-2-1
}

}  // namespace lsm

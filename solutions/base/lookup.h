// What a point lookup found in one place: nothing, so look further down; a
// value; or a tombstone, which ends the search with "absent".
#pragma once

#include <cstdint>

namespace lsm {

enum class Lookup : std::uint8_t { absent, value, removed };

}  // namespace lsm

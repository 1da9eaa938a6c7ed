// A sequence of writes that anybody can compute: step i depends only on the
// seed and on i. Who reads a store back after a crash knows what it must hold.
//
//   step 7 of seed 42, one batch:   put k000311 = (93 bytes)
//                                   remove k000002
//                                   put #step = 8
//
// I1 Every step writes its own number + 1 under kStepKey, in the same batch as
//    the rest: a store that holds #step = m holds the first m steps, and
//    nothing else, or it is wrong.
// Used by: `lsm writer` and `lsm demo`, which are killed in the middle of it,
// and tests/engine/kill_test.cpp.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/splitmix.h"
#include "lsm/write_batch.h"

namespace lsm::tool {

inline constexpr std::string_view kStepKey = "#step";

struct StepShape {
  std::uint64_t keys = 20'000;      // how many different ones
  std::uint64_t largest_batch = 6;  // operations a step, 1 at least
  std::uint64_t largest_value_bytes = 200;
};

// Replaces `batch` by step `i`.
inline void make_step(std::uint64_t seed, std::uint64_t i,
                      const StepShape& shape, WriteBatch& batch) {
  Splitmix random(seed ^ (i + 1) * 0x9e3779b97f4a7c15u);
  batch.clear();
  const std::uint64_t count = 1 + random.below(shape.largest_batch);
  for (std::uint64_t n = 0; n < count; ++n) {
    const std::string key = fmt::format("k{:06}", random.below(shape.keys));
    if (random.below(5) == 0) {
      batch.remove(key);
      continue;
    }
    // Half random, half repeated: compresses, but not to nothing.
    std::string value = fmt::format("step {} ", i);
    const std::uint64_t size = random.below(shape.largest_value_bytes + 1);
    while (value.size() < size / 2) {
      value += static_cast<char>('!' + random.below(90));
    }
    value.resize(static_cast<std::size_t>(size), '.');
    batch.put(key, value);
  }
  batch.put(kStepKey, std::to_string(i + 1));
}

// The same step as a change of a map.
inline void apply_step(const WriteBatch& batch,
                       std::map<std::string, std::string>& to) {
  for (const WriteOp& op : batch.ops()) {
    if (op.kind == Kind::put) {
      to.insert_or_assign(std::string(op.key), std::string(op.value));
    } else {
      to.erase(std::string(op.key));
    }
  }
}

}  // namespace lsm::tool

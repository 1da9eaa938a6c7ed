#include "filter.h"

#include <algorithm>
#include <cstddef>
#include "base/todo.h"

namespace lsm {

namespace {

// ANCHOR: show-line
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kLineBits = kLineBytes * 8;
constexpr unsigned kMaxProbes = 24;
constexpr std::uint32_t kGolden = 0x9e3779b9;  // 2^32 / φ, odd

// Which of `lines` a hash belongs to: the upper half, scaled down.
std::size_t line_of(std::uint64_t hash, std::size_t lines) {
  return static_cast<std::size_t>(((hash >> 32) * lines) >> 32);
}
// ANCHOR_END: show-line

// Calls visit(byte, mask) for each probe until it returns false, and says
// whether none did.
template <class Visit>
bool for_each_bit(std::uint64_t hash, unsigned probes, Visit visit) {
  // Task 2: for_each_bit
  LSM_TODO("2.6 task 2", "for_each_bit");
}

}  // namespace

unsigned probes_for(int bits_per_key) {
  // Task 1: probes_for
  LSM_TODO("2.6 task 1", "probes_for");
}

BlockedBloomFilter::BlockedBloomFilter(int bits_per_key)
    : bits_per_key_(bits_per_key) {}

std::string BlockedBloomFilter::build(
    std::span<const std::uint64_t> hashes) const {
  // Task 2: BlockedBloomFilter::build
  LSM_TODO("2.6 task 2", "BlockedBloomFilter::build");
}

bool BlockedBloomFilter::may_contain(std::string_view filter,
                                     std::uint64_t hash) const {
  // Task 3: BlockedBloomFilter::may_contain
  LSM_TODO("2.6 task 3", "BlockedBloomFilter::may_contain");
}

}  // namespace lsm

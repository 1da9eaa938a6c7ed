#include "filter.h"

#include <algorithm>
#include <cstddef>

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
  // ANCHOR: task-2-6-2 for_each_bit
  auto h = static_cast<std::uint32_t>(hash);
  for (unsigned i = 0; i < probes; ++i) {
    h *= kGolden;
    const std::uint32_t bit = h >> 23;  // nine bits: 0 … 511
    if (!visit(bit / 8, static_cast<unsigned char>(1U << (bit % 8)))) {
      return false;
    }
  }
  return true;
  // ANCHOR_END: task-2-6-2
}

}  // namespace

unsigned probes_for(int bits_per_key) {
  // ANCHOR: task-2-6-1 probes_for
  // 0.63 rather than ln 2, and from 16 bits on a quarter: lines fill unevenly,
  // and in a full one every further probe costs more than it tells.
  const int probes = bits_per_key <= 16 ? (bits_per_key * 63 + 50) / 100
                                        : 10 + (bits_per_key - 16) / 4;
  return std::clamp(static_cast<unsigned>(probes), 1U, kMaxProbes);
  // ANCHOR_END: task-2-6-1
}

BlockedBloomFilter::BlockedBloomFilter(int bits_per_key)
    : bits_per_key_(bits_per_key) {}

std::string BlockedBloomFilter::build(
    std::span<const std::uint64_t> hashes) const {
  // ANCHOR: task-2-6-2 BlockedBloomFilter::build
  if (hashes.empty()) return {};
  const unsigned probes = probes_for(bits_per_key_);
  const std::uint64_t bits =
      hashes.size() * static_cast<std::uint64_t>(bits_per_key_);
  const std::size_t lines =
      static_cast<std::size_t>((bits + kLineBits - 1) / kLineBits);
  std::string filter(lines * kLineBytes + 1, '\0');
  for (const std::uint64_t hash : hashes) {
    char* line = filter.data() + line_of(hash, lines) * kLineBytes;
    for_each_bit(hash, probes, [line](std::size_t byte, unsigned char mask) {
      line[byte] =
          static_cast<char>(static_cast<unsigned char>(line[byte]) | mask);
      return true;
    });
  }
  filter.back() = static_cast<char>(probes);
  return filter;
  // ANCHOR_END: task-2-6-2
}

bool BlockedBloomFilter::may_contain(std::string_view filter,
                                     std::uint64_t hash) const {
  // ANCHOR: task-2-6-3 BlockedBloomFilter::may_contain
  if (filter.size() <= kLineBytes || filter.size() % kLineBytes != 1) {
    return true;  // I2
  }
  const auto probes = static_cast<unsigned char>(filter.back());  // I3
  if (probes > kMaxProbes) return true;
  const std::size_t lines = filter.size() / kLineBytes;
  const char* line = filter.data() + line_of(hash, lines) * kLineBytes;
  return for_each_bit(
      hash, probes, [line](std::size_t byte, unsigned char mask) {
        return (static_cast<unsigned char>(line[byte]) & mask) != 0;
      });
  // ANCHOR_END: task-2-6-3
}

}  // namespace lsm

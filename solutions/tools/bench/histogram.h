// A Histogram counts durations in buckets whose width grows with the value,
// so that a million latencies cost 8 KiB and a percentile is within 3%.
//
//   below 32 ns       one bucket a nanosecond
//   2^e .. 2^(e+1)    32 buckets of 2^(e-5) ns each, for e = 5 .. 35
//
//   example: 1000 ns = 0b1111101000, e = 9, the next five bits are 11110:
//   bucket 32*(9-4) + 30 = 190, which holds 992 .. 1007 ns.
//
// I1 every value falls into exactly one bucket; above 2^36 ns, into the last.
// add: a few instructions, no branch on the data but one. Not thread-safe:
// one a thread, merged afterwards. After HdrHistogram (Tene, 2012).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lsm::bench {

class Histogram {
 public:
  void add(std::uint64_t nanoseconds) {
    ++counts_[bucket_of(nanoseconds)];
    ++total_;
  }

  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      counts_[i] += other.counts_[i];
    }
    total_ += other.total_;
  }

  std::uint64_t total() const { return total_; }

  // The middle of the bucket that holds the given fraction, 0 < f <= 1.
  double percentile(double fraction) const {
    const double rank = fraction * static_cast<double>(total_);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      below += counts_[i];
      if (below != 0 && static_cast<double>(below) >= rank) {
        return middle_of(i);
      }
    }
    return 0;
  }

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < 32) return value;
    const auto exponent = static_cast<std::size_t>(std::bit_width(value)) - 1;
    if (exponent > 35) return kBuckets - 1;
    return 32 * (exponent - 4) + ((value >> (exponent - 5)) & 31);
  }

 private:
  static constexpr std::size_t kBuckets = 32 * 32;

  static double middle_of(std::size_t bucket) {
    if (bucket < 32) return static_cast<double>(bucket);
    const std::size_t exponent = bucket / 32 + 4;
    const std::uint64_t width = std::uint64_t{1} << (exponent - 5);
    const std::uint64_t start = (32 + bucket % 32) * width;
    return static_cast<double>(start) + static_cast<double>(width - 1) / 2;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace lsm::bench

// The keys and values of a benchmark: made from numbers, cheaply and alike
// for every engine, so that each answer can be checked without a copy of
// the data.
//
//   key, decimal   the number, zero-padded          "0000000000012345"
//   key, binary    8 bytes big-endian, then '0's    as RocksDB's db_bench
//   value          mark:u64 stamp:u64 filler*
//
//     mark    a mix of the key's number: a value under a wrong key shows
//     stamp   which write of this store it was (1, 2, …): an old one shows
//     filler  bytes from a pool of noise; nobody compresses, so that how
//             compressible they are does not matter
//
// I1 the same seed, step and thread give the same numbers on every engine.
// I2 in a write by T threads, thread t writes only keys k with k mod T = t
//    (in sequence: a range of its own), so that the last writer of each key
//    is known without watching the race.
//
// Decimal keys are LevelDB's: their first bytes are all alike, which is
// what an engine that peeks at key prefixes likes least.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "store.h"

namespace lsm::bench {

// SplitMix64's finalizer (Steele et al., OOPSLA 2014).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

enum class KeyFormat { decimal, binary };

struct Shape {
  std::uint64_t num = 0;  // keys are the numbers below this
  std::size_t key_bytes = 16;
  std::size_t value_bytes = 100;
  KeyFormat key_format = KeyFormat::decimal;
};

inline int digits_of(std::uint64_t number) {
  int digits = 1;
  for (; number >= 10; number /= 10)
    ++digits;
  return digits;
}

class KeyMaker {
 public:
  explicit KeyMaker(const Shape& shape)
      : binary_(shape.key_format == KeyFormat::binary),
        digits_(digits_of(shape.num)),
        size_(shape.key_bytes),
        buffer_(shape.key_bytes, '0') {
    buffer_.push_back('.');
  }

  // Valid until the next call.
  std::string_view make(std::uint64_t number) {
    write(number);
    return {buffer_.data(), size_};
  }
  // A key in the midst of the others that nobody ever puts.
  std::string_view make_missing(std::uint64_t number) {
    write(number);
    return buffer_;
  }

 private:
  void write(std::uint64_t number) {
    if (binary_) {
      if constexpr (std::endian::native == std::endian::little) {
        number = __builtin_bswap64(number);
      }
      std::memcpy(buffer_.data(), &number, sizeof number);
      return;
    }
    char* at = buffer_.data() + size_;
    for (int i = 0; i < digits_; ++i) {
      *--at = static_cast<char>('0' + number % 10);
      number /= 10;
    }
  }

  bool binary_;
  int digits_;
  std::size_t size_;
  std::string buffer_;
};

class ValueMaker {
 public:
  static constexpr std::size_t kHeaderBytes = 16;

  explicit ValueMaker(const Shape& shape)
      : value_(shape.value_bytes, '\0'),
        pool_(kPoolBytes + shape.value_bytes, '\0') {
    for (std::size_t i = 0; i < pool_.size(); ++i) {
      pool_[i] = static_cast<char>(mix(i));
    }
  }

  // Valid until the next call.
  std::string_view make(std::uint64_t number, std::uint64_t stamp) {
    const std::uint64_t mark = mix(number);
    std::memcpy(value_.data(), &mark, sizeof mark);
    std::memcpy(value_.data() + 8, &stamp, sizeof stamp);
    std::memcpy(value_.data() + kHeaderBytes,
                pool_.data() + (stamp * 64) % kPoolBytes,
                value_.size() - kHeaderBytes);
    return value_;
  }

  // Whether `value` has the right length and the mark of this key.
  bool fits(std::uint64_t number, std::string_view value) const {
    return value.size() == value_.size() &&
           load_u64(value.data()) == mix(number);
  }

 private:
  static constexpr std::size_t kPoolBytes = std::size_t{64} << 10;
  std::string value_;
  std::string pool_;
};

// The key numbers of one thread in one step.
class NumberStream {
 public:
  static NumberStream sequential(std::uint64_t first) {
    return NumberStream(0, 0, first, 0);
  }
  // Uniform over the numbers below `num` that equal `lane` modulo `lanes`.
  static NumberStream random(std::uint64_t seed, std::uint64_t num,
                             std::uint64_t lanes, std::uint64_t lane) {
    return NumberStream(mix(seed), num / lanes, lane, lanes);
  }

  std::uint64_t next() {
    if (lanes_ == 0) return offset_++;
    state_ += 0x9e3779b97f4a7c15U;
    const std::uint64_t draw = mix(state_) >> 32;
    return ((draw * range_) >> 32) * lanes_ + offset_;
  }

 private:
  NumberStream(std::uint64_t state, std::uint64_t range, std::uint64_t offset,
               std::uint64_t lanes)
      : state_(state), range_(range), offset_(offset), lanes_(lanes) {}

  std::uint64_t state_;
  std::uint64_t range_;
  std::uint64_t offset_;
  std::uint64_t lanes_;
};

}  // namespace lsm::bench

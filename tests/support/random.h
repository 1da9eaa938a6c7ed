// Random numbers that a failing test can be repeated with. Start a test with
//
//   SEEDED_RANDOM(random, 42);   // declares `random`; prints "seed: 42 …"
//
// and every failure shows the seed: 42 in every run, unless LSM_SEED=7 in the
// environment overrides the seed of every test. LSM_TEST_SCALE=0.1 shrinks
// every `scaled` count.
// The generator is xoshiro256** seeded by splitmix64 (Blackman and Vigna,
// "Scrambled linear pseudorandom number generators", 2021): the same numbers
// on every platform, which std::uniform_int_distribution does not promise.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace lsm::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : seed_(seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15u;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t seed() const { return seed_; }

  // Any 64-bit number.
  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // 0 … limit - 1; limit must not be 0. (Its bias is below limit / 2^64.)
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }

  // low … high, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }

  // True once in `n` calls on average.
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  // An element of anything with size() and operator[].
  template <typename Container>
  auto& pick(Container& container) {
    return container[static_cast<std::size_t>(below(container.size()))];
  }

  // `length` characters of `alphabet`.
  std::string text(std::size_t length,
                   std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz") {
    std::string result(length, '\0');
    for (char& c : result)
      c = pick(alphabet);
    return result;
  }

  // `length` bytes, any of the 256.
  std::string bytes(std::size_t length) {
    std::string result(length, '\0');
    for (char& c : result)
      c = static_cast<char>(below(256));
    return result;
  }

 private:
  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_;
};

// The seed to use where the test asks for `usual`.
inline std::uint64_t seed_or(std::uint64_t usual) {
  const char* text = std::getenv("LSM_SEED");
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

// What a failure says behind the seed: how to come by this run again.
inline std::string_view whence_seed() {
  return std::getenv("LSM_SEED") == nullptr ? ", as in every run"
                                            : ", from LSM_SEED";
}

// `count`, scaled by LSM_TEST_SCALE (sanitizer builds run a part), at least 1.
inline std::size_t scaled(std::size_t count) {
  static const double scale = [] {
    const char* text = std::getenv("LSM_TEST_SCALE");
    return text == nullptr ? 1.0 : std::strtod(text, nullptr);
  }();
  const auto result =
      static_cast<std::size_t>(static_cast<double>(count) * scale);
  return result == 0 ? 1 : result;
}

}  // namespace lsm::test

#define SEEDED_RANDOM(name, usual_seed)                       \
  ::lsm::test::Random name(::lsm::test::seed_or(usual_seed)); \
  INFO("seed: " << name.seed() << ::lsm::test::whence_seed())

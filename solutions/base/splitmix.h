// Random numbers that are the same on every machine: whoever prints the seed
// can have the whole run again.
//
//   Splitmix random(42);
//   random.below(6) + 1;     // a die
//
// Cost: three multiplications and shifts. Not for secrets.
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA'14.
#pragma once

#include <cstdint>

namespace lsm {

class Splitmix {
 public:
  explicit Splitmix(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 … limit - 1; limit is not 0.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }

 private:
  std::uint64_t state_;
};

}  // namespace lsm

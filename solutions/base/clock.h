// Time, as something that a test can set. Only backpressure, statistics and
// time-to-live filters ask for it; no decision about data depends on it.
#pragma once

#include <cstdint>

namespace lsm {

class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since an arbitrary moment; never goes back.
  virtual std::uint64_t now_micros() = 0;
  // Microseconds since 1970-01-01 UTC.
  virtual std::uint64_t wall_micros() = 0;
  virtual void sleep_micros(std::uint64_t micros) = 0;
};

// The machine's clock; lives as long as the process.
Clock& system_clock();

}  // namespace lsm

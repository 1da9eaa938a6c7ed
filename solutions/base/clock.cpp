#include "base/clock.h"

#include <time.h>

#include <cerrno>
#include <chrono>

namespace lsm {
namespace {

template <class Time>
std::uint64_t micros(Time time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(
          time.time_since_epoch())
          .count());
}

class SystemClock final : public Clock {
 public:
  std::uint64_t now_micros() override {
    return micros(std::chrono::steady_clock::now());
  }
  std::uint64_t wall_micros() override {
    return micros(std::chrono::system_clock::now());
  }
  void sleep_micros(std::uint64_t duration) override {
    timespec rest = {};
    rest.tv_sec = static_cast<time_t>(duration / 1'000'000);
    rest.tv_nsec = static_cast<long>(duration % 1'000'000 * 1'000);
    while (::nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace lsm

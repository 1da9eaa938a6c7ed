// A kernel that does as little as it may: while a ShortIo lives, every
// pread() and write() of this program moves one byte, and every second call is
// interrupted first. Linux allows both at any time; a program that does not
// loop loses bytes here.
//
//   { const ShortIo short_io;  result = recover(…); }
//   REQUIRE_OK(result);          // assertions print, so outside the braces
//
// It replaces the two functions of the C library for the whole program that
// includes it: include it in one source file.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace lsm::test {

inline std::atomic<bool> short_io_on = false;
inline std::atomic<unsigned> short_io_calls = 0;

struct ShortIo {
  ShortIo() { short_io_on = true; }
  ~ShortIo() { short_io_on = false; }
  ShortIo(const ShortIo&) = delete;
  ShortIo& operator=(const ShortIo&) = delete;

  // How many bytes of `count` this call may move; 0: EINTR.
  static std::size_t allowance(std::size_t count) {
    if (!short_io_on || count == 0) return count;
    return short_io_calls++ % 2;
  }
};

inline ssize_t interrupted() {
  errno = EINTR;
  return -1;
}

}  // namespace lsm::test

#ifdef __linux__
extern "C" ssize_t pread(int descriptor, void* to, std::size_t count,
                         off_t offset) {
  const std::size_t allowed = lsm::test::ShortIo::allowance(count);
  if (allowed == 0 && count > 0) return lsm::test::interrupted();
  return ::syscall(SYS_pread64, descriptor, to, allowed, offset);
}

extern "C" ssize_t write(int descriptor, const void* from, std::size_t count) {
  const std::size_t allowed = lsm::test::ShortIo::allowance(count);
  if (allowed == 0 && count > 0) return lsm::test::interrupted();
  return ::syscall(SYS_write, descriptor, from, allowed);
}
#endif

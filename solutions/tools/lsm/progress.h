// How a load goes on: one line that is drawn again and again on a terminal,
// and one line at the end anywhere.
//
//    62% ███████████▏      21,630 rows  412,000/s  36.1 MiB/s  L0 3  L6 12.0
//    MiB
//   loaded 34,888 rows, 3.2 MiB, in 0.09 s (…)
//
// Goes to stderr: stdout is for what was asked for. Drawn at most ten times a
// second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lsm/db.h"

namespace lsm::tool {

class LoadProgress {
 public:
  // total_bytes of the input; 0 when not known.
  LoadProgress(Db& db, std::uint64_t total_bytes);

  void wrote(std::uint64_t rows, std::uint64_t bytes) {
    rows_ += rows;
    bytes_ += bytes;
  }
  void show(std::uint64_t bytes_read);
  // The line at the end; `path` is the store's.
  void finish(const std::string& path);

 private:
  using Clock = std::chrono::steady_clock;

  Db& db_;
  std::uint64_t total_bytes_;
  bool terminal_;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

// `fraction` of `columns`, in eighths of a character.
std::string bar(double fraction, std::size_t columns);

}  // namespace lsm::tool

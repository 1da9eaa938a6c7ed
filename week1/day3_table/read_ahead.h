// Turns a walk over a table's blocks into few large reads.
//
//   asked for   │ 0 │ 1 │ 2 │ 3 │ 4 │ 5 │ …
//   read        │ 0 … 15 KiB │ 32 KiB, at once      │ 64 KiB …
//
// It doubles what it reads as long as requests follow each other, forward or
// backward, and falls back to what was asked for when they do not: a seek
// that takes one block costs one block.
// Memory: one buffer of 256 KiB or the largest request. One thread. It must
// not outlive the table. Used by: table iterators, Table::verify.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"

namespace lsm {

class Table;

class ReadAhead {
 public:
  static constexpr std::size_t kMaxBytes = 256 << 10;

  // `start_bytes`: how much to read where requests do not follow each other.
  ReadAhead(const Table& table, std::size_t start_bytes)
      : table_(table), start_bytes_(start_bytes) {}

  // Bytes of the table's data part; the view lives until the next call.
  Result<std::string_view> view(std::uint64_t offset, std::uint64_t size);
  // The same, copied.
  Result<void> read(std::uint64_t offset, std::span<char> to);

 private:
  static constexpr std::size_t kMinBytes = 16 << 10;

  const Table& table_;
  std::size_t start_bytes_;
  std::size_t window_bytes_ = 0;
  std::uint64_t last_begin_ = 0;  // the last request
  std::uint64_t last_end_ = 0;
  std::uint64_t begin_ = 0;  // what buffer_ holds
  std::uint64_t end_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_bytes_ = 0;
};

}  // namespace lsm

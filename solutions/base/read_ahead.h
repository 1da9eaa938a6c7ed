// Turns a walk over a file into few large reads.
//
//   asked for   │ 0 │ 1 │ 2 │ 3 │ 4 │ 5 │ …
//   read        │ 0 … 15 KiB │ 32 KiB, at once      │ 64 KiB …
//
// It doubles what it reads as long as requests follow each other, forward or
// backward, and falls back to `start_bytes` when they do not: with 0, a seek
// that takes one block costs one block.
// Memory: one buffer of 256 KiB or the largest request. One thread. File and
// path outlive it. Used by: table iterators, Table::verify, the log's reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/file_system.h"

namespace lsm {

class ReadAhead {
 public:
  static constexpr std::size_t kMaxBytes = 256 << 10;

  // Reads the first `limit` bytes of `file`.
  ReadAhead(const File& file, std::string_view path, std::uint64_t limit,
            std::size_t start_bytes)
      : file_(file), path_(path), limit_(limit), start_bytes_(start_bytes) {}

  std::uint64_t size() const { return limit_; }
  // [offset, offset + size), or what of it is below the limit, which `offset`
  // is not beyond. The view lives until the next call.
  Result<std::string_view> view(std::uint64_t offset, std::uint64_t size);
  // The same, and all that the buffer holds behind it.
  Result<std::string_view> view_on(std::uint64_t offset, std::uint64_t size);
  // view(), copied; all of `to` is below the limit.
  Result<void> read(std::uint64_t offset, std::span<char> to);

 private:
  static constexpr std::size_t kMinBytes = 16 << 10;

  const File& file_;
  const std::string_view path_;
  const std::uint64_t limit_;
  const std::size_t start_bytes_;
  std::size_t window_bytes_ = 0;
  std::uint64_t last_begin_ = 0;  // the last request
  std::uint64_t last_end_ = 0;
  std::uint64_t begin_ = 0;  // what buffer_ holds
  std::uint64_t end_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_bytes_ = 0;
};

}  // namespace lsm

#include "base/read_ahead.h"

#include <algorithm>

namespace lsm {

Result<std::string_view> ReadAhead::view(std::uint64_t offset,
                                         std::uint64_t size) {
  LSM_ASSIGN_OR_RETURN(const std::string_view bytes, view_on(offset, size));
  return bytes.substr(0, size);
}

Result<std::string_view> ReadAhead::view_on(std::uint64_t offset,
                                            std::uint64_t size) {
  size = std::min(size, limit_ - offset);
  const std::uint64_t end = offset + size;
  const bool forward = offset == last_end_;
  const bool backward = end == last_begin_;
  last_begin_ = offset;
  last_end_ = end;
  if (offset < begin_ || end > end_) {
    window_bytes_ = forward || backward
                        ? std::clamp(2 * window_bytes_, kMinBytes, kMaxBytes)
                        : start_bytes_;
    const std::uint64_t want = std::max<std::uint64_t>(size, window_bytes_);
    const std::uint64_t from = backward ? end - std::min(end, want) : offset;
    const std::uint64_t to = backward ? end : std::min(offset + want, limit_);
    const auto bytes = static_cast<std::size_t>(to - from);
    begin_ = end_ = 0;  // nothing, should the read fail
    if (bytes > capacity_bytes_) {
      capacity_bytes_ = bytes;
      buffer_ = std::make_unique_for_overwrite<char[]>(bytes);
    }
    LSM_TRY(read_exactly(file_, path_, from, {buffer_.get(), bytes}));
    begin_ = from;
    end_ = to;
  }
  return std::string_view(buffer_.get() + (offset - begin_), end_ - offset);
}

Result<void> ReadAhead::read(std::uint64_t offset, std::span<char> to) {
  LSM_ASSIGN_OR_RETURN(const std::string_view bytes, view(offset, to.size()));
  std::ranges::copy(bytes, to.begin());
  return {};
}

}  // namespace lsm

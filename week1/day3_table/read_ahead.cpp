#include "read_ahead.h"

#include <algorithm>
#include <cstring>

#include "table.h"

namespace lsm {

Result<std::string_view> ReadAhead::view(std::uint64_t offset,
                                         std::uint64_t size) {
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
    const std::uint64_t from =
        backward ? (end > want ? end - want : 0) : offset;
    const std::uint64_t to =
        backward ? end : std::min(offset + want, table_.footer().data_bytes);
    const auto bytes = static_cast<std::size_t>(to - from);
    begin_ = end_ = 0;  // nothing, should the read fail
    if (bytes > capacity_bytes_) {
      capacity_bytes_ = bytes;
      buffer_ = std::make_unique_for_overwrite<char[]>(bytes);
    }
    LSM_TRY(table_.read(from, {buffer_.get(), bytes}));
    begin_ = from;
    end_ = to;
  }
  return std::string_view(buffer_.get() + (offset - begin_), size);
}

Result<void> ReadAhead::read(std::uint64_t offset, std::span<char> to) {
  LSM_ASSIGN_OR_RETURN(const std::string_view bytes, view(offset, to.size()));
  std::memcpy(to.data(), bytes.data(), to.size());
  return {};
}

}  // namespace lsm

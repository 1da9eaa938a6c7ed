#include "base/block_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace lsm {

void append_index_entry(std::string& to, InternalKey separator,
                        std::uint64_t frame_bytes) {
  append_key(to, separator);
  append_varint(to, frame_bytes);
}

std::uint64_t sortable_prefix(std::string_view bytes) {
  char padded[8] = {};
  std::memcpy(padded, bytes.data(), std::min<std::size_t>(bytes.size(), 8));
  return std::byteswap(load_u64(padded));
}

Result<BlockIndex> BlockIndex::parse(std::string_view payload,
                                     std::uint64_t data_bytes,
                                     const FilePlace& place) {
  BlockIndex index;
  Entry entry;
  ByteReader from(payload);
  while (!from.empty()) {
    InternalKey separator;
    std::uint64_t frame_bytes = 0;
    if (!read_key(from, separator) || !from.varint(frame_bytes) ||
        frame_bytes == 0 || frame_bytes > data_bytes - entry.offset) {
      return fail_at(
          place, "index entry is cut off, or names a block outside the data");
    }
    entry.tag = separator.tag;
    index.entries_.push_back(entry);
    index.keys_ += separator.user;
    entry.offset += frame_bytes;
    entry.key_at = index.keys_.size();
  }
  if (index.entries_.empty() || entry.offset != data_bytes) {
    return fail_at(place, "index does not cover the data");
  }
  const std::size_t count = index.entries_.size();
  index.entries_.push_back(entry);
  index.keys_.shrink_to_fit();
  index.entries_.shrink_to_fit();

  const std::string_view first = index.separator(0).user;
  const std::string_view last = index.separator(count - 1).user;
  index.shared_bytes_ = static_cast<std::size_t>(
      std::ranges::mismatch(first, last).in1 - first.begin());
  index.prefixes_.reserve(count);
  for (std::size_t i = 0; i < count; i++) {
    const InternalKey separator = index.separator(i);
    if (i > 0 && compare(index.separator(i - 1), separator) >= 0) {
      return fail_at(place, "index is out of order");
    }
    index.prefixes_.push_back(
        sortable_prefix(separator.user.substr(index.shared_bytes_)));
  }
  return index;
}

}  // namespace lsm

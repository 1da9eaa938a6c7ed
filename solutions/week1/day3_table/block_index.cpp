#include "block_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "block.h"

namespace lsm {

namespace {

// The first eight bytes as an integer that sorts as they do; missing ones
// count as zero, so keys that differ may tie, but never swap.
std::uint64_t sortable(std::string_view bytes) {
  char padded[8] = {};
  std::memcpy(padded, bytes.data(), std::min<std::size_t>(bytes.size(), 8));
  return std::byteswap(load_u64(padded));
}

}  // namespace

InternalKey separator_between(InternalKey last, InternalKey next) {
  // ANCHOR: task-1-3-2 separator_between
  if (last.user == next.user) return last;
  const std::size_t common = common_prefix(last.user, next.user);
  // next's prefix of one byte more is larger than last. It must not be next
  // itself, nor longer than last.
  if (common + 1 < next.user.size() && common < last.user.size()) {
    return {next.user.substr(0, common + 1), 0};
  }
  return {last.user, 0};
  // ANCHOR_END: task-1-3-2
}

void append_index_entry(std::string& to, InternalKey separator,
                        std::uint64_t frame_bytes) {
  append_prefixed(to, separator.user);
  append_u64(to, separator.tag);
  append_varint(to, frame_bytes);
}

Result<BlockIndex> BlockIndex::parse(std::string_view payload,
                                     std::uint64_t data_bytes) {
  BlockIndex index;
  Entry entry;
  ByteReader from(payload);
  while (!from.empty()) {
    InternalKey separator;
    std::uint64_t frame_bytes = 0;
    if (!from.prefixed(separator.user) || !from.u64(separator.tag) ||
        !from.varint(frame_bytes)) {
      return fail(Code::corruption, "index entry is cut off");
    }
    if (frame_bytes == 0 || frame_bytes > data_bytes - entry.offset) {
      return fail(Code::corruption, "index names a block outside the data");
    }
    entry.tag = separator.tag;
    index.entries_.push_back(entry);
    index.keys_ += separator.user;
    entry.offset += frame_bytes;
    entry.key_at = index.keys_.size();
  }
  if (index.entries_.empty() || entry.offset != data_bytes) {
    return fail(Code::corruption, "index does not cover the data");
  }
  const std::size_t count = index.entries_.size();
  index.entries_.push_back(entry);
  index.common_ =
      common_prefix(index.separator(0).user, index.separator(count - 1).user);
  index.keys_.shrink_to_fit();
  index.entries_.shrink_to_fit();
  index.prefixes_.reserve(count);
  for (std::size_t i = 0; i < count; i++) {
    if (i > 0 && compare(index.separator(i - 1), index.separator(i)) >= 0) {
      return fail(Code::corruption, "index is out of order");
    }
    index.prefixes_.push_back(
        sortable(index.separator(i).user.substr(index.common_)));
  }
  return index;
}

std::size_t BlockIndex::find(InternalKey target) const {
  // ANCHOR: task-1-3-3 BlockIndex::find
  if (size() == 0) return 0;
  const std::string_view shared = separator(0).user.substr(0, common_);
  const int order = target.user.substr(0, common_).compare(shared);
  if (order != 0) return order < 0 ? 0 : size();
  const std::uint64_t prefix = sortable(target.user.substr(common_));
  std::size_t low = count_below(prefix);
  if (low == size() || prefixes_[low] != prefix) return low;
  // The ties, in which whole keys decide.
  std::size_t high = prefix == UINT64_MAX ? size() : count_below(prefix + 1);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (compare(separator(middle), target) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
  // ANCHOR_END: task-1-3-3
}

std::size_t BlockIndex::count_below(std::uint64_t prefix) const {
  // ANCHOR: task-1-3-3 BlockIndex::count_below
  const std::uint64_t* base = prefixes_.data();
  std::size_t rest = prefixes_.size();
  while (rest > 1) {
    const std::size_t half = rest / 2;
    base += base[half - 1] < prefix ? half : 0;  // a move, not a branch
    rest -= half;
  }
  const auto before = static_cast<std::size_t>(base - prefixes_.data());
  return before + (rest == 1 && *base < prefix ? 1 : 0);
  // ANCHOR_END: task-1-3-3
}

}  // namespace lsm

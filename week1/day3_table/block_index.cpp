#include "block_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "block.h"
#include "base/todo.h"

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
  // Task 2: separator_between
  LSM_TODO("1.3 task 2", "separator_between");
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
  // Task 3: BlockIndex::find
  LSM_TODO("1.3 task 3", "BlockIndex::find");
}

std::size_t BlockIndex::count_below(std::uint64_t prefix) const {
  // Task 3: BlockIndex::count_below
  LSM_TODO("1.3 task 3", "BlockIndex::count_below");
}

}  // namespace lsm

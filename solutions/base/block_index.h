// What a table's index says, in memory: for each block where its frame stands,
// and its separator, a key at or after the block's last and before the next
// block's first.
//
//   index payload   (separator:key frame_bytes:varint)*
//
//   separators      "key0002"  "key0007"  "key01"
//   shared()        "key0"                 leading bytes common to all
//   prefixes()      "002·····" "007·····" "1·······"    as integers, for the
//                                          search (1.3, separators.h)
//
// I1 Separators strictly increase (checked when parsed).
// I2 The frames fill the data part from 0 to its end, without a gap.
// Memory: 32 bytes and a separator a block. Immutable: share freely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/table_format.h"

namespace lsm {

// One entry of the payload.
void append_index_entry(std::string& to, InternalKey separator,
                        std::uint64_t frame_bytes);

// The first eight bytes as an integer that sorts as they do; missing ones
// count as zero, so keys that differ may tie, but never swap.
std::uint64_t sortable_prefix(std::string_view bytes);

class BlockIndex {
 public:
  struct Handle {
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;  // of the whole frame
  };

  BlockIndex() = default;
  // `payload` may be anything; it came from `place`, and its frames must fill
  // exactly `data_bytes`. Errors: corruption.
  static Result<BlockIndex> parse(std::string_view payload,
                                  std::uint64_t data_bytes,
                                  const FilePlace& place);

  std::size_t size() const { return prefixes_.size(); }
  Handle handle(std::size_t block) const {
    const std::uint64_t offset = entries_[block].offset;
    return {offset, entries_[block + 1].offset - offset};
  }
  InternalKey separator(std::size_t block) const {
    const Entry& entry = entries_[block];
    return {std::string_view(keys_).substr(
                entry.key_at, entries_[block + 1].key_at - entry.key_at),
            entry.tag};
  }
  // ANCHOR: show-search
  // The bytes that all separators begin with.
  std::string_view shared() const {
    return std::string_view(keys_).substr(0, shared_bytes_);
  }
  // For each separator, sortable_prefix() of what follows.
  const std::vector<std::uint64_t>& prefixes() const { return prefixes_; }
  // ANCHOR_END: show-search
  std::size_t memory_bytes() const {
    return keys_.capacity() + entries_.capacity() * sizeof(Entry) +
           prefixes_.capacity() * sizeof(std::uint64_t);
  }

 private:
  struct Entry {
    std::uint64_t offset = 0;
    std::uint64_t tag = 0;
    std::size_t key_at = 0;
  };

  std::string keys_;            // separators, one after the other
  std::vector<Entry> entries_;  // and one more: where the last ends
  std::vector<std::uint64_t> prefixes_;
  std::size_t shared_bytes_ = 0;
};

}  // namespace lsm

// Tells which block of a table may hold a key, without touching any block: one
// separator a block, in an array laid out for the search.
//
//   block 0              block 1              block 2
//   apple … banana       blueberry … cherry   cherry@4 … elder
//        separator "bl"       "cherry"@9            "elder"
//
// A separator S of a block lies at or after the block's last key and before
// the next block's first. Shorter is better: the index stays in memory. So
//   * different user keys on both sides: the shortest prefix of the next key
//     that is larger than the last one ("bl"), or the last key; with tag 0,
//     which sorts after every version of S;
//   * the same user key on both sides (its versions continue in the next
//     block): the last internal key itself, tag and all, since only the tag
//     tells the two blocks apart ("cherry"@9).
//
// I1 Separators strictly increase.
// I2 find(target) is the only block that can hold `target`, and holds the
//    first entry at or after it, unless that is the first of the next block.
//
// Separators of one table share a prefix, often a long one (…0000017); it is
// kept once. The eight bytes after it stand in an array of integers, which the
// search runs over; only where they tie are whole keys compared.
// Cost: find some 14 steps for 16,000 blocks, no branch to mispredict and all
// of it in 128 KiB. Memory: 32 bytes and a separator a block.
// Immutable: share freely. Used by: table_builder.h, table.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/key.h"

namespace lsm {

// ANCHOR: show-separator
// A key for I1 between a block that ends with `last` and one that begins with
// `next`, last < next. The view lives as long as both keys.
InternalKey separator_between(InternalKey last, InternalKey next);
// ANCHOR_END: show-separator

// One entry of the index as it is stored (table_format.h).
void append_index_entry(std::string& to, InternalKey separator,
                        std::uint64_t frame_bytes);

class BlockIndex {
 public:
  struct Handle {
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;  // of the whole frame
  };

  BlockIndex() = default;
  // `payload` may be anything; frames must fill exactly `data_bytes`. Errors:
  // corruption, without a place: the caller knows it.
  static Result<BlockIndex> parse(std::string_view payload,
                                  std::uint64_t data_bytes);

  // ANCHOR: show-find
  std::size_t size() const { return prefixes_.size(); }
  // The first block whose separator is at or after `target`; size() when
  // every key of the table is smaller.
  std::size_t find(InternalKey target) const;
  // ANCHOR_END: show-find
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

  // How many separators have an eight-byte prefix below `prefix`.
  std::size_t count_below(std::uint64_t prefix) const;

  std::string keys_;            // separators, one after the other
  std::vector<Entry> entries_;  // and one more: where the last ends
  std::vector<std::uint64_t> prefixes_;
  std::size_t common_ = 0;  // leading bytes that all separators share
};

}  // namespace lsm

// A Block is a sorted run of entries that is read, verified and cached as one
// piece, about 4 KiB: big enough to be worth a disk read, small enough that a
// lookup does not pay for neighbours it never asked for.
//
//   block := count:u16 common:u16 head:u16* start:u16* entry*
//   entry := shared:varint tail:varint value:varint
//            key_tail tag:u64 value
//
// `count` heads, as many starts, and as many entries, in order. "apple" put at
// sequence 7 with value "red", "apply" removed at 3:
//
//   00  02 00 04 00              2 entries; all keys begin with 4 same bytes
//   04  00 65 00 79              heads: "e" of "apple", "y" of "apply"
//   08  00 00 13 00              the entries start at 0c + 00 and at 0c + 13
//   0c  00 05 03 61 70 70 6c 65  0 shared, 5 in the tail, 3 in the value; apple
//   14  01 07 00 00 00 00 00 00  tag: put, sequence 7
//   1c  72 65 64                 red
//   1f  04 01 00 79              4 shared with "apple", 1 in the tail: y
//   23  00 03 00 00 00 00 00 00  tag: remove, sequence 3; and no value
//
// I1 Internal keys strictly increase.
// I2 `shared` counts against the FIRST key (not, as elsewhere, the previous
//    one), so any entry decodes by itself. The first entry is stored whole.
// I3 `shared` is maximal: the key's next byte, if the first key has one there
//    too, differs from it.
// I4 Entries follow each other without gaps, the first at 0; each starts below
//    64 KiB (only starts are u16: the last value may be 1 GiB).
// I5 `common` bytes begin every user key: by I1 and I3 as many as the last key
//    shares (all of a single one). A head is the two bytes after them as an
//    integer that sorts as they do, with 0 for what a short key lacks; so
//    heads never decrease.
//
// Search. Let F be the first user key, T > F the target, L the length of the
// prefix that F and T share. If L < common, all keys leave T where F does: all
// are smaller. Otherwise a head other than T's decides; the heads lie side by
// side in a line or two of the processor's cache, so looking through them costs
// one wait for memory where as many entries would cost one each. Where heads
// tie, no key needs to be assembled either. An entry E but the first (which is
// stored whole) that shares s bytes with F satisfies, by I1 and I3:
//   s > L   E follows F at position L, where F and T part. So E < T as F < T.
//   s < L   E leaves F at position s, upwards, where T still follows F. E > T.
//   s = L   all three agree up to L: compare the key's tail with T's.
//
// Cost: entry(i), next, prev O(1). lower_bound and get O(log count) steps over
// heads, and mostly one decode. parse visits every byte of every key once.
// Lifetime: a Block is a view, cheap to copy; bytes and values live as long as
// what it was made from. Immutable: share freely. Used by: 1.3 table.
// Source: LevelDB's doc/table_format.md for restart points, of which "every
// entry shares with the first" is the limit of one; heads after a common prefix
// as in the inner nodes of B-trees (Graefe, "Modern B-Tree Techniques", 2011:
// poor man's normalized keys).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/iterator.h"
#include "base/key.h"
#include "base/lookup.h"

namespace lsm {

// Starts are u16: an entry must start below this.
inline constexpr std::size_t kMaxEntryStart = 64 << 10;

// What stands in front of the entries: count and common; a head and a start.
inline constexpr std::size_t kBlockHeaderBytes = 4;
inline constexpr std::size_t kBlockBytesPerEntry = 4;

// How many leading bytes a and b have in common.
std::size_t common_prefix(std::string_view a, std::string_view b);

// I5, of the user key that is `front` and then `tail`.
std::uint16_t head_of(std::string_view front, std::string_view tail,
                      std::size_t common);

// Collects entries in key order and lays them out. One builder makes block
// after block: reset keeps its memory.
// ANCHOR: show-builder
class BlockBuilder {
 public:
  // `key` is larger than every key before it, and size_bytes() is below
  // kMaxEntryStart. Cost: one copy of tail and value.
  void add(InternalKey key, std::string_view value);
  // How large the block would be if it were finished now.
  std::size_t size_bytes() const {
    return kBlockHeaderBytes + kBlockBytesPerEntry * added_.size() +
           entries_.size();
  }
  // The same if (key, value) were added first; never too small.
  std::size_t size_bytes_with(InternalKey key, std::string_view value) const;
  bool empty() const { return added_.empty(); }
  // The block, which must not be empty; the view lives until reset or add.
  std::string_view finish();
  void reset();

 private:
  struct Added {
    std::size_t start = 0;    // in entries_
    std::size_t shared = 0;   // with first_
    std::size_t tail_at = 0;  // in entries_
    std::size_t tail_bytes = 0;
  };

  std::string first_;  // the first user key
  std::string entries_;
  std::vector<Added> added_;
  std::string block_;  // once finished
};
// ANCHOR_END: show-builder

// ANCHOR: show-block
class Block {
 public:
  struct Entry {
    std::size_t shared = 0;  // bytes that the key begins with, of first_user()
    std::string_view tail;   // and how it goes on
    std::uint64_t tag = 0;
    std::string_view value;
  };

  Block() = default;  // no entries
  // `bytes` may be anything. Checks I1 to I5, sizes and kinds of every entry,
  // so that nothing below can fail or read outside. A stored block has at least
  // one entry. Errors: corruption, naming the entry.
  static Result<Block> parse(std::string_view bytes);
  // `bytes` have been parsed before, or come from a BlockBuilder.
  static Block trusted(std::string_view bytes);

  std::size_t count() const { return count_; }
  // i < count().
  Entry entry(std::size_t i) const;
  // The user key of entry 0; count() > 0.
  std::string_view first_user() const { return entry(0).tail; }
  // Index of the first entry at or after `target`; count() if there is none.
  std::size_t lower_bound(InternalKey target) const;
  // The newest version of `user` with a sequence <= at; `value` is assigned
  // when the answer is Lookup::value.
  Lookup get(std::string_view user, Sequence at, std::string_view& value) const;

 private:
  std::size_t start(std::size_t i) const {
    return load_u16(starts_ + i * sizeof(std::uint16_t));
  }
  std::uint16_t head(std::size_t i) const {
    return load_u16(heads_ + i * sizeof(std::uint16_t));
  }
  // How many heads are smaller than `head`. It is wider than a head so that
  // you may ask for the largest one plus 1, which gives count().
  std::size_t count_below(std::uint32_t head) const;

  std::size_t count_ = 0;
  std::size_t common_ = 0;
  const char* heads_ = nullptr;
  const char* starts_ = nullptr;
  const char* entries_ = nullptr;
  const char* end_ = nullptr;
};
// ANCHOR_END: show-block

// Walks a block both ways; next and prev are one lookup in `start` and one
// decode. It cannot fail: status() is always success. key() points into the
// block when nothing is shared, else into a buffer of the iterator.
// ANCHOR: show-iterator
class BlockIterator final : public InternalIterator {
 public:
  BlockIterator() = default;
  explicit BlockIterator(Block block) { reset(block); }
  BlockIterator(const BlockIterator&) = delete;
  BlockIterator& operator=(const BlockIterator&) = delete;

  // Goes over to another block, not yet positioned; keeps the buffer.
  void reset(Block block);

  bool valid() const override { return index_ < block_.count(); }
  void seek(InternalKey target) override;
  void seek_to_first() override;
  void seek_to_last() override;
  void next() override;
  void prev() override;
  InternalKey key() const override { return key_; }
  std::string_view value() const override { return value_; }
  Result<void> status() const override { return {}; }

 private:
  // Stands on entry `index`, or is invalid when index >= count().
  void stand_on(std::size_t index);
  std::string_view assemble(const Block::Entry& entry);

  Block block_;
  std::size_t index_ = 0;  // count() when invalid
  InternalKey key_;
  std::string_view value_;
  std::string_view first_;
  std::string buffer_;
  std::size_t intact_ = 0;  // bytes of buffer_ that are the first key's
};
// ANCHOR_END: show-iterator

}  // namespace lsm

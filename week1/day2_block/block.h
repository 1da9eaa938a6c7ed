// A Block is a sorted run of entries that is read, verified and cached as one
// piece, about 4 KiB: big enough to be worth a disk read, small enough that a
// lookup does not pay for neighbours it never asked for.
//
//   block := entry* fingerprint:u8* start:u16* count:u16
//   entry := shared:varint tail:varint value:varint
//            key_tail tag:u64 value
//
// There are `count` fingerprints and starts, one for each entry, in order.
// "apple" put at sequence 7 with value "red", "apply" removed at 3:
//
//   00  00 05 03 61 70 70 6c 65  0 shared, 5 in the tail, 3 in the value; apple
//   08  01 07 00 00 00 00 00 00  tag: put, sequence 7
//   10  72 65 64                 red
//   13  04 01 00 79              4 shared with "apple", 1 in the tail: y
//   17  00 03 00 00 00 00 00 00  tag: remove, sequence 3; and no value
//   1f  00 ae                    fingerprints of "apple" and of "apply"
//   21  00 00 13 00              the entries start at 00 and at 13
//   25  02 00                    2 entries
//
// I1 Internal keys strictly increase.
// I2 `shared` counts against the FIRST key (not, as elsewhere, the previous
//    one), so any entry decodes by itself. The first entry is stored whole.
// I3 `shared` is maximal: the key's next byte, if the first key has one there
//    too, differs from it.
// I4 Entries follow each other without gaps, the first at 0; each starts below
//    64 KiB (only starts are u16: the last value may be 1 GiB).
// I5 fingerprint = low byte of the user key's filter_hash.
//
// Why binary search needs no assembled keys. Let F be the first user key,
// T > F the target, L the length of the prefix that F and T share. An entry E
// that shares s bytes with F satisfies, by I1 and I3:
//   s > L   E follows F at position L, where F and T part. So E < T as F < T.
//   s < L   E leaves F at position s, upwards, where T still follows F. E > T.
//   s = L   all three agree up to L: compare the key's tail with T's.
// Two of three probes end at comparing two small integers.
//
// Why fingerprints: a lookup of one key scans `count` bytes, some 35, with
// memchr, and decodes only where the byte agrees: 1 in 256 by chance.
//
// Cost: entry(i), next, prev O(1). lower_bound O(log count) probes without a
// copy; get about one decode. parse visits every byte of every key once.
// Lifetime: a Block is a view, cheap to copy; bytes and values live as long as
// what it was made from. Immutable: share freely. Used by: 1.3 table.
// Source: LevelDB's doc/table_format.md for restart points, of which "every
// entry shares with the first" is the limit of one; fingerprints as in F14
// (Facebook) and RocksDB's data-block hash index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/filter_policy.h"
#include "base/iterator.h"
#include "base/key.h"
#include "base/lookup.h"

namespace lsm {

// Starts are u16: an entry must start below this.
inline constexpr std::size_t kMaxEntryStart = 64 << 10;

// How many leading bytes a and b have in common.
std::size_t common_prefix(std::string_view a, std::string_view b);

// I5, from the key's filter_hash.
constexpr std::uint8_t fingerprint(std::uint64_t hash) {
  return static_cast<std::uint8_t>(hash);
}

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
    return entries_.size() + kPerEntryBytes * starts_.size() + kCountBytes;
  }
  // The same if (key, value) were added first; never too small.
  std::size_t size_bytes_with(InternalKey key, std::string_view value) const;
  bool empty() const { return starts_.empty(); }
  // The block, which must not be empty; the view lives until reset or add.
  std::string_view finish();
  void reset();

 private:
  static constexpr std::size_t kPerEntryBytes = 3;  // fingerprint and start
  static constexpr std::size_t kCountBytes = 2;

  std::string first_;    // the first user key
  std::string entries_;  // and, once finished, the whole block
  std::string fingerprints_;
  std::vector<std::uint16_t> starts_;
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
  // `bytes` may be anything. Checks I1 to I4, sizes and kinds of every entry,
  // so that nothing below can fail or read outside. (I5 costs a hash a key and
  // endangers no memory: Db::verify checks it.) Errors: corruption, naming
  // the entry.
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
  // The newest version of `user` with a sequence <= at. `hash` is
  // filter_hash(user); `value` is assigned when the answer is Lookup::value.
  Lookup get(std::string_view user, std::uint64_t hash, Sequence at,
             std::string_view& value) const;
  Lookup get(std::string_view user, Sequence at,
             std::string_view& value) const {
    return get(user, filter_hash(user), at, value);
  }

 private:
  std::size_t start(std::size_t i) const {
    return load_u16(starts_ + i * sizeof(std::uint16_t));
  }

  const char* entries_ = nullptr;
  const char* fingerprints_ = nullptr;  // where the entries end
  const char* starts_ = nullptr;
  std::size_t count_ = 0;
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

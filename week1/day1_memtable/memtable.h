// The memtable takes every write and keeps it sorted until there is enough to
// write a table: an ordered set in memory that one thread extends while any
// number of others read it.
//
// It is a skip list, a linked list with express lanes: each node also stands,
// with probability 1/4 a lane, in the lanes above.
//
//   lane 2   head ─────────────────────► fig@9 ────────────────────────► –
//   lane 1   head ──────────► date@3 ──► fig@9 ────────────────────────► –
//   lane 0   head ─► apple@7 ► date@3 ─► fig@9 ─► fig@4 ✝ ─► lime@2 ───► –
//                                          ▲
//   point index:  hash("fig") ─────────────┘     newest version, no search
//
// A search starts in the highest lane, goes on while the next node stands
// before its target, and drops a lane when it does not. A node is one piece of
// the arena: header, one link a lane, key, value. fig@9 = "ripe", in two lanes:
//
//   prefix                  tag                     value  key  h    links
//   00 00 00 00 00 67 69 66 01 09 00 00 00 00 00 00 04 …   03 … 02 … ●  ●
//   66 69 67  72 69 70 65          (as a little-endian machine stores it)
//   f  i  g   r  i  p  e
//
// `prefix` is the key's first eight bytes read as one big-endian number, zeros
// after a shorter key: 0x6669670000000000. Two keys whose prefixes differ are
// in the order of the numbers; most comparisons end there, without touching
// the key's bytes. Equal prefixes decide nothing: "a" and "a\0" share one.
//
// I1 Lane 0 holds every node, in strictly ascending order of internal keys:
//    user key ascending, then tag descending (I1 of base/key.h).
// I2 A node in lane n stands in every lane below n.
// I3 A node that can be reached is complete: its content and its link in that
//    lane are written before the store that makes it reachable in that lane.
// I4 Nodes are never changed, moved or removed while the memtable lives, but
//    for their links.
// I5 The point index holds, for every user key here, its newest node.
//
// Cost, n entries:
//   add   O(log n) comparisons; O(1) when the key follows the last added one
//   get   O(1): a hash, a slot, a node; then the versions newer than `at`
//   next  O(1), one link; prev and seek O(log n)
//   memory: 24 bytes and 10.7 of links an entry, and 24 or so in the index
// Against std::map<std::string, std::string>, 500,000 entries of 16 + 100
// bytes, one run: add in random order 1.0 of the map's time, in ascending
// order 0.2, or 0.7 where the memory is touched for the first time; get 0.11;
// and no lock for readers. What a search costs is cache misses: half of its 24
// nodes are not in a cache.
//
// Publication, or why readers need no lock. The writer completes a node, then
// stores its address into its neighbour's link with release; a reader loads
// the link with acquire. Whoever sees the address sees the whole node (I3).
// Lanes are linked from the lowest up (I2), so a reader who drops a lane finds
// a link there. The writer adds an entry, then publishes its sequence with
// release (1.7); a reader who acquired that sequence sees the entry.
//
// Thread safety: one thread calls add; every other method from any thread,
// beside it. Lifetime: views and iterators live as long as the MemTable.
// After a crash nothing is left: the log (1.6) brings it back.
// Source: William Pugh, "Skip lists: a probabilistic alternative to balanced
// trees", CACM 1990; LevelDB's db/skiplist.h; the inline keys and the finger
// are RocksDB's memtable/inlineskiplist.h.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/arena.h"
#include "base/iterator.h"
#include "base/key.h"
#include "base/lookup.h"
#include "base/point_index.h"
#include "base/splitmix.h"

namespace lsm {

// ANCHOR: show-order
// The first eight bytes of `user_key` as one big-endian number, so that
// numbers are in the order of the bytes; zeros follow a shorter key.
std::uint64_t key_prefix(std::string_view user_key);

// An internal key with the prefix of its user key at hand.
struct PrefixedKey {
  InternalKey key;
  std::uint64_t prefix = 0;
};
inline PrefixedKey with_prefix(const InternalKey& key) {
  return {key, key_prefix(key.user)};
}

// Whether `a` comes before `b` in the order of internal keys (I1). Looks at
// the keys' bytes only when the prefixes are equal.
bool comes_before(const PrefixedKey& a, const PrefixedKey& b);
// ANCHOR_END: show-order

class MemTable {
 public:
  // `log_number` names the log that holds the same entries; it is only kept.
  // `expected_bytes` is where the memtable will be full; the point index grows
  // towards it.
  MemTable(std::uint64_t log_number, std::size_t expected_bytes);

  // Adds one version of `key`, whose bytes are copied; for Kind::remove the
  // value is empty. No two entries share key and sequence.
  void add(Sequence sequence, Kind kind, std::string_view key,
           std::string_view value);

  // The newest version of `key` at or below `at`: Lookup::value and `value`
  // set, Lookup::removed when it is a tombstone, Lookup::absent when no such
  // version is here.
  Lookup get(std::string_view key, Sequence at, std::string_view& value) const;

  // Every version of every key. Entries added after the iterator was made may
  // appear in it.
  std::unique_ptr<InternalIterator> iterator() const;

  // All the memory it took, the point index included.
  std::size_t memory_bytes() const { return arena_.memory_bytes(); }
  std::size_t entries() const;
  std::uint64_t log_number() const { return log_number_; }

 private:
  static constexpr int kMaxHeight = 12;  // 4^12 nodes before searches lengthen

  // ANCHOR: show-node
  // The header; links, key and value follow it in memory.
  struct Node {
    std::uint64_t prefix;
    std::uint64_t tag;
    std::uint32_t value_size;
    std::uint16_t key_size;
    std::uint8_t height;
    std::atomic<Node*> links[1];  // height of them

    // The next node in `lane`, or nullptr.
    Node* next(int lane) const {
      // Pairs with the release in set_next: the node is complete (I3).
      return links[lane].load(std::memory_order_acquire);
    }
    // Makes `node` reachable, so it must be complete.
    void set_next(int lane, Node* node) {
      // Pairs with the acquire in next.
      links[lane].store(node, std::memory_order_release);
    }
    std::string_view user_key() const { return {bytes(), key_size}; }
    std::string_view value() const { return {bytes() + key_size, value_size}; }
    InternalKey key() const { return {user_key(), tag}; }
    PrefixedKey prefixed_key() const { return {key(), prefix}; }

    const char* bytes() const {
      return static_cast<const char*>(static_cast<const void*>(links + height));
    }
  };
  // ANCHOR_END: show-node

  // ANCHOR: show-before
  // For each lane the last node that stands before some place in the list.
  using Before = std::array<Node*, kMaxHeight>;
  // ANCHOR_END: show-before

  class Cursor;  // what iterator() returns

  Node* find(const PrefixedKey& target, Before* before) const;
  Node* find_last_before(const PrefixedKey& target) const;
  Node* find_last() const;
  bool follows_finger(const PrefixedKey& target) const;
  void link(Node* node);

  Node* new_node(int height, const PrefixedKey& key, std::string_view value);
  int random_height();
  int height() const;

  const std::uint64_t log_number_;
  Arena arena_;
  PointIndex<Node> index_;
  Node* const head_;             // stands before every key, in all lanes
  std::atomic<int> height_ = 1;  // lanes in use
  std::atomic<std::size_t> entries_ = 0;
  // The writer's: where the last node was added, that node included.
  Before finger_;
  Splitmix random_;
};

}  // namespace lsm

// Finds the newest node of a key without a search: a hash table beside the
// skip list, which one thread fills while others read it.
//
//   hash("fig") ──► slot 5   [hash │ ●]──► fig@9 ──next──► fig@4 ──next──► …
//                   slot 6   [hash │ ●]──► lime@2
//                   slot 7   [  –  │ –]           an empty slot ends a probe
//
// I1 Exact: a key has a slot if and only if it has a node, and the slot holds
//    the node with the largest tag. Older versions follow it in the list.
// I2 A slot's hash is written before its node is published and never changes.
// I3 At most three quarters of the slots are in use, so every probe ends.
// I4 A table that was outgrown stays readable: its slots only miss what was
//    put after it was replaced.
// Cost: find and put touch 1.5 slots on average, of 16 bytes. Growth copies
// slots without touching nodes. Once an eighth of `expected_bytes` is in use,
// the table takes the size that the rest will need, as far as can be told.
//
// Publication. The writer fills a slot's hash, then stores the node with
// release; a reader loads the node with acquire, so it sees the hash, the
// node's content, and everything that the writer did before. A grown table is
// filled first and its pointer stored with release; readers load it with
// acquire. A reader who acquired a sequence sees every put before that
// sequence was published, whichever of the two tables it loads.
//
// Node has `tag`, and user_key() which returns a std::string_view. One thread
// puts, any thread finds; nodes and arena outlive the index.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "base/arena.h"

namespace lsm {

template <class Node>
class PointIndex {
 public:
  // Takes its memory from `arena`, whose nodes it expects to grow to about
  // `expected_bytes` in all; too small a number costs only time.
  PointIndex(Arena& arena, std::size_t expected_bytes)
      : arena_(arena), expected_bytes_(expected_bytes) {}
  PointIndex(const PointIndex&) = delete;
  PointIndex& operator=(const PointIndex&) = delete;

  // The newest node of `key`; nullptr when there is none.
  const Node* find(std::uint64_t hash, std::string_view key) const {
    // Pairs with the release in grow: the table's slots are filled.
    const Table* const table = table_.load(std::memory_order_acquire);
    return table == nullptr ? nullptr : probe(*table, hash, key).node;
  }

  // Begins to load the cache line that find or put will want.
  void prefetch(std::uint64_t hash) const {
    // Relaxed: the writer's own table, or a hint.
    const Table* const table = table_.load(std::memory_order_relaxed);
    if (table != nullptr) {
      __builtin_prefetch(&table->slots[table->home(hash)]);
    }
  }

  // Makes `node` findable, unless a newer node of its key is.
  void put(std::uint64_t hash, const Node* node) {
    // Relaxed: only this thread stores it.
    Table* table = table_.load(std::memory_order_relaxed);
    if (table == nullptr || keys_ >= table->size / 4 * 3) table = grow(table);
    const Found found = probe(*table, hash, node->user_key());
    Slot& slot = table->slots[found.slot];
    if (found.node == nullptr) {
      keys_++;
      // Relaxed: published with the node below (I2).
      slot.hash.store(hash, std::memory_order_relaxed);
    } else if (found.node->tag > node->tag) {
      return;
    }
    // Pairs with the acquire in probe: hash and node are complete.
    slot.node.store(node, std::memory_order_release);
  }

 private:
  struct Slot {
    std::atomic<std::uint64_t> hash;
    std::atomic<const Node*> node;
  };
  struct Table {
    std::size_t size;
    Slot* slots;

    // Where a probe begins: the hash's upper half, scaled to the size, which
    // need not be a power of two.
    std::size_t home(std::uint64_t hash) const {
      return static_cast<std::size_t>(((hash >> 32) * size) >> 32);
    }
  };
  struct Found {
    std::size_t slot;  // the key's, or the empty one where it would go
    const Node* node;  // nullptr: the key is not there
  };

  static constexpr std::size_t kFirstSize = 64;

  static Found probe(const Table& table, std::uint64_t hash,
                     std::string_view key) {
    std::size_t at = table.home(hash);
    while (true) {
      const Slot& slot = table.slots[at];
      // Pairs with the release in put.
      const Node* const node = slot.node.load(std::memory_order_acquire);
      if (node == nullptr) return {at, nullptr};
      // Relaxed: the acquire above covers it (I2).
      if (slot.hash.load(std::memory_order_relaxed) == hash &&
          node->user_key() == key) {
        return {at, node};
      }
      if (++at == table.size) at = 0;
    }
  }

  // The size of the table after one of `size` slots is full.
  std::size_t next_size(std::size_t size) const {
    const std::size_t used = arena_.memory_bytes();
    if (used < expected_bytes_ / 8) return size * 2;
    // Keys come on as they came so far, at two thirds of the slots.
    const double more = static_cast<double>(expected_bytes_) /
                        static_cast<double>(std::max<std::size_t>(used, 1));
    const auto needed =
        static_cast<std::size_t>(static_cast<double>(keys_) * more * 1.5);
    return std::max(size + size / 2, needed);
  }

  Table* grow(const Table* old) {
    const std::size_t size = old == nullptr ? kFirstSize : next_size(old->size);
    auto* const slots =
        static_cast<Slot*>(arena_.allocate(size * sizeof(Slot)));
    for (std::size_t i = 0; i < size; ++i)
      new (&slots[i]) Slot{0, nullptr};
    auto* const table = new (arena_.allocate(sizeof(Table))) Table{size, slots};
    for (std::size_t i = 0; old != nullptr && i < old->size; ++i) {
      // Relaxed: this thread stored them.
      const Node* const node =
          old->slots[i].node.load(std::memory_order_relaxed);
      if (node == nullptr) continue;
      const std::uint64_t hash =
          old->slots[i].hash.load(std::memory_order_relaxed);
      std::size_t at = table->home(hash);
      while (slots[at].node.load(std::memory_order_relaxed) != nullptr) {
        if (++at == size) at = 0;
      }
      slots[at].hash.store(hash, std::memory_order_relaxed);
      slots[at].node.store(node, std::memory_order_relaxed);
    }
    // Pairs with the acquire in find: every slot above is complete.
    table_.store(table, std::memory_order_release);
    return table;
  }

  Arena& arena_;
  const std::size_t expected_bytes_;
  std::size_t keys_ = 0;  // the writer's
  std::atomic<Table*> table_ = nullptr;
};

}  // namespace lsm

#include "cache.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace lsm {

namespace {

constexpr std::size_t kWays = 8;

// ANCHOR: show-state
// A slot's state: references in the low half, then clock, then phase.
constexpr std::uint64_t kOneReference = 1;
constexpr std::uint64_t kReferences = 0xffff'ffff;
constexpr std::uint64_t kOneTick = std::uint64_t{1} << 32;
constexpr std::uint64_t kClock = 3 * kOneTick;
constexpr std::uint64_t kEmpty = 0;
constexpr std::uint64_t kBusy = std::uint64_t{1} << 62;
constexpr std::uint64_t kLive = std::uint64_t{2} << 62;
constexpr std::uint64_t kPhase = std::uint64_t{3} << 62;

// A line of its own, so that one wait for memory brings all of it.
struct alignas(64) Slot {
  std::atomic<std::uint64_t> state{kEmpty};
  BlockKey key;
  BlockBytes bytes;
  bool kept = false;  // false: on the heap, owned by its one pin
};

struct alignas(64) Set {
  // A hint for where to look; the slot's key decides.
  std::array<std::atomic<std::uint32_t>, kWays> tags{};
  std::array<Slot, kWays> slots;
};
// ANCHOR_END: show-state

struct alignas(64) Counters {
  std::atomic<std::uint64_t> hits{0};
  std::atomic<std::uint64_t> misses{0};
};

constexpr std::uint64_t hash_of(BlockKey key) {
  std::uint64_t x = key.offset + key.table * 0x9e3779b97f4a7c15ULL;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32);
}

constexpr std::uint32_t tag_of(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32) | 1;  // never 0: empty
}

// The way that a block takes if it is free. Most blocks are at home, so a
// lookup asks memory for that slot at once, and not only when it has the tags.
constexpr std::size_t home_of(std::uint64_t hash) {
  return static_cast<std::size_t>(hash >> 61);  // of eight ways
}
static_assert(kWays == 8);

class ClockCache final : public BlockCache {
 public:
  ClockCache(std::size_t capacity_bytes, std::size_t expected_block_bytes)
      : capacity_(capacity_bytes),
        sets_(std::bit_ceil(std::max<std::size_t>(
            1, 2 * capacity_bytes /
                   std::max<std::size_t>(1, expected_block_bytes) / kWays))) {}

  BlockPin lookup(BlockKey key) override {
    const std::uint64_t hash = hash_of(key);
    Counters& counters = counters_[hash % counters_.size()];
    BlockPin pin = find(key, hash);
    (pin ? counters.hits : counters.misses)
        .fetch_add(1, std::memory_order_relaxed);
    return pin;
  }

  BlockPin insert(BlockKey key, BlockBytes bytes, bool scan) override {
    // ANCHOR: task-2-7-2 ClockCache::insert
    const std::uint64_t hash = hash_of(key);
    if (BlockPin pin = find(key, hash)) return pin;  // another was faster
    Slot* slot = reserve(bytes.size_bytes, scan)
                     ? claim(hash, bytes.size_bytes, scan)
                     : nullptr;
    const bool kept = slot != nullptr;
    if (!kept) slot = new Slot;
    const std::string_view view = bytes.view();
    slot->key = key;
    slot->bytes = std::move(bytes);
    slot->kept = kept;
    if (kept) {
      Set& set = set_of(hash);
      const auto way = static_cast<std::size_t>(slot - set.slots.data());
      // Release pairs with the acquire in find(): who sees live sees the bytes.
      slot->state.fetch_add(
          kLive - kBusy + kOneReference + (scan ? 0 : kOneTick),
          std::memory_order_release);
      set.tags[way].store(tag_of(hash), std::memory_order_release);
    }
    return {this, slot, view};
    // ANCHOR_END: task-2-7-2
  }

  void charge(std::size_t bytes) override {
    // ANCHOR: task-2-7-4 ClockCache::charge
    used_.fetch_add(bytes, std::memory_order_relaxed);
    make_room();
    // ANCHOR_END: task-2-7-4
  }
  void uncharge(std::size_t bytes) override {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  std::uint64_t new_table_id() override {
    return next_id_.fetch_add(1, std::memory_order_relaxed);
  }

  CacheStats stats() const override {
    CacheStats stats;
    for (const Counters& counters : counters_) {
      stats.hits += counters.hits.load(std::memory_order_relaxed);
      stats.misses += counters.misses.load(std::memory_order_relaxed);
    }
    stats.evictions = evictions_.load(std::memory_order_relaxed);
    stats.used_bytes = used_.load(std::memory_order_relaxed);
    stats.capacity_bytes = capacity_;
    return stats;
  }

 protected:
  void release(void* handle) noexcept override {
    auto* slot = static_cast<Slot*>(handle);
    if (!slot->kept) {
      delete slot;
      return;
    }
    // Release pairs with the acquire of the eviction that sees no reference.
    slot->state.fetch_sub(kOneReference, std::memory_order_release);
  }

 private:
  Set& set_of(std::uint64_t hash) { return sets_[hash & (sets_.size() - 1)]; }

  BlockPin find(BlockKey key, std::uint64_t hash) {
    // ANCHOR: task-2-7-1 ClockCache::find
    Set& set = set_of(hash);
    const std::size_t home = home_of(hash);
    __builtin_prefetch(&set.slots[home]);
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t i = 0; i < kWays; ++i) {
      const std::size_t way = (home + i) % kWays;
      if (set.tags[way].load(std::memory_order_relaxed) != tag) continue;
      Slot& slot = set.slots[way];
      const std::uint64_t seen =
          slot.state.fetch_add(kOneReference, std::memory_order_acquire);
      if ((seen & kPhase) == kLive && slot.key == key) {  // I2
        if ((seen & kClock) != kClock) {
          slot.state.fetch_or(kClock, std::memory_order_relaxed);
        }
        return {this, &slot, slot.bytes.view()};
      }
      slot.state.fetch_sub(kOneReference, std::memory_order_release);
    }
    return {};
    // ANCHOR_END: task-2-7-1
  }

  // Takes `bytes` from the budget, evicting for it unless a scan asks.
  bool reserve(std::size_t bytes, bool scan) {
    // ANCHOR: task-2-7-2 ClockCache::reserve
    const std::size_t used =
        used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (used <= capacity_ || (!scan && make_room())) return true;
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
    // ANCHOR_END: task-2-7-2
  }

  // Sweeps the hand until what is used fits; false if too much is pinned.
  bool make_room() {
    // ANCHOR: task-2-7-3 ClockCache::make_room
    const std::size_t slots = sets_.size() * kWays;
    for (std::size_t step = 0; step < 5 * slots; ++step) {
      if (used_.load(std::memory_order_relaxed) <= capacity_) return true;
      const std::size_t at =
          hand_.fetch_add(1, std::memory_order_relaxed) % slots;
      if (Slot* slot = evict(sets_[at / kWays], at % kWays)) free(*slot);
    }
    return used_.load(std::memory_order_relaxed) <= capacity_;
    // ANCHOR_END: task-2-7-3
  }

  // A busy slot of the set, its room already reserved, or null after giving
  // the reservation back.
  Slot* claim(std::uint64_t hash, std::size_t reserved, bool scan) {
    // ANCHOR: task-2-7-2 ClockCache::claim
    Set& set = set_of(hash);
    for (std::size_t i = 0; i < kWays; ++i) {
      Slot& slot = set.slots[(home_of(hash) + i) % kWays];
      std::uint64_t empty = kEmpty;
      if (slot.state.compare_exchange_strong(empty, kBusy,
                                             std::memory_order_acquire)) {
        return &slot;
      }
    }
    // The set is full: the first of its slots to run out of clock goes.
    for (int round = 0; !scan && round < 4; ++round) {
      for (std::size_t way = 0; way < kWays; ++way) {
        if (Slot* slot = evict(set, way)) return slot;
      }
    }
    used_.fetch_sub(reserved, std::memory_order_relaxed);
    return nullptr;
    // ANCHOR_END: task-2-7-2
  }

  // Makes the slot busy and takes its block out, if nobody holds it and its
  // clock has run out; otherwise takes one tick off the clock.
  Slot* evict(Set& set, std::size_t way) {
    // ANCHOR: task-2-7-3 ClockCache::evict
    Slot& slot = set.slots[way];
    std::uint64_t seen = slot.state.load(std::memory_order_relaxed);
    if ((seen & kPhase) != kLive || (seen & kReferences) != 0) return nullptr;
    if ((seen & kClock) != 0) {
      slot.state.compare_exchange_strong(seen, seen - kOneTick,
                                         std::memory_order_relaxed);
      return nullptr;
    }
    // Acquire pairs with the release of the last reference's holder.
    if (!slot.state.compare_exchange_strong(seen, kBusy,
                                            std::memory_order_acquire)) {
      return nullptr;
    }
    set.tags[way].store(0, std::memory_order_relaxed);
    used_.fetch_sub(slot.bytes.size_bytes, std::memory_order_relaxed);
    slot.bytes = {};
    evictions_.fetch_add(1, std::memory_order_relaxed);
    return &slot;
    // ANCHOR_END: task-2-7-3
  }

  // Busy to empty, keeping references that passing readers hold.
  static void free(Slot& slot) {
    slot.state.fetch_sub(kBusy - kEmpty, std::memory_order_release);
  }

  const std::size_t capacity_;
  std::vector<Set> sets_;
  std::array<Counters, 8> counters_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> hand_{0};
  std::atomic<std::uint64_t> evictions_{0};
  std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace

std::shared_ptr<BlockCache> make_clock_cache(std::size_t capacity_bytes,
                                             std::size_t expected_block_bytes) {
  return std::make_shared<ClockCache>(capacity_bytes, expected_block_bytes);
}

}  // namespace lsm

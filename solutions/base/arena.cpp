#include "base/arena.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lsm {

namespace {

// Blocks begin on a page, those of 2 MiB and more on a huge page.
constexpr std::size_t kPageBytes = 4096;

constexpr std::size_t alignment_of(std::size_t size_bytes) {
  return size_bytes >= Arena::kLargestBlockBytes ? Arena::kLargestBlockBytes
                                                 : kPageBytes;
}

}  // namespace

// Both alignments go through one deleter: malloc's free needs no size.
void Arena::FreeBlock::operator()(char* block) const noexcept {
  std::free(block);
}

char* Arena::new_block(std::size_t size_bytes) {
  const std::size_t alignment = alignment_of(size_bytes);
  const std::size_t rounded = (size_bytes + kPageBytes - 1) & ~(kPageBytes - 1);
  void* const block = std::aligned_alloc(
      alignment, (rounded + alignment - 1) & ~(alignment - 1));
  if (block == nullptr) throw std::bad_alloc();
  blocks_.emplace_back(static_cast<char*>(block));
#if defined(__linux__)
  if (alignment == kLargestBlockBytes) {
    // A wish: without huge pages it is only slower.
    static_cast<void>(madvise(block, rounded, MADV_HUGEPAGE));
  }
#endif
  memory_bytes_.store(memory_bytes() + rounded, std::memory_order_relaxed);
  return static_cast<char*>(block);
}

void* Arena::allocate_slow(std::size_t rounded) {
  const std::size_t block_bytes =
      std::clamp(memory_bytes(), kSmallestBlockBytes, kLargestBlockBytes);
  if (rounded > block_bytes / 4) return new_block(rounded);
  char* const block = new_block(block_bytes);
  next_ = block + rounded;
  limit_ = block + block_bytes;
  return block;
}

}  // namespace lsm

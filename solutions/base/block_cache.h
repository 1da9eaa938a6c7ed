// Keeps verified, decompressed blocks in memory. A lookup hands out a pin: as
// long as the pin lives, the bytes stay, whatever the cache evicts meanwhile.
//
//   lookup(key) ──hit──► BlockPin ──bytes()──► view
//        └─miss─► read, verify, decompress ──insert(key, bytes)──► BlockPin
//
// I1 A pin's bytes never change or move while it lives.
// I2 Bytes held (unpinned blocks and charges) stay within the capacity; pinned
//    blocks may exceed it only by what readers hold right now.
// I3 insert always yields a pin on usable bytes, even if the cache keeps
//    nothing, or another thread inserted the same block first.
// Thread safety: any thread. A pin belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace lsm {

// A block's bytes on the heap, without std::string's zeroing and slack.
struct BlockBytes {
  std::unique_ptr<char[]> data;
  std::size_t size_bytes = 0;

  std::string_view view() const { return {data.get(), size_bytes}; }
};

class BlockCache;

class BlockPin {
 public:
  BlockPin() = default;
  // For implementers of BlockCache: `owner->release(handle)` is called once.
  BlockPin(BlockCache* owner, void* handle, std::string_view bytes)
      : owner_(owner), handle_(handle), bytes_(bytes) {}
  BlockPin(BlockPin&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        handle_(std::exchange(other.handle_, nullptr)),
        bytes_(std::exchange(other.bytes_, {})) {}
  BlockPin& operator=(BlockPin&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(handle_, other.handle_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BlockPin();

  explicit operator bool() const { return owner_ != nullptr; }
  std::string_view bytes() const { return bytes_; }

 private:
  BlockCache* owner_ = nullptr;
  void* handle_ = nullptr;
  std::string_view bytes_;
};

// Which block: `table` comes from BlockCache::new_table_id, so that a cache
// shared by stores never confuses their files.
struct BlockKey {
  std::uint64_t table = 0;
  std::uint64_t offset = 0;

  friend bool operator==(const BlockKey&, const BlockKey&) = default;
};

struct CacheStats {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;
  std::size_t used_bytes = 0;  // blocks held and charges
  std::size_t capacity_bytes = 0;
};

class BlockCache {
 public:
  virtual ~BlockCache() = default;  // no pin may outlive the cache

  // An empty pin is a miss.
  virtual BlockPin lookup(BlockKey key) = 0;
  // `scan` marks a block read by a scan: it must not push out the hot set.
  virtual BlockPin insert(BlockKey key, BlockBytes bytes, bool scan) = 0;
  // Accounts memory held elsewhere on the cache's budget: indexes and filters
  // of open tables. Takes back with uncharge.
  virtual void charge(std::size_t bytes) = 0;
  virtual void uncharge(std::size_t bytes) = 0;
  virtual std::uint64_t new_table_id() = 0;
  virtual CacheStats stats() const = 0;

 protected:
  friend class BlockPin;
  virtual void release(void* handle) noexcept = 0;
};

inline BlockPin::~BlockPin() {
  if (owner_ != nullptr) owner_->release(handle_);
}

// The simplest one: keeps nothing; a pin owns its block.
std::shared_ptr<BlockCache> make_no_cache();

}  // namespace lsm

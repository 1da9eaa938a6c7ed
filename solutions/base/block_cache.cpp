#include "base/block_cache.h"

#include <atomic>

namespace lsm {

namespace {

class NoCache final : public BlockCache {
 public:
  BlockPin lookup(BlockKey) override {
    misses_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  BlockPin insert(BlockKey, BlockBytes bytes, bool) override {
    const std::string_view view = bytes.view();
    return {this, bytes.data.release(), view};
  }
  void charge(std::size_t) override {}
  void uncharge(std::size_t) override {}
  std::uint64_t new_table_id() override {
    return next_id_.fetch_add(1, std::memory_order_relaxed);
  }
  CacheStats stats() const override {
    CacheStats stats;
    stats.misses = misses_.load(std::memory_order_relaxed);
    return stats;
  }

 protected:
  void release(void* handle) noexcept override {
    delete[] static_cast<char*>(handle);
  }

 private:
  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<std::uint64_t> misses_{0};
};

}  // namespace

std::shared_ptr<BlockCache> make_no_cache() {
  return std::make_shared<NoCache>();
}

}  // namespace lsm

// std::map behind one lock: what a program does before it needs a store.
// It keeps nothing: a sync costs nothing and a crash loses everything, so
// its write rates are a bound on memory and not a rival.
#include <map>
#include <mutex>
#include <shared_mutex>

#include "store.h"

namespace lsm::bench {
namespace {

using Map = std::map<std::string, std::string, std::less<>>;

struct Shared {
  std::shared_mutex mutex;
  Map map;
};

class MapReader final : public Reader {
 public:
  explicit MapReader(Shared* shared) : shared_(shared) {}

  bool get(std::string_view key, std::string* value) override {
    std::shared_lock lock(shared_->mutex);
    auto at = shared_->map.find(key);
    if (at == shared_->map.end()) return false;
    *value = at->second;
    return true;
  }

  void seek(std::string_view key, std::uint64_t nexts, bool /*fresh*/,
            Walk* seen) override {
    std::shared_lock lock(shared_->mutex);
    auto at = shared_->map.lower_bound(key);
    for (; at != shared_->map.end(); ++at) {
      seen->take(at->first, at->second);
      if (nexts-- == 0) break;
    }
  }

  void scan(Direction direction, Walk* seen) override {
    std::shared_lock lock(shared_->mutex);
    const Map& map = shared_->map;
    if (direction == Direction::forward) {
      for (const auto& [key, value] : map)
        seen->take(key, value);
    } else {
      for (auto at = map.rbegin(); at != map.rend(); ++at) {
        seen->take(at->first, at->second);
      }
    }
  }

 private:
  Shared* shared_;
};

class MapStore final : public Store {
 public:
  void put(std::string_view key, std::string_view value,
           bool /*sync*/) override {
    std::unique_lock lock(shared_.mutex);
    auto at = shared_.map.lower_bound(key);
    if (at != shared_.map.end() && at->first == key) {
      at->second = value;
    } else {
      shared_.map.emplace_hint(at, key, value);
    }
  }
  std::unique_ptr<Reader> reader() override {
    return std::make_unique<MapReader>(&shared_);
  }
  void wait_idle() override {}
  void flush() override {}
  void compact_all() override {}
  std::optional<std::uint64_t> bytes_written() override { return {}; }
  std::optional<std::uint64_t> live_bytes() override { return {}; }
  void close() override {}

 private:
  Shared shared_;
};

}  // namespace

std::unique_ptr<Store> open_map() {
  return std::make_unique<MapStore>();
}

}  // namespace lsm::bench

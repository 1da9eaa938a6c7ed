#include <algorithm>
#include <map>
#include <utility>

#include "base/sync.h"
#include "lsm/compaction_filters.h"

namespace lsm {
namespace {

class PrefixSet final : public DroppedPrefixes {
 public:
  void add(std::string prefix, Sequence up_to) override {
    const MutexLock lock(mutex_);
    // ANCHOR: task-3-3-1 DroppedPrefixes::add
    const std::size_t length = prefix.size();
    const auto [at, added] = by_prefix_.try_emplace(std::move(prefix), up_to);
    if (added) {
      ++lengths_[length];
    } else {
      at->second = std::max(at->second, up_to);
    }
    // ANCHOR_END: task-3-3-1
  }

  void forget(std::string_view prefix) override {
    const MutexLock lock(mutex_);
    // ANCHOR: task-3-3-1 DroppedPrefixes::forget
    const auto at = by_prefix_.find(prefix);
    if (at == by_prefix_.end()) return;
    by_prefix_.erase(at);
    const auto length = lengths_.find(prefix.size());
    if (--length->second == 0) lengths_.erase(length);
    // ANCHOR_END: task-3-3-1
  }

  bool keep(const InternalKey& key, std::string_view) const override {
    const MutexLock lock(mutex_);
    // ANCHOR: task-3-3-1 DroppedPrefixes::keep
    for (const auto& [length, count] : lengths_) {
      if (length > key.user.size()) break;
      const auto at = by_prefix_.find(key.user.substr(0, length));
      if (at != by_prefix_.end() && key.sequence() <= at->second) return false;
    }
    return true;
    // ANCHOR_END: task-3-3-1
  }

 private:
  mutable Mutex mutex_;
  // The last sequence that each prefix gives up.
  std::map<std::string, Sequence, std::less<>> by_prefix_
      LSM_GUARDED_BY(mutex_);
  // ANCHOR: hide-lengths
  // How many prefixes there are of each length: a key has one candidate of
  // each, however many prefixes there are.
  std::map<std::size_t, std::size_t> lengths_ LSM_GUARDED_BY(mutex_);
  // ANCHOR_END: hide-lengths
};

}  // namespace

std::shared_ptr<DroppedPrefixes> make_dropped_prefixes() {
  return std::make_shared<PrefixSet>();
}

}  // namespace lsm

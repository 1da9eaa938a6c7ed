#include <algorithm>
#include <map>
#include <utility>

#include "base/sync.h"
#include "lsm/compaction_filters.h"
#include "base/todo.h"

namespace lsm {
namespace {

class PrefixSet final : public DroppedPrefixes {
 public:
  void add(std::string prefix, Sequence up_to) override {
    const MutexLock lock(mutex_);
    // Task 1: DroppedPrefixes::add
    LSM_TODO("3.3 task 1", "DroppedPrefixes::add");
  }

  void forget(std::string_view prefix) override {
    const MutexLock lock(mutex_);
    // Task 1: DroppedPrefixes::forget
    LSM_TODO("3.3 task 1", "DroppedPrefixes::forget");
  }

  bool keep(const InternalKey& key, std::string_view) const override {
    const MutexLock lock(mutex_);
    // Task 1: DroppedPrefixes::keep
    LSM_TODO("3.3 task 1", "DroppedPrefixes::keep");
  }

 private:
  mutable Mutex mutex_;
  // The last sequence that each prefix gives up.
  std::map<std::string, Sequence, std::less<>> by_prefix_
      LSM_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<DroppedPrefixes> make_dropped_prefixes() {
  return std::make_shared<PrefixSet>();
}

}  // namespace lsm

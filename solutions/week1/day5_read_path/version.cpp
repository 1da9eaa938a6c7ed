#include "version.h"

#include <atomic>
#include <utility>

#include "base/filter_policy.h"
#include "concat.h"
#include "merge.h"
#include "visible.h"

namespace lsm {

Result<bool> Version::get(std::string_view user, Sequence at,
                          std::string& value) const {
  // ANCHOR: task-1-5-2 Version::get
  std::string_view found;
  Lookup lookup = active->get(user, at, found);
  for (std::size_t i = 0; lookup == Lookup::absent && i < frozen.size(); ++i) {
    lookup = frozen[i]->get(user, at, found);
  }
  if (lookup != Lookup::absent) {
    if (lookup == Lookup::value) value.assign(found);
    return lookup == Lookup::value;
  }
  const std::uint64_t hash = filter_hash(user);
  for (int level = 0; level < kMaxLevels; ++level) {
    for (const RunPtr& run : tree->level(level)) {
      const TableHandle* handle = run->find(user);
      if (handle == nullptr) continue;
      LSM_ASSIGN_OR_RETURN(const Table* table, handle->table());
      LSM_ASSIGN_OR_RETURN(lookup, table->get(user, hash, at, value));
      if (lookup != Lookup::absent) return lookup == Lookup::value;  // I1
    }
  }
  return false;
  // ANCHOR_END: task-1-5-2
}

namespace {

// What a scan needs to stay alive for as long as it reads.
struct ScanPin {
  VersionPtr version;
  std::shared_ptr<const void> outer;
};

}  // namespace

std::unique_ptr<UserIterator> scan(VersionPtr version, Sequence at,
                                   ScanRange range,
                                   std::shared_ptr<const void> pin) {
  // ANCHOR: task-1-5-3 scan
  std::vector<std::unique_ptr<InternalIterator>> sources;
  sources.push_back(version->active->iterator());
  for (const auto& memtable : version->frozen) {
    sources.push_back(memtable->iterator());
  }
  for (int level = 0; level < kMaxLevels; ++level) {
    for (const RunPtr& run : version->tree->level(level)) {
      sources.push_back(make_concat_iterator(*run));
    }
  }
  return make_visible_iterator(
      make_merge_iterator(std::move(sources)), at, std::move(range),
      std::make_shared<const ScanPin>(std::move(version), std::move(pin)));
  // ANCHOR_END: task-1-5-3
}

// ANCHOR: hide-stripe-index
namespace {

// Threads take stripes in turn, so that two readers seldom share one.
std::size_t stripe_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine =
      next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace
// ANCHOR_END: hide-stripe-index

VersionPtr VersionCell::current() const {
  // ANCHOR: task-1-5-4 VersionCell::current
  const Stripe& stripe = stripes_[stripe_of_this_thread() % kStripes];
  const MutexLock lock(stripe.mutex);
  return stripe.version;
  // ANCHOR_END: task-1-5-4
}

void VersionCell::publish(const VersionPtr& version) {
  // ANCHOR: task-1-5-4 VersionCell::publish
  for (Stripe& stripe : stripes_) {
    // A control block of its own, so that readers of two stripes do not pull
    // one reference count back and forth between their cores.
    VersionPtr own(version.get(), [version](const Version*) {});
    {
      const MutexLock lock(stripe.mutex);
      stripe.version.swap(own);
    }
    // `own` holds the Version before: if this was its last owner it dies
    // here, outside the lock.
  }
  // ANCHOR_END: task-1-5-4
}

}  // namespace lsm

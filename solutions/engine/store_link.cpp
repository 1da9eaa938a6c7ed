#include "engine/store_link.h"

#include <utility>

#include "engine/engine.h"

namespace lsm {

Result<Engine*> StoreLink::engine() const {
  Engine* const engine = engine_.load();
  if (engine == nullptr) return fail(Code::closed, "the store is closed");
  return engine;
}

Result<bool> StoreLink::get_in(const VersionPtr& version, std::string_view key,
                               Sequence at, std::string& value) const {
  LSM_ASSIGN_OR_RETURN(Engine* const store, engine());
  return store->get_at(version, key, at, value);
}

std::unique_ptr<UserIterator> StoreLink::scan_in(
    const VersionPtr& version, ScanRange range, Sequence at,
    std::shared_ptr<const void> pin) const {
  auto store = engine();
  if (!store) {
    return std::make_unique<ErrorIterator<std::string_view>>(store.error());
  }
  return (*store)->scan_at(version, std::move(range), at, std::move(pin));
}

Result<void> StoreLink::commit(WriteRequest& request) {
  LSM_ASSIGN_OR_RETURN(Engine* const store, engine());
  return store->submit(request);
}

void StoreLink::released() {
  const MutexLock lock(mutex_);
  if (Engine* const engine = engine_.load()) engine->on_snapshot_released();
}

void StoreLink::cut() {
  const MutexLock lock(mutex_);
  engine_.store(nullptr);
}

}  // namespace lsm

// The Engine as snapshots and transactions see it. They may outlive it: the
// link stays behind and answers `closed`.
//
//   Transaction ─► Snapshot ─► StoreLink ─► Engine      while it lives
//                              StoreLink ─► ∅           afterwards
//
// Lifetime: shared by whatever was handed out; the Engine cuts it in its
// destructor. As everywhere, no call may run beside the destructor of the Db;
// only giving a snapshot up may.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/store.h"
#include "base/sync.h"
#include "version.h"

namespace lsm {

class Engine;

class StoreLink final : public Store {
 public:
  explicit StoreLink(Engine& engine) : engine_(&engine) {}

  Result<bool> get(std::string_view key, Sequence at,
                   std::string& value) const override {
    return get_in(nullptr, key, at, value);
  }
  std::unique_ptr<UserIterator> scan(
      ScanRange range, Sequence at,
      std::shared_ptr<const void> pin) const override {
    return scan_in(nullptr, std::move(range), at, std::move(pin));
  }
  Result<void> commit(WriteRequest& request) override;

  // The same reads of `version`; null: of the current one.
  Result<bool> get_in(const VersionPtr& version, std::string_view key,
                      Sequence at, std::string& value) const;
  std::unique_ptr<UserIterator> scan_in(const VersionPtr& version,
                                        ScanRange range, Sequence at,
                                        std::shared_ptr<const void> pin) const;
  // The oldest snapshot has been given up: what it kept may go.
  void released();
  void cut();

 private:
  // Errors: closed.
  Result<Engine*> engine() const;

  std::atomic<Engine*> engine_;
  Mutex mutex_;  // between released and cut
};

// The same store, read from one Version whatever the tree becomes.
class PinnedStore final : public Store {
 public:
  PinnedStore(std::shared_ptr<StoreLink> link, VersionPtr version)
      : link_(std::move(link)), version_(std::move(version)) {}

  Result<bool> get(std::string_view key, Sequence at,
                   std::string& value) const override {
    return link_->get_in(version_, key, at, value);
  }
  std::unique_ptr<UserIterator> scan(
      ScanRange range, Sequence at,
      std::shared_ptr<const void> pin) const override {
    return link_->scan_in(version_, std::move(range), at, std::move(pin));
  }
  Result<void> commit(WriteRequest& request) override {
    return link_->commit(request);
  }

 private:
  const std::shared_ptr<StoreLink> link_;
  const VersionPtr version_;
};

}  // namespace lsm

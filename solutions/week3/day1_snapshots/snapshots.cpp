#include "snapshots.h"

#include <utility>

#include "base/not_implemented.h"

namespace lsm {

// The hold.

SnapshotRegistry::Pin::Pin(Pin&& other) noexcept
    : registry_(std::move(other.registry_)),
      sequence_(std::exchange(other.sequence_, 0)) {}

SnapshotRegistry::Pin& SnapshotRegistry::Pin::operator=(Pin&& other) noexcept {
  if (this == &other) return *this;
  end();
  registry_ = std::move(other.registry_);
  sequence_ = std::exchange(other.sequence_, 0);
  return *this;
}

SnapshotRegistry::Pin::~Pin() {
  end();
}

void SnapshotRegistry::Pin::end() noexcept {
  try {
    release();
  } catch (const NotImplemented&) {
    // A task still to be written cannot leave a destructor.
  }
}

void SnapshotRegistry::Pin::release() {
  // ANCHOR: task-3-1-2 Pin::release
  if (registry_ == nullptr) return;
  // Empty before anybody is told: on_release may come back to this Pin.
  const std::shared_ptr<SnapshotRegistry> registry = std::move(registry_);
  const bool moved = registry->unregister(std::exchange(sequence_, 0));
  if (moved && registry->on_release_) registry->on_release_();  // I5
  // ANCHOR_END: task-3-1-2
}

// The list.

std::shared_ptr<SnapshotRegistry> SnapshotRegistry::create(
    std::function<Sequence()> visible, std::function<void()> on_release) {
  return std::shared_ptr<SnapshotRegistry>(
      new SnapshotRegistry(std::move(visible), std::move(on_release)));
}

SnapshotRegistry::Pin SnapshotRegistry::take() {
  // ANCHOR: task-3-1-1 SnapshotRegistry::take
  const MutexLock lock(mutex_);
  return hold(visible_());  // under the lock: I2
  // ANCHOR_END: task-3-1-1
}

SnapshotRegistry::Pin SnapshotRegistry::hold(Sequence sequence) {
  // ANCHOR: task-3-1-1 SnapshotRegistry::hold
  ++holds_[sequence];
  ++count_;
  return {shared_from_this(), sequence};
  // ANCHOR_END: task-3-1-1
}

SnapshotRegistry::Pin SnapshotRegistry::take_at(Sequence sequence) {
  // ANCHOR: task-3-1-3 SnapshotRegistry::take_at
  const MutexLock lock(mutex_);
  return hold(sequence);
  // ANCHOR_END: task-3-1-3
}

bool SnapshotRegistry::unregister(Sequence sequence) {
  // ANCHOR: task-3-1-2 SnapshotRegistry::unregister
  const MutexLock lock(mutex_);
  --count_;
  const auto held = holds_.find(sequence);
  if (--held->second > 0) return false;
  const bool was_oldest = held == holds_.begin();
  holds_.erase(held);
  return was_oldest;
  // ANCHOR_END: task-3-1-2
}

std::vector<Sequence> SnapshotRegistry::live() const {
  // ANCHOR: task-3-1-1 SnapshotRegistry::live
  const MutexLock lock(mutex_);
  std::vector<Sequence> sequences;
  sequences.reserve(holds_.size());
  for (const auto& [sequence, holds] : holds_)
    sequences.push_back(sequence);
  return sequences;
  // ANCHOR_END: task-3-1-1
}

std::optional<Sequence> SnapshotRegistry::oldest() const {
  // ANCHOR: task-3-1-1 SnapshotRegistry::oldest
  const MutexLock lock(mutex_);
  if (holds_.empty()) return std::nullopt;
  return holds_.begin()->first;
  // ANCHOR_END: task-3-1-1
}

std::size_t SnapshotRegistry::count() const {
  // ANCHOR: task-3-1-1 SnapshotRegistry::count
  const MutexLock lock(mutex_);
  return count_;
  // ANCHOR_END: task-3-1-1
}

// The moment, as an application has it.

namespace {

class HeldSnapshot final : public Snapshot,
                           public std::enable_shared_from_this<HeldSnapshot> {
 public:
  HeldSnapshot(SnapshotRegistry::Pin hold, std::shared_ptr<const Store> store)
      : hold_(std::move(hold)), store_(std::move(store)) {}

  using Snapshot::get;
  Result<bool> get(std::string_view key, std::string& value) const override {
    // ANCHOR: task-3-1-4 HeldSnapshot::get
    return store_->get(key, hold_.sequence(), value);
    // ANCHOR_END: task-3-1-4
  }
  std::unique_ptr<UserIterator> scan(ScanRange range) const override {
    // ANCHOR: task-3-1-4 HeldSnapshot::scan
    return store_->scan(std::move(range), hold_.sequence(),
                        shared_from_this());  // I6
    // ANCHOR_END: task-3-1-4
  }
  Sequence sequence() const override { return hold_.sequence(); }

  bool is_of(const SnapshotRegistry& registry) const {
    return hold_.is_of(registry);
  }

 private:
  // The store goes first: once the hold is given up, and on_release called,
  // nothing of the snapshot keeps a table.
  const SnapshotRegistry::Pin hold_;
  const std::shared_ptr<const Store> store_;
};

}  // namespace

SnapshotPtr make_snapshot(SnapshotRegistry::Pin hold,
                          std::shared_ptr<const Store> store) {
  return std::make_shared<const HeldSnapshot>(std::move(hold),
                                              std::move(store));
}

bool is_of(const Snapshot& snapshot, const SnapshotRegistry& registry) {
  // ANCHOR: task-3-1-5 is_of
  const auto* held = dynamic_cast<const HeldSnapshot*>(&snapshot);
  return held != nullptr && held->is_of(registry);
  // ANCHOR_END: task-3-1-5
}

}  // namespace lsm

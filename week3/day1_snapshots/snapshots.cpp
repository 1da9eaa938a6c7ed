#include "snapshots.h"

#include <utility>

#include "base/not_implemented.h"
#include "base/todo.h"

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
  // Task 2: Pin::release
  LSM_TODO("3.1 task 2", "Pin::release");
}

// The list.

std::shared_ptr<SnapshotRegistry> SnapshotRegistry::create(
    std::function<Sequence()> visible, std::function<void()> on_release) {
  return std::shared_ptr<SnapshotRegistry>(
      new SnapshotRegistry(std::move(visible), std::move(on_release)));
}

SnapshotRegistry::Pin SnapshotRegistry::take() {
  // Task 1: SnapshotRegistry::take
  LSM_TODO("3.1 task 1", "SnapshotRegistry::take");
}

SnapshotRegistry::Pin SnapshotRegistry::hold(Sequence sequence) {
  // Task 1: SnapshotRegistry::hold
  LSM_TODO("3.1 task 1", "SnapshotRegistry::hold");
}

SnapshotRegistry::Pin SnapshotRegistry::take_at(Sequence sequence) {
  // Task 3: SnapshotRegistry::take_at
  LSM_TODO("3.1 task 3", "SnapshotRegistry::take_at");
}

bool SnapshotRegistry::unregister(Sequence sequence) {
  // Task 2: SnapshotRegistry::unregister
  LSM_TODO("3.1 task 2", "SnapshotRegistry::unregister");
}

std::vector<Sequence> SnapshotRegistry::live() const {
  // Task 1: SnapshotRegistry::live
  LSM_TODO("3.1 task 1", "SnapshotRegistry::live");
}

std::optional<Sequence> SnapshotRegistry::oldest() const {
  // Task 1: SnapshotRegistry::oldest
  LSM_TODO("3.1 task 1", "SnapshotRegistry::oldest");
}

std::size_t SnapshotRegistry::count() const {
  // Task 1: SnapshotRegistry::count
  LSM_TODO("3.1 task 1", "SnapshotRegistry::count");
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
    // Task 4: HeldSnapshot::get
    LSM_TODO("3.1 task 4", "HeldSnapshot::get");
  }
  std::unique_ptr<UserIterator> scan(ScanRange range) const override {
    // Task 4: HeldSnapshot::scan
    LSM_TODO("3.1 task 4", "HeldSnapshot::scan");
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
  // Task 5: is_of
  LSM_TODO("3.1 task 5", "is_of");
}

}  // namespace lsm

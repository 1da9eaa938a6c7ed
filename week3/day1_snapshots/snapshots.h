// A snapshot is a number and a registration: the sequence it reads at, and a
// hold on the list from which a compaction learns what is still read.
//
//   take() ─► Pin 3 ─┐   holds, by sequence         live()   3 7
//   take() ─► Pin 7 ─┼─► 3: 1                       oldest() 3
//   take() ─► Pin 7 ─┘   7: 2                       count()  3
//
//   the watermark is oldest(): what lies above it, somebody may ask for
//
//   Pin 3 ends       7: 2    live() 7   on_release: the oldest has moved up
//   a Pin 7 ends     7: 1    live() 7
//   the other ends           live() -   on_release: the last one has gone
//
// I1 A hold is on the list from before take() returns until its Pin ends:
//    once taken, given up once, by whoever owns the Pin last.
// I2 take() reads the visible sequence under the lock that live() takes. So of
//    a take() and a live() one comes first: live() has the hold, or the hold
//    reads at what was visible after live() was asked, or later.
// I3 A compaction chooses its inputs first and asks live() second. What its
//    inputs hold was visible before: a snapshot that is not on the list reads
//    at or above all of it, and is served by the newest stripe.
// I4 live() ascends and names each sequence once; count() counts holds.
// I5 on_release is called after the oldest held sequence has moved up or the
//    last hold has gone, never otherwise, with no lock held: it may ask the
//    registry, take and give up.
// I6 A Snapshot is its scans' as well: the hold ends with the last of them.
// Cost: a lock and O(log n) in the distinct sequences held, with a node for a
// new one. Nothing is copied; a read through a snapshot costs what any does.
// Lifetime: every Pin keeps its registry. `visible` and on_release are the
// store's: it hands out what outlives it, or nothing.
// Thread safety: any thread; one Pin, one thread at a time.
// Source: LevelDB's db/snapshot.h, a list of its own in the order of taking.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/key.h"
#include "base/store.h"
#include "base/sync.h"
#include "lsm/snapshot.h"

namespace lsm {

class SnapshotRegistry : public std::enable_shared_from_this<SnapshotRegistry> {
 public:
  // ANCHOR: show-pin
  // One hold. Move-only; made without one, or moved from, it holds nothing.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&& other) noexcept;  // gives up what it held
    ~Pin();

    // Gives the hold up now instead of at the end. Again: nothing.
    void release();

    // What it holds; 0 when it holds nothing.
    Sequence sequence() const { return sequence_; }
    bool is_of(const SnapshotRegistry& registry) const {
      return registry_.get() == &registry;
    }

   private:
    friend class SnapshotRegistry;
    Pin(std::shared_ptr<SnapshotRegistry> registry, Sequence sequence)
        : registry_(std::move(registry)), sequence_(sequence) {}
    void end() noexcept;

    std::shared_ptr<SnapshotRegistry> registry_;
    Sequence sequence_ = 0;
  };
  // ANCHOR_END: show-pin

  // `visible` says up to where writes are seen. It is asked under the lock, so
  // it must not call the registry; on_release may, and may not throw.
  static std::shared_ptr<SnapshotRegistry> create(
      std::function<Sequence()> visible, std::function<void()> on_release = {});

  // Holds what is visible now.
  Pin take();
  // One more hold on a moment that somebody holds already, here or in another
  // registry of the store: nobody can bring back one that was given up.
  Pin take_at(Sequence sequence);

  // What is held, ascending.
  std::vector<Sequence> live() const;
  // The watermark; nothing when nothing is held.
  std::optional<Sequence> oldest() const;
  std::size_t count() const;

 private:
  SnapshotRegistry(std::function<Sequence()> visible,
                   std::function<void()> on_release)
      : visible_(std::move(visible)), on_release_(std::move(on_release)) {}

  // Puts one more hold on the list.
  Pin hold(Sequence sequence) LSM_REQUIRES(mutex_);
  // Takes one hold off; says whether the oldest has moved up, or gone.
  bool unregister(Sequence sequence);

  const std::function<Sequence()> visible_;
  const std::function<void()> on_release_;
  // Before any lock that `visible` takes.
  mutable Mutex mutex_;
};

// Reads `store` at what `hold` holds; its scans keep it (I6).
SnapshotPtr make_snapshot(SnapshotRegistry::Pin hold,
                          std::shared_ptr<const Store> store);

// Whether it was made of a hold of this registry: by this store, so that its
// sequence means something here.
bool is_of(const Snapshot& snapshot, const SnapshotRegistry& registry);

}  // namespace lsm

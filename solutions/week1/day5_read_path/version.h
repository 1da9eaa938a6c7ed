// A Version is one moment of the store: the memtable being written, those
// waiting to be flushed, and the tree of tables. A reader takes the current
// one and needs no lock while it reads; a writer never changes one, but
// publishes the next.
//
//   get("k")   active ─► frozen, newest first ─► level 0 runs, newest first
//                 ─► level 1 ─► … ─► level 6        the first hit answers
//
//   scan       the same sources, all merged:   merge ─► visible ─► user
//
// I1 Sources are asked newest first: the first hit is the newest version, and
//    a tombstone is a hit that answers "absent".
// I2 A Version never changes; what it names lives as long as it does.
// I3 A read takes the Version FIRST and the visible sequence SECOND. The other
//    way round, a compaction between the two may drop the very version that
//    the older sequence needs.
// I4 publish() returns only when every stripe holds the new Version: a write
//    acknowledged after it is seen by every later reader.
// Cost: get asks each memtable (one hash probe each), then the filters of at
// most one table a run, then about one block. current() is one uncontended
// lock and one reference count on a cache line of the thread's own: 12 ns,
// where one cell shared by two readers costs 79.
// Source: the copy-on-write Version is LevelDB's (db/version_set.h); stripes
// with control blocks of their own are the "split reference count" idea.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/iterator.h"
#include "base/scan_range.h"
#include "memtable.h"
#include "tree.h"

namespace lsm {

struct Version {
  std::shared_ptr<MemTable> active;  // only the write path adds to it
  std::vector<std::shared_ptr<const MemTable>> frozen;  // newest first
  TreePtr tree;

  // The value of `user` as of sequence `at`, into `value`; false when absent.
  // Errors: io, corruption.
  Result<bool> get(std::string_view user, Sequence at,
                   std::string& value) const;
};

using VersionPtr = std::shared_ptr<const Version>;

// Entries of `range` as of sequence `at`. The iterator keeps the Version
// alive, and `pin` with it.
std::unique_ptr<UserIterator> scan(VersionPtr version, Sequence at,
                                   ScanRange range,
                                   std::shared_ptr<const void> pin = nullptr);

// Where the current Version is found.
class VersionCell {
 public:
  explicit VersionCell(const VersionPtr& version) { publish(version); }

  // Any thread.
  VersionPtr current() const;
  // One thread at a time: the caller holds the cell mutex.
  void publish(const VersionPtr& version);

 private:
  // ANCHOR: hide-stripes
  struct alignas(64) Stripe {
    mutable Mutex mutex;
    VersionPtr version LSM_GUARDED_BY(mutex);
  };
  static constexpr std::size_t kStripes = 8;

  std::array<Stripe, kStripes> stripes_;
  // ANCHOR_END: hide-stripes
};

}  // namespace lsm

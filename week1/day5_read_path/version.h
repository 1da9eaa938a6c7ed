// A Version is one moment of the store: the memtable being written, those
// waiting to be flushed, and the tree of tables. A reader takes the current
// one and needs no lock while it reads; a writer never changes one, but
// publishes the next.
//
//   source, newest first           entries (✝ is a tombstone)
//   active                                   fig@9=red
//   frozen, newest first                               kiwi@8=hard  yak@7✝
//   level 0, newest run [12]   ant@6=busy              kiwi@5✝
//                       [11]             fig@4=ripe    kiwi@3=soft
//   level 2         [3] [7]    ant@1=idle                           yak@2=wild
//
//   get kiwi at 9   active: no; frozen: kiwi@8                       "hard"
//            at 7   kiwi@8 is too new; [12]: kiwi@5✝                 absent
//            at 4   kiwi@5 is too new; [11]: kiwi@3                  "soft"
//   get bee  at 9   [12] covers it, its filter says no; [3] and [7]
//                   do not cover it                                  absent
//   scan     at 9   ant=busy fig=red kiwi=hard
//            at 4   ant=idle fig=ripe kiwi=soft yak=wild
//
// I1 Sources are asked newest first: the first hit is the newest version, and
//    a tombstone is a hit that answers "absent". What cannot be asked is an
//    error: it may have held the newest version.
// I2 A Version never changes, but that its active memtable grows; what it
//    names lives as long as it does, and no longer.
// I3 A read takes the Version FIRST and the visible sequence SECOND. The other
//    way round, a compaction between the two may drop the very version that
//    the older sequence needs.
// I4 publish() returns only when every stripe holds the new Version: a write
//    acknowledged after it is seen by every later reader.
// Cost: get asks each memtable (one hash probe each), then the filters of at
// most one table a run, then about one block. current() is one uncontended
// lock and one reference count on a cache line of the thread's own: 12 ns,
// where one cell shared by two readers costs 79.
// Thread safety: any thread reads; one thread at a time publishes. Used by:
// 1.7 write path, which publishes; the engine, which gets and scans.
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

// ANCHOR: show-version
struct Version {
  std::shared_ptr<MemTable> active;  // only the write path adds to it
  std::vector<std::shared_ptr<const MemTable>> frozen;  // newest first
  TreePtr tree;

  // The value of `user` as of sequence `at`, into `value`; false when absent.
  // Errors: io, corruption.
  Result<bool> get(std::string_view user, Sequence at,
                   std::string& value) const;
};
// ANCHOR_END: show-version

using VersionPtr = std::shared_ptr<const Version>;

// ANCHOR: show-scan
// Entries of `range` as of sequence `at`. The iterator keeps the Version
// alive, and `pin` with it: what else the caller needs to stay.
std::unique_ptr<UserIterator> scan(VersionPtr version, Sequence at,
                                   ScanRange range,
                                   std::shared_ptr<const void> pin = nullptr);
// ANCHOR_END: show-scan

// ANCHOR: show-cell
// Where the current Version is found.
class VersionCell {
 public:
  explicit VersionCell(const VersionPtr& version) { publish(version); }

  // Any thread.
  VersionPtr current() const;
  // One thread at a time: the caller holds the cell mutex.
  void publish(const VersionPtr& version);
  // ANCHOR_END: show-cell

 private:
};

}  // namespace lsm

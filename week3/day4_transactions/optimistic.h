// A transaction that locks nothing: it reads a snapshot, gathers its writes in
// a workspace, notes what it read, and asks the store once, at commit.
//
//             get, scan ──► workspace, over the snapshot     notes: reads,
//   begin ─┬─ put, remove ─► workspace                              ranges
//          └─ commit ──────► one WriteRequest ──► Store ──► done or conflict
//                            ops, sync, intent     (the rooms 3.5 and 3.6
//                                                   say which)
//
//   bal = get("ann")       reads {ann}
//   put("ann", bal - 10)   own {ann = 90}
//   get("ann")             its own write: the store was not asked, so no note
//   get("bob")             absent, and noted: reads {ann, bob}
//   put("bob", 10)         own {ann = 90, bob = 10}
//   commit()               ops put ann, put bob; intent {at 7, ann, bob}
//
// I1 A read sees the own writes so far over the snapshot, and nothing else.
// I2 Under Isolation::serializable every key that was asked of the snapshot is
//    in the intent's `reads`, found or not, and every scan is watched by the
//    tracker. A key answered from the workspace is not noted. Under
//    Isolation::snapshot, or when read_only, nothing is noted.
// I3 commit is one request with one operation for each written key; without
//    writes the store is not asked at all, and the answer is success.
// I4 It is over after commit, whatever the answer, and after rollback. Then
//    writes, notes, snapshot and pin are given back, not sooner and not later,
//    and every call answers invalid_argument, naming how it ended.
// I5 A refused call has changed nothing: neither workspace nor notes.
// I6 While a call is allowed to grow them, workspace, noted keys and tracker
//    hold at most max_bytes together. (A scan that is open may take the
//    tracker beyond it: then nothing may grow any more, and commit refuses.)
// Cost: nothing shared is touched between begin and commit. A put is O(log n)
// in the workspace, a get a read of the snapshot and O(log r) in the notes.
// Lifetime: holds store and snapshot, never the Db. Its iterators hold what
// they read, and may outlive it.
// Thread safety: one thread at a time, its iterators included.
// Source: Kung and Robinson, "On optimistic methods for concurrency control",
// TODS 1981; Badger's txn.go.
#pragma once

#include <memory>

#include "base/scan_tracker.h"
#include "base/store.h"
#include "lsm/snapshot.h"
#include "lsm/transaction.h"

namespace lsm {

// ANCHOR: show-context
struct TransactionContext {
  std::shared_ptr<Store> store;
  SnapshotPtr snapshot;                  // what it reads
  std::shared_ptr<ScanTracker> tracker;  // its own
  TransactionOptions options;
  // Given back when it is over: so long the store keeps what the commit check
  // must know.
  std::shared_ptr<const void> pin;
};
// ANCHOR_END: show-context

// None of store, snapshot and tracker is null; options.snapshot is not asked.
std::unique_ptr<Transaction> make_transaction(TransactionContext context);

}  // namespace lsm

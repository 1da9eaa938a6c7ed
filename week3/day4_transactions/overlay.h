// Lays a transaction's own writes over what its snapshot holds, as one scan.
//
//   own writes    bee=9         dog ✝         fox=7
//   snapshot      bee=2  cat=3  dog=4  elk=5
//   ──────────────────────────────────────────────
//   overlay       bee=9  cat=3         elk=5  fox=7
//
// A merge of two, with two rules on a tie: the own write is shown, and when it
// is a removal, nothing is. Where the two stand, once something is shown:
//
//   forward, cat shown:     own at dog,  snapshot at cat
//   backward, cat shown:    own at bee,  snapshot at cat
//
// I1 Every key is shown once: by the own write where there is one, else by the
//    snapshot's entry. A removal hides the key.
// I2 Forward, each side stands on its first entry at or after what is shown;
//    backward, on its last entry at or before it. A side without such an entry
//    is not valid.
// I3 lower <= key < upper for own writes, too, whatever is sought.
// I4 An error of the snapshot's iterator ends the overlay for good, own writes
//    or not: what it could not read may lie before the next of them.
// Cost: a step of one side or of both, and a comparison of two keys; own
// removals are stepped over one by one. A change of direction is one step or
// one seek of the snapshot's side.
// Lifetime: owns the snapshot's iterator and a view of the writes. key() and
// value() live until the next move. The target of a seek is copied, and may be
// the iterator's own key(). One thread at a time.
// Used by: optimistic.h. Source: RocksDB's BaseDeltaIterator, of
// utilities/write_batch_with_index.
#pragma once

#include <memory>

#include "base/iterator.h"
#include "base/scan_range.h"
#include "workspace.h"

namespace lsm {

// `snapshot` is bounded by `range` already, and copies the target of a seek, as
// what Db::scan returns does: with no own write in range it is handed back as
// it is, and costs nothing.
std::unique_ptr<UserIterator> make_overlay_iterator(
    OwnWritesView own, std::unique_ptr<UserIterator> snapshot, ScanRange range);

}  // namespace lsm

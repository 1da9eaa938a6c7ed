// A watched scan is an iterator that notes, as it moves, which keys its user
// has learnt about: those it showed, and the gaps where there were none.
//
//   the store         b     d           k           scan of ["a", "m")
//
//   seek("c")              ▲d           read [c, d]      "c" is not there
//   next()                 └────────────▲k  [c, k]       nor "e" … "j"
//   next()                              └──► [c, m)      no more below m
//   seek_to_first()   ▲b                + [a, b]         two ranges now
//   next()            └────▲d           [a, d] with [c, m): [a, m), one
//
// I1 A seek(t) reads [t, what it lands on], and to the upper bound if it lands
//    nowhere. seek_to_first is a seek to the lower bound; seek_to_last reads
//    [what it lands on, the upper bound].
// I2 A step reads everything between the two keys, and to the bound if there is
//    no second one. Between two seeks a scan reads one range: it grows at both
//    ends, and turning around changes nothing.
// I3 Nothing is read beyond the scan's bounds, nor before the first seek.
// I4 An iterator that fails has read to its bound: who does not ask status()
//    takes the failure for the end.
// I5 What was read stays read when the iterator dies.
// Cost: a step is one comparison and the copy of a key, however long the walk;
// a seek adds one range to the tracker.
// Lifetime: a tracker and its iterators share the notes; any may die first.
// Thread safety: one thread at a time for a tracker and all its iterators.
// Used by: a transaction's scan, around the merge of workspace and snapshot.
#pragma once

#include <memory>

#include "base/scan_tracker.h"

namespace lsm {

std::shared_ptr<ScanTracker> make_scan_tracker();

}  // namespace lsm

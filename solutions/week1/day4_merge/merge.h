// Walks many sorted sources as if they were one: memtables, runs of tables,
// the inputs of a compaction.
//
//   child 0 (newest)   bee@9                    fig@8
//   child 1                        cat@4✝             fig@6
//   child 2 (oldest)         bee@2        cat@3             fig@1 yak@3
//   ───────────────────────────────────────────────────────────────────
//   merged             bee@9 bee@2 cat@4✝ cat@3 fig@8 fig@6 fig@1 yak@3
//
// The children that have an entry stand in a binary heap, the one with the
// next entry on top. A step moves the top child and lets it sink to its place:
//
//        bee@9 (0)   ── next: child 0 moves to fig@8 ──►      bee@2 (2)
//        /      \                                             /       \ .
//  cat@4✝ (1)  bee@2 (2)                               cat@4✝ (1)  fig@8 (0)
//
// I1 Order: internal keys as base/key.h orders them; were two equal, the entry
//    of the newer child comes first. (Sequences are unique, so they are not;
//    a damaged store must not make the merge ambiguous.)
// I2 Forward, every child but the top one stands on its first entry after the
//    merge's; backward, on its last entry before it. A child without such an
//    entry is not in the heap.
// I3 The first error of any child ends the merge for good: entries of the
//    other children may be hidden by what could not be read.
// Cost, k children: next and prev O(log k) comparisons and one step of one
// child; a seek seeks every child; a change of direction steps or seeks every
// child. Each child's key is cached: a comparison makes no virtual call. One
// child is handed back as it is, and costs nothing.
// Lifetime: the merge owns its children; key() and value() are the top
// child's. One thread at a time.
// Source: Knuth, The Art of Computer Programming, vol. 3, 5.4.1; LevelDB's
// table/merger.cc looks at every child at every step, RocksDB's keeps a heap.
#pragma once

#include <memory>
#include <vector>

#include "base/iterator.h"

namespace lsm {

// `newest_first`: where entries of the same key could stand in two children,
// the one with the newer comes first. May be empty.
std::unique_ptr<InternalIterator> make_merge_iterator(
    std::vector<std::unique_ptr<InternalIterator>> newest_first);

}  // namespace lsm

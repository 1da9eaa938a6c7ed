// Which versions the live snapshots can tell apart: each snapshot ends a
// stripe of sequences, and whoever reads stands at the end of one.
//
//   live snapshots     3       7
//   sequences     1 2 3│4 5 6 7│8 9 …
//   stripe          0  │   1   │  2        the newest is for reads of now
//
//   versions of k       9   8   6   5   2       2.1's rule keeps the newest of
//   stripe              2   2   1   1   0       each stripe: 9, 6 and 2
//   one watermark, 3:   9   8   6   5   2       keeps all five
//
// I1 stripe(s) is the number of live snapshots that cannot see s: those below
//    it. A snapshot sees its own sequence.
// I2 Two sequences are in one stripe exactly when every live snapshot sees
//    both or neither.
// I3 stripe() never decreases as sequences grow; there are live + 1 stripes.
// Cost: a binary search an entry that is compacted: log2 of the live snapshots.
// Thread safety: immutable; made for one compaction, of the list as it was
// after the inputs were chosen (snapshots.h, I3).
// Source: RocksDB's CompactionIterator::findEarliestVisibleSnapshot; the word
// is Pebble's (internal/compact/snapshots.go).
#pragma once

#include <cstddef>
#include <vector>

#include "base/key.h"
#include "base/retention.h"

namespace lsm {

class Stripes final : public Retention {
 public:
  // `live`: the snapshots' sequences, ascending.
  explicit Stripes(std::vector<Sequence> live);

  std::size_t stripe(Sequence sequence) const override;

 private:
  const std::vector<Sequence> live_;
};

}  // namespace lsm

// Says which versions of one key must be kept apart. Snapshots cut the line of
// sequences into stripes; of two versions in the same stripe no reader can
// see the older one.
//
//   sequences   1 2 3 │ 4 5 6 7 │ 8 9         snapshots at 3 and 7
//   stripe        0   │    1    │  2          0 is the oldest
//
// I1 stripe() never decreases as sequences grow.
// I2 A tombstone may go only from stripe 0, and only if no older version of
//    its key lies below the compaction's output.
// Thread safety: immutable; one is taken for each compaction.
#pragma once

#include <cstddef>

#include "base/key.h"

namespace lsm {

class Retention {
 public:
  virtual ~Retention() = default;
  virtual std::size_t stripe(Sequence sequence) const = 0;
};

// No snapshots: only the newest version of a key is ever read.
class OneStripe final : public Retention {
 public:
  std::size_t stripe(Sequence) const override { return 0; }
};

}  // namespace lsm

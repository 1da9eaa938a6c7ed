// Lets an application drop entries while compaction rewrites them anyway: what
// has expired, what belongs to a deleted tenant.
//
// I1 Asked only of the newest version of a key that the compaction sees, only
//    for puts, and only where no snapshot can see the entry.
// I2 A put that is given up becomes a tombstone, without a value. It goes at
//    once only where a tombstone would: from stripe 0 (retention.h), with
//    nothing older below.
#pragma once

#include <string_view>

#include "base/key.h"

namespace lsm {

class CompactionFilter {
 public:
  virtual ~CompactionFilter() = default;
  virtual bool keep(const InternalKey& key, std::string_view value) const = 0;
};

class KeepAll final : public CompactionFilter {
 public:
  bool keep(const InternalKey&, std::string_view) const override {
    return true;
  }
};

}  // namespace lsm

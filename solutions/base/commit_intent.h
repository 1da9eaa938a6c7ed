// What a transaction read and expects, as plain data: by this a CommitCheck
// decides whether it may still commit.
//
//   begin            snapshot 7
//   get("bee")       reads   {bee}            a miss counts: it was read, too
//   scan ["c","f")   ranges  [c, f)           all of it, gaps included
//   put("d", …)      the request's operations, not here
//
// I1 `snapshot`: every read saw exactly what was committed up to here.
// I2 `reads` and `ranges` cover everything that was read and nothing that was
//    only written. Under Isolation::snapshot they are empty.
// Lifetime: the transaction owns it until submit returns.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/key.h"

namespace lsm {

enum class Isolation : std::uint8_t {
  snapshot,      // reads one moment; of two writers of a key the first commits
  serializable,  // as if transactions ran one after the other
};

// Keys from `lower` (included) up to `upper`; none means to the end of the
// store.
struct ReadRange {
  std::string lower;
  std::optional<std::string> upper;
  bool upper_included = false;

  friend bool operator==(const ReadRange&, const ReadRange&) = default;
};

struct CommitIntent {
  Sequence snapshot = 0;
  Isolation isolation = Isolation::serializable;
  std::set<std::string, std::less<>> reads;
  std::vector<ReadRange> ranges;  // ascending, disjoint
};

}  // namespace lsm

// Tells a finding: what its transactions did, in the order in which they did
// it, a column for each, and why each arrow stands.
//
//   T1                                T2
//   begin
//                                     begin
//   get y = 3
//                                     get x = 2
//   put x = 4
//                                     put y = 5
//   commit
//                                     commit
//
//   T1 ─rw─► T2  T1 saw y = 3; T2 wrote y = 5, having seen that itself.
//   T2 ─rw─► T1  T2 saw x = 2; T1 wrote x = 4, having seen that itself.
//
// Only steps on the keys of the arrows are told; T1, T2 … are in the order in
// which they began.
#pragma once

#include <string>

#include "base/commit_intent.h"
#include "tools/check/checker.h"

namespace lsm::check {

std::string tell(const History& history, const Graph& graph,
                 const Finding& finding, Isolation isolation);

}  // namespace lsm::check

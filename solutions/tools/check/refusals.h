// Was every refusal due? A check that refuses too much is never wrong in what
// it lets through, so the dependency graph is silent about it. But when a
// history took turns, its order is known, and so is what the store had to
// know at each commit.
//
//   1:begin 1:get(x)=3 2:begin 2:put(y,1) 2:commit 1:put(z,1) 1:refused
//
//   1 saw x; of what it saw nothing was committed since it began: needless.
//
// A refusal is due when
//   snapshot       a key that it wrote
//   serializable   a key that it got, found or not, or that lies in a range
//                  that it scanned; its own writes are not asked about
// was committed after its snapshot, by a transaction or a plain write. Or when
// the store could no longer know: what the rules of recent_commits.h let go
// is complete only from a later commit on. Records below says what they let go.
//
// Wrong are also: blame for max_commit_records_bytes where nothing was forced
// out; a refusal that is not printable; and more records than those rules keep
// (a store may keep fewer, if it is right).
// I1 Nothing is said of a history that did not take turns.
// Cost: for each refused one, the commits since its snapshot.
#pragma once

#include <vector>

#include "base/commit_intent.h"
#include "tools/check/graph.h"
#include "tools/check/history.h"

namespace lsm::check {

std::vector<Misread> refusals_without_reason(const History& history,
                                             Isolation isolation);

}  // namespace lsm::check

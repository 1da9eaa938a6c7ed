// Ten anomalies, each as a script of two or three sessions: what may happen,
// and what the store makes of it under each isolation level.
//
//   G2-item    1:begin 2:begin 1:get(a) 1:get(b) 2:get(a) 2:get(b)
//              1:put(a,11) 2:put(b,21) 1:commit 2:commit
//   snapshot        both commit: G2-item
//   serializable    2's commit is refused
//
// Source: Kleppmann, Hermitage, 2014: the same ten in SQL, tried on seven
// databases. Ours has no row locks, so nothing waits: who loses learns so at
// commit. Where he reads rows by a predicate on their value we scan keys.
#pragma once

#include <span>
#include <string>

#include "tools/check/checker.h"
#include "tools/check/workload.h"

namespace lsm::check {

struct Script {
  const char* name;
  const char* about;  // what goes wrong where nobody prevents it
  const char* steps;  // a store that holds a = 10 and b = 20
};
std::span<const Script> hermitage();

struct Played {
  History history;    // without the transaction that wrote a and b
  std::string fate;   // "both commit", "2 is refused"
  std::string found;  // "G2-item": what of it was not serializable; or ""
};
// On a new store. Errors: any that is no conflict.
Result<Played> play(const Script& script, Isolation isolation,
                    const Subject& subject);

}  // namespace lsm::check

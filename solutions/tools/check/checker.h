// Is a history what its isolation level promises? A Verdict names what is
// wrong, smallest first, and what the level allows and is remarkable.
//
//   serializable   no cycle at all in the dependency graph
//   snapshot       only cycles with two rw arrows side by side
//
// And where the order is known (History::in_turns): no refusal without a
// reason, and no record that nobody needs (refusals.h).
//
// Why two side by side: under snapshot isolation each arrow but rw says that
// one had committed before the other began; a rw says that one had begun
// before the other committed. So in a cycle in which every rw is followed by
// another kind, each transaction begins after the one before it, and the
// first after itself. (Fekete et al., TODS 2005.) To look for such cycles
// each transaction gets two nodes, "came by rw" and "came otherwise", and a
// rw leaves only the second.
//
// Names are those of Adya's thesis: G0 … G2; and of Berenson et al. 1995.
// Cost: graph_of, and one search for components.
#pragma once

#include <string>
#include <vector>

#include "base/commit_intent.h"
#include "tools/check/graph.h"
#include "tools/check/history.h"

namespace lsm::check {

enum class Anomaly : std::uint8_t {
  garbage,       // a value that nobody wrote
  g1a,           // aborted read
  g1b,           // intermediate read
  unrepeatable,  // it contradicts itself
  early,         // G-SIa: it saw what came after its snapshot
  lost_update,   // P4
  g0,            // a cycle of ww
  g1c,           // of ww and wr
  g_single,      // with one rw
  g2_item,       // with two or more
  g2,            // with a predicate rw among them
  needless,      // a refusal without a reason
  reason,        // a refusal for a wrong reason, or one that nobody can read
  hoard,         // records that nobody needs
};
inline constexpr int kAnomalies = 14;

// Either a misread or a cycle.
struct Finding {
  Anomaly anomaly = Anomaly::garbage;
  std::vector<Edge> cycle;  // each ends where the next begins
  Misread misread;          // when the cycle is empty

  // Would there be a cycle without session and realtime arrows?
  bool timed() const;
  std::vector<std::size_t> traces() const;  // ascending, each once
};

struct Verdict {
  std::vector<Finding> wrong;    // the first: a smallest one
  std::vector<Finding> allowed;  // cycles; of snapshot isolation only
  std::size_t transactions = 0;  // committed
  std::size_t arrows = 0;
};

Verdict check(const History& history, Isolation isolation);
// The same, and the graph that it was found in.
Verdict check(const History& history, Isolation isolation, Graph& graph);

// "write skew (G2-item)"; "lost update (P4)".
std::string name_of(const Finding& finding);
// "G2-item"; with "-realtime" or "-session" for cycles that need those.
std::string short_name_of(const Finding& finding);
std::string short_name_of(Anomaly anomaly);

}  // namespace lsm::check

#include "tools/check/checker.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "tools/check/cycles.h"
#include "tools/check/refusals.h"

namespace lsm::check {
namespace {

Anomaly anomaly_of(Fault fault) {
  switch (fault) {
    case Fault::garbage:
      return Anomaly::garbage;
    case Fault::aborted:
      return Anomaly::g1a;
    case Fault::intermediate:
      return Anomaly::g1b;
    case Fault::unrepeatable:
      return Anomaly::unrepeatable;
    case Fault::early:
      return Anomaly::early;
    case Fault::needless:
      return Anomaly::needless;
    case Fault::false_blame:
    case Fault::raw_bytes:
      return Anomaly::reason;
    case Fault::hoard:
      return Anomaly::hoard;
    case Fault::lost_update:
    case Fault::forked_list:
      break;
  }
  return Anomaly::lost_update;
}

Anomaly anomaly_of(const std::vector<Edge>& cycle) {
  std::size_t rw = 0;
  bool wr = false;
  bool predicate = false;
  for (const Edge& edge : cycle) {
    rw += edge.arrow == Arrow::rw ? 1 : 0;
    wr = wr || edge.arrow == Arrow::wr;
    predicate = predicate || edge.predicate;
  }
  if (rw == 0) return wr ? Anomaly::g1c : Anomaly::g0;
  if (rw == 1) return Anomaly::g_single;
  return predicate ? Anomaly::g2 : Anomaly::g2_item;
}

// The edges between two traces: at most one rw, and one that is not.
class Arrows {
 public:
  Arrows(const Graph& graph, bool timed) {
    for (const Edge& edge : graph.edges) {
      if (timed || !edge.timed()) edges_.push_back(&edge);
    }
  }

  auto begin() const { return edges_.begin(); }
  auto end() const { return edges_.end(); }

  const Edge& between(std::size_t from, std::size_t to, bool rw) const {
    const auto range = std::ranges::equal_range(
        edges_, std::pair(from, to), {},
        [](const Edge* edge) { return std::pair(edge->from, edge->to); });
    // That which is not rw stands first.
    const bool only = range.size() == 1;
    return *range[only || !rw ? 0 : 1];
  }

 private:
  std::vector<const Edge*> edges_;
};

// Every arrow is one: from trace to trace.
class PlainGraph {
 public:
  PlainGraph(const Arrows& arrows, std::size_t traces)
      : arrows_(arrows), successors_(traces) {
    for (const Edge* edge : arrows) {
      std::vector<Node>& to = successors_[edge->from];
      const auto node = static_cast<Node>(edge->to);
      if (to.empty() || to.back() != node) to.push_back(node);
    }
  }
  const Successors& successors() const { return successors_; }
  std::vector<Edge> edges_of(const std::vector<Node>& cycle) const {
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      edges.push_back(
          arrows_.between(cycle[i], cycle[(i + 1) % cycle.size()], false));
    }
    return edges;
  }

 private:
  const Arrows& arrows_;
  Successors successors_;
};

// Node 2t: came to t otherwise; 2t + 1: came by rw.
class SnapshotGraph {
 public:
  SnapshotGraph(const Arrows& arrows, std::size_t traces)
      : arrows_(arrows), successors_(2 * traces) {
    for (const Edge* edge : arrows) {
      const auto from = static_cast<Node>(2 * edge->from);
      const auto to = static_cast<Node>(2 * edge->to);
      if (edge->arrow == Arrow::rw) {
        successors_[from].push_back(to + 1);
      } else {
        successors_[from].push_back(to);
        successors_[from + 1].push_back(to);
      }
    }
  }
  const Successors& successors() const { return successors_; }
  std::vector<Edge> edges_of(const std::vector<Node>& cycle) const {
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const Node to = cycle[(i + 1) % cycle.size()];
      edges.push_back(arrows_.between(cycle[i] / 2, to / 2, to % 2 == 1));
    }
    return edges;
  }

 private:
  const Arrows& arrows_;
  Successors successors_;
};

// A smallest cycle of each component; those without time, if there are any.
template <typename Shape>
std::vector<std::vector<Edge>> smallest_cycles(const Graph& graph,
                                               std::size_t traces) {
  std::vector<std::vector<Edge>> cycles;
  const Arrows all(graph, true);
  const Shape shape(all, traces);
  if (cyclic_components(shape.successors()).empty()) return cycles;
  for (const bool timed : {false, true}) {
    const Arrows arrows(graph, timed);
    const Shape searched(arrows, traces);
    for (const auto& component : cyclic_components(searched.successors())) {
      cycles.push_back(
          searched.edges_of(smallest_cycle(searched.successors(), component)));
    }
    if (!cycles.empty()) break;
  }
  return cycles;
}

// Of each trace that is on a cycle a smallest one; each once.
std::vector<std::vector<Edge>> many_cycles(const Graph& graph,
                                           std::size_t traces) {
  const Arrows arrows(graph, false);
  const PlainGraph shape(arrows, traces);
  std::vector<std::vector<Edge>> cycles;
  std::set<std::vector<Node>> known;
  for (const auto& component : cyclic_components(shape.successors())) {
    for (const Node node : component) {
      const auto cycle = smallest_cycle_through(shape.successors(), node);
      auto members = cycle;
      std::ranges::sort(members);
      if (known.insert(std::move(members)).second) {
        cycles.push_back(shape.edges_of(cycle));
      }
    }
  }
  return cycles;
}

// A cycle begins with the trace that began first.
void rotate_to_first(std::vector<Edge>& cycle) {
  const auto first = std::ranges::min_element(cycle, {}, &Edge::from);
  std::ranges::rotate(cycle, first);
}

}  // namespace

bool Finding::timed() const {
  return std::ranges::any_of(cycle, &Edge::timed);
}

std::vector<std::size_t> Finding::traces() const {
  std::set<std::size_t> traces;
  for (const Edge& edge : cycle)
    traces.insert(edge.from);
  if (cycle.empty()) {
    traces.insert(misread.reader);
    if (misread.other) traces.insert(*misread.other);
  }
  return {traces.begin(), traces.end()};
}

Verdict check(const History& history, Isolation isolation) {
  Graph graph;
  return check(history, isolation, graph);
}

Verdict check(const History& history, Isolation isolation, Graph& graph) {
  graph = graph_of(history);
  const std::size_t traces = history.traces.size();
  Verdict verdict;
  verdict.arrows = graph.edges.size();
  verdict.transactions = static_cast<std::size_t>(
      std::ranges::count_if(history.traces, &Trace::committed));
  std::ranges::move(refusals_without_reason(history, isolation),
                    std::back_inserter(graph.misreads));
  for (const Misread& misread : graph.misreads)
    verdict.wrong.push_back({anomaly_of(misread.fault), {}, misread});
  const auto found = [](std::vector<Edge> cycle) {
    rotate_to_first(cycle);
    const Anomaly anomaly = anomaly_of(cycle);
    return Finding{anomaly, std::move(cycle), {}};
  };
  const bool snapshot = isolation == Isolation::snapshot;
  const auto wrong = snapshot ? smallest_cycles<SnapshotGraph>(graph, traces)
                              : smallest_cycles<PlainGraph>(graph, traces);
  for (const auto& cycle : wrong)
    verdict.wrong.push_back(found(cycle));
  // Few transactions, and those that did little, are told soonest.
  const auto effort = [&](const Finding& finding) {
    std::size_t operations = 0;
    for (const std::size_t trace : finding.traces())
      operations += history.traces[trace].operations.size();
    return std::tuple(finding.timed(), finding.cycle.size(), operations,
                      finding.traces());
  };
  std::ranges::sort(verdict.wrong, {}, effort);
  if (!snapshot || !verdict.wrong.empty()) return verdict;
  for (const auto& cycle : many_cycles(graph, traces))
    verdict.allowed.push_back(found(cycle));
  std::ranges::sort(verdict.allowed, {}, effort);
  return verdict;
}

std::string short_name_of(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::garbage:
      return "garbage";
    case Anomaly::g1a:
      return "G1a";
    case Anomaly::g1b:
      return "G1b";
    case Anomaly::unrepeatable:
      return "unrepeatable";
    case Anomaly::early:
      return "G-SIa";
    case Anomaly::lost_update:
      return "P4";
    case Anomaly::g0:
      return "G0";
    case Anomaly::g1c:
      return "G1c";
    case Anomaly::g_single:
      return "G-single";
    case Anomaly::g2_item:
      return "G2-item";
    case Anomaly::g2:
      return "G2";
    case Anomaly::needless:
      return "needless";
    case Anomaly::reason:
      return "reason";
    case Anomaly::hoard:
      return "hoard";
  }
  return "unknown";
}

std::string short_name_of(const Finding& finding) {
  std::string name = short_name_of(finding.anomaly);
  if (!finding.timed()) return name;
  const bool realtime = std::ranges::any_of(
      finding.cycle,
      [](const Edge& edge) { return edge.arrow == Arrow::realtime; });
  return name + (realtime ? "-realtime" : "-session");
}

std::string name_of(const Finding& finding) {
  const auto words = [&]() -> std::string {
    switch (finding.anomaly) {
      case Anomaly::garbage:
        return "a value from nowhere";
      case Anomaly::g1a:
        return "aborted read";
      case Anomaly::g1b:
        return "intermediate read";
      case Anomaly::unrepeatable:
        return "unrepeatable read";
      case Anomaly::early:
        return "a read of the future";
      case Anomaly::lost_update:
        return "lost update";
      case Anomaly::g0:
        return finding.timed() ? "write cycle with time" : "write cycle";
      case Anomaly::g1c:
        return finding.timed() ? "stale or future read" : "circular reads";
      case Anomaly::g_single:
        return finding.timed() ? "stale read" : "read skew";
      case Anomaly::g2_item:
        return finding.cycle.size() == 2 ? "write skew" : "a serial cycle";
      case Anomaly::g2:
        return "phantom";
      case Anomaly::needless:
        return "a refusal without a reason";
      case Anomaly::reason:
        return "a refusal for a wrong reason";
      case Anomaly::hoard:
        return "records that nobody needs";
    }
    return "unknown";
  };
  const std::string name = short_name_of(finding);
  const bool has_name = finding.anomaly != Anomaly::garbage &&
                        finding.anomaly != Anomaly::unrepeatable &&
                        finding.anomaly < Anomaly::needless;
  return words() + (has_name ? " (" + name + ")" : std::string());
}

}  // namespace lsm::check
